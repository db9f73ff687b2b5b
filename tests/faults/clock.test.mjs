/** A clock that is put forward and back, by hours and by years, while people talk: nobody is dropped, nobody logged out. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { freely, gather, inDirectory, open, pause, register, withDaemon } from './support.mjs';
import { Witness } from './witness.mjs';

const HOUR_S = 3_600;
const JUMPS_S = [HOUR_S, -HOUR_S, 1_000 * 24 * HOUR_S, -1_000 * 24 * HOUR_S, 0];
/** Of a moment that was read on another clock, some time later. */
const TOLERANCE_MS = 10_000;

test('a clock that jumps drops nobody and logs nobody out', () => inDirectory(async (directory) => {
  const clock = join(directory, 'clock');
  const turn = (seconds) => writeFileSync(clock, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s\n`);
  turn(0);
  const env = {
    LD_PRELOAD: process.env.LIBFAKETIME, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  await withDaemon({ flags: freely(join(directory, 'chat.db')), env }, async (daemon) => {
    const ledger = await gather(daemon, ['ann', 'bo', 'cy']);
    const token = await register(daemon, 'dee');
    const dee = new Witness(ledger, { url: daemon.ws('/ws'), token });
    await dee.enter(['lobby']);
    const quiet = await open(daemon.ws('/relay/quiet'));
    let lost = false;
    quiet.on('close', () => { lost = true; });
    const tokens = [token];
    const moments = [];
    for (const witness of ledger.witnesses) witness.chat.on('entry', ({ at }) => moments.push(Date.parse(at)));

    for (const jump of JUMPS_S) {
      turn(jump);
      moments.length = 0;
      await Promise.all(ledger.witnesses.map((witness) => witness.post('lobby', `by a clock ${jump} s off`)));
      await ledger.settle();
      for (const moment of moments) {
        assert.ok(Math.abs(moment - Date.now() - jump * 1_000) < TOLERANCE_MS, 'an entry says when the server thought that it was');
      }
      tokens.push(await logIn(daemon, 'dee'));
      for (const known of tokens) assert.equal(await whoIs(daemon, known), 'dee', `${jump} s off`);
      await pause(300);
    }
    for (const known of tokens) assert.equal(await whoIs(daemon, known), 'dee');
    assert.equal(ledger.witnesses.reduce((sum, { losses }) => sum + losses, 0), 0);
    assert.equal(lost, false);
    assert.doesNotMatch(daemon.stderr(), /stood still/);
    console.log(`${JUMPS_S.length} jumps of up to ${JUMPS_S[2] / HOUR_S / 24} days: ${ledger.acknowledged} posts, no connection lost, `
      + `${tokens.length} log-ins good`);
    quiet.terminate();
    for (const witness of ledger.witnesses) witness.close();
  });
}));

async function logIn(daemon, name) {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name, password: 'correct horse battery' });
  const response = await fetch(daemon.http('/api/login'), { method: 'POST', headers, body });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).token;
}

async function whoIs(daemon, token) {
  const response = await fetch(daemon.http('/api/me'), { headers: { authorization: `Bearer ${token}` } });
  return response.status === 200 ? (await response.json()).user.name : response.status;
}
