/**
 * The client in Node against the real daemon. Its rules are tested one by one in `tests/page/client`, in a world without
 * real time; here is what only a real server shows: that both speak the same language, and that a crash costs nobody a
 * post.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';

import { createClient } from '../../src/page/client.js';
import { startDaemon, within } from '../daemon.mjs';

const WAIT_MS = 10_000;
/** Three restarts, and the back-off after each. */
const RESTARTS_MS = 90_000;

/** @type {Set<import('../../src/page/client.js').Client>} */
const clients = new Set();
const open = (options) => {
  const chat = createClient({ WebSocket, ...options });
  clients.add(chat);
  return chat;
};
after(() => { for (const chat of clients) chat.close(); });

/** @template {keyof import('../../src/page/client.js').Events} T */
function heard(chat, type, is = () => true) {
  return within(WAIT_MS, type, new Promise((resolve) => {
    const off = chat.on(type, (event) => {
      if (!is(event)) return;
      off();
      resolve(event);
    });
  }));
}

describe('people', () => {
  /** @type {Awaited<ReturnType<typeof startDaemon>>} */
  let daemon;
  before(async () => { daemon = await startDaemon({ flags: ['--log', 'warn'] }); });
  after(() => daemon.stop());

  /** An account of this name, connected. */
  async function enter(name) {
    const response = await fetch(daemon.http('/api/register'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name, password: 'correct horse battery' }),
    });
    const { token } = await response.json();
    const chat = open({ url: daemon.http(), token });
    assert.equal((await chat.connect()).user.name, name);
    return chat;
  }

  test('post, and see what is made of a post, as it happens and in the history', async () => {
    const [ann, bo] = [await enter('ann'), await enter('bo')];
    await Promise.all([ann.join('Lobby'), bo.join('lobby')]);
    const told = heard(bo, 'entry');
    const { key, sent } = ann.post('lobby', 'hello @bo');
    const { seq } = await sent;
    assert.deepEqual(await told.then(({ at, ...entry }) => entry),
      { room: 'lobby', seq, kind: 'post', from: 'ann', key, body: 'hello @bo', mentions: ['bo'] });
    await bo.react('lobby', seq, '👍');
    await ann.edit('lobby', seq, 'hello all');
    await assert.rejects(bo.edit('lobby', seq, 'no'), { code: 'not_allowed', retry: false });
    const { entries, as_of, changes } = await ann.history('lobby', { limit: 1 });
    const [{ body, reactions }] = entries;
    assert.deepEqual([body, reactions], ['hello all', [{ emoji: '👍', users: ['bo'] }]]);
    assert.deepEqual([as_of, changes], [seq + 2, []]);
    assert.deepEqual((await bo.search('hello all')).hits.map((hit) => hit.entry.seq), [seq]);
    const cut = ann.post('lobby', 'cut 👍'.slice(0, -1));
    assert.equal((await ann.history('lobby', { after: (await cut.sent).seq - 1 })).entries[0].body, 'cut \ufffd');
    await assert.rejects(ann.post('lobby', 'x'.repeat(ann.limits.post_chars + 1)).sent, { code: 'body_too_long' });
  });

  test('are added to a group, are told, talk, and go', async () => {
    const [cy, di] = [await enter('cy'), await enter('di')];
    const { room } = await cy.create('group', { name: 'Team' });
    const isNew = heard(di, 'room', (summary) => summary.room === room);
    await cy.add(room, 'di');
    assert.equal((await isNew).name, 'Team');
    await Promise.all([cy.join(room), di.join(room)]);
    const writes = heard(di, 'typing');
    cy.typing(room);
    assert.equal((await writes).from, 'cy');
    const read = heard(cy, 'read', ({ from }) => from === 'di');
    const { seq } = await cy.post(room, 'hi').sent;
    di.read(room, seq);
    assert.equal((await read).seq, seq);
    assert.deepEqual(cy.present(room), { names: ['cy', 'di'] });
    const out = heard(di, 'out');
    await di.leave(room);
    assert.equal((await out).reason, 'left');
    await assert.rejects(di.post(room, 'still there?').sent, { code: 'no_room' });
  });

  test('without an account are the same guests when they come back', async () => {
    const chat = open({ url: daemon.http(), nick: 'eve' });
    const { user } = await chat.connect();
    chat.close();
    assert.equal((await chat.connect()).user.id, user.id);
  });

  test('who cannot be let in are told why, and do not try again', async () => {
    for (const [options, code] of [[{ token: 'a_none' }, 4501], [{ nick: 'server' }, 4502]]) {
      const chat = open({ url: daemon.http(), ...options });
      await assert.rejects(chat.connect(), { code: 'stopped' });
      assert.equal(chat.state.phase, 'stopped');
      assert.equal(chat.state.code, code);
    }
  });
});

test('a server that is killed and restarted costs nobody a post, or its place', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wsrelay-client-'));
  const port = await freePort();
  const up = () => startDaemon({
    listen: `127.0.0.1:${port}`,
    flags: ['--data', join(directory, 'chat.db'), '--log', 'warn'],
  });
  let daemon = await up();
  try {
    const writer = open({ url: daemon.http(), nick: 'ann' });
    const reader = open({ url: daemon.http(), nick: 'bo' });
    await Promise.all([writer.connect(), reader.connect()]);
    await Promise.all([writer.join('lobby'), reader.join('lobby')]);
    const told = [];
    reader.on('entry', ({ body }) => told.push(body));
    reader.on('gap', (gap) => told.push(gap));

    const written = [];
    const sent = [];
    for (const end of ['kill', 'stop', 'kill']) {
      for (let count = 0; count < 20; count += 1) {
        const body = `post ${written.length}`;
        written.push(body);
        sent.push(writer.post('lobby', body).sent);
      }
      // The first of them is stored, the others are on their way or wait.
      await sent[sent.length - 20];
      await daemon[end]();
      daemon = await up();
    }
    await within(RESTARTS_MS, 'end of the outbox', Promise.all(sent));
    if (told.length < written.length) await heard(reader, 'entry', ({ body }) => body === written.at(-1));
    assert.deepEqual(told, written);
    const { entries } = await writer.history('lobby', { limit: 200 });
    assert.deepEqual(entries.map(({ body }) => body), written);
  } finally {
    await daemon.stop();
    await rm(directory, { recursive: true });
  }
});

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
