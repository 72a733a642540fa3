// Assay as an engine of the audit-180 benchmark (the form of ../../../../shared/bench): 4 engines × 45 queries, then 22 advisor
// calls (18 findings, 3 syntheses, 1 summary) per audit, over the real four services, RabbitMQ quorum queues and PostgreSQL.
// `command()` starts a supervisor whose death takes all four services with it, so that one kill -9 hits the whole product at once.
// The broker and the database outlive it, as the peers' Redis and PostgreSQL do. ASSAY_PG is added to every connection string, for example ';Maximum Pool Size=1'.
import { spawn } from 'node:child_process'; import { createHash, randomUUID } from 'node:crypto'; import { fileURLToPath } from 'node:url';
import fs from 'node:fs'; import http from 'node:http'; import net from 'node:net'; import os from 'node:os'; import path from 'node:path';

const ROOT = process.env.ASSAY_ROOT ?? path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const H = process.env.BENCH_RUN ?? os.tmpdir() + '/audit-180';
const LLM_PORT = Number(process.env.LLM_PORT ?? 18080), ADVISOR_PORT = LLM_PORT + 1, AMQP = 15673, MANAGEMENT = 15674, FIRST_URL = 15680;
const SERVICES = ['AuditSaga', 'LlmGateway', 'Analyzer', 'Dashboard'];
const DATABASE = { AuditSaga: 'assay_saga', LlmGateway: 'assay_gateway', Analyzer: 'assay_analyzer', Dashboard: 'assay_dashboard' };
const PG = { host: '127.0.0.1', port: 15432, user: 'bench', password: 'bench' };
const wait = ms => new Promise(r => setTimeout(r, ms));
const accepts = port => new Promise(r => { const s = net.connect(port, '127.0.0.1', () => { s.destroy(); r(true); }); s.on('error', () => r(false)); });

// ---- the supervisor (this file run as a program) --------------------------------------------------------------------------
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const engine = (name, kind, url, slots) => ({ [`Engines__${name}__Kind`]: kind, [`Engines__${name}__BaseUrl`]: url, [`Engines__${name}__Model`]: kind === 'anthropic' ? 'claude-fake' : 'gpt-fake',
    [`Engines__${name}__ApiKey`]: 'benchmark', [`Engines__${name}__AllowPrivateNetwork`]: 'true', [`Engines__${name}__InputUsdPerMTok`]: '2.5', [`Engines__${name}__OutputUsdPerMTok`]: '10',
    [`Engines__${name}__MaxOutputTokens`]: '512', [`Engines__${name}__MaxConcurrency`]: String(slots) });
  const cap = Number(process.env.CAP ?? 64), advisor = Number(process.env.ADVISOR_SLOTS ?? Math.round(cap / 8)), each = Math.floor((cap - advisor) / 4), fake = `http://127.0.0.1:${LLM_PORT}`;
  const settings = { RabbitMq__Host: '127.0.0.1', RabbitMq__Port: String(AMQP), RabbitMq__VirtualHost: 'assay', RabbitMq__Username: 'guest', RabbitMq__Password: 'guest', LlmGateway__DailyCeilingUsd: '1000000',
    ...engine('chatgpt', 'openai', fake + '/v1', each), ...engine('claude', 'anthropic', fake, each), ...engine('perplexity', 'openai', fake + '/v1', each), ...engine('mistral', 'openai', fake + '/v1', each),
    ...engine('advisor', 'openai', `http://127.0.0.1:${ADVISOR_PORT}/v1`, advisor), DOTNET_ENVIRONMENT: 'Production', ASPNETCORE_ENVIRONMENT: 'Production', Serilog__MinimumLevel__Default: 'Warning' };
  SERVICES.forEach((service, i) => {
    const folder = path.join(process.env.ASSAY_PUBLISHED ?? path.join(ROOT, 'services'), service, process.env.ASSAY_PUBLISHED ? '' : 'bin/Release/net10.0'), log = fs.openSync(`${H}/assay-${service}.log`, 'a');
    // The services die with this process: a supervisor killed with -9 leaves nothing running.
    spawn('setpriv', ['--pdeathsig', 'KILL', 'dotnet', path.join(folder, `Assay.${service}.dll`)], { cwd: folder, stdio: ['ignore', log, log],
      env: { ...process.env, ...settings, ASPNETCORE_URLS: `http://127.0.0.1:${FIRST_URL + i}`,
        [`ConnectionStrings__${service}`]: `Host=127.0.0.1;Port=${PG.port};Username=bench;Password=bench;Database=${DATABASE[service]}${process.env.ASSAY_PG ?? ''}` } });
  });
  const ready = i => new Promise(r => http.get(`http://127.0.0.1:${FIRST_URL + i}/health/ready`, m => { m.resume(); r(m.statusCode === 200); }).on('error', () => r(false)));
  for (let i = 0; i < SERVICES.length; i++) while (!await ready(i)) await wait(50);
  console.log('ready');
  await new Promise(() => setInterval(() => {}, 1 << 30));
}

