/**
 * The connection, and how it comes back. One socket at a time; what a socket says that was dropped is not heard.
 *
 *     stopped ──connect──> connecting ──welcome──> connected
 *        ^                   ^     │                  │  closed, silent for ping_ms + PONG_MS
 *        │     due, online,  │     └──closed──┬───────┘
 *        │     visible, now  └── waiting <────┤
 *        │                   └── offline <────┤  there is no network
 *        └────────────────────────────────────┘  4500–4999, or our own close
 */

import { jsonOf, parseFrame } from './wire.js';

/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {import('./types.js').LinkState} LinkState */

/** The ceiling of the first wait, and of all. */
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MAX_MS = 30_000;

/** A connection that held this long was a good one: the next wait starts small again. */
export const STABLE_MS = 10_000;

/** From the first packet to the welcome. */
export const CONNECT_MS = 15_000;

/** A ping is answered within this, or nobody is there. */
export const PONG_MS = 15_000;

/**
 * The same where there is reason to doubt: the network came back, the page is looked at again, an answer is overdue.
 */
export const DOUBT_MS = 5_000;

/** What a `WebSocket` says of itself that can be sent to. */
const OPEN = 1;

/**
 * @param {{ clock: import('./host.js').Clock, random(): number, network: import('./host.js').Network,
 *   WebSocket: new (url: string, protocols: string[]) => WebSocket,
 *   dial(): { url: string, protocols: string[] }, refused(code: number): boolean,
 *   heard(frame: Frame): void, hidden(): void, changed(state: LinkState, before: LinkState): void }} to
 *   `refused` says whether another try, with other credentials, can help. `hidden`: the page may not come back.
 */
export function makeLink({ clock, random, network, WebSocket, dial, refused, heard, hidden, changed }) {
  /** @type {LinkState} */
  let state = { phase: 'stopped', code: 1000, reason: 'not begun' };
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {any} */
  let timer;
  /** @type {any} */
  let probeTimer;
  let attempt = 0;
  let connectedAt = 0;
  let heardAt = 0;
  let framesHeard = 0;
  let pingMs = 25_000;
  /** What the server said before it closed. @type {Frame | null} */
  let lastWords = null;
  let unwatch = () => {};

  /** @param {LinkState} next */
  function become(next) {
    const before = state;
    state = next;
    changed(next, before);
  }

  function connect() {
    drop();
    lastWords = null;
    become({ phase: 'connecting', attempt });
    // A listener may have thought better of it.
    if (state.phase !== 'connecting' || socket) return;
    timer = clock.setTimeout(() => retry(), CONNECT_MS);
    try {
      const { url, protocols } = dial();
      socket = listenTo(new WebSocket(url, protocols));
    } catch (error) {
      // An address or a token that no socket takes: it will take neither the next time.
      stop(0, String(error));
    }
  }

  /** @param {WebSocket} opened */
  function listenTo(opened) {
    opened.onmessage = ({ data }) => {
      if (opened !== socket) return;
      heardAt = clock.monotonic();
      framesHeard += 1;
      const frame = parseFrame(data);
      if (frame) take(frame);
    };
    opened.onclose = ({ code, reason }) => { if (opened === socket) closed(code, reason); };
    // It says nothing, and `close` follows; but `ws` throws what nobody listens to.
    opened.onerror = () => {};
    return opened;
  }

  /** @param {Frame} frame */
  function take(frame) {
    if (frame.type === 'welcome' && state.phase === 'connecting') {
      clock.clearTimeout(timer);
      connectedAt = clock.monotonic();
      if (frame.ping_ms > 0) pingMs = frame.ping_ms;
      watchSilence();
      become({ phase: 'connected' });
    }
    lastWords = frame.type === 'error' && frame.id === undefined ? frame : null;
    // Whoever listens may have closed.
    if (socket) heard(frame);
  }

  function watchSilence() {
    clock.clearTimeout(timer);
    const quietMs = clock.monotonic() - heardAt;
    timer = clock.setTimeout(() => {
      if (clock.monotonic() - heardAt >= pingMs) probe(PONG_MS);
      watchSilence();
    }, quietMs < pingMs ? pingMs - quietMs : pingMs);
  }

  /**
   * Is anybody there? What counts is what is heard after the ping, not how late it is: a machine that slept for an hour
   * finds its timers long over, and perhaps a good connection.
   *
   * @param {number} patienceMs
   */
  function probe(patienceMs) {
    if (state.phase !== 'connected' || probeTimer !== undefined) return;
    const framesBefore = framesHeard;
    send({ type: 'ping' });
    probeTimer = clock.setTimeout(() => {
      probeTimer = undefined;
      if (framesHeard === framesBefore) retry();
    }, patienceMs);
  }

  /** @param {number} code @param {string} reason */
  function closed(code, reason) {
    socket = null;
    if (code < 4500 || code > 4999) return retry();
    if (refused(code)) connect();
    else stop(code, lastWords?.message ?? reason);
  }

  /**
   * Full jitter: anywhere between at once and a ceiling that doubles, so that all who come back after a restart do not
   * come at once.
   */
  function retry() {
    if (state.phase === 'connected' && clock.monotonic() - connectedAt >= STABLE_MS) attempt = 0;
    drop();
    if (!network.isOnline()) return become({ phase: 'offline' });
    const askedMs = Number.isFinite(lastWords?.after_ms) ? lastWords?.after_ms : 0;
    const waitMs = askedMs + Math.floor(random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt));
    attempt += 1;
    timer = clock.setTimeout(connect, waitMs);
    become({ phase: 'waiting', until: clock.now() + waitMs, attempt });
  }

  function drop() {
    clock.clearTimeout(timer);
    clock.clearTimeout(probeTimer);
    probeTimer = undefined;
    const dropped = socket;
    socket = null;
    dropped?.close(1000);
  }

  /** @param {number} code @param {string} reason */
  function stop(code, reason) {
    drop();
    unwatch();
    unwatch = () => {};
    become({ phase: 'stopped', code, reason });
  }

  /** @param {'online' | 'offline' | 'visible' | 'hidden'} what */
  function noticed(what) {
    if (what === 'hidden') {
      hidden();
    } else if (what === 'offline') {
      if (state.phase === 'offline') return;
      drop();
      become({ phase: 'offline' });
    } else if (state.phase === 'waiting' || (state.phase === 'offline' && what === 'online')) {
      connect();
    } else {
      probe(DOUBT_MS);
    }
  }

  /** @param {object} frame */
  function send(frame) {
    // One that is about to close takes nothing, and browsers complain of whoever tries.
    if (socket?.readyState === OPEN) socket.send(jsonOf(frame));
  }

  return {
    get state() { return state; },

    /** Begins, or begins anew: now, whatever the waits. */
    begin() {
      unwatch();
      unwatch = network.watch(noticed);
      connect();
    },
    stop,
    send,

    /** An answer is overdue. */
    doubt: () => probe(DOUBT_MS),
  };
}
