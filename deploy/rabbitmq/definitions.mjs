#!/usr/bin/env node
// Prints the broker's definitions: node definitions.mjs '{"saga":"password","gateway":"…","analyzer":"…","dashboard":"…"}'
// One virtual host, one user per service with the least permissions that work, and the policies every queue is under.
import { createHash, randomBytes } from 'node:crypto';

const passwords = JSON.parse(process.argv[2] ?? '{}');

// The queues a service reads. Nobody else may.
export const queues = {
  saga: ['audit-state'],
  gateway: ['open-budget', 'close-budget', 'ask-engine', 'answers-stored', 'quote-audit', 'get-spending', 'get-engines', 'halt-spending', 'resume-spending', 'pause-engine', 'resume-engine'],
  analyzer: ['plan-queries', 'analyze-answers', 'score-audit', 'draft-insights', 'get-answer-texts', 'compare-audits', 'rederive-audit', 'erase-answers'],
  dashboard: ['project-audit'],
};

// Exchanges are named after message types; answers to requests travel through exclusive queues of the asking process.
const messages = 'Assay\\.Contracts.*|MassTransit:.*';
const answers = '[A-Za-z0-9.-]+_[A-Za-z0-9.]+_bus_[a-z0-9]+';

const hash = (password) => {
  const salt = randomBytes(4);
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password, 'utf8').digest()]).toString('base64');
};

const permissions = Object.entries(queues).map(([user, names]) => {
  const own = `(${names.join('|')})(_error|_skipped)?`;
  return {
    user, vhost: 'assay',
    configure: `^(${own}|assay-dead-letter|${messages}|${answers})$`,
    write: `^(${own}|assay-dead-letter|${messages}|${answers})$`,
    // The dead-letter queue is bound by every service and read by none: operators read it in the console.
    read: `^(${own}|assay-dead-letter|${messages}|${answers})$`,
  };
});

console.log(JSON.stringify({
  vhosts: [{ name: 'assay' }],
  users: Object.keys(queues).map((name) => ({ name, password_hash: hash(passwords[name] ?? randomBytes(24).toString('hex')), hashing_algorithm: 'rabbit_password_hashing_sha256', tags: [] })),
  permissions,
  policies: [{
    vhost: 'assay', name: 'assay-work', pattern: '^[a-z]+(-[a-z]+)*(_error|_skipped)?$', 'apply-to': 'queues', priority: 0,
    definition: { 'delivery-limit': 20, 'dead-letter-exchange': 'assay-dead-letter', 'dead-letter-strategy': 'at-least-once', overflow: 'reject-publish' },
  }],
}, null, 2));
