#!/usr/bin/env node
// A producer without .NET: requests an audit through RabbitMQ's management HTTP API, follows it to its end and prints how it ended.
//   ASSAY_BROKER=http://127.0.0.1:15672 ASSAY_USER=script ASSAY_PASSWORD=… node request-audit.mjs chatgpt [--cancel]
// Needs Node.js 20 and nothing else; curl can do the same. The user is an "httpProducers" entry of deploy/rabbitmq/definitions.mjs.
import { randomUUID } from 'node:crypto';

const [engine = 'chatgpt', ...flags] = process.argv.slice(2);
const { ASSAY_BROKER: broker = 'http://127.0.0.1:15672', ASSAY_USER: user = 'script', ASSAY_PASSWORD: password = '', ASSAY_VHOST: vhost = 'assay' } = process.env;
const queue = `${user}-events-${randomUUID().slice(0, 8)}`;
const events = ['AuditAccepted', 'AuditRejected', 'AuditCompleted', 'AuditFailed', 'AuditCancelled'];

// 1. A queue of our own (its name begins with our user's), bound to the events we want to hear.
await call('PUT', `queues/${vhost}/${queue}`, { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-expires': 600_000 } });
for (const event of events) await call('POST', `bindings/${vhost}/e/${name(event)}/q/${queue}`, {});

try {
  // 2. The request. Its auditId is the idempotency key: sent again, it starts nothing new.
  const auditId = randomUUID();
  await send('RequestAudit', {
    auditId,
    kind: 'brand',
    brand: { name: 'Anker', domain: 'anker.com', aliases: ['Soundcore'] },
    competitors: [{ name: 'Sony' }, { name: 'JBL' }],
    queries: ['best earbuds for working out', 'which earbuds last longest on one charge', 'good cheap earbuds'],
    engines: [engine],
    ceilingUsd: 1.0,
    deadlineMinutes: 5,
    requestedBy: 'samples/http',
  });
  console.log(`requested ${auditId}`);

  // 3. Follow it. An event may come more than once, and the queue hears of everybody's audits.
  const limit = Date.now() + 120_000;
  while (true) {
    for (const { type, message } of await receive()) {
      if (message.auditId !== auditId) continue;
      if (type === 'AuditAccepted') {
        console.log(`accepted ${auditId}: ${message.plannedCalls} calls, at most $${message.worstCaseUsd}`);
        if (flags.includes('--cancel')) await send('CancelAudit', { auditId, reason: 'the sample changed its mind', requestedBy: 'samples/http' });
        continue;
      }
      console.log(`${type.replace('Audit', '').toLowerCase()} ${auditId}: ${message.reason ?? `visibility ${message.scores.visibility.value}`}`);
      process.exitCode = type === 'AuditCompleted' || type === 'AuditCancelled' ? 0 : 1;
      break;
    }
    if (process.exitCode !== undefined) break;
    if (Date.now() > limit) throw new Error(`${auditId} has not ended within two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
} finally {
  await call('DELETE', `queues/${vhost}/${queue}`);
}

// An envelope needs no more than a message id, the message's type and the message.
async function send(type, message) {
  const messageId = randomUUID();
  const envelope = { messageId, conversationId: messageId, messageType: [`urn:message:Assay.Contracts:${type}`], sentTime: new Date().toISOString(), message };
  const { routed } = await call('POST', `exchanges/${vhost}/${name(type)}/publish`, {
    routing_key: '',
    payload_encoding: 'string',
    payload: JSON.stringify(envelope),
    properties: { delivery_mode: 2, message_id: messageId, content_type: 'application/vnd.masstransit+json' },
  });
  if (!routed) throw new Error(`${type} reached no queue: is the AuditSaga service running?`);
}

async function receive() {
  const got = await call('POST', `queues/${vhost}/${queue}/get`, { count: 50, ackmode: 'ack_requeue_false', encoding: 'auto' });
  return got.map(({ payload }) => JSON.parse(payload)).map(({ messageType, message }) => ({ type: messageType[0].split(':').at(-1), message }));
}

function name(type) {
  return encodeURIComponent(`Assay.Contracts:${type}`);
}

async function call(method, path, body) {
  const response = await fetch(`${broker}/api/${path}`, {
    method,
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}
