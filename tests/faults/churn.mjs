/**
 * What a server on the internet meets all day: people who come, say something and go; log-ins right and wrong; searches;
 * raw rooms; invite rooms that are made and left; readers who do not read; and junk. Each kind goes on by itself, at a rate,
 * and cleans up after itself.
 *
 * Nobody here is healthy, so nobody keeps notes. What the server answers is looked at all the same: an answer that no
 * server should give is counted as odd.
 */

import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';

/** The server counts by address, and everybody on this machine has one. As many as it takes not to be held to that. */
const ADDRESSES = 100;

/** @param {number} ms on average, as visitors come */
const about = (ms) => pause(-Math.log(1 - Math.random()) * ms);
const one = (list) => list[Math.floor(Math.random() * list.length)];
const words = () => Array.from({ length: 3 + Math.random() * 20 }, () => one(WORDS)).join(' ');

export class Churn {
  /**
   * @param {{ port: number, accounts: { name: string, password: string, token: string }[], pace?: number }} where
   *   `pace`: how many times as fast as usual
   */
  constructor({ port, accounts, pace = 1 }) {
    Object.assign(this, { port, accounts, pace });
    this.counts = {};
    this.odd = [];
    this.open = new Set();
    this.goingOn = [];
    this.isEnding = false;
    this.guests = 0;
    this.hosts = 0;
  }

  begin() {
    const kinds = {
      guest: 350, account: 2_000, logIn: 4_000, search: 1_500, raw: 500, invite: 6_000, slow: 5_000, junk: 700, page: 1_000,
      heldMessage: 3_000,
    };
    this.goingOn = Object.entries(kinds).map(([kind, everyMs]) => this.keepDoing(kind, everyMs / this.pace));
  }

  /** Ends all of it, and waits until the last has gone. */
  async end() {
    this.isEnding = true;
    await Promise.all(this.goingOn);
  }

  async keepDoing(kind, everyMs) {
    const underWay = new Set();
    while (!this.isEnding) {
      await about(everyMs);
      if (underWay.size >= 50) continue;
      const doing = this[kind]().then(
        () => { this.counts[kind] = (this.counts[kind] ?? 0) + 1; },
        (error) => { if (this.odd.length < 20) this.odd.push(`${kind}: ${error.stack ?? error}`); },
      );
      underWay.add(doing);
      void doing.finally(() => underWay.delete(doing));
    }
    await Promise.all(underWay);
  }

  address() {
    return `127.0.1.${1 + Math.floor(Math.random() * ADDRESSES)}`;
  }

  /** @returns {Promise<Visitor>} */
  async visit(path, protocols = []) {
    const url = `ws://127.0.0.1:${this.port}${path}`;
    const visitor = new Visitor(new WebSocket(url, protocols, { localAddress: this.address() }), this.open);
    await visitor.opened;
    return visitor;
  }

  async chat(protocols, nick) {
    const visitor = await this.visit(`/ws${nick ? `?nick=${nick}` : ''}`, ['wsrelay.v1', ...protocols]);
    await visitor.welcome;
    return visitor;
  }

  /** Somebody looks in, says a word or two, and goes, politely or not. */
  async guest() {
    this.guests += 1;
    const guest = await this.chat([], `visitor${this.guests}`);
    await guest.ask({ type: 'join', room: 'lobby' });
    guest.say({ type: 'typing', room: 'lobby' });
    await about(2_000);
    await guest.ask({ type: 'post', room: 'lobby', key: randomBytes(8).toString('hex'), body: words() });
    const { entries } = await guest.ask({ type: 'history', room: 'lobby', limit: 50 });
    await guest.ask({ type: 'react', room: 'lobby', seq: entries.findLast(({ kind }) => kind === 'post').seq, emoji: '👍', on: true });
    guest.say({ type: 'read', room: 'lobby', seq: entries.at(-1).seq });
    await about(1_000);
    guest.leave();
  }

  /** Somebody with an account comes by, on one more device. */
  async account() {
    const member = await this.chat([`bearer.${one(this.accounts).token}`]);
    await member.ask({ type: 'resume', rooms: [{ room: 'lobby' }, { room: 'ops' }] });
    const { seq } = await member.ask({ type: 'post', room: 'ops', key: randomBytes(8).toString('hex'), body: words() });
    await member.ask({ type: 'edit', room: 'ops', seq, body: words() });
    await member.ask({ type: 'members', room: 'lobby' });
    if (Math.random() < 0.3) await member.ask({ type: 'delete', room: 'ops', seq });
    await about(3_000);
    member.leave();
  }

  async logIn() {
    const { name, password } = one(this.accounts);
    const wrong = await this.request('POST', '/api/login', { name, password: `${password}, or not` });
    expect(wrong, [401, 429, 503]);
    const right = await this.request('POST', '/api/login', { name, password });
    expect(right, [200, 429, 503]);
    if (right.status !== 200) return;
    const { token } = JSON.parse(right.body);
    expect(await this.request('GET', '/api/me', null, token), [200]);
    expect(await this.request('POST', '/api/logout', {}, token), [204]);
    expect(await this.request('GET', '/api/me', null, token), [401]);
  }

  async search() {
    const member = await this.chat([`bearer.${one(this.accounts).token}`]);
    await member.ask({ type: 'search', query: `${one(WORDS)} ${one(WORDS)} ${one(WORDS)}` }, ['too_costly', 'unavailable']);
    member.leave();
  }

  async raw() {
    const room = `/relay/r${Math.floor(Math.random() * 5)}`;
    const member = await this.visit(room);
    for (let n = 0; n < 5; n += 1) member.socket.send(randomBytes(Math.random() * 3_000));
    await about(2_000);
    member.leave();
  }

