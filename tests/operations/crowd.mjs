/**
 * People who talk, and newcomers who come in without end, while somebody restarts the server under them.
 *
 *     node crowd.mjs URL CLIENTS
 *
 * Says `ready`, goes on until its standard input ends, and then tells what it has seen as one JSON object. People use the
 * client that the page uses, and are left to come back by themselves. A newcomer is one attempt: a handshake that must be
 * granted, or a request that must be answered with 200 or, about health, 503.
 */

import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import WebSocket from 'ws';

import { createClient } from '../../src/page/client.js';

const [url, clients] = process.argv.slice(2);
const SETTLE_MS = 60_000;
/** A new attempt so often. */
const NEWCOMER_MS = 5;
/** Posts of one person that are under way. */
const WINDOW = 3;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
let over = false;

const newcomers = { attempts: 0, granted: 0, answered: 0, refused: [] };

function shakesHands() {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/relay/door`, { handshakeTimeout: SETTLE_MS });
    socket.on('open', () => { newcomers.granted += 1; socket.close(); });
    socket.on('error', (error) => { newcomers.refused.push(`handshake: ${error.message}`); });
    socket.on('close', resolve);
  });
}

function asks() {
  return new Promise((resolve) => {
    const request = (url.startsWith('https') ? https : http).get(`${url}/healthz`, { agent: false, timeout: SETTLE_MS }, (response) => {
      if ([200, 503].includes(response.statusCode)) newcomers.answered += 1;
      else newcomers.refused.push(`request: ${response.statusCode}`);
      response.resume().on('end', resolve).on('error', resolve);
    });
    request.on('error', (error) => { newcomers.refused.push(`request: ${error.message}`); resolve(); });
    request.on('timeout', () => request.destroy(new Error('no answer')));
  });
}

async function comeWithoutEnd() {
  const under = new Set();
  for (let n = 0; !over; n += 1) {
    newcomers.attempts += 1;
    const attempt = (n % 2 ? shakesHands() : asks()).finally(() => under.delete(attempt));
    under.add(attempt);
    await pause(NEWCOMER_MS);
  }
  await Promise.all(under);
}

class Person {
  constructor(nick) {
    this.nick = nick;
    this.acknowledged = [];
    this.heard = [];
    this.gaps = 0;
    this.returns = -1;
    this.chat = createClient({ url, nick, WebSocket, storage: null });
    this.chat.on('entry', ({ seq, body }) => this.heard.push([seq, body]));
    this.chat.on('gap', () => { this.gaps += 1; });
    this.chat.on('state', ({ phase }) => { if (phase === 'connected') this.returns += 1; });
  }

  async enter() {
    await this.chat.connect();
    await this.chat.join('lobby');
    this.strands = Array.from({ length: WINDOW }, (_, strand) => this.talk(strand));
  }

  async talk(strand) {
    for (let n = 0; !over; n += 1) {
      const body = `${this.nick} ${strand} ${n}`;
      const { seq } = await this.chat.post('lobby', body).sent;
      this.acknowledged.push([seq, body]);
      // Slow enough for what is said while one is away to fit a replay, on a fast machine as well.
      await pause(100);
    }
  }
}

async function wholeLog(chat) {
  const log = [];
  for (let more = true; more;) {
    const page = await chat.history('lobby', { after: log.at(-1)?.seq ?? 0, limit: 200 });
    log.push(...page.entries);
    more = page.more;
  }
  return log;
}

const people = Array.from({ length: Number(clients) }, (_, n) => new Person(`p${n}`));
await Promise.all(people.map((person) => person.enter()));
const coming = comeWithoutEnd();
console.log('ready');
process.stdin.resume();
await once(process.stdin, 'end');
over = true;
await coming;
await Promise.all(people.flatMap(({ strands }) => strands));

const reader = createClient({ url, nick: 'reader', WebSocket, storage: null });
await reader.connect();
await reader.join('lobby');
const log = await wholeLog(reader);
const deadline = Date.now() + SETTLE_MS;
const last = log.at(-1).seq;
while (people.some(({ heard }) => heard.at(-1)?.[0] !== last) && Date.now() < deadline) await pause(20);

const posts = new Map(log.filter(({ kind }) => kind === 'post').map(({ seq, body }) => [body, seq]));
const lost = people.flatMap(({ acknowledged }) => acknowledged.filter(([seq, body]) => posts.get(body) !== seq));
const told = log.map(({ seq, body }) => `${seq} ${body}`);
const misheard = people.filter(({ heard }) =>
  heard.map(([seq, body]) => `${seq} ${body}`).join('\n') !== told.slice(heard[0][0] - 1).join('\n'));
console.log(JSON.stringify({
  newcomers,
  acknowledged: people.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
  twice: log.filter(({ kind }) => kind === 'post').length - posts.size,
  lost,
  misheard: misheard.map(({ nick, gaps }) => `${nick}, ${gaps} gaps`),
  returns: people.map(({ returns }) => returns),
}));
for (const { chat } of [...people, { chat: reader }]) chat.close();
