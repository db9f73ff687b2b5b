/**
 * A process that is stopped for longer than all its waits, and goes on. Nobody was listened to meanwhile, so nobody counts as
 * silent: not even those who had been pinged before.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';

import { eventually, freely, gather, inDirectory, open, pause, within, withDaemon } from './support.mjs';
import { once } from 'node:events';

/** Longer than from a ping until who does not answer it is dropped. */
const STOPPED_MS = 30_000;
const QUIET = 200;

test('a process that was stopped goes on with everybody it had', () => inDirectory(async (directory) => {
  await withDaemon({ flags: freely(join(directory, 'chat.db')) }, async (daemon) => {
    // Pings are answered by hand, so that each has one under way when the process is stopped.
    const quiet = await Promise.all(Array.from({ length: QUIET }, () => open(daemon.ws('/echo'), [], { autoPong: false })));
    let [pinged, lost] = [0, 0];
    for (const socket of quiet) {
      socket.on('ping', () => { pinged += 1; });
      socket.on('close', () => { lost += 1; });
    }
    const ledger = await gather(daemon, ['ann', 'bo', 'cy', 'dee']);
    await eventually('everybody is pinged', () => pinged === QUIET, 60_000);

    daemon.signal('SIGSTOP');
    const posted = ledger.witnesses.map((witness) => witness.post('lobby', `${witness.nick} to whom it may concern`));
    await pause(STOPPED_MS);
    daemon.signal('SIGCONT');
    const began = performance.now();
    await eventually('it says so', () => /nobody was served for \d+ ms/.test(daemon.stderr()));
    for (const socket of quiet) socket.pong();
    await Promise.all(quiet.map(async (socket) => {
      socket.send('still there?');
      await within(10_000, 'echo', once(socket, 'message'));
    }));
    const echoedMs = performance.now() - began;
    await Promise.all(posted);
    await ledger.settle();
    const postedMs = performance.now() - began;
    assert.equal(lost, 0);
    console.log(`stopped for ${STOPPED_MS} ms with ${QUIET} pings under way: none of ${QUIET} lost, all served ${echoedMs.toFixed(0)} ms after; `
      + `what was posted meanwhile acknowledged ${postedMs.toFixed(0)} ms after`);
    for (const witness of ledger.witnesses) witness.close();
    for (const socket of quiet) socket.terminate();
  });
}));
