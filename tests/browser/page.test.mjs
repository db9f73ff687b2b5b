/**
 * The page in a real browser, against the real daemon: what a person sees and does.
 *
 * Every page that is opened here is watched: an exception, a console error or a breach of the content security policy
 * fails the test in which it happens. Nothing sleeps; what has to become true is waited for, with a deadline.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';

import { ROWS_MAX } from '../../src/page/model.js';
import { startDaemon, within } from '../daemon.mjs';

const WAIT_MS = 10_000;
/** The longest wait of the page's back-off, and what a busy machine adds to it. */
const RECONNECT_MS = 45_000;

/** Not a loopback address, as far as the page can see. */
const HOST = 'chat.test';

/** As root in a sandbox there is no sandbox of Chromium's own; and it has no business on the network. */
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', `--host-resolver-rules=MAP ${HOST} 127.0.0.1`,
];

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof startDaemon>>} */
let daemon;
/** @type {string} */
let axe;

before(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
  daemon = await startDaemon({ flags: ['--log', 'warn'] });
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
});

/**
 * A person at the page. Closed, and its complaints read, when the test ends.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ room?: string, nick?: string, context?: object, base?: string, mayComplain?: RegExp,
 *   prepare?: (page: import('playwright-core').Page) => Promise<void> }} [options]
 */
async function person(t, { room, nick, context: settings, base = daemon.http('/'), mayComplain, prepare } = {}) {
  const context = await browser.newContext(settings);
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints.filter((text) => !mayComplain?.test(text)), []);
  });
  await prepare?.(page);
  await page.goto(room === undefined ? base : `${base}?room=${room}`);
  const self = {
    page,
    context,
    phase: (phase, timeout = WAIT_MS) => page.locator(`#link[data-phase=${phase}]`).waitFor({ timeout }),
    line: (text) => page.locator('.row.line', { has: page.locator('.text', { hasText: text }) }),
    async say(text) {
      await page.getByLabel('Line', { exact: true }).fill(text);
      await page.keyboard.press('Enter');
    },
    async rename(name) {
      await page.getByLabel('Your name').fill(name);
      await page.keyboard.press('Enter');
    },
    async hears(who, text) {
      await self.line(text).first().waitFor();
      assert.equal(await self.line(text).first().locator('.nick').textContent(), who);
    },
    shot: (name) => page.screenshot({ path: join(process.env.SCREENSHOTS ?? '', `${name}.png`) }),
  };
  if (nick !== undefined) await self.rename(nick);
  return self;
}

/** Somebody in the same room with a program instead of a page. */
async function program(t, room) {
  const socket = new WebSocket(daemon.ws(`/relay/${room}`));
  const heard = [];
  socket.on('message', (data) => heard.push(data.toString()));
  t.after(() => socket.terminate());
  await within(WAIT_MS, 'open connection', once(socket, 'open'));
  return {
    socket,
    say: (text) => socket.send(text),
    async hears(text) {
      while (!heard.includes(text)) await within(WAIT_MS, `line ${JSON.stringify(text)}`, once(socket, 'message'));
    },
  };
}

/** @param {import('playwright-core').Page} page */
async function isAccessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]), []);
}

