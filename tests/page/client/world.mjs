/**
 * The world of a client, as its tests have it: time that passes when it is told to, sockets without a network, and
 * storage that several tabs share.
 */

import assert from 'node:assert/strict';

import { createClient } from '../../../src/page/client.js';

export const ANN = { id: 'u1', name: 'ann', guest: false };
export const URL = 'ws://chat.test/ws';
export const AT = '2026-11-21T02:06:48.123Z';

/** Everything that can run without time passing has run. */
export async function settle() {
  for (let turn = 0; turn < 50; turn += 1) await null;
}

export function makeClock(start = 1_000_000) {
  let now = start;
  /** What the clock on the wall shows beyond it. */
  let offset = 0;
  let next = 1;
  /** @type {Map<number, { at: number, done: () => void }>} */
  const timers = new Map();
  const first = () => [...timers].sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
  return {
    now: () => now + offset,
    monotonic: () => now,
    setTimeout(done, ms) {
      assert.ok(ms >= 0 && Number.isFinite(ms), `a timer of ${ms} ms`);
      timers.set(next, { at: now + ms, done });
      return next++;
    },
    clearTimeout: (timer) => { timers.delete(timer); },
    get timers() { return timers.size; },

    /** @param {number} ms lets so much time pass, each timer at its moment */
    async pass(ms) {
      const until = now + ms;
      await settle();
      for (let due = first(); due && due[1].at <= until; due = first()) {
        now = Math.max(now, due[1].at);
        timers.delete(due[0]);
        due[1].done();
        await settle();
      }
      now = until;
    },

    /** The machine sleeps: time passes, and what was due in it comes afterwards. @param {number} ms */
    sleep(ms) { now += ms; },

    /** Somebody sets the clock. @param {number} ms forward, or back */
    set(ms) { offset += ms; },
  };
}

/** @param {() => number} random in [0, 1), the same for the same seed (mulberry32) */
export function seeded(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A storage, and the tabs that use it: each hears what the others write. */
export function makeStorage() {
  const items = new Map();
  const tabs = new Set();
  const held = new Map();
  const locks = {
    async request(name, { signal }, work) {
      const before = held.get(name) ?? Promise.resolve();
      const impatience = new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });
      let free;
      held.set(name, new Promise((resolve) => { free = resolve; }));
      try {
        await Promise.race([before, impatience]);
        await work();
      } finally {
        before.then(free);
      }
    },
    /** A tab that holds a lock for ever. */
    seize: (name) => held.set(name, new Promise(() => {})),
  };
  return {
    items,
    locks,
    full: false,
    /** The tabs do not hear of each other yet. */
    isSlow: false,
    tab() {
      const all = this;
      const own = { changed: () => {} };
      tabs.add(own);
      const tell = (key, value) => {
        for (const tab of tabs) if (tab !== own) queueMicrotask(() => { if (!all.isSlow) tab.changed(key, value); });
      };
      return {
        get length() { return items.size; },
        key: (place) => [...items.keys()][place] ?? null,
        getItem: (key) => items.get(key) ?? null,
        setItem(key, value) {
          if (all.full) throw new Error('QuotaExceededError');
          items.set(key, value);
          tell(key, value);
        },
        removeItem(key) {
          if (items.delete(key)) tell(key, null);
        },
        watch(changed) {
          own.changed = changed;
          return () => { own.changed = () => {}; };
        },
      };
    },
  };
}

/**
 * A client in a world of its own: its sockets are in `sockets`, what it told is in `told`.
 *
 * @param {object} [options] of the client
 */
export function makeWorld({ clock = makeClock(), ...options } = {}) {
  const sockets = [];
  class FakeSocket {
    isOpen = true;
    /** What the client sent. */
    sent = [];
    answer = () => {};

    constructor(url, protocols) {
      Object.assign(this, { url, protocols });
      sockets.push(this);
      options.dialled?.(this);
    }

    send(text) {
      assert.ok(this.isOpen, 'sent to a socket that is closed');
      const frame = JSON.parse(text);
      this.sent.push(frame);
      this.answer(frame);
    }

    get readyState() { return this.isOpen ? 1 : 3; }

    close(code) {
      this.closedWith ??= code;
      this.isOpen = false;
    }

    /** The server sends. */
    say(...frames) {
      for (const frame of frames) if (this.isOpen) this.onmessage({ data: JSON.stringify(frame) });
    }

    /** The server, or the network, ends it. */
    end(code = 1006, reason = '') {
      if (!this.isOpen) return;
      this.isOpen = false;
      this.onclose({ code, reason });
    }

    welcome(fields) {
      this.say({ type: 'welcome', user: ANN, limits: { resume_rooms: 256 }, ping_ms: 25_000, rooms: [], ...fields });
    }

    /** The frames of a type, or the last one's answer. */
    of(type) { return this.sent.filter((frame) => frame.type === type); }

    last(type) {
      const frame = this.of(type).at(-1);
      assert.ok(frame, `no ${type} was sent`);
      return frame;
    }

    ok(type, fields) { this.say({ type: 'ok', id: this.last(type).id, ...fields }); }

    refuse(type, code, after_ms) {
      const { id } = this.last(type);
      this.say({ type: 'error', id, code, message: `it is ${code}`, retry: after_ms !== undefined, after_ms });
    }
  }

  const network = {
    online: true,
    on: () => {},
    isOnline: () => network.online,
    watch(on) {
      network.on = on;
      return () => { network.on = () => {}; };
    },
  };
  let key = 0;
  const newKey = () => `key-${key += 1}`;
  const chat = createClient({
    url: URL, storage: null, clock, random: () => 0.5, newKey, WebSocket: FakeSocket, network, ...options,
  });
  const told = [];
  for (const type of EVENTS) chat.on(type, (event) => told.push({ ...event, type }));
  return {
    chat,
    clock,
    network,
    sockets,
    told,
    get socket() { return sockets.at(-1); },
    of: (type) => told.filter((event) => event.type === type),
    /** Connects, and is welcomed. */
    connect(fields) {
      chat.connect();
      sockets.at(-1).welcome(fields);
      return sockets.at(-1);
    },
    /** The connection is lost, and another one had. */
    async again(fields) {
      sockets.at(-1).end();
      await clock.pass(30_000);
      sockets.at(-1).welcome(fields);
      return sockets.at(-1);
    },
  };
}

/** An entry of the lobby, bo's post if `fields` do not say otherwise. */
export const post = (seq, fields) =>
  ({ type: 'entry', room: 'lobby', seq, kind: 'post', from: 'bo', at: AT, body: `post ${seq}`, ...fields });

const EVENTS = [
  'state', 'welcome', 'joined', 'entry', 'gap', 'detached', 'room', 'out', 'presence', 'typing', 'received', 'read',
  'profile', 'post', 'error',
];
