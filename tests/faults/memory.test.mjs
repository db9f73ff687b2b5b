/**
 * Memory that is capped, and floods that promise or ask for more than there is: who floods is turned away, the daemon lives,
 * and members talk on. The cap is a control group's, which would kill the daemon, so that to be alive is to have stayed within it.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';

import { memoryOf } from './process.mjs';
import { eventually, freely, gather, inDirectory, open, pause, withDaemon } from './support.mjs';

const CAP_BYTES = 512 * 1024 * 1024;
/** What the outboxes of all together may hold. */
const HELD_BYTES = 256 * 1024 * 1024;
const FLOODERS = 600;

/** A control group with that much memory, of either version. */
function capped() {
  const root = '/sys/fs/cgroup';
  const isV1 = existsSync(`${root}/memory/memory.limit_in_bytes`);
  const group = join(isV1 ? `${root}/memory` : root, `wsrelay-faults-${process.pid}`);
  if (!isV1) writeFileSync(`${root}/cgroup.subtree_control`, '+memory');
  mkdirSync(group);
  writeFileSync(join(group, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(CAP_BYTES));
  return {
    through: ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$0" "$@"`],
    peak: () => Number(readFileSync(join(group, isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8')),
    remove: () => rmdirSync(group),
  };
}

/** Begins a message and never ends it: in one frame, or in as many as it takes. */
async function hoard(daemon) {
  const socket = net.connect(daemon.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write('GET /echo HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
  const frames = Buffer.concat(Array.from({ length: 60 }, (_, n) =>
    Buffer.concat([Buffer.from([n === 0 ? 0x02 : 0x00, 0xfe, 0x04, 0x00, 0, 0, 0, 0]), randomBytes(1_024)])));
  socket.write(frames);
  return socket;
}

/**
 * Asks for four pages of 256 KiB, and reads none. Through a Unix socket, because of a TCP connection the kernel buffers many
 * megabytes; uncompressed, because what is asked for would otherwise be small.
 */
async function ask(path, n) {
  const socket = await open(`ws+unix:${path}:/ws?nick=greedy${n}`, ['wsrelay.v1'], { perMessageDeflate: false });
  socket.pause();
  for (let id = 1; id <= 4; id += 1) socket.send(JSON.stringify({ type: 'history', id, room: 'lobby', limit: 200 }));
  return socket;
}

test('floods that would take more memory than there is are turned away', () => inDirectory(async (directory) => {
  const cap = capped();
  try {
    const path = join(directory, 'socket');
    const flags = [...freely(join(directory, 'chat.db')), '--listen', `unix:${path}`];
    await withDaemon({ flags, through: cap.through }, async (daemon) => {
      const ledger = await gather(daemon, ['ann', 'bo']);
      const text = 'long '.repeat(780);
      const long = Array.from({ length: 150 }, (_, n) => `${n} ${text}`);
      await Promise.all(ledger.witnesses.map((witness) => Promise.all(long.map((body) => witness.post('lobby', body)))));
      const floods = [];
      const talk = async () => {
        for (const witness of ledger.witnesses) await witness.post('lobby', 'can you hear me?');
        await ledger.settle();
      };
      for (let n = 0; n < FLOODERS * 2; n += 1) floods.push(await hoard(daemon));
      await pause(500);
      await talk();
      const hoarded = memoryOf(daemon.pid).rss;
      for (const socket of floods.splice(0)) socket.destroy();

      // Some are turned away at the door by then.
      const asking = Array.from({ length: FLOODERS }, (_, n) => ask(path, n));
      for (const { value } of await Promise.allSettled(asking)) if (value) floods.push(value);
      await eventually('they are closed, for holding too much together', () => /a slow reader is closed/.test(daemon.stderr()), 60_000);
      await talk();
      const asked = memoryOf(daemon.pid).rss;
      assert.ok(asked > HELD_BYTES / 2, `they did hold much: ${asked}`);
      for (const socket of floods.splice(0)) socket.terminate();
      await eventually('what was held is given back', () => memoryOf(daemon.pid).rss < CAP_BYTES / 2);
      await talk();
      const mib = (bytes) => (bytes / 2 ** 20).toFixed(0);
      assert.equal(ledger.witnesses.reduce((sum, { losses }) => sum + losses, 0), 0);
      console.log(`capped at ${mib(CAP_BYTES)} MiB: ${FLOODERS * 2} hoarders of 60 KiB held ${mib(hoarded)} MiB, ${FLOODERS} who read nothing `
        + `${mib(asked)}; ${mib(memoryOf(daemon.pid).rss)} after; the group's peak ${mib(cap.peak())}`);
      for (const witness of ledger.witnesses) witness.close();
    });
  } finally {
    await eventually('the group is empty', () => { try { cap.remove(); return true; } catch { return false; } });
  }
}));