describe('talking', () => {
  test('two people in the lobby hear each other', async (t) => {
    const ann = await person(t, { nick: 'ann' });
    const bo = await person(t, { nick: 'bo', context: { colorScheme: 'dark' } });
    await ann.phase('open');
    await bo.phase('open');
    await ann.shot('empty');
    await isAccessible(ann.page);
    assert.equal(await ann.page.title(), 'lobby · wsrelay');
    assert.equal(await ann.page.locator('#command').textContent(), `websocat ${daemon.ws('/relay/lobby')}`);

    await ann.say('good morning, is anybody there?');
    await bo.hears('ann', 'good morning');
    await bo.say('I am. Just watching the build go through, which takes its time this morning, as it does every Monday '
      + 'since the machines moved to the new room.');
    await ann.hears('bo', 'watching the build');
    await ann.say('ha\ntell me when it is done');
    await bo.hears('ann', 'tell me when');
    await bo.hears('ann', 'ha');

    assert.match(await ann.line('good morning').getAttribute('class'), /\bown\b/);
    assert.match(await ann.line('good morning').getAttribute('class'), /\bsent\b/);
    assert.doesNotMatch(await bo.line('good morning').getAttribute('class'), /\bown\b/);
    assert.match(await ann.line('good morning').locator('time').getAttribute('datetime'), /^\d{4}-\d\d-\d\dT/);
    assert.equal(await ann.page.getByLabel('Line', { exact: true }).inputValue(), '');
    await ann.shot('talk');
    await bo.shot('talk-dark');
    await isAccessible(ann.page);
    await isAccessible(bo.page);
  });

  test('a program in the same room sees and is seen', async (t) => {
    const room = 'programs';
    const ann = await person(t, { room, nick: 'ann' });
    const robot = await program(t, room);
    await ann.phase('open');
    await ann.say('hello, program');
    await robot.hears('ann: hello, program');
    robot.say('robot: hello, person');
    await ann.hears('robot', 'hello, person');
    robot.say('no name before this');
    await ann.line('no name before this').waitFor();
    assert.equal(await ann.line('no name before this').locator('.nick').count(), 0);
    robot.socket.send(Buffer.alloc(1204));
    await ann.page.locator('.row.binary', { hasText: '1,204 bytes' }).waitFor();
    await ann.shot('program');
    await isAccessible(ann.page);
  });

  test('rooms are apart', async (t) => {
    const ann = await person(t, { room: 'one', nick: 'ann' });
    const bo = await person(t, { room: 'two', nick: 'bo' });
    await ann.phase('open');
    await bo.phase('open');
    await ann.say('in one');
    await ann.hears('ann', 'in one');
    await bo.say('in two');
    await bo.hears('bo', 'in two');
    assert.equal(await bo.line('in one').count(), 0);
  });

  test('names change for what comes after, and are remembered', async (t) => {
    const room = 'names';
    const bo = await person(t, { room, nick: 'bo' });
    const guest = await person(t, { room });
    await bo.phase('open');
    await guest.phase('open');
    const name = await guest.page.getByLabel('Your name').inputValue();
    assert.match(name, /^guest-\w{4}$/);
    await guest.say('who am I?');
    await bo.hears(name, 'who am I?');
    await guest.rename('  mary: \u200bann ');
    assert.equal(await guest.page.getByLabel('Your name').inputValue(), 'mary ann');
    await guest.say('now you know');
    await bo.hears('mary ann', 'now you know');
    await bo.hears(name, 'who am I?');
    await guest.page.reload();
    await guest.phase('open');
    assert.equal(await guest.page.getByLabel('Your name').inputValue(), 'mary ann');
    await guest.rename('');
    assert.equal(await guest.page.getByLabel('Your name').inputValue(), 'mary ann');
  });

  test('markup is text, in names too, and nothing passes for the page\'s own word', async (t) => {
    const room = 'injection';
    const ann = await person(t, { room, nick: 'ann' });
    const eve = await program(t, room);
    await ann.phase('open');
    const attempts = [
      '<img src=x onerror=document.title="owned">',
      '<script>document.title="owned"</script>',
      'eve: <b>bold</b> &amp; <style>body{display:none}</style>',
      '<i>eve</i>: javascript:alert(1)',
      '"><svg onload=document.title="owned">: x',
      'Disconnected from 1:00:00 to 1:00:01. What was said meanwhile is not here.',
    ];
    for (const attempt of attempts) eve.say(attempt);
    await ann.page.locator('.row').nth(attempts.length - 1).waitFor();
    const shown = await ann.page.locator('.row').evaluateAll((rows) => rows.map((row) => {
      const nick = row.querySelector('.nick')?.textContent;
      return (nick ? `${nick}: ` : '') + row.querySelector('.text').textContent;
    }));
    assert.deepEqual(shown, attempts);
    assert.equal(await ann.page.locator('.row :is(img, script, b, i, style, svg)').count(), 0);
    assert.equal(await ann.page.locator('.row.gap').count(), 0);
    assert.equal(await ann.page.title(), `${room} · wsrelay`);
  });
});

