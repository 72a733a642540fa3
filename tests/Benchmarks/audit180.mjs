// Measures Assay beside its peers on the audit-180 work: node audit180.mjs perf|fault|count [engines=…] [latency=20] [sizes=1,10,50] [reps=3,3,2] [rounds=1] [warm=200] [peerWarm=20]
// One run, one engine at a time, taking turns by round, so that a slow hour of the machine meets all of them. CPU and memory are those
// of every process of an engine: its workers, its broker and its database, by process tree. Prints one JSON line per measurement and
// appends it to the file named by `out=` (default: results.jsonl in the work folder).
import { execFileSync, spawn } from 'node:child_process'; import fs from 'node:fs'; import { createRequire } from 'node:module'; import os from 'node:os'; import path from 'node:path'; import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url)), ROOT = path.resolve(HERE, '../..'), SHARED = path.resolve(ROOT, '../shared');
const [mode = 'perf', ...rest] = process.argv.slice(2), opt = Object.fromEntries(rest.map(x => x.split('=')));
const list = (name, otherwise) => (opt[name] ?? otherwise).split(','), number = (name, otherwise) => Number(opt[name] ?? otherwise);
const WORK = process.env.BENCH_WORK ?? path.join(os.tmpdir(), 'assay-audit-180'), BENCH = path.join(WORK, 'bench'), H = process.env.BENCH_RUN = path.join(WORK, 'run');
Object.assign(process.env, { ASSAY_ROOT: ROOT, LEDGER: '1', REDIS_PORT: '16380' });
if (!fs.existsSync(path.join(BENCH, 'node_modules'))) {
  fs.mkdirSync(WORK, { recursive: true }); fs.cpSync(path.join(SHARED, 'bench'), BENCH, { recursive: true }); fs.cpSync(path.join(SHARED, 'tools'), path.join(WORK, 'tools'), { recursive: true });
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: BENCH, stdio: 'inherit' });
}
for (const peer of fs.readdirSync(path.join(HERE, 'peers'))) fs.copyFileSync(path.join(HERE, 'peers', peer), path.join(BENCH, 'engines', peer));
const shell = what => execFileSync('bash', ['-c', `cd '${BENCH}' && . ./env.sh && ${what}`], { stdio: ['ignore', 'ignore', 'inherit'] });
fs.mkdirSync(H, { recursive: true }); shell('up');
if (mode === 'count' && !fs.readFileSync(`${H}/pg/postgresql.conf`, 'utf8').includes('pg_stat_statements')) { fs.appendFileSync(`${H}/pg/postgresql.conf`, "shared_preload_libraries = 'pg_stat_statements'\n"); shell('down; up'); }

