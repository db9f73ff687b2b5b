/**
 * Chromium at the site that nginx serves over TLS, at $SITE: the page comes whole, two people talk.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

import { Person } from '../browser/person.mjs';

const { SITE, CHROMIUM } = process.env;
const WAIT_MS = 20_000;

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      `--host-resolver-rules=MAP ${new URL(SITE).hostname} 127.0.0.1`,
    ],
  });
});
after(() => browser?.close());

/** Somebody on a machine of their own, at the page. The certificate was made for the test, and is nobody's to trust. */
async function visitor(name, complaints) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(WAIT_MS);
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  const page = await context.newPage();
  await page.goto(`${SITE}/#/room/lobby`);
  const person = new Person(page);
  await person.enterAs(name);
  return person;
}

test('two people talk, and the second visit costs almost nothing', async () => {
  const complaints = [];
  const [eve, dan] = await Promise.all([visitor('eve', complaints), visitor('dan', complaints)]);
  await eve.say('hello from behind nginx');
  await dan.hears('eve', 'hello from behind nginx');
  await dan.say('hello eve');
  await eve.hears('dan', 'hello eve');

  const statuses = [];
  eve.page.on('response', (response) => {
    if (/\.(js|css)$/.test(new URL(response.url()).pathname)) statuses.push(response.status());
  });
  await eve.page.reload();
  await eve.isIn();
  await eve.hears('dan', 'hello eve');
  assert.ok(statuses.length > 10, 'the page has its parts');
  assert.deepEqual(statuses.filter((status) => status !== 304), [], 'an unchanged part is not sent again');
  const [cookie] = await eve.context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite], [true, true, 'Lax'], 'as TLS before it deserves');
  assert.deepEqual(complaints, []);
});
