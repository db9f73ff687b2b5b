/**
 * Hours of ordinary life, and whether the server is after them as it was before.
 *
 *     node soak.mjs [--minutes 60] [--warm-up 20]
 *
 * Healthy members talk, some with connections that never break and some with such that always do, while everybody else comes and goes
 * (`churn.mjs`). A line a minute; the verdict at the end: nothing was lost to the healthy, memory has not grown by 1 %
 * since the warm-up, the processor was as busy at the end as at the beginning, and every descriptor was given back.
 *
 * The warm-up is longer than the ten minutes for which guests and invite rooms are remembered, and fills the caches of the
 * database first, that of the writer and those of who reads and who searches: what is bounded has reached its bound when
 * measuring begins.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { startDaemon } from '../daemon.mjs';
import { Churn } from './churn.mjs';
import { cpuMsOf, describeDescriptors, descriptorsOf, memoryOf } from './process.mjs';
import { Ledger, Witness } from './witness.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, 'warm-up': { type: 'string', default: '20' } },
});
const MINUTES = Number(values.minutes);
const WARM_UP = Math.min(Number(values['warm-up']), MINUTES / 2);
const ROOMS = ['lobby', 'ops'];
const STEADY = 6;
const LOSING = 6;
const ACCOUNTS = 4;
/** One post of each healthy member in so many milliseconds. */
const POST_EVERY_MS = 2_000;
/** Fills the writer's cache of the database, 32 MiB, with room to spare. */
const FILL_POSTS = 14_000;
const FILLERS = 40;
/** Fewer requests than one connection may make. */
const READ_EVERY_MS = 40;
/** Of a test that stood still for so long, somebody may have been dropped for it. */
const DEAF_MS = 10_000;
const GROWTH_MAX = 0.01;
/** Between the first and the last stretch; a machine with other work is no clock. */
const CPU_GROWTH_MAX = 0.25;

