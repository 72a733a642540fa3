#!/usr/bin/env node
// Prints the broker's definitions:
//   node definitions.mjs '{"saga":"password","gateway":"…","analyzer":"…","dashboard":"…","console":"…",
//                          "producers":{"shop":"…"},"httpProducers":{"script":"…"}}'
// One virtual host, one user per service with the least permissions that work, and the policies every queue is under. The tables
// below are held against the code and a live broker by tests/Deployment: a message that is missing here cannot travel.
import { createHash, randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const ours = 'Assay.Contracts.Internal';

// The queues a service reads. Nobody else may.
export const queues = {
  saga: ['audit-state', 'check-integrity', 'get-ledger-seen', 'fail-live-audits', 'audit-saga-operations'],
  gateway: ['open-budget', 'close-budget', 'ask-engine', 'answers-stored', 'answers-erased', 'quote-audit', 'get-spending', 'get-engines', 'halt-spending', 'resume-spending', 'pause-engine', 'set-engine-limits', 'get-ledger-facts', 'recover-ledger', 'llm-gateway-operations'],
  analyzer: ['plan-queries', 'analyze-answers', 'score-audit', 'draft-insights', 'get-answer-texts', 'compare-audits', 'rederive-audit', 'erase-answers', 'get-partial-scores', 'get-analysis-facts', 'describe-again', 'analyzer-operations'],
  dashboard: ['project-audit', 'announce-alert', 'get-read-model-facts', 'repair-read-model', 'dashboard-operations'],
};

// The process whose exclusive answer queues a user reads, as MassTransit names them: HOST_PROCESS_bus_ID.
const processes = { saga: 'AssayAuditSaga', gateway: 'AssayLlmGateway', analyzer: 'AssayAnalyzer', dashboard: 'AssayDashboard' };

// Every message: who may send it, who takes it. An exchange has the message's name.
export const messages = {
  'Assay.Contracts:RequestAudit': { from: ['dashboard', 'producers', 'saga'], to: ['saga'] },
  'Assay.Contracts:CancelAudit': { from: ['dashboard', 'producers'], to: ['saga'] },
  'Assay.Contracts:RetryAudit': { from: ['dashboard', 'producers'], to: ['saga'] },
  'Assay.Contracts:QuoteAudit': { from: ['dashboard', 'producers'], to: ['gateway'] },
  'Assay.Contracts:AuditAccepted': { from: ['saga'], to: ['dashboard', 'producers'] },
  'Assay.Contracts:AuditRejected': { from: ['saga'], to: ['dashboard', 'producers'] },
  'Assay.Contracts:AuditProgressed': { from: ['saga'], to: ['dashboard', 'producers'] },
  'Assay.Contracts:AuditCompleted': { from: ['saga'], to: ['dashboard', 'producers'] },
  'Assay.Contracts:AuditFailed': { from: ['saga'], to: ['dashboard', 'producers'] },
  'Assay.Contracts:AuditCancelled': { from: ['saga'], to: ['dashboard', 'producers'] },
  [`${ours}.AuditSaga:AuditRegistered`]: { from: ['saga'], to: ['dashboard'] },
  [`${ours}.AuditSaga:AuditTransitioned`]: { from: ['saga'], to: ['dashboard'] },
  [`${ours}.AuditSaga:AlertRaised`]: { from: ['saga'], to: ['dashboard'] },
  [`${ours}.AuditSaga:AuditStalled`]: { from: ['saga'], to: ['saga'] },
  [`${ours}.AuditSaga:AuditDeadlinePassed`]: { from: ['saga'], to: ['saga'] },
  [`${ours}.AuditSaga:CheckIntegrity`]: { from: ['dashboard'], to: ['saga'] },
  [`${ours}.AuditSaga:GetLedgerSeen`]: { from: ['gateway'], to: ['saga'] },
  [`${ours}.AuditSaga:FailLiveAudits`]: { from: ['gateway'], to: ['saga'] },
  [`${ours}.LlmGateway:OpenBudget`]: { from: ['saga'], to: ['gateway'] },
  [`${ours}.LlmGateway:CloseBudget`]: { from: ['saga'], to: ['gateway'] },
  [`${ours}.LlmGateway:AskEngine`]: { from: ['saga', 'analyzer'], to: ['gateway'] },
  [`${ours}.LlmGateway:AnswersStored`]: { from: ['analyzer'], to: ['gateway'] },
  [`${ours}.LlmGateway:GetSpending`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:GetEngines`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:HaltSpending`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:ResumeSpending`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:PauseEngine`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:SetEngineLimits`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:ResumeEngine`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:GetLedgerFacts`]: { from: ['saga'], to: ['gateway'] },
  [`${ours}.LlmGateway:RecoverLedger`]: { from: ['dashboard'], to: ['gateway'] },
  [`${ours}.LlmGateway:BudgetOpened`]: { from: ['gateway'], to: ['saga'] },
  [`${ours}.LlmGateway:BudgetRefused`]: { from: ['gateway'], to: ['saga'] },
  [`${ours}.LlmGateway:BudgetReported`]: { from: ['gateway'], to: ['saga', 'dashboard'] },
  [`${ours}.LlmGateway:BatchAlive`]: { from: ['gateway'], to: ['saga', 'dashboard'] },
  [`${ours}.LlmGateway:EngineAnswered`]: { from: ['gateway'], to: ['analyzer'] },
  [`${ours}.LlmGateway:SpendingHalted`]: { from: ['gateway'], to: [] },
  [`${ours}.LlmGateway:SpendingResumed`]: { from: ['gateway'], to: [] },
  [`${ours}.Analyzer:PlanQueries`]: { from: ['saga'], to: ['analyzer'] },
  [`${ours}.Analyzer:ScoreAudit`]: { from: ['saga'], to: ['analyzer'] },
  [`${ours}.Analyzer:DraftInsights`]: { from: ['saga'], to: ['analyzer'] },
  [`${ours}.Analyzer:GetAnswerTexts`]: { from: ['dashboard'], to: ['analyzer'] },
  [`${ours}.Analyzer:CompareAudits`]: { from: ['dashboard'], to: ['analyzer'] },
  [`${ours}.Analyzer:RederiveAudit`]: { from: ['dashboard'], to: ['analyzer'] },
  [`${ours}.Analyzer:EraseAnswers`]: { from: ['dashboard'], to: ['analyzer'] },
  [`${ours}.Analyzer:GetPartialScores`]: { from: ['dashboard'], to: ['analyzer'] },
  [`${ours}.Analyzer:GetAnalysisFacts`]: { from: ['saga'], to: ['analyzer'] },
  [`${ours}.Analyzer:DescribeAgain`]: { from: ['dashboard'], to: ['analyzer'] },
  [`${ours}.Analyzer:QueriesPlanned`]: { from: ['analyzer'], to: ['saga', 'dashboard'] },
  [`${ours}.Analyzer:AnswersAnalyzed`]: { from: ['analyzer'], to: ['saga'] },
  [`${ours}.Analyzer:AnswersDescribed`]: { from: ['analyzer'], to: ['dashboard'] },
  [`${ours}.Analyzer:AnswersJudged`]: { from: ['analyzer'], to: ['dashboard'] },
  [`${ours}.Analyzer:AnswersErased`]: { from: ['analyzer'], to: ['gateway', 'saga'] },
  [`${ours}.Analyzer:AuditScored`]: { from: ['analyzer'], to: ['saga', 'dashboard'] },
  [`${ours}.Analyzer:InsightsDrafted`]: { from: ['analyzer'], to: ['saga', 'dashboard'] },
  [`${ours}.Dashboard:PublishReport`]: { from: ['saga'], to: ['dashboard'] },
  [`${ours}.Dashboard:ReportPublished`]: { from: ['dashboard'], to: ['saga'] },
  [`${ours}.Dashboard:GetReadModelFacts`]: { from: ['saga'], to: ['dashboard'] },
  [`${ours}.Dashboard:RepairReadModel`]: { from: ['saga'], to: ['dashboard'] },
  [`${ours}.Operations:GetServiceHealth`]: { from: ['dashboard'], to: ['saga', 'gateway', 'analyzer', 'dashboard'] },
  [`${ours}.Operations:ReleaseParked`]: { from: ['dashboard'], to: ['saga', 'gateway', 'analyzer', 'dashboard'] },
};

// A consumer that gives up publishes Fault<T>; the saga listens to those of the work it waits for.
export const faultsHeardBySaga = ['LlmGateway:OpenBudget', 'LlmGateway:CloseBudget', 'LlmGateway:AskEngine', 'LlmGateway:EngineAnswered', 'Analyzer:PlanQueries', 'Analyzer:ScoreAudit', 'Analyzer:DraftInsights', 'Dashboard:PublishReport'].map((name) => `${ours}.${name}`);

export const deadLetter = 'assay-dead-letter';

const fault = (name) => `MassTransit:Fault--${name}--`;
const escape = (name) => name.replaceAll('.', '\\.');
const anyOf = (names) => `^(${names.filter((name) => name.length > 0).join('|')})$`;
const queueNames = (names) => names.map((name) => `${name}(_error|_skipped)?`);
const answersOf = (process) => `[A-Za-z0-9.-]+_${process}_bus_[a-z0-9]+`;
const sentBy = (who) => Object.entries(messages).filter(([, { from }]) => from.includes(who)).map(([name]) => name);
const takenBy = (who) => Object.entries(messages).filter(([, { to }]) => to.includes(who)).map(([name]) => name);

function servicePermissions(user) {
  const own = [...queueNames(queues[user]), deadLetter, answersOf(processes[user])];
  const faults = [...takenBy(user).map(fault), 'MassTransit:Fault', 'MassTransit:ReceiveFault'];
  const heard = user === 'saga' ? faultsHeardBySaga.map(fault) : [];
  // Who answers requests writes to the asking process's own queue.
  const asked = [answersOf('[A-Za-z0-9.]+')];
  const exchanges = [...sentBy(user), ...takenBy(user)];
  return {
    user, vhost: 'assay',
    // MassTransit declares what it sends to and what it listens to, whoever comes first.
    configure: anyOf([...own, ...[...new Set([...exchanges, ...faults, ...heard])].map(escape), ...asked]),
    write: anyOf([...own, ...[...new Set([...sentBy(user), ...faults])].map(escape), ...asked]),
    read: anyOf([...own, ...[...new Set([...takenBy(user), ...faults, ...heard])].map(escape)]),
  };
}

// A producer sends four commands, hears six events, and owns the queues that begin with its name.
function producerPermissions(user) {
  const own = [`${user}(-[a-z0-9-]+)?(_error|_skipped)?`, answersOf('(?!Assay)[A-Za-z0-9.]+')];
  const faults = [...takenBy('producers').map(fault), 'MassTransit:Fault', 'MassTransit:ReceiveFault'];
  const names = (list) => [...new Set(list)].map(escape);
  return {
    user, vhost: 'assay',
    configure: anyOf([...own, ...names([...sentBy('producers'), ...takenBy('producers'), ...faults])]),
    write: anyOf([...own, ...names([...sentBy('producers'), ...faults])]),
    read: anyOf([...own, ...names([...takenBy('producers'), ...faults])]),
  };
}

const hash = (password) => {
  const salt = randomBytes(4);
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password, 'utf8').digest()]).toString('base64');
};

export function definitions(passwords) {
  const { console: operator, producers = {}, httpProducers = {}, ...services } = passwords;
  const taken = [...Object.keys(queues), 'console', ...Object.values(queues).flat()];
  for (const name of [...Object.keys(producers), ...Object.keys(httpProducers)])
    if (!/^[a-z][a-z0-9]*$/.test(name) || taken.some((other) => other === name || other.startsWith(`${name}-`)))
      throw new Error(`'${name}' cannot be a producer's name: use lower-case letters and digits, and none of the services' or their queues' names.`);
  const user = (name, password, tags = []) => ({ name, password_hash: hash(password ?? randomBytes(24).toString('hex')), hashing_algorithm: 'rabbit_password_hashing_sha256', tags });
  return {
    vhosts: [{ name: 'assay' }],
    users: [
      ...Object.keys(queues).map((name) => user(name, services[name])),
      // Who signs in to the console: sees everything, moves messages between queues, administers nothing.
      user('console', operator, ['monitoring']),
      ...Object.entries(producers).map(([name, password]) => user(name, password)),
      // Publishing over the management API needs its tag; the permissions are the same.
      ...Object.entries(httpProducers).map(([name, password]) => user(name, password, ['management'])),
    ],
    permissions: [
      ...Object.keys(queues).map(servicePermissions),
      { user: 'console', vhost: 'assay', configure: '^$', write: '.*', read: '.*' },
      ...[...Object.keys(producers), ...Object.keys(httpProducers)].map(producerPermissions),
    ],
    policies: [{
      // Not the dead-letter queue itself: it would hand its messages to itself.
      vhost: 'assay', name: 'assay-work', pattern: '^(?!assay-dead-letter$)[a-z][a-z0-9]*(-[a-z0-9]+)*(_error|_skipped)?$', 'apply-to': 'queues', priority: 0,
      definition: { 'delivery-limit': 20, 'dead-letter-exchange': deadLetter, 'dead-letter-strategy': 'at-least-once', overflow: 'reject-publish' },
    }],
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(JSON.stringify(definitions(JSON.parse(process.argv[2] ?? '{}')), null, 2));