const lib = await import(pathToFileURL(path.join(BENCH, 'lib.mjs'))), { request, sleep, treeCpu, cpuOf, median, mulberry, LLM, CALLS, AGGS } = lib, PER_AUDIT = CALLS + AGGS;
const results = opt.out ?? path.join(WORK, 'results.jsonl');
const say = row => { const line = JSON.stringify({ at: new Date().toISOString(), mode, ...row }); fs.appendFileSync(results, line + '\n'); console.log(line); };
const stats = async () => JSON.parse((await request('GET', LLM.port, '/stats')).body);
// One look at all processes for a whole tree: a look for each of a database's sessions took most of a core from what is measured.
const tree = root => { const below = new Map(); for (const d of fs.readdirSync('/proc')) if (/^\d+$/.test(d)) { const c = cpuOf(d); if (c) below.set(c.ppid, [...below.get(c.ppid) ?? [], Number(d)]); } const all = [root]; for (let i = 0; i < all.length; i++) all.push(...below.get(all[i]) ?? []); return all; };
const pss = pid => lib.pss(pid) / 1024, nameOf = pid => { try { const a = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'); return path.basename(a.find(x => x.endsWith('.dll') || x.endsWith('.mjs')) ?? a[0]).replace(/^(postgres: )bench (\S+).*/, '$1$2').trim(); } catch { return '?'; } };
const busy = () => { const f = fs.readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number); return (f[0] + f[1] + f[2] + f[5] + f[6]) / 100; };

const fake = spawn('node', [path.join(WORK, 'tools/fakellm/server.mjs'), `--port=${LLM.port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
await new Promise(r => fake.stdout.once('data', r));
let worker, dead = 0;
async function start(engine, module) {
  const [file, args] = module.command?.() ?? ['node', [path.join(BENCH, 'worker.mjs'), engine]], log = fs.openSync(`${H}/worker-${engine}.log`, 'a');
  const me = worker = spawn(file, args, { stdio: ['ignore', 'pipe', log] });
  await new Promise((ok, fail) => { me.stdout.on('data', d => { fs.writeSync(log, d); if (/ready/.test(d)) ok(); }); me.once('exit', code => fail(new Error(`${engine} ended with ${code}; see ${H}/worker-${engine}.log`))); });
}
async function kill9() { if (!worker || worker.exitCode !== null || worker.signalCode) return; dead += treeCpu(worker.pid); const gone = new Promise(r => worker.once('exit', r)); worker.kill('SIGKILL'); await gone; }
const rootsOf = module => [module.backend === 'redis' ? `${H}/r16380.pid` : `${H}/pg.pid`].map(f => Number(fs.readFileSync(f, 'utf8'))).concat(module.alsoCount?.() ?? []);
async function until(module, n, ms, count = module.done) { const t = performance.now(); for (; ;) { const d = await count(); if (d >= n || performance.now() - t > ms) return d; await sleep(10); } }
let serial = 0; const run = Date.now().toString(36), names = (engine, n) => Array.from({ length: n }, () => `${engine}-${run}-${serial++}`);

async function perf(engine, module, round) {
  const latency = number('latency', 20), sizes = list('sizes', '1,10,50').map(Number), reps = list('reps', '3,3,2').map(Number);
  await request('POST', LLM.port, '/config', { latencyMs: latency }); await module.reset(); await start(engine, module);
  for (let left = engine === 'assay' ? number('warm', 200) : number('peerWarm', 20); left > 0; left -= 50) { const ids = names(engine, Math.min(50, left)); await module.reset(); await module.submit(ids); await until(module, ids.length, 300_000); }
  const roots = rootsOf(module);
  for (let k = 0; k < sizes.length; k++) {
    const rows = [];
    for (let r = 0; r < reps[k]; r++) {
      await module.reset(); await request('POST', LLM.port, '/reset'); await sleep(300);
      let peak = 0; const memory = () => { peak = Math.max(peak, [worker.pid, ...roots].flatMap(tree).reduce((sum, pid) => sum + pss(pid), 0)); }, sampling = setInterval(memory, 5000);
      const cpu = () => [treeCpu(worker.pid), ...roots.map(treeCpu)], before = cpu(), busyBefore = busy(), fakeBefore = cpuOf(fake.pid).self, own = process.cpuUsage(), each = new Map([worker.pid, ...roots].flatMap(tree).map(p => [p, cpuOf(p)?.self ?? 0]));
      const ids = names(engine, sizes[k]), t0 = performance.now(); await module.submit(ids); const finished = await until(module, ids.length, number('max', 300) * 1000), t = (performance.now() - t0) / 1000; clearInterval(sampling); memory();
      await sleep(50); const used = cpu().map((x, i) => x - before[i]), mine = process.cpuUsage(own), s = await stats(), total = used.reduce((a, b) => a + b);
      const parts = {}; for (const [p, c] of each) { const x = cpuOf(p); if (x) parts[nameOf(p)] = (parts[nameOf(p)] ?? 0) + (x.self - c) * 1000 / sizes[k] / PER_AUDIT; }
      rows.push({ t, total, peak, finished, received: s.received, duplicates: s.duplicates, parts, foreign: Math.max(0, busy() - busyBefore - total - (cpuOf(fake.pid).self - fakeBefore) - (mine.user + mine.system) / 1e6) });
    }
    const N = sizes[k], t = median(rows.map(r => r.t)), per = x => +(x * 1000 / N / PER_AUDIT).toFixed(3), one = rows[rows.length >> 1];
    say({ engine, round, latency, audits: N, incomplete: rows.reduce((a, r) => a + N - r.finished, 0), seconds: +t.toFixed(3), all: rows.map(r => +r.t.toFixed(3)), auditsPerS: +(N / t).toFixed(2), callsPerS: Math.round(N * PER_AUDIT / t), cpuMsPerCall: per(median(rows.map(r => r.total))),
      cpuParts: Object.fromEntries(Object.entries(one.parts).filter(([, v]) => v >= 0.005).map(([n, v]) => [n, +v.toFixed(3)])), peakMB: Math.round(Math.max(...rows.map(r => r.peak))), calls: rows.map(r => r.received), duplicates: rows.reduce((a, r) => a + r.duplicates, 0), foreignCpuS: rows.map(r => +r.foreign.toFixed(2)) });
  }
  say({ engine, round, memoryMB: Object.fromEntries([worker.pid, ...roots].flatMap(tree).map(p => [nameOf(p), Math.round(pss(p))]).filter(([, v]) => v > 20)), extra: await module.extra() });
}

async function fault(engine, module, round) {
  const seed = number('seed', 7) + round, N = number('audits', 10), kills = number('kills', 5), random = mulberry(seed), at = [];
  await request('POST', LLM.port, '/config', { latencyMs: number('latency', 200), seed }); await module.reset(); await start(engine, module);
  { const ids = names(engine, 3); await module.submit(ids); await until(module, 3, 60_000); await module.reset(); await request('POST', LLM.port, '/reset'); }
  const ids = names(engine, N), t0 = performance.now(); let last = t0; await module.submit(ids);
  for (let k = 0; k < kills; k++) { await sleep(700 + random() * 1800); if (await module.done() >= N) break; const s = await stats(); await kill9(); last = performance.now(); at.push({ s: +((last - t0) / 1000).toFixed(2), onTheWire: s.inFlight }); await start(engine, module); }
  const ended = await until(module, N, number('max', 300) * 1000, module.ended ?? module.done), end = performance.now(), finished = await module.done(); await sleep(500); const s = await stats();
  say({ engine, round, seed, audits: N, kills: at, finished, failedWithReason: ended - finished, stuck: N - ended, finishedTwice: await module.finals(), seconds: +((end - t0) / 1000).toFixed(1), lastKillToDone: +((end - last) / 1000).toFixed(1), received: s.received, distinct: s.distinct, duplicatesPaid: s.duplicateBilled, usdDuplicate: +s.usdDuplicate.toFixed(4), neverCalled: N * PER_AUDIT - s.distinct, lost: await module.lost(), extra: await module.extra() });
}

// What does not depend on the machine: commits, statements, WAL and messages per audit, and the statements that cost most.
async function count(engine, module, round) {
  const pg = createRequire(path.join(BENCH, 'lib.mjs'))('pg'), db = new pg.Client('postgresql://bench:bench@127.0.0.1:15432/bench'), N = number('audits', 20);
  await db.connect(); await db.query('create extension if not exists pg_stat_statements');
  await request('POST', LLM.port, '/config', { latencyMs: number('latency', 20) }); await module.reset(); await start(engine, module);
  { const ids = names(engine, N); await module.submit(ids); await until(module, N, 300_000); await sleep(3000); await module.reset(); }
  const read = async () => ({ commits: Object.fromEntries((await db.query("select datname, xact_commit::int c from pg_stat_database where datname is not null")).rows.map(r => [r.datname, r.c])), wal: Number((await db.query('select wal_bytes from pg_stat_wal')).rows[0].wal_bytes), messages: await module.messages?.() ?? 0 });
  await sleep(6000); await db.query('select pg_stat_statements_reset()'); const before = await read(), ids = names(engine, N);
  await module.submit(ids); await until(module, N, 300_000); await sleep(6000);
  const after = await read(), top = (await db.query(`select datname, calls, round(total_exec_time::numeric, 1) ms, rows, left(regexp_replace(query, '\s+', ' ', 'g'), ${number('width', 150)}) query from pg_stat_statements join pg_database d on d.oid = dbid where datname <> 'bench' order by ${opt.order ?? 'calls'} desc limit ${number('top', 40)}`)).rows;
  const all = (await db.query("select datname, sum(calls)::int calls, round(sum(total_exec_time)::numeric, 1) ms from pg_stat_statements join pg_database d on d.oid = dbid where datname <> 'bench' group by 1 order by 1")).rows;
  say({ engine, round, audits: N, commitsPerAudit: Object.fromEntries(Object.entries(after.commits).map(([k, v]) => [k, +((v - before.commits[k]) / N).toFixed(1)]).filter(([, v]) => v > 0.1)), statementsPerAudit: Object.fromEntries(all.map(r => [r.datname, +(r.calls / N).toFixed(1)])), databaseMsPerAudit: Object.fromEntries(all.map(r => [r.datname, +(r.ms / N).toFixed(2)])), walKBPerAudit: Math.round((after.wal - before.wal) / 1024 / N), messagesPerAudit: +((after.messages - before.messages) / N).toFixed(1) });
  for (const r of top) console.log(`${(r.calls / N).toFixed(1).padStart(8)} ${(r.ms / N).toFixed(2).padStart(8)} ms ${r.datname.padEnd(16)} ${r.query}`);
  await db.end();
}

try {
  for (let round = 0; round < number('rounds', 1); round++) for (const engine of list('engines', 'http,raw,bullmq,dbos,assay')) {
    const module = await import(pathToFileURL(path.join(BENCH, 'engines', engine + '.mjs')));
    try { await ({ fault, perf, count })[mode](engine, module, round); } catch (e) { console.error(engine, e); process.exitCode = 1; } finally { await kill9(); if (opt.keep !== '1') await module.stop?.(); }
  }
} finally { fake.kill('SIGTERM'); if (opt.keep !== '1') shell('down'); }
process.exit();
