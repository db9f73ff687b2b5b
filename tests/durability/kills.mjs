/**
 * Kills the daemon under load, over and over, and insists that nothing which it acknowledged is lost or there twice.
 *
 *     node kills.mjs [--kills 200] [--clients 8] [--seed N]
 *
 * Clients post into two durable rooms as fast as their posts are acknowledged, through the client that pages use; they
 * are left to reconnect by themselves. At random moments the daemon is ended with
 * SIGKILL and started again on the same file and port. In the end the whole log is read by somebody new, and held
 * against what each client was told.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';

import { createClient } from '../../src/page/client.js';
import { startDaemon, within } from '../daemon.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    clients: { type: 'string', default: '8' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const KILLS = Number(values.kills);
const CLIENTS = Number(values.clients);
const ROOMS = ['lobby', 'ops'];
/** Posts of one client in one room that are not acknowledged yet. */
const WINDOW = 3;
const UP_MS_MAX = 300;
const HASTE = 0.01;
const SETTLE_MS = 60_000;

/** Mulberry32: the same moments for the same seed. */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Somebody who posts, and keeps what they are told. */
class Witness {
  constructor(url, nick) {
    this.nick = nick;
    this.posting = true;
    this.acknowledged = [];
    this.dups = 0;
    this.heard = Object.fromEntries(ROOMS.map((room) => [room, []]));
    this.filling = Promise.resolve();
    // By themselves, but out of all the time that they may wait in the least part: a kill with nobody there shows nothing.
    this.chat = createClient({ url, nick, WebSocket, storage: null, random: () => Math.random() * HASTE });
    this.chat.on('entry', (entry) => this.heard[entry.room].push(entry));
    this.chat.on('gap', (gap) => { this.filling = this.filling.then(() => this.fill(gap)); });
  }

  async start() {
    await this.chat.connect();
    for (const room of ROOMS) {
      await this.chat.join(room, { since: undefined });
      for (let n = 0; n < WINDOW; n += 1) void this.post(room, n);
    }
  }

  /** One of a client's few strands of posts: the next when the last is acknowledged. */
  async post(room, strand) {
    for (let n = 0; this.posting; n += 1) {
      const body = `${this.nick} ${room} ${strand} ${n}`;
      const { key, sent } = this.chat.post(room, body);
      const { seq, dup } = await sent;
      this.acknowledged.push({ room, seq, key, body });
      if (dup) this.dups += 1;
    }
  }

  /** Whoever missed too much for a replay reads the history up to `seq`, over as many connections as it takes. */
  async fill({ room, seq }) {
    const heard = this.heard[room];
    for (let more = true; more;) {
      const after = heard.findLast((entry) => entry.seq <= seq)?.seq ?? 0;
      const { entries, more: beyond } = await this.page(room, after);
      const missed = entries.filter((entry) => entry.seq <= seq);
      heard.push(...missed);
      heard.sort((a, b) => a.seq - b.seq);
      more = beyond && missed.length === entries.length && missed.at(-1).seq < seq;
    }
  }

  async page(room, after) {
    for (;;) {
      try {
        return await this.chat.history(room, { after, limit: 200 });
      } catch (error) {
        if (!error.retry) throw error;
        await pause(20);
      }
    }
  }

  waiting() {
    return this.chat.outbox().length;
  }
}

async function wholeLog(chat, room) {
  const log = [];
  for (let more = true; more;) {
    const page = await chat.history(room, { after: log.at(-1)?.seq ?? 0, limit: 200 });
    log.push(...page.entries);
    more = page.more;
  }
  return log;
}

async function until(what, holds) {
  const deadline = Date.now() + SETTLE_MS;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `never happened: ${what}`);
    await pause(20);
  }
}

async function register(base, name) {
  const response = await fetch(`${base}/api/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password: 'a password for tests' }),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()).token;
}

/** Every post that was acknowledged is in the log at its place, and no post is there twice. */
function check(logs, witnesses) {
  for (const room of ROOMS) {
    const posts = logs[room].filter(({ kind }) => kind === 'post');
    const bodies = new Map(posts.map((post) => [post.body, post]));
    assert.equal(bodies.size, posts.length, `${room}: a post is there twice`);
    logs[room].forEach((entry, place) => assert.equal(entry.seq, place + 1, `${room}: a hole in the log`));
    for (const { acknowledged, heard, nick } of witnesses) {
      for (const { seq, body, key } of acknowledged.filter((ack) => ack.room === room)) {
        assert.equal(bodies.get(body)?.seq, seq, `${nick}: "${body}" was acknowledged and is not there`);
        assert.equal(bodies.get(body)?.key ?? key, key);
      }
      const first = heard[room][0].seq;
      assert.deepEqual(
        heard[room].map(({ seq, body }) => [seq, body]),
        logs[room].slice(first - 1).map(({ seq, body }) => [seq, body]),
        `${nick} was not told all of ${room}, once and in order`,
      );
    }
  }
}

const directory = await mkdtemp(join(tmpdir(), 'kills-'));
const flags = ['--data', join(directory, 'chat.db'), '--post-rate', '0', '--command-rate', '0', '--log', 'error'];
let daemon = await startDaemon({ flags });
const listen = `127.0.0.1:${daemon.port}`;
const random = dice(Number(values.seed));
try {
  const keeper = createClient({ url: daemon.ws('/ws'), token: await register(daemon.http(), 'keeper'), WebSocket, storage: null });
  await keeper.connect();
  await keeper.create('open', { name: 'ops' });
  keeper.close();

  const witnesses = Array.from({ length: CLIENTS }, (_, n) => new Witness(daemon.ws('/ws'), `c${n}`));
  await Promise.all(witnesses.map((witness) => witness.start()));
  const began = Date.now();
  const said = () => witnesses.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const before = said();
    await until('somebody posts', () => said() > before);
    await pause(random() * UP_MS_MAX);
    await daemon.kill();
    daemon = await startDaemon({ listen, flags });
    if (kill % 10 === 0) console.log(`${kill} kills, ${said()} posts acknowledged`);
  }
  for (const witness of witnesses) witness.posting = false;
  await until('every outbox is empty', () => witnesses.every((witness) => witness.waiting() === 0));

  const reader = createClient({ url: daemon.ws('/ws'), nick: 'reader', WebSocket, storage: null });
  await reader.connect();
  const logs = {};
  for (const room of ROOMS) {
    await reader.join(room);
    logs[room] = await wholeLog(reader, room);
  }
  await until('everybody has heard everything', () => witnesses.every(({ heard }) =>
    ROOMS.every((room) => heard[room].at(-1)?.seq === logs[room].at(-1).seq)));
  await within(SETTLE_MS, 'history of those who missed too much', Promise.all(witnesses.map(({ filling }) => filling)));
  check(logs, witnesses);
  const dups = witnesses.reduce((sum, witness) => sum + witness.dups, 0);
  assert.ok(said() > KILLS, 'there was a load');
  console.log(`seed ${values.seed}: ${KILLS} kills in ${((Date.now() - began) / 1000).toFixed(0)} s; ${said()} posts of `
    + `${CLIENTS} clients acknowledged, each there once; ${dups} were sent again and known; all heard all, in order`);
  for (const { chat } of [...witnesses, { chat: reader }]) chat.close();
  await daemon.stop();
} catch (error) {
  console.error(`seed ${values.seed}`);
  await daemon.kill();
  throw error;
} finally {
  await rm(directory, { recursive: true, force: true });
}