// ---- what the benchmark calls ---------------------------------------------------------------------------------------------
export const backend = 'pg';
/** Process trees to count beside the supervisor's and PostgreSQL's: the broker's. */
export const alsoCount = () => [Number(fs.readFileSync(`${H}/rabbit.pid`, 'utf8'))];
export const command = () => ['node', [fileURLToPath(import.meta.url)]];

const idOf = label => { const h = createHash('sha1').update('audit-180:' + label).digest(); h[6] = h[6] & 15 | 0x50; h[8] = h[8] & 63 | 0x80; const x = h.toString('hex'); return `${x.slice(0, 8)}-${x.slice(8, 12)}-${x.slice(12, 16)}-${x.slice(16, 20)}-${x.slice(20, 32)}`; };
let submitted = [], pools = {}, prepared;
const db = async service => (pools[service] ??= new (await import('pg')).default.Pool({ ...PG, database: DATABASE[service], max: 2 }));

/** The first call makes fresh databases, a broker and the advisor's mask; later ones only forget the ids submitted so far. */
export async function reset() { await (prepared ??= prepare()); submitted = []; }

async function prepare() {
  const pg = (await import('pg')).default, admin = new pg.Client({ ...PG, database: 'bench' });
  await admin.connect();
  for (const name of Object.values(DATABASE)) { await admin.query(`drop database if exists ${name} with (force)`); await admin.query(`create database ${name}`); }
  await admin.end();
  await startBroker();
  http.createServer(maskAdvisor).listen(ADVISOR_PORT, '127.0.0.1').unref();
}

