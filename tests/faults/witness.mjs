/**
 * Healthy members of the chat, who compare notes: what one is told all are told, once and in order, and every post that
 * was acknowledged is told at the place that its author was told.
 *
 * They stand on the client that pages use, and come back by themselves. What all have had is forgotten, so that a
 * comparison can go on for hours.
 */

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';

import { createClient } from '../../src/page/client.js';

/** An acknowledgement may come so many entries later than the entry. */
const KEPT_BEHIND = 5_000;

/** The notes of all. */
export class Ledger {
  constructor() {
    /** @type {Map<string, { entries: Map<number, any>, acknowledged: Map<number, string> }>} */
    this.rooms = new Map();
    /** @type {Witness[]} */
    this.witnesses = [];
    this.faults = [];
    /** Every post that was acknowledged in the room, where somebody wants to know for ever. @type {Map<number, string> | null} */
    this.all = null;
    this.acknowledged = 0;
    this.deliveries = 0;
    this.dups = 0;
  }

  room(room) {
    if (!this.rooms.has(room)) this.rooms.set(room, { entries: new Map(), acknowledged: new Map() });
    return this.rooms.get(room);
  }

  fault(text) {
    if (this.faults.length < 20) this.faults.push(text);
  }

  /** @param {Witness} witness @param {any} entry */
  heard(witness, entry) {
    const { room, seq } = entry;
    const next = witness.next.get(room);
    if (seq !== next) this.fault(`${witness.nick} was told ${room} ${seq}, and not ${next}`);
    witness.next.set(room, seq + 1);
    this.deliveries += 1;
    const { entries } = this.room(room);
    const known = entries.get(seq);
    if (known === undefined) entries.set(seq, noted(entry));
    else if (!isSame(known, entry)) this.fault(`${room} ${seq} is ${JSON.stringify(known)} to one and ${JSON.stringify(entry)} to another`);
  }

  told(room, seq, key, isDup) {
    this.acknowledged += 1;
    if (isDup) this.dups += 1;
    this.room(room).acknowledged.set(seq, key);
    this.all?.set(seq, key);
  }

  /** Compares what everybody has had by now; and forgets it. */
  compare() {
    for (const [room, { entries, acknowledged }] of this.rooms) {
      const had = Math.min(...this.witnesses.map(({ next }) => next.get(room) ?? Infinity)) - 1;
      for (const [seq, key] of acknowledged) {
        if (seq > had) continue;
        const entry = entries.get(seq);
        // A witness may have come in after it.
        if (entry !== undefined && !entry.isChanged && entry.key !== key) this.fault(`${room} ${seq} is not what was acknowledged`);
        acknowledged.delete(seq);
      }
      for (const seq of entries.keys()) if (seq < had - KEPT_BEHIND) entries.delete(seq);
    }
  }

  /** Everything that was acknowledged has been told to everybody. */
  async settle(deadlineMs = 30_000) {
    const by = Date.now() + deadlineMs;
    const isSettled = () => this.witnesses.every((witness) => witness.waiting() === 0)
      && [...this.rooms].every(([room, { acknowledged }]) => {
        const last = Math.max(0, ...acknowledged.keys());
        return this.witnesses.every(({ next }) => (next.get(room) ?? Infinity) > last);
      });
    while (!isSettled()) {
      assert.ok(Date.now() < by, `not everybody was told everything: ${this.describe()}`);
      await pause(20);
    }
    this.compare();
    assert.deepEqual(this.faults, []);
  }

  describe() {
    return this.witnesses.map(({ nick, chat, next, waiting }) =>
      `${nick} ${chat.state.phase} ${JSON.stringify(Object.fromEntries(next))} ${waiting.call({ chat })}`).join('; ');
  }
}

const noted = ({ kind, from, key, body, edited, deleted }) => ({ kind, from, key, body, isChanged: Boolean(edited || deleted) });

/** An entry that is replayed comes as it is by then: a deleted post without its key and text. */
function isSame(known, entry) {
  const { kind, from, key, body, isChanged } = noted(entry);
  const isLiteral = kind === 'post' && !known.isChanged && !isChanged;
  return known.kind === kind && known.from === from && (!isLiteral || (known.key === key && known.body === body));
}

/** One member, who hears all that is said in some rooms. */
export class Witness {
  /** @param {Ledger} ledger @param {{ url: string, nick?: string, token?: string, options?: object }} who */
  constructor(ledger, { url, nick, token, options = {} }) {
    this.ledger = ledger;
    this.nick = nick ?? 'account';
    this.next = new Map();
    this.sockets = new Set();
    this.losses = 0;
    const Socket = socketsKeptIn(this.sockets);
    const identity = token === undefined ? { nick } : { token };
    this.chat = createClient({ url, ...identity, WebSocket: Socket, storage: null, ...options });
    // At once, and not when the promise is looked at: what comes right behind the answer is heard before that.
    this.chat.on('joined', ({ room, seq }) => { if (!this.next.has(room)) this.next.set(room, seq + 1); });
    this.chat.on('entry', (entry) => ledger.heard(this, entry));
    this.chat.on('gap', (gap) => ledger.fault(`${this.nick} was told of a gap: ${JSON.stringify(gap)}`));
    this.chat.on('detached', ({ room, error }) => ledger.fault(`${this.nick} was put out of ${room}: ${error.message}`));
    this.chat.on('state', (state) => {
      if (state.phase === 'waiting') this.losses += 1;
      if (state.phase === 'stopped' && state.code !== 1000) ledger.fault(`${this.nick} was stopped: ${state.reason}`);
    });
  }

  /** @param {string[]} rooms */
  async enter(rooms) {
    const welcome = await this.chat.connect();
    this.nick = welcome.user.name;
    for (const room of rooms) await this.chat.join(room);
    this.ledger.witnesses.push(this);
  }

  /** Says something, and notes that it was acknowledged. @returns {Promise<number>} its place */
  async post(room, body) {
    const { key, sent } = this.chat.post(room, body);
    const { seq, dup } = await sent;
    this.ledger.told(room, seq, key, dup);
    return seq;
  }

  waiting() {
    return this.chat.outbox().length;
  }

  /** Loses the connection, as in a tunnel. */
  lose() {
    for (const socket of this.sockets) socket.terminate();
  }

  close() {
    this.chat.close();
  }
}

/** A `WebSocket` whose sockets are in this set while they are open. */
function socketsKeptIn(sockets) {
  return class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      sockets.add(this);
      this.on('close', () => sockets.delete(this));
    }
  };
}
