/** Two people at the React example, by way of its development server; and a change to its code while they talk. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

import { startDaemon, within } from '../daemon.mjs';

const WAIT_MS = 30_000;
const EXAMPLE = process.env.EXAMPLE ?? '';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof startDaemon>>} */
let daemon;
/** @type {import('node:child_process').ChildProcess} */
let vite;
let address = '';

before(async () => {
  daemon = await startDaemon();
  vite = spawn(process.execPath, [join(EXAMPLE, 'node_modules/vite/bin/vite.js'), '--host', '127.0.0.1', '--port', '0'], {
    cwd: EXAMPLE, env: { ...process.env, WSRELAY_URL: daemon.http(), NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  address = await within(WAIT_MS, 'address of the development server', new Promise((found) => {
    createInterface({ input: /** @type {any} */ (vite.stdout) }).on('line', (line) => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(line) ?? [];
      if (url) found(url);
    });
  }));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  vite?.kill();
  if (vite && vite.exitCode === null) await once(vite, 'exit');
  await daemon?.stop();
});

/** @param {string} nick @param {string[]} complaints */
async function comeIn(nick, complaints) {
  const context = await browser.newContext();
  context.setDefaultTimeout(WAIT_MS);
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  const page = await context.newPage();
  await page.goto(address);
  await page.getByLabel('Your name').fill(nick);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
  return page;
}

test('two talk, and a change to the code shows without a reload', async (t) => {
  const complaints = /** @type {string[]} */ ([]);
  const [ann, bo] = [await comeIn('ann', complaints), await comeIn('bo', complaints)];
  await ann.getByLabel('Post', { exact: true }).fill('hello from React');
  await ann.keyboard.press('Enter');
  await bo.getByText('hello from React').waitFor();
  // `/api` is the daemon's too: it asks who has no cookie to log in.
  assert.equal((await fetch(`${address}api/me`)).status, 401);
  // And takes what the page would change, for it is of the page's own origin.
  const guest = await fetch(`${address}api/guest`, {
    method: 'POST', headers: { Origin: new URL(address).origin, 'Content-Type': 'application/json' }, body: '{"name":"eve"}',
  });
  assert.equal(guest.status, 200, await guest.text());

  const file = join(EXAMPLE, 'src/App.jsx');
  const source = await readFile(file, 'utf8');
  t.after(() => writeFile(file, source));
  await bo.evaluate(() => { Object.assign(window, { isOld: true }); });
  await bo.getByLabel('Post', { exact: true }).fill('half a word');
  await writeFile(file, source.replace('placeholder="Say something"', 'placeholder="Say more"'));
  const field = bo.getByPlaceholder('Say more');
  await field.waitFor();
  assert.equal(await field.inputValue(), 'half a word');
  assert.equal(await bo.evaluate(() => /** @type {any} */ (window).isOld), true);
  await ann.getByPlaceholder('Say more').fill('still here');
  await ann.keyboard.press('Enter');
  await bo.getByText('still here').waitFor();
  assert.deepEqual(complaints, []);
});