async function startBroker() {
  const home = `${H}/rabbit`; let pid = 0; try { pid = Number(fs.readFileSync(`${H}/rabbit.pid`, 'utf8')); process.kill(-pid, 'SIGKILL'); await wait(1000); } catch { /* none runs */ }
  if (await accepts(AMQP) || await accepts(MANAGEMENT)) throw new Error(`Something listens on 127.0.0.1:${AMQP} or :${MANAGEMENT} already, perhaps a broker of an earlier run; stop it first.`);
  fs.rmSync(home, { recursive: true, force: true }); fs.mkdirSync(home + '/data', { recursive: true });
  fs.writeFileSync(home + '/.erlang.cookie', randomUUID(), { mode: 0o400 }); fs.writeFileSync(home + '/plugins', '[rabbitmq_management].\n');
  fs.writeFileSync(home + '/rabbitmq.conf', `listeners.tcp.1 = 127.0.0.1:${AMQP}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${MANAGEMENT}\ndefault_vhost = assay\nlog.file = false\nlog.console = true\nlog.console.level = warning\n`);
  const lib = '/usr/lib/rabbitmq/lib', version = fs.readdirSync(lib).find(x => x.startsWith('rabbitmq_server-'));
  const epmd = 15671, env = { ...process.env, HOME: home, RABBITMQ_CONF_ENV_FILE: '/dev/null', RABBITMQ_NODENAME: 'bench@localhost', RABBITMQ_DIST_PORT: '15672', ERL_EPMD_PORT: String(epmd), ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: home + '/data', RABBITMQ_LOG_BASE: home, RABBITMQ_CONFIG_FILE: home + '/rabbitmq.conf', RABBITMQ_ENABLED_PLUGINS_FILE: home + '/plugins', RABBITMQ_PID_FILE: home + '/pid',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none' };
  const log = fs.openSync(home + '/log', 'a');
  if (!await accepts(epmd)) spawn('epmd', ['-port', String(epmd), '-address', '127.0.0.1'], { stdio: 'ignore', detached: true }).unref();
  const broker = spawn(`${lib}/${version}/sbin/rabbitmq-server`, [], { cwd: home, stdio: ['ignore', log, log], env, detached: true }); broker.unref();
  fs.writeFileSync(`${H}/rabbit.pid`, String(broker.pid));
  for (let i = 0; !(await accepts(AMQP) && await accepts(MANAGEMENT)); i++) { if (i === 600 || broker.exitCode !== null) throw new Error(`RabbitMQ did not start; see ${home}/log`); await wait(100); }
}

/** Stops what `reset` started and nothing else ends. */
export async function stop() { try { process.kill(-Number(fs.readFileSync(`${H}/rabbit.pid`, 'utf8')), 'SIGKILL'); } catch { /* already gone */ } for (const p of Object.values(pools)) await p.end(); }

// The fake provider writes prose; an advisor must answer in JSON that cites answers of its prompt. This mask passes each call to the
// fake provider, which counts and delays it, and replaces the prose by the smallest insight that Assay's checks accept.
function maskAdvisor(req, res) {
  const parts = []; req.on('data', d => parts.push(d)); req.on('end', () => {
    const body = Buffer.concat(parts);
    const on = http.request({ host: '127.0.0.1', port: LLM_PORT, path: req.url, method: req.method, agent: masks, headers: { ...req.headers, host: `127.0.0.1:${LLM_PORT}` } }, m => {
      const back = []; m.on('data', d => back.push(d)); m.on('end', () => {
        let text = Buffer.concat(back).toString();
        if (m.statusCode === 200) { const j = JSON.parse(text), prompt = JSON.parse(body).messages.at(-1).content; j.choices[0].message.content = insight(prompt); text = JSON.stringify(j); }
        res.writeHead(m.statusCode, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }); res.end(text);
      }); m.on('error', () => res.destroy());
    }); on.on('error', () => res.destroy()); res.on('close', () => { if (!res.writableEnded) on.destroy(); }); on.end(body);
  });
}
const masks = new http.Agent({ keepAlive: true, maxSockets: 128 });
function insight(prompt) {
  const key = /"callKey":"([^"]+)"/.exec(prompt)?.[1], below = /"insights":\[\{"insightId":"([^"]+)"/.exec(prompt)?.[1];
  return JSON.stringify({ title: 'What buyers are told', text: 'The brand is named beside its competitors. The answers agree on this.', evidence: key ? [key] : [], insights: below ? [below] : [], recommendations: [] });
}

const publish = (path, body) => new Promise((ok, fail) => {
  const text = JSON.stringify(body), r = http.request({ host: '127.0.0.1', port: MANAGEMENT, path, method: 'POST', agent: posts, headers: { authorization: 'Basic ' + Buffer.from('guest:guest').toString('base64'), 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } }, m => {
    const c = []; m.on('data', d => c.push(d)); m.on('end', () => { const answer = Buffer.concat(c).toString(); m.statusCode === 200 && JSON.parse(answer).routed ? ok() : fail(new Error(`RabbitMQ did not route the request (${m.statusCode} ${answer}); is the saga running?`)); });
  }); r.on('error', fail); r.end(text);
});
const posts = new http.Agent({ keepAlive: true, maxSockets: 16 });

/** One RequestAudit per id, as any producer without .NET sends it. */
export async function submit(labels) {
  submitted.push(...labels.map(idOf));
  await Promise.all(labels.map(label => {
    const message = { auditId: idOf(label), brand: { name: `Acme ${label}`, aliases: ['Acme'], features: ['price', 'support', 'trust'] }, competitors: [{ name: 'Globex', aliases: [] }, { name: 'Initech', aliases: [] }],
      queries: Array.from({ length: 45 }, (_, i) => `Which tools are best for team ${i}? Give a ranked list.`), engines: ['chatgpt', 'claude', 'perplexity', 'mistral'], ceilingUsd: 20, deadlineMinutes: 30, requestedBy: 'audit-180' };
    const envelope = { messageId: randomUUID(), conversationId: randomUUID(), messageType: ['urn:message:Assay.Contracts:RequestAudit'], message };
    return publish('/api/exchanges/assay/Assay.Contracts%3ARequestAudit/publish', { properties: { content_type: 'application/vnd.masstransit+json', delivery_mode: 2 }, routing_key: '', payload: JSON.stringify(envelope), payload_encoding: 'string' });
  }));
}
/** Messages published so far, by the broker's own count. */
export const messages = () => new Promise((ok, fail) => http.get({ host: '127.0.0.1', port: MANAGEMENT, path: '/api/overview', headers: { authorization: 'Basic ' + Buffer.from('guest:guest').toString('base64') } }, m => { const c = []; m.on('data', d => c.push(d)); m.on('end', () => ok(JSON.parse(Buffer.concat(c)).message_stats?.publish ?? 0)); }).on('error', fail));
const count = async (service, sql) => submitted.length === 0 ? 0 : Number((await (await db(service)).query(sql, [submitted])).rows[0].c);
export const done = () => count('AuditSaga', "select count(*) c from audit where audit_id = any($1) and current_state = 'Completed'");
/** However they ended: an audit whose calls are in doubt after a kill may fail for want of coverage, and says so. */
export const ended = () => count('AuditSaga', "select count(*) c from audit where audit_id = any($1) and current_state in ('Completed', 'Failed', 'Cancelled')");
export const finals = () => count('AuditSaga', "select count(*) c from (select 1 from audit_transition where audit_id = any($1) and to_state in ('Completed', 'Failed', 'Cancelled') group by audit_id, attempt having count(*) > 1) x");
export const lost = () => count('LlmGateway', "select count(*) c from paid_call where audit_id = any($1) and state = 'InDoubt'");
export async function extra() { return (await (await db('AuditSaga')).query('select current_state, failure_reason, count(*)::int c from audit where audit_id = any($1) group by 1, 2', [submitted])).rows; }
