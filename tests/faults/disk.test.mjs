/**
 * Disks that are full, slow, or broken, and files that go from under the daemon: posts are refused with a time to try again, reading goes
 * on, nobody else is delayed, all comes back by itself, and nothing that was acknowledged is lost.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { threadOf } from './process.mjs';
import {
  Bystander, eventually, freely, gather, inDirectory, open, pause, readLobby, Strace, within, withDaemon, withDoomed,
} from './support.mjs';

const DISK_BYTES = 16 * 1024 * 1024;
const SLOW_MS = 2_000;
/** Less than what a slow disk would cost somebody who waited for it. */
const UNDISTURBED_MS = SLOW_MS / 2;

/** Long enough for a crowd to come in behind the first. */
const SYNC_MS = 4_000;
const CROWD = 40;

/** Posts that nobody waits for: they are acknowledged when they can be. */
function post(ledger, count, text = '') {
  return Promise.all(ledger.witnesses.flatMap((witness) =>
    Array.from({ length: count }, (_, n) => witness.post('lobby', `${witness.nick} ${n} ${text}`))));
}

/** What the daemon says to one post. */
async function refusal(witness) {
  const fields = { room: 'lobby', key: randomBytes(8).toString('hex'), body: 'may I?' };
  return witness.chat.request('post', fields).then(() => null, (error) => error);
}

async function refused(witness) {
  const error = await eventually('a post is refused', () => refusal(witness));
  assert.equal(error.code, 'unavailable');
  assert.ok(error.retry && error.after_ms > 0);
}

async function reads(witness) {
  const { entries } = await witness.chat.history('lobby', { limit: 5 });
  assert.ok(entries.length > 0);
}

/** After a crash the log has all that was acknowledged, and every entry once. */
async function survives(daemon, ledger, options) {
  const acknowledged = ledger.all;
  for (const witness of ledger.witnesses) witness.close();
  await daemon.kill();
  await withDaemon(options, async (again) => {
    const log = await readLobby(again);
    const keys = new Map(log.map(({ seq, key }) => [seq, key]));
    for (const [seq, key] of acknowledged) assert.equal(keys.get(seq), key, `post ${seq} was acknowledged`);
    const posts = log.filter(({ kind }) => kind === 'post');
    assert.equal(new Set(posts.map(({ key }) => key)).size, posts.length, 'none is there twice');
  });
  return acknowledged.size;
}

test('a full disk refuses posts until there is room', () => inDirectory(async (directory) => {
  const disk = join(directory, 'disk');
  await mkdir(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]);
  try {
    const options = { flags: freely(join(disk, 'chat.db')) };
    await withDoomed(options, async (daemon) => {
      const ledger = await gather(daemon, ['ann', 'bo', 'cy']);
      const { bavail, bsize } = await statfs(disk);
      await writeFile(join(disk, 'ballast'), randomBytes(Math.max(0, bavail * bsize - 400_000)));
      const bystander = await Bystander.at(daemon);
      const posted = post(ledger, 150, 'long '.repeat(700));
      await refused(ledger.witnesses[0]);
      const before = ledger.acknowledged;
      for (let n = 0; n < 20; n += 1) {
        await reads(ledger.witnesses[n % 3]);
        await pause(100);
      }
      const { worst } = await bystander.leave();
      assert.match(daemon.stderr(), /store: writing: .*full/);
      await rm(join(disk, 'ballast'));
      const began = performance.now();
      await posted;
      await ledger.settle();
      const lateMs = performance.now() - began;
      assert.match(daemon.stderr(), /store: writing works again/);
      assert.equal(ledger.witnesses.reduce((sum, { losses }) => sum + losses, 0), 0);
      assert.ok(worst < UNDISTURBED_MS, `a bystander waited ${worst} ms`);
      const count = await survives(daemon, ledger, options);
      console.log(`full after ${before} posts; a bystander's slowest round trip ${worst.toFixed(1)} ms; the rest acknowledged `
        + `${lateMs.toFixed(0)} ms after there was room; after a SIGKILL all ${count} are there`);
    });
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
}));