  /** A room for an evening: made, talked in by three, and left. */
  async invite() {
    this.hosts += 1;
    const host = await this.chat([], `host${this.hosts}`);
    const { room } = await host.ask({ type: 'create', kind: 'invite', name: 'Tonight' });
    const guests = await Promise.all([this.chat([]), this.chat([])]);
    for (const guest of [host, ...guests]) await guest.ask({ type: 'join', room });
    for (const guest of [host, ...guests]) {
      for (let n = 0; n < 5; n += 1) await guest.ask({ type: 'post', room, body: words() });
      await about(500);
    }
    for (const guest of [...guests, host]) {
      await guest.ask({ type: 'leave', room });
      guest.leave();
    }
  }

  /** Asks for much, and reads nothing for a while. */
  async slow() {
    const guest = await this.chat([]);
    await guest.ask({ type: 'join', room: 'lobby' });
    guest.socket.pause();
    for (let id = 1_000; id < 1_020; id += 1) guest.say({ type: 'history', id, room: 'lobby', limit: 200 });
    await about(10_000);
    guest.socket.terminate();
    await guest.closed;
  }

  /** Begins a long message, and never ends it. */
  async heldMessage() {
    const member = await this.visit('/relay/held');
    for (let n = 0; n < 10; n += 1) member.socket.send(randomBytes(1_000), { fin: false });
    await about(5_000);
    member.socket.terminate();
    await member.closed;
  }

  async page() {
    for (const path of ['/', '/healthz', '/client.js', '/nowhere']) expect(await this.request('GET', path), [200, 404]);
  }

  /** What scanners and broken programs send. */
  async junk() {
    const upgrade = 'GET /relay/junk HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    const junk = one([
      () => randomBytes(1 + Math.random() * 5_000),
      () => 'GET / HTTP/1.1\r\nHost: t\r\nX: ',
      () => `POST /api/login HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\nContent-Type: application/json\r\n\r\n${'{"a":'.repeat(500)}`,
      () => `POST /api/login HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nContent-Type: application/json\r\n\r\n{"a":`,
      () => `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
      () => Buffer.concat([Buffer.from(upgrade), randomBytes(1 + Math.random() * 2_000)]),
      () => Buffer.concat([Buffer.from(upgrade), Buffer.from('82ff7fffffffffffffff00000000', 'hex')]),
      () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      () => '',
    ])();
    const socket = net.connect({ port: this.port, host: '127.0.0.1', localAddress: this.address() });
    const closed = new Promise((resolve) => { socket.on('close', resolve); });
    socket.on('error', () => {});
    socket.resume();
    socket.write(junk);
    await Promise.race([closed, about(4_000)]);
    if (Math.random() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
    await closed;
  }

  /** @returns {Promise<{ status: number, body: string }>} */
  request(method, path, body = null, token = null) {
    const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, localAddress: this.address(), method, path, headers, agent: false };
      const request = http.request(options, (response) => {
        let text = '';
        response.on('data', (chunk) => { text += chunk; });
        response.on('end', () => resolve({ status: response.statusCode, body: text }));
      });
      request.on('error', reject);
      request.end(body === null ? undefined : JSON.stringify(body));
    });
  }
}

function expect({ status, body }, statuses) {
  if (!statuses.includes(status)) throw new Error(`answered ${status}: ${body.slice(0, 200)}`);
}

/** One connection, and what is asked on it. */
class Visitor {
  constructor(socket, open) {
    this.socket = socket;
    this.ids = 0;
    this.waiters = new Set();
    open.add(this);
    this.opened = new Promise((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    this.closed = new Promise((resolve) => { socket.on('close', resolve); });
    this.welcome = this.hear((event) => event.type === 'welcome');
    this.welcome.catch(() => {});
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => { if (!isBinary) this.heard(data); });
    socket.on('close', (code) => {
      open.delete(this);
      for (const waiter of this.waiters) waiter.reject(new Error(`closed with ${code}: ${this.lastError}`));
    });
  }

  heard(data) {
    if (this.waiters.size === 0) return;
    const event = JSON.parse(data);
    if (event.type === 'error') this.lastError = `${event.code}: ${event.message}`;
    for (const waiter of this.waiters) {
      if (!waiter.is(event)) continue;
      this.waiters.delete(waiter);
      waiter.resolve(event);
    }
  }

  hear(is) {
    return new Promise((resolve, reject) => { this.waiters.add({ is, resolve, reject }); });
  }

  /** Asks, waits as long as it is told to, and asks again. */
  async ask(request, mayFail = []) {
    for (;;) {
      this.ids += 1;
      const id = this.ids;
      const answer = this.hear((event) => event.id === id);
      this.say({ ...request, id });
      const event = await answer;
      if (event.type === 'ok' || mayFail.includes(event.code)) return event;
      if (!event.retry) throw new Error(`${request.type}: ${event.code}: ${event.message}`);
      await pause(event.after_ms ?? 1_000);
    }
  }

  say(event) {
    this.socket.send(JSON.stringify(event));
  }

  leave() {
    if (Math.random() < 0.5) this.socket.close(1000);
    else this.socket.terminate();
  }
}

const WORDS = `time year people way day man thing woman life child world school state family student group country problem
hand part place case week company system program question work government number night point home water room mother area
money story fact month lot right study book eye job word business issue side kind head house service friend father power
hour game line end member law car city community name president team minute idea kid body information back parent face
others level office door health person art war history party result change morning reason research girl guy moment air
teacher force education`.split(/\s+/);
