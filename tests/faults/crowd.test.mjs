/** The daemon is killed under a crowd and started again, and all come back at once for what they have missed. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { inDirectory } from './support.mjs';

const CROWD = process.env.CROWD ?? '10000';
const BACK_S_MAX = 10;

test(`${CROWD} sessions come back after a kill, all of them, with all they missed`, () => inDirectory(async (directory) => {
  const report = join(directory, 'report.json');
  const flags = ['bench', 'chat', 'storm', '-n', CROWD, '--missed', '20', '--repeat', '1', '--floor', 'off', '--json', report];
  await promisify(execFile)(process.env.WSRELAY_BIN, flags, { timeout: 150_000 });
  const { figures, counts } = JSON.parse(await readFile(report, 'utf8')).points[0].subjects.server;
  const of = (name) => figures[name]?.median;
  assert.equal(counts.connections_dropped, 0);
  assert.ok(of('all_back_s') < BACK_S_MAX, `all were back after ${of('all_back_s')} s`);
  console.log(`${CROWD} sessions: killed, up again after ${of('restart_s')} s, all back with 20 posts each after ${of('all_back_s')} s; `
    + `${of('failed_attempts')} attempts failed on the way; half were back after ${(of('back_p50_us') / 1e6).toFixed(2)} s`);
}));