test('a slow disk delays nobody but those who post', () => inDirectory(async (directory) => {
  const options = { flags: freely(join(directory, 'chat.db')) };
  await withDoomed(options, async (daemon) => {
    const ledger = await gather(daemon, ['ann', 'bo', 'cy']);
    const strace = await Strace.on(threadOf(daemon.pid, 'store-writer'), 'fsync,fdatasync', `delay_enter=${SLOW_MS * 1_000}`);
    const bystander = await Bystander.at(daemon);
    const began = performance.now();
    const posted = post(ledger, 3);
    let [slowestRead, count] = [0, 0];
    let isPosting = true;
    void posted.finally(() => { isPosting = false; });
    while (isPosting) {
      const asked = performance.now();
      await reads(ledger.witnesses[count % 3]);
      slowestRead = Math.max(slowestRead, performance.now() - asked);
      count += 1;
      await pause(20);
    }
    const postedMs = performance.now() - began;
    const { p99, worst, trips } = await bystander.leave();
    await strace.end();
    await ledger.settle();
    assert.ok(postedMs > SLOW_MS, 'the disk was slow');
    assert.ok(worst < UNDISTURBED_MS, `a bystander waited ${worst} ms`);
    assert.ok(slowestRead < UNDISTURBED_MS, `a reader waited ${slowestRead} ms`);
    const kept = await survives(daemon, ledger, options);
    console.log(`syncs of ${SLOW_MS} ms: 9 posts took ${postedMs.toFixed(0)} ms; meanwhile ${trips} round trips of a bystander, 99 % under `
      + `${p99.toFixed(1)} ms, the slowest ${worst.toFixed(1)} ms; ${count} pages read, the slowest in ${slowestRead.toFixed(1)} ms; ${kept} posts kept`);
  });
}));

/** Whether a count of those who were told before they were sent away is what the time for it lets one expect. */
const TOLD = new Map([
  [0, (told) => told === 0],
  // Each goes at a random moment, some before the disk has it, and some after.
  [3 * SYNC_MS / 1_000, (told) => told > 0 && told < CROWD],
]);

for (const [drainSeconds, isRight] of TOLD) {
  test(`what waits for a slow disk is stored if all have to go within ${drainSeconds} s`, () => inDirectory(async (directory) => {
    const options = { flags: freely(join(directory, 'chat.db')), env: { WSRELAY_DRAIN_SECONDS: String(drainSeconds) } };
    const bodies = Array.from({ length: CROWD }, (_, n) => `post-${n}`);
    const members = [];
    await withDoomed(options, async (daemon) => {
      for (const [n, body] of bodies.entries()) {
        const socket = await open(daemon.ws(`/ws?nick=n${n}`), ['wsrelay.v1']);
        const member = { isIn: false, isTold: false, closed: once(socket, 'close') };
        member.post = () => socket.send(JSON.stringify({ type: 'post', id: 2, room: 'lobby', key: body, body }));
        socket.on('message', (text) => {
          const { type, id } = JSON.parse(text);
          if (type === 'ok') member[id === 1 ? 'isIn' : 'isTold'] = true;
        });
        socket.send(JSON.stringify({ type: 'join', id: 1, room: 'lobby' }));
        members.push(member);
      }
      await eventually('all are in', () => members.every(({ isIn }) => isIn));
      const strace = await Strace.on(threadOf(daemon.pid, 'store-writer'), 'fsync,fdatasync', `delay_enter=${SYNC_MS * 1_000}`);
      const waiting = (count) => eventually(`${count} wait for the disk`, async () => {
        const metrics = await (await fetch(daemon.http('/metrics'))).text();
        return metrics.includes(`\nwsrelay_store_queue_requests{kind="write"} ${count}\n`);
      });
      // The first has the disk to itself, and all others are behind it.
      members[0].post();
      await waiting(1);
      for (const { post } of members.slice(1)) post();
      await waiting(CROWD);
      daemon.signal('SIGTERM');
      const codes = await Promise.all(members.map(async ({ closed }) => (await within(30_000, 'close', closed))[0]));
      assert.deepEqual(new Set(codes), new Set([1012]));
      await strace.end();
      assert.equal(await within(30_000, 'end of the daemon', daemon.exited), 0);
    });
    const told = members.filter(({ isTold }) => isTold).length;
    assert.ok(isRight(told), `${told} of ${CROWD} were told`);
    await withDaemon(options, async (daemon) => {
      const stored = (await readLobby(daemon)).filter(({ kind }) => kind === 'post').map(({ body }) => body);
      assert.deepEqual(stored.sort(), bodies.sort(), 'each once, whoever was told');
    });
    console.log(`${CROWD} posts waited for the disk when the end was asked for: all are stored, ${told} were acknowledged before the close`);
  }));
}

