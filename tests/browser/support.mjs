/**
 * One browser for a file of tests, one daemon for each test, and the people of that test: each with a browser context of
 * their own, as if on a machine of their own.
 *
 * Whatever page is opened here is watched: an exception, a console error, a breach of the content security policy or a
 * request to anybody but the daemon fails the test in which it happens. Nothing sleeps; what has to become true is waited
 * for, with a deadline.
 */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

import { startDaemon } from '../daemon.mjs';
import { Person } from './person.mjs';
import { Program } from './program.mjs';

export const WAIT_MS = 15_000;

/** The longest wait of the client's back-off, and what a busy machine adds to it. */
export const RECONNECT_MS = 45_000;

/** How often it is looked whether something has become true. */
const LOOK_MS = 40;

/** Not a loopback address, as far as the page can see. */
export const HOST = 'chat.test';

/** As root in a sandbox there is no sandbox of Chromium's own; and it has no business on the network. */
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', `--host-resolver-rules=MAP ${HOST} 127.0.0.1`,
];

/** What a browser says by itself about a server that is not there. */
export const GONE = /ERR_CONNECTION_(REFUSED|RESET)|ERR_INTERNET_DISCONNECTED|Error in connection establishment|WebSocket is closed/;

/** And about an answer that the page is ready for. */
export const answered = (/** @type {number} */ status) => new RegExp(`status of ${status}`);

/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
});

after(() => browser?.close());

/** @typedef {Awaited<ReturnType<typeof open>>} House */

/**
 * A daemon, and the way to it.
 *
 * @param {import('node:test').TestContext} t
 * @param {string[]} [flags]
 */
export async function open(t, flags = []) {
  /** @type {Awaited<ReturnType<typeof startDaemon>>} */
  let daemon;
  const start = async (/** @type {string | undefined} */ listen) => {
    daemon = await startDaemon({ flags: ['--log', 'warn', ...flags], ...listen === undefined ? {} : { listen } });
  };
  await start(undefined);
  const complaints = /** @type {string[]} */ ([]);
  const contexts = /** @type {import('playwright-core').BrowserContext[]} */ ([]);
  t.after(async () => {
    // The people first: what a page says about a daemon that went is no complaint about either.
    await Promise.all(contexts.map((context) => context.close()));
    await daemon.stop();
    assert.deepEqual(complaints, [], 'complaints of the browser');
  });

  const house = {
    address: (/** @type {string} */ hash = '', host = '127.0.0.1') => `http://${host}:${daemon.port}/${hash}`,
    kill: () => daemon.kill(),
    /** On the port where it was. */
    restart: () => start(`127.0.0.1:${daemon.port}`),

    /** Somebody who has just opened the page. */
    async visitor(/** @type {Visit} */ { hash = '', host, settings, mayComplain, prepare } = {}) {
      const context = await browser.newContext(settings);
      context.setDefaultTimeout(WAIT_MS);
      contexts.push(context);
      watch(context, house.address('', host), (complaint) => {
        if (!mayComplain?.test(complaint)) complaints.push(complaint);
      });
      await prepare?.(context);
      const page = await context.newPage();
      await page.goto(house.address(hash, host));
      return new Person(page);
    },

    /** A guest, in the lobby if nothing else is said. */
    async guest(/** @type {string} */ name, /** @type {Visit} */ visit = {}) {
      const person = await house.visitor({ hash: '#/room/lobby', ...visit });
      await person.enterAs(name);
      return person;
    },

    /** Somebody with an account, new if nobody has that name. */
    async account(/** @type {string} */ name, /** @type {Visit} */ visit = {}) {
      const person = await house.visitor({ hash: '#/room/lobby', ...visit });
      await person.register(name);
      return person;
    },

    /** Somebody who takes part with a program instead of the page. */
    async program(/** @type {string} */ name) {
      const program = await Program.connect(house.address().replace('http', 'ws') + `ws?nick=${name}`);
      t.after(() => program.close());
      return program;
    },
  };
  return house;
}

/**
 * @typedef {{ hash?: string, host?: string, settings?: import('playwright-core').BrowserContextOptions,
 *   mayComplain?: RegExp, prepare?: (context: import('playwright-core').BrowserContext) => Promise<unknown> }} Visit
 *   `mayComplain`: what the browser may say in its console, because the test provokes it
 */

/** @param {import('playwright-core').BrowserContext} context @param {string} address @param {(complaint: string) => void} complain */
function watch(context, address, complain) {
  const { host } = new URL(address);
  const isOurs = (/** @type {string} */ url) => new URL(url).host === host || /^(data|blob):/.test(url);
  context.on('weberror', (error) => complain(String(error.error())));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(message.text());
  });
  context.on('request', (request) => {
    if (!isOurs(request.url())) complain(`a request to ${request.url()}`);
  });
  context.on('page', (page) => page.on('websocket', (socket) => {
    if (!isOurs(socket.url())) complain(`a socket to ${socket.url()}`);
  }));
}

/**
 * Until the assertion holds; or the deadline is over, and it fails as it last did.
 *
 * @template T @param {() => Promise<T> | T} assertion @param {number} [timeoutMs] @returns {Promise<T>}
 */
export async function eventually(assertion, timeoutMs = WAIT_MS) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }
}

/** A cable that can be pulled: the page is there, its socket is not. @param {RegExp} [late] what of the server's goes on when one says so */
export function cable(late) {
  let isCut = false;
  const held = /** @type {(() => void)[]} */ ([]);
  /** @type {Set<import('playwright-core').WebSocketRoute>} */
  const sockets = new Set();
  return {
    /** @param {import('playwright-core').BrowserContext} context */
    prepare: (context) => context.routeWebSocket(/\/ws$/, (socket) => {
      if (isCut) return void socket.close({ code: 1012 });
      sockets.add(socket);
      socket.connectToServer().onMessage((text) => {
        if (!late?.test(String(text))) socket.send(text);
        // The server may not know yet that one was cut.
        else if (sockets.has(socket)) held.push(() => socket.send(text));
      });
    }),
    async cut() {
      isCut = true;
      await Promise.all([...sockets].map((socket) => socket.close({ code: 1012 })));
      sockets.clear();
    },
    mend() { isCut = false; },
    holds: (/** @type {number} */ count) => eventually(() => assert.equal(held.length, count)),
    release(count = held.length) { for (const send of held.splice(0, count)) send(); },
  };
}

/** The page's frames of one kind are late: they go on when one says so. @param {RegExp} which */
export function delay(which) {
  const late = /** @type {(() => void)[]} */ ([]);
  return {
    /** @param {import('playwright-core').BrowserContext} context */
    prepare: (context) => context.routeWebSocket(/\/ws$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => {
        if (which.test(String(text))) late.push(() => server.send(text));
        else server.send(text);
      });
    }),
    holds: (/** @type {number} */ count) => eventually(() => assert.equal(late.length, count)),
    release() { for (const send of late.splice(0)) send(); },
  };
}

/** It says that it is away, and comes back when one says so. @param {Person} person */
export async function comesBack({ page }) {
  const lost = page.getByText('Reconnecting');
  await eventually(async () => {
    await page.getByRole('button', { name: 'Now' }).click({ timeout: 1_000 }).catch(() => {});
    assert.equal(await lost.isVisible(), false);
  }, RECONNECT_MS);
}

/** A phone held upright. */
export const PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
