/** A thread that panics: the daemon says so and ends, with its log as it was acknowledged, rather than serving by half. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';

import { threadOf } from './process.mjs';
import { freely, gather, inDirectory, readLobby, Strace, withDaemon, withDoomed, within } from './support.mjs';

test('when the password thread panics the daemon ends, and keeps what it has', () => inDirectory(async (directory) => {
  const options = { flags: freely(join(directory, 'chat.db')) };
  await withDoomed(options, async (daemon) => {
    const ledger = await gather(daemon, ['ann', 'bo']);
    // It needs a salt, and the system has no random numbers any more.
    const strace = await Strace.on(threadOf(daemon.pid, 'passwords'), 'getrandom', 'error=EIO');
    const began = performance.now();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'cy', password: 'correct horse battery' });
    const registered = fetch(daemon.http('/api/register'), { method: 'POST', headers, body }).catch(() => null);
    const status = await within(20_000, 'end of the daemon', daemon.exited);
    const endedMs = performance.now() - began;
    await registered;
    await strace.end();
    assert.equal(status, 1);
    assert.match(daemon.stderr(), /thread 'passwords'.* panicked/);
    assert.match(daemon.stderr(), /a worker thread has ended/);
    for (const witness of ledger.witnesses) witness.close();
    await withDaemon(options, async (again) => {
      const keys = new Map((await readLobby(again)).map(({ seq, key }) => [seq, key]));
      for (const [seq, key] of ledger.all) assert.equal(keys.get(seq), key);
    });
    console.log(`ended with status ${status} after ${endedMs.toFixed(0)} ms; all ${ledger.all.size} posts are there`);
  });
}));