async function register(base, name) {
  const password = `the password of ${name}`;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${base}/api/register`, { method: 'POST', headers, body: JSON.stringify({ name, password }) });
  assert.equal(response.status, 201);
  return { name, password, token: (await response.json()).token };
}

/** Long posts, as fast as people are let. */
async function fill(url) {
  const fillers = Array.from({ length: FILLERS }, (_, n) => new Witness(new Ledger(), { url, nick: `filler${n}` }));
  await Promise.all(fillers.map((filler) => filler.enter(['lobby'])));
  const text = 'long '.repeat(790);
  await Promise.all(fillers.map(async (filler, who) => {
    for (let n = 0; n < FILL_POSTS / FILLERS; n += 1) await filler.post('lobby', `${who} ${n} ${text}`);
    filler.close();
  }));
}

/** Goes through all that was written, and looks for what is in each post: a reader's cache of 2 MiB, and a searcher's. */
async function readAll({ chat }) {
  for (let page, before; page?.more !== false; before = page.entries[0].seq) {
    page = await chat.history('lobby', { before, limit: 200 });
    await pause(READ_EVERY_MS);
  }
  const { hits } = await chat.search('long');
  assert.notEqual(hits.length, 0);
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const mib = (bytes) => (bytes / 2 ** 20).toFixed(2);
const percent = (ratio) => `${(100 * ratio).toFixed(2)} %`;

/** The least of a minute: what is held for a moment is no growth. */
async function minute(pid) {
  const [cpuBefore, until] = [cpuMsOf(pid), Date.now() + 60_000];
  let [rss, anonymous] = [Infinity, Infinity];
  while (Date.now() < until) {
    await pause(500);
    const memory = memoryOf(pid);
    rss = Math.min(rss, memory.rss);
    anonymous = Math.min(anonymous, memory.anonymous);
  }
  return { rss, anonymous, cpuMs: cpuMsOf(pid) - cpuBefore, descriptors: descriptorsOf(pid) };
}

/** How long this process itself did nothing, at the most: who is not given the processor, or the disk, is no judge of others. */
function watchSelf() {
  const watch = { worstMs: 0, at: performance.now() };
  setInterval(() => {
    const now = performance.now();
    watch.worstMs = Math.max(watch.worstMs, now - watch.at);
    watch.at = now;
  }, 100).unref();
  return watch;
}

async function eventually(what, deadlineMs, holds) {
  const by = Date.now() + deadlineMs;
  while (!holds()) {
    assert.ok(Date.now() < by, typeof what === 'string' ? what : what());
    await pause(100);
  }
}

const directory = await mkdtemp(join(tmpdir(), 'soak-'));
const data = join(directory, 'chat.db');
const daemon = await startDaemon({ flags: ['--data', data, '--log', 'warn'] });
const ledger = new Ledger();
try {
  const descriptorsBefore = descriptorsOf(daemon.pid);
  const accounts = [];
  for (let n = 0; n < ACCOUNTS; n += 1) accounts.push(await register(daemon.http(), `acc${n}`));
  const url = daemon.ws('/ws');
  const witnesses = Array.from({ length: STEADY + LOSING }, (_, n) => {
    const who = n < ACCOUNTS ? { token: accounts[n].token } : { nick: `healthy${n}` };
    return new Witness(ledger, { url, ...who });
  });
  await witnesses[0].chat.connect();
  await witnesses[0].chat.create('open', { name: 'ops' });
  await fill(url);
  await readAll(witnesses[0]);
  console.log(`filled: ${mib((await stat(data)).size)} MiB`);

  for (const witness of witnesses) await witness.enter(ROOMS);
  let isEnding = false;
  const talking = witnesses.map(async (witness) => {
    for (let n = 0; !isEnding; n += 1) {
      await witness.post(ROOMS[n % 2], `${witness.nick} ${n} ${'word '.repeat(n % 30)}`);
      await pause(POST_EVERY_MS * 2 * Math.random());
    }
  });
  const losing = witnesses.slice(STEADY).map(async (witness) => {
    while (!isEnding) {
      await pause(5_000 + 25_000 * Math.random());
      witness.lose();
    }
  });
  const churn = new Churn({ port: daemon.port, accounts });
  churn.begin();

  const minutes = [];
  const self = watchSelf();
  for (let n = 1; n <= MINUTES; n += 1) {
    const figures = await minute(daemon.pid);
    minutes.push(figures);
    ledger.compare();
    const events = Object.values(churn.counts).reduce((sum, count) => sum + count, 0);
    console.log(`${String(n).padStart(3)} min${n <= WARM_UP ? ' (warm-up)' : ''}: RSS ${mib(figures.rss)} MiB, of it anonymous `
      + `${mib(figures.anonymous)}; ${(figures.cpuMs / 600).toFixed(1)} % CPU; ${figures.descriptors} descriptors; `
      + `${ledger.acknowledged} posts acknowledged, ${ledger.deliveries} heard, ${events} others came and went`
      + `${self.worstMs > 1_000 ? `; this test itself stood still for ${(self.worstMs / 1_000).toFixed(1)} s` : ''}`);
    assert.deepEqual(ledger.faults, []);
    // Who has not answered a ping for 20 s is dropped, and rightly.
    if (self.worstMs > DEAF_MS) churn.odd.length = 0;
    assert.deepEqual(churn.odd, []);
    self.worstMs = 0;
  }

  await churn.end();
  isEnding = true;
  await Promise.all([...talking, ...losing]);
  await ledger.settle();
  assert.equal(witnesses.slice(0, STEADY).reduce((sum, { losses }) => sum + losses, 0), 0, 'a steady connection was lost');
  const losses = witnesses.reduce((sum, witness) => sum + witness.losses, 0);
  for (const witness of witnesses) witness.close();
  await eventually(() => `descriptors: ${descriptorsBefore} before, now ${describeDescriptors(daemon.pid)}`, 60_000,
    () => descriptorsOf(daemon.pid) <= descriptorsBefore);
  const peak = memoryOf(daemon.pid).peak;
  await daemon.stop();

  const after = minutes.slice(WARM_UP);
  const stretch = Math.max(1, Math.floor(after.length / 8));
  const change = (figure) => {
    const [first, last] = [after.slice(0, stretch), after.slice(-stretch)].map((part) => median(part.map(figure)));
    return { first, last, growth: last / first - 1 };
  };
  const rss = change((figures) => figures.rss);
  const cpu = change((figures) => figures.cpuMs);
  console.log(`${JSON.stringify(churn.counts)}`);
  console.log(`${MINUTES} min, of them ${WARM_UP} to warm up: ${ledger.acknowledged} posts of ${witnesses.length} healthy members, who lost `
    + `their connections ${losses} times; ${ledger.deliveries} entries heard, each once, in order, the same by all; ${ledger.dups} posts sent `
    + `twice and known. RSS ${mib(rss.first)} → ${mib(rss.last)} MiB (${percent(rss.growth)}), at its peak ${mib(peak)}. `
    + `CPU ${(cpu.first / 600).toFixed(1)} → ${(cpu.last / 600).toFixed(1)} %. ${descriptorsBefore} descriptors before and after.`);
  assert.ok(rss.growth < GROWTH_MAX, `memory has grown by ${percent(rss.growth)}`);
  assert.ok(cpu.growth < CPU_GROWTH_MAX, `the processor is busier by ${percent(cpu.growth)}`);
  // That it was not given the processor for a second is the machine's fault, and everything else would be its own.
  const complaints = daemon.stderr().split('\n').filter((line) => line !== '' && !line.includes('stood still'));
  assert.deepEqual(complaints, []);
  console.log('sound');
} catch (error) {
  console.error(daemon.stderr());
  await daemon.kill();
  throw error;
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exit(0);
