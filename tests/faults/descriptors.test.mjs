/** Out of descriptors: those inside notice nothing, those at the door wait, and nobody burns a processor meanwhile. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';

import { cpuMsOf, describeDescriptors, descriptorsOf } from './process.mjs';
import { eventually, freely, gather, inDirectory, pause, withDaemon, within } from './support.mjs';

const DESCRIPTORS = 64;
const WAITING = 40;
const WATCHED_MS = 3_000;

/** A connection that begins a handshake, and finds out when it is answered. */
function knock(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /echo HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
  return { socket, answered: once(socket, 'data').then(([data]) => String(data)) };
}

/** Comes in until the daemon says that it has no descriptor left: one of them may be promised to a thread that waits. */
async function fill(daemon) {
  const inside = [];
  const isFull = () => /cannot accept connections for now/.test(daemon.stderr());
  while (!isFull()) {
    const one = knock(daemon.port);
    inside.push(one);
    let isIn = false;
    one.answered.then(() => { isIn = true; });
    await eventually('the next one is in, or nobody is any more', () => isIn || isFull());
  }
  assert.ok(inside.length > DESCRIPTORS / 4, `only ${inside.length} were let in`);
  return inside;
}

test('out of descriptors, members talk on and newcomers wait', () => inDirectory(async (directory) => {
  const through = ['prlimit', `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`];
  await withDaemon({ flags: [...freely(join(directory, 'chat.db')), '--max-connections', '1000'], through }, async (daemon) => {
    const ledger = await gather(daemon, ['ann', 'bo', 'cy', 'dee']);
    const usually = descriptorsOf(daemon.pid);
    const inside = await fill(daemon);
    const waiting = Array.from({ length: WAITING }, () => knock(daemon.port));

    await pause(500);
    const cpuBefore = cpuMsOf(daemon.pid);
    await pause(WATCHED_MS);
    const restingMs = cpuMsOf(daemon.pid) - cpuBefore;
    assert.ok(restingMs <= WATCHED_MS / 20, `${restingMs} ms of processor in ${WATCHED_MS} ms`);

    const began = performance.now();
    await Promise.all(ledger.witnesses.map(async (witness) => {
      for (let n = 0; n < 50; n += 1) await witness.post('lobby', `${n}`);
    }));
    await ledger.settle();
    const postsMs = performance.now() - began;
    assert.equal(ledger.witnesses.reduce((sum, { losses }) => sum + losses, 0), 0);

    for (const { socket } of inside) socket.destroy();
    const released = performance.now();
    for (const { socket, answered } of waiting) {
      assert.match(await within(10_000, 'answer to who waited', answered), /^HTTP\/1\.1 101 /);
      socket.destroy();
    }
    console.log(`${WAITING} waited: ${restingMs} ms of processor in ${WATCHED_MS} ms; 200 posts inside in ${postsMs.toFixed(0)} ms; `
      + `all let in ${(performance.now() - released).toFixed(0)} ms after there was room`);
    for (const witness of ledger.witnesses) witness.close();
    const left = () => `all but ${usually} are given back, and not ${describeDescriptors(daemon.pid)}`;
    await eventually(left, () => descriptorsOf(daemon.pid) <= usually);
  });
}));