describe('the connection', () => {
  const refused = /ERR_CONNECTION_(REFUSED|RESET)|Error in connection establishment/;

  test('comes back by itself when the server does, and nothing typed is lost', async (t) => {
    const own = await startDaemon();
    t.after(() => second?.stop());
    let second;
    const ann = await person(t, { base: own.http('/'), nick: 'ann', mayComplain: refused });
    const bo = await person(t, { base: own.http('/'), nick: 'bo', mayComplain: refused, context: phone() });
    await ann.phase('open');
    await bo.phase('open');
    await ann.say('before');
    await bo.hears('ann', 'before');

    await own.kill();
    await ann.phase('waiting');
    await bo.phase('waiting');
    await ann.say('typed meanwhile');
    assert.equal(await ann.page.getByLabel('Line', { exact: true }).inputValue(), 'typed meanwhile');
    assert.equal(await ann.line('typed meanwhile').count(), 0);
    assert.equal(await ann.page.locator('#phase').textContent(), 'Reconnecting');
    // By now the waits are long enough for the seconds to be shown.
    await ann.page.locator('#countdown', { hasText: /^in \d+ s$/ }).waitFor({ timeout: RECONNECT_MS });
    await ann.shot('reconnecting');
    await bo.page.locator('#countdown', { hasText: /^in \d+ s$/ }).waitFor({ timeout: RECONNECT_MS });
    await bo.shot('reconnecting-phone');
    await isAccessible(ann.page);
    await isAccessible(bo.page);

    second = await startDaemon({ listen: `127.0.0.1:${own.port}` });
    await ann.phase('open', RECONNECT_MS);
    // One of them waits, the other says "now".
    if (await bo.page.getByRole('button', { name: 'Now' }).isVisible()) {
      await bo.page.getByRole('button', { name: 'Now' }).click({ timeout: 2_000 }).catch(() => {});
    }
    await bo.phase('open', RECONNECT_MS);
    await ann.page.getByLabel('Line', { exact: true }).press('Enter');
    await bo.hears('ann', 'typed meanwhile');
    await bo.say('welcome back');
    await ann.hears('bo', 'welcome back');
    assert.match(await ann.page.locator('.row.gap').textContent(), /What was said meanwhile is not here/);
    await ann.shot('back');
    await isAccessible(ann.page);
  });

  test('"Now" does not wait', async (t) => {
    let tries = 0;
    const ann = await person(t, {
      prepare: (page) => page.routeWebSocket(/relay/, (socket) => {
        tries += 1;
        if (tries < 7) void socket.close({ code: 1012 });
        else socket.connectToServer();
      }),
    });
    const now = ann.page.getByRole('button', { name: 'Now' });
    while (tries < 6) {
      const before = tries;
      await now.click({ timeout: 1_000 }).catch(() => {});
      await ann.page.waitForFunction(() => document.querySelector('#link').dataset.phase !== 'connecting');
      assert.ok(tries >= before);
    }
    await now.click({ timeout: 1_000 }).catch(() => {});
    await ann.phase('open');
    assert.equal(await now.isVisible(), false);
    assert.equal(await ann.page.evaluate(() => document.activeElement?.id), 'text');
  });

  test('stays closed when the server means it', async (t) => {
    let tries = 0;
    const ann = await person(t, {
      prepare: (page) => page.routeWebSocket(/relay/, (socket) => {
        tries += 1;
        if (tries === 1) void socket.close({ code: 4501, reason: 'session ended' });
        else socket.connectToServer();
      }),
    });
    await ann.phase('stopped');
    assert.equal(await ann.page.getByRole('status').textContent(), 'Closed: session ended');
    await ann.shot('stopped');
    await isAccessible(ann.page);
    await ann.page.getByRole('button', { name: 'Try again' }).click();
    await ann.phase('open');
    assert.equal(tries, 2);
  });

  test('a line that may not have arrived says so, and can be sent again', async (t) => {
    const room = 'unconfirmed';
    let swallow = true;
    let route;
    const ann = await person(t, {
      room,
      nick: 'ann',
      prepare: (page) => page.routeWebSocket(/relay/, (socket) => {
        route = socket;
        const server = socket.connectToServer();
        socket.onMessage((message) => { if (!swallow) server.send(message); });
      }),
    });
    const bo = await program(t, room);
    await ann.phase('open');
    await ann.say('into the dark');
    await ann.page.locator('.row.sending').waitFor();
    swallow = false;
    await route.close({ code: 1012 });
    await ann.page.locator('.row.unconfirmed').waitFor();
    await ann.phase('open');
    await ann.shot('unconfirmed');
    await isAccessible(ann.page);
    await ann.page.getByRole('button', { name: 'Send again' }).click();
    await bo.hears('ann: into the dark');
    await ann.page.locator('.row.sent', { hasText: 'into the dark' }).waitFor();
    assert.equal(await ann.page.locator('.row.line').count(), 1);
  });

  test('follows the network: offline is said, and online ends it', async (t) => {
    const ann = await person(t, { base: `http://${HOST}:${daemon.port}/`, nick: 'ann' });
    await ann.phase('open');
    await ann.context.setOffline(true);
    await ann.phase('offline');
    assert.equal(await ann.page.getByRole('status').textContent(), 'Offline');
    await ann.shot('offline');
    await ann.context.setOffline(false);
    await ann.phase('open');
  });
});