for (const [calls, what] of [['fsync,fdatasync', 'syncs'], ['pwrite64', 'writes']]) {
  test(`a disk whose ${what} fail refuses posts until they succeed`, () => inDirectory(async (directory) => {
    const options = { flags: freely(join(directory, 'chat.db')) };
    await withDoomed(options, async (daemon) => {
      const ledger = await gather(daemon, ['ann', 'bo', 'cy']);
      const before = ledger.acknowledged;
      const strace = await Strace.on(threadOf(daemon.pid, 'store-writer'), calls, 'error=EIO');
      const bystander = await Bystander.at(daemon);
      const posted = post(ledger, 20);
      for (let n = 0; n < 20; n += 1) {
        await refused(ledger.witnesses[n % 3]);
        await reads(ledger.witnesses[n % 3]);
      }
      assert.equal(ledger.acknowledged, before, 'nothing is acknowledged that the disk does not have');
      const { worst } = await bystander.leave();
      assert.ok(strace.injected >= 20, strace.said);
      await strace.end();
      const began = performance.now();
      await posted;
      await ledger.settle();
      const lateMs = performance.now() - began;
      assert.ok(worst < UNDISTURBED_MS, `a bystander waited ${worst} ms`);
      assert.match(daemon.stderr(), /store: writing: .*I\/O error/);
      assert.match(daemon.stderr(), /store: writing works again/);
      const kept = await survives(daemon, ledger, options);
      console.log(`${strace.injected} ${what} failed, none acknowledged; a bystander's slowest round trip ${worst.toFixed(1)} ms; all posted `
        + `${lateMs.toFixed(0)} ms after they succeed; after a SIGKILL all ${kept} are there`);
    });
  }));
}

test('a file that is moved away or replaced takes no posts, and is left alone, until it is back', () => inDirectory(async (directory) => {
  const file = join(directory, 'chat.db');
  const options = { flags: freely(file) };
  await withDoomed(options, async (daemon) => {
    const ledger = await gather(daemon, ['ann', 'bo']);
    await rename(file, join(directory, 'elsewhere'));
    const posted = post(ledger, 10);
    await refused(ledger.witnesses[0]);
    await reads(ledger.witnesses[1]);
    assert.equal(existsSync(file), false, 'no other is begun in its place');
    await writeFile(file, 'somebody else put this here');
    await refused(ledger.witnesses[0]);
    assert.equal(readFileSync(file, 'utf8'), 'somebody else put this here');
    assert.match(daemon.stderr(), /store: writing: the file was moved, replaced or deleted/);
    await rename(join(directory, 'elsewhere'), file);
    const began = performance.now();
    await posted;
    await ledger.settle();
    const lateMs = performance.now() - began;
    const kept = await survives(daemon, ledger, options);
    console.log(`acknowledged ${lateMs.toFixed(0)} ms after the file was back; after a SIGKILL all ${kept} are there`);
  });
}));

test('a file that is deleted takes no more posts, and the operator is told', () => inDirectory(async (directory) => {
  const file = join(directory, 'chat.db');
  await withDaemon({ flags: freely(file) }, async (daemon) => {
    const ledger = await gather(daemon, ['ann', 'bo']);
    await rm(file);
    for (let n = 0; n < 5; n += 1) {
      await refused(ledger.witnesses[0]);
      await reads(ledger.witnesses[1]);
    }
    assert.equal(existsSync(file), false);
    assert.match(daemon.stderr(), /store: writing: the file was moved, replaced or deleted/);
    for (const witness of ledger.witnesses) witness.close();
  });
}));
