/** What the tests of faults share: a daemon on a file, members who compare notes, a bystander with a stop-watch. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import WebSocket from 'ws';

import { startDaemon, within } from '../daemon.mjs';
import { Ledger, Witness } from './witness.mjs';

export { pause, within };

const PATIENCE_MS = 30_000;

/** @param {string | (() => string)} what @param {() => any} holds @returns {Promise<any>} what it answered */
export async function eventually(what, holds, patienceMs = PATIENCE_MS) {
  const by = performance.now() + patienceMs;
  for (;;) {
    const held = await holds();
    if (held) return held;
    assert.ok(performance.now() < by, `never happened: ${typeof what === 'function' ? what() : what}`);
    await pause(20);
  }
}

/** @param {(directory: string) => Promise<void>} test */
export async function inDirectory(test) {
  const directory = await mkdtemp(join(tmpdir(), 'faults-'));
  try {
    await test(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The flags of a daemon that holds nobody back, on this file. */
export const freely = (file) => ['--data', file, '--post-rate', '0', '--command-rate', '0'];

/** What is closed after a test, whatever comes of it: a client that comes back by itself would do so for ever. */
const guests = new Set();

function sendAllHome() {
  for (const guest of guests) guest();
  guests.clear();
}

/**
 * A daemon for a test, which is ended whatever comes of it.
 *
 * @param {object} options of `startDaemon` @param {(daemon: any) => Promise<void>} test
 */
export async function withDaemon(options, test) {
  const daemon = await startDaemon(options);
  const ended = daemon.exited.then((status) => { throw new Error(`the daemon ended with ${status}`); });
  ended.catch(() => {});
  try {
    await Promise.race([test(daemon), ended]);
    await daemon.stop();
  } catch (error) {
    console.error(daemon.stderr());
    await daemon.kill().catch(() => {});
    throw error;
  } finally {
    sendAllHome();
  }
}

/** A daemon that the test itself ends otherwise; or a crash would. */
export async function withDoomed(options, test) {
  const daemon = await startDaemon(options);
  try {
    await test(daemon);
  } catch (error) {
    console.error(daemon.stderr());
    throw error;
  } finally {
    sendAllHome();
    await daemon.kill();
  }
}

/** Members in the lobby, who have said something and heard each other. */
export async function gather(daemon, names, options = {}) {
  const ledger = new Ledger();
  ledger.all = new Map();
  for (const nick of names) {
    const witness = new Witness(ledger, { url: daemon.ws('/ws'), nick, options });
    guests.add(() => witness.close());
    await witness.enter(['lobby']);
  }
  for (const witness of ledger.witnesses) await witness.post('lobby', `hello from ${witness.nick}`);
  await ledger.settle();
  return ledger;
}

export async function register(daemon, name) {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name, password: 'correct horse battery' });
  const response = await fetch(daemon.http('/api/register'), { method: 'POST', headers, body });
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()).token;
}

/** The whole log of the lobby, as a newcomer reads it. @param {any} daemon */
export async function readLobby(daemon) {
  const ledger = new Ledger();
  const reader = new Witness(ledger, { url: daemon.ws('/ws'), nick: 'reader' });
  guests.add(() => reader.close());
  await reader.enter(['lobby']);
  const log = [];
  for (let more = true; more;) {
    const page = await reader.chat.history('lobby', { after: log.at(-1)?.seq ?? 0, limit: 200 });
    log.push(...page.entries);
    more = page.more;
  }
  reader.close();
  return log;
}

/** A WebSocket that is open. */
export async function open(url, protocols = [], options = {}) {
  const socket = new WebSocket(url, protocols, options);
  guests.add(() => socket.terminate());
  await within(PATIENCE_MS, 'handshake', once(socket, 'open'));
  socket.on('error', () => {});
  return socket;
}

/** Somebody whom a fault does not concern, and how long each round trip takes meanwhile. */
export class Bystander {
  /** @param {any} daemon whose `/echo` is used */
  static async at(daemon) {
    const bystander = new Bystander();
    bystander.thread = new Worker(new URL('./bystander.mjs', import.meta.url), { workerData: daemon.ws('/echo') });
    guests.add(() => bystander.thread.terminate());
    await within(PATIENCE_MS, 'bystander', once(bystander.thread, 'message'));
    return bystander;
  }

  /** The slowest trip, and the one that 99 in 100 were faster than, in milliseconds. */
  async leave() {
    this.thread.postMessage('done');
    const [trips] = await within(PATIENCE_MS, 'last round trip', once(this.thread, 'message'));
    const sorted = trips.sort((a, b) => a - b);
    return { trips: sorted.length, p99: sorted[Math.floor(sorted.length * 0.99)], worst: sorted.at(-1) };
  }
}

/** Makes system calls of one thread fail or wait, until it is ended. */
export class Strace {
  /** @param {number} tid @param {string} calls @param {string} how `error=EIO`, `delay_enter=…` in microseconds */
  static async on(tid, calls, how) {
    const arguments_ = ['-q', '-p', String(tid), '-e', `trace=${calls}`, '-e', `inject=${calls}:${how}`];
    const child = spawn(process.env.STRACE ?? 'strace', arguments_, { stdio: ['ignore', 'ignore', 'pipe'] });
    const strace = new Strace();
    strace.child = child;
    strace.exited = once(child, 'exit');
    strace.injected = 0;
    strace.said = '';
    child.stderr.on('data', (chunk) => {
      strace.said += chunk;
      strace.injected += String(chunk).split('(INJECTED)').length - 1 + String(chunk).split('(DELAYED)').length - 1;
    });
    await eventually('strace is attached', () => isTraced(tid, child.pid));
    return strace;
  }

  async end() {
    this.child.kill('SIGINT');
    await within(PATIENCE_MS, 'end of strace', this.exited);
  }
}

function isTraced(tid, by) {
  return new RegExp(`^TracerPid:\\s+${by}$`, 'm').test(readFileSync(`/proc/${tid}/status`, 'utf8'));
}