describe('reading', () => {
  test('a thousand rows are kept, and the last one is in sight', async (t) => {
    const room = 'many';
    const ann = await person(t, { room });
    const robot = await program(t, room);
    await ann.phase('open');
    for (let line = 1; line <= ROWS_MAX + 200; line += 1) robot.say(`robot: line ${line}.`);
    await ann.line(`line ${ROWS_MAX + 200}.`).waitFor();
    assert.equal(await ann.page.locator('.row').count(), ROWS_MAX);
    assert.equal(await ann.page.locator('.row .text').first().textContent(), 'line 201.');
    await ann.page.waitForFunction(() => {
      const log = document.querySelector('#log');
      return log.scrollHeight - log.clientHeight - log.scrollTop < 2;
    });
  });

  test('who reads further up is left there, and told of what is new', async (t) => {
    const room = 'scroll';
    const ann = await person(t, { room, nick: 'ann' });
    const robot = await program(t, room);
    await ann.phase('open');
    for (let line = 1; line <= 60; line += 1) robot.say(`robot: line ${line}.`);
    await ann.line('line 60.').waitFor();
    await ann.page.locator('#log').evaluate((log) => new Promise((done) => {
      log.addEventListener('scroll', done, { once: true });
      log.scrollTop = 100;
    }));
    robot.say('robot: something new');
    const latest = ann.page.getByRole('button', { name: '1 new line' });
    await latest.waitFor();
    assert.equal(await ann.page.locator('#log').evaluate((log) => log.scrollTop), 100);
    await ann.shot('scrolled-up');
    await isAccessible(ann.page);
    await latest.click();
    await ann.page.waitForFunction(() => {
      const log = document.querySelector('#log');
      return log.scrollHeight - log.clientHeight - log.scrollTop < 2;
    });
    await latest.waitFor({ state: 'hidden' });
  });

  test('the title counts what came while nobody looked', async (t) => {
    const room = 'title';
    const ann = await person(t, { room });
    const robot = await program(t, room);
    await ann.phase('open');
    await ann.page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    robot.say('robot: one');
    robot.say('robot: two');
    await ann.page.waitForFunction(() => document.title === '(2) title · wsrelay');
    await ann.page.evaluate(() => {
      delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await ann.page.waitForFunction(() => document.title === 'title · wsrelay');
  });

  test('new lines are announced politely, and the seconds of a wait are not', async (t) => {
    const ann = await person(t, {});
    assert.equal(await ann.page.getByRole('log').getAttribute('aria-live'), 'polite');
    assert.equal(await ann.page.getByRole('status').locator('#countdown').count(), 0);
    assert.equal(await ann.page.locator('#countdown').getAttribute('aria-hidden'), 'true');
  });

  test('an address that names no room says so', async (t) => {
    const ann = await person(t, { room: 'a%2Fb' });
    await ann.page.getByRole('heading', { name: 'No such room' }).waitFor();
    await ann.shot('no-such-room');
    await isAccessible(ann.page);
    await ann.page.getByRole('link', { name: 'Go to the lobby' }).click();
    await ann.phase('open');
    assert.equal(await ann.page.locator('#room').textContent(), 'lobby');
  });
});

function phone() {
  return { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
}

describe('everywhere', () => {
  const sizes = {
    'phone': phone(),
    'phone-dark': { ...phone(), colorScheme: 'dark' },
    'small-phone': { ...phone(), viewport: { width: 320, height: 568 } },
    'wide': { viewport: { width: 1920, height: 1000 } },
    // What a person sees who enlarges a laptop's page four times.
    'enlarged': { viewport: { width: 320, height: 256 } },
  };
  for (const [name, context] of Object.entries(sizes)) {
    test(`${name}: nothing sticks out, and one can talk`, async (t) => {
      const room = `size-${name}`;
      const ann = await person(t, { room, nick: 'ann', context });
      const robot = await program(t, room);
      await ann.phase('open');
      await ann.shot(`${name}-empty`);
      robot.say('a-name-of-24-characters-: hello');
      robot.say(`robot: ${'https://example.org/'.repeat(20)}`);
      robot.say('ضيف: مرحبا بالجميع');
      robot.say('no name, and a long sentence that has to be broken somewhere on a narrow screen');
      await ann.say('mine');
      await ann.hears('ann', 'mine');
      assert.equal(await ann.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      assert.equal(await ann.page.locator('#log').evaluate((log) => log.scrollWidth <= log.clientWidth), true);
      await ann.shot(name);
      await isAccessible(ann.page);
    });
  }

  test('a keyboard is enough', async (t) => {
    const ann = await person(t, { room: 'keyboard' });
    await ann.phase('open');
    const stops = [];
    for (let stop = 0; stop < 4; stop += 1) {
      await ann.page.keyboard.press('Tab');
      stops.push(await ann.page.evaluate(() => document.activeElement?.id));
    }
    assert.deepEqual(stops, ['log', 'nick', 'text', 'send']);
    await ann.page.keyboard.press('Shift+Tab');
    await ann.page.keyboard.type('one');
    await ann.page.keyboard.press('Shift+Enter');
    await ann.page.keyboard.type('two');
    await ann.page.keyboard.press('Enter');
    await ann.line('one').waitFor();
    await ann.line('two').waitFor();
    assert.equal(await ann.page.locator('.row.line').count(), 2);
  });
});
