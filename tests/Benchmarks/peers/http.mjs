// The ceiling of every engine: the same 202 calls with the same 64 slots, nothing stored but "done". No durability at all.
import pg from 'pg'; import { PGURL, CALLS, AGGS, CAP, llm, analyse, Sem, sleep } from '../lib.mjs';
export const backend = 'pg';
export async function worker() {
  const pool = new pg.Pool({ connectionString: PGURL, max: 2 }), slots = new Sem(CAP), live = new Set();
  const ask = (audit, kind, n) => Promise.all(Array.from({ length: n }, (_, i) => slots.run(() => llm(`${audit}-${kind}${i}`, i))));
  async function audit(id) { (await ask(id, 'q', CALLS)).forEach(analyse); await ask(id, 'a', AGGS); await pool.query('with t as (update todo set done = true where audit_id = $1 returning audit_id) insert into done select audit_id, 0, 1, now() from t', [id]); }
  // Not awaited: the caller says "ready" once this function has returned.
  (async () => { for (; ;) { for (const { audit_id: id } of (await pool.query('select audit_id from todo where not done')).rows) if (!live.has(id)) { live.add(id); audit(id).catch(e => console.error(e)); } await sleep(20); } })();
}
let pool; const db = () => (pool ??= new pg.Pool({ connectionString: PGURL, max: 2 }));
export const reset = () => db().query('truncate done, todo, res, intent');
export const submit = ids => db().query('insert into todo(audit_id, done) select x, false from unnest($1::text[]) x', [ids]);
export const done = async () => Number((await db().query('select count(*) c from done')).rows[0].c);
export const finals = async () => 0, lost = async () => 0, extra = async () => [];
