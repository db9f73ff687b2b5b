import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ChatError } from '../../../src/page/client.js';
import { socketAddress } from '../../../src/page/client/credentials.js';
import { BACKOFF_MAX_MS, CONNECT_MS, DOUBT_MS, PONG_MS, STABLE_MS } from '../../../src/page/client/link.js';
import { URL, makeClock, makeStorage, makeWorld, settle } from './world.mjs';

const PING_MS = 25_000;

describe('the address', () => {
  test('is the socket of the server that is named, or beside the page', () => {
    for (const [url, base, address] of [
      ['http://host:8080', undefined, 'ws://host:8080/ws'],
      ['https://host/chat/', undefined, 'wss://host/chat/ws'],
      ['wss://host/some/where', undefined, 'wss://host/some/where'],
      [undefined, 'https://host/chat/?room=x#y', 'wss://host/chat/ws'],
      ['/', 'http://host/deep/page', 'ws://host/ws'],
    ]) assert.equal(socketAddress(url, base), address);
  });
});

describe('connecting', () => {
  test('does nothing before it is told to', () => {
    const world = makeWorld();
    assert.equal(world.sockets.length, 0);
    assert.equal(world.chat.state.phase, 'stopped');
    assert.equal(world.clock.timers, 0);
  });

  test('is connected when the server welcomes, and says to whom', async () => {
    const world = makeWorld();
    const connecting = world.chat.connect();
    assert.deepEqual(world.chat.state, { phase: 'connecting', attempt: 0 });
    world.socket.welcome();
    assert.equal((await connecting).user.name, 'ann');
    assert.deepEqual(world.chat.state, { phase: 'connected' });
    assert.equal(world.chat.user.name, 'ann');
    assert.deepEqual(world.told.map(({ type }) => type), ['state', 'state', 'welcome']);
  });

  test('gives up on a server that does not welcome', async () => {
    const world = makeWorld();
    world.chat.connect();
    await world.clock.pass(CONNECT_MS);
    assert.equal(world.chat.state.phase, 'waiting');
    assert.equal(world.socket.closedWith, 1000);
  });

  test('is not misled by what a dropped socket says', async () => {
    const world = makeWorld();
    world.chat.connect();
    const old = world.socket;
    await world.clock.pass(CONNECT_MS);
    old.onclose({ code: 4501, reason: '' });
    old.onmessage({ data: '{"type":"welcome","ping_ms":1,"rooms":[]}' });
    assert.equal(world.chat.state.phase, 'waiting');
    await world.clock.pass(250);
    old.onmessage({ data: '{"type":"welcome","ping_ms":1,"rooms":[]}' });
    assert.equal(world.chat.state.phase, 'connecting');
  });

  test('stops at a token that no socket takes', async () => {
    const world = makeWorld({ WebSocket: class { constructor() { throw new SyntaxError('bad subprotocol'); } } });
    await assert.rejects(world.chat.connect(), { code: 'stopped' });
    assert.deepEqual(world.chat.state, { phase: 'stopped', code: 0, reason: 'SyntaxError: bad subprotocol' });
  });

  test('ignores what it does not know, and what is not JSON', () => {
    const world = makeWorld();
    const socket = world.connect();
    const strange = ['{', 'null', '[]', '{"type":1}', '{"type":"newer"}', new ArrayBuffer(2)];
    for (const data of strange) socket.onmessage({ data });
    assert.equal(world.chat.state.phase, 'connected');
  });
});

describe('who one is', () => {
  test('is told by a token as subprotocol', () => {
    const world = makeWorld({ token: 'a_secret' });
    world.chat.connect();
    assert.equal(world.socket.url, URL);
    assert.deepEqual(world.socket.protocols, ['wsrelay.v1', 'bearer.a_secret']);
  });

  test('is a guest of a name first, and afterwards who has the guest\'s token', async () => {
    const storage = makeStorage();
    const world = makeWorld({ nick: 'ann', storage: storage.tab() });
    const guest = { user: { id: 'g1', name: 'ann', guest: true }, token: 'g_1' };
    const socket = world.connect(guest);
    assert.equal(socket.url, `${URL}?nick=ann`);
    assert.deepEqual(socket.protocols, ['wsrelay.v1']);
    await world.again(guest);
    assert.equal(world.socket.url, URL);
    assert.deepEqual(world.socket.protocols, ['wsrelay.v1', 'bearer.g_1']);
    const reloaded = makeWorld({ nick: 'ann', storage: storage.tab() });
    reloaded.chat.connect();
    assert.deepEqual(reloaded.socket.protocols, ['wsrelay.v1', 'bearer.g_1']);
    const other = makeWorld({ nick: 'bo', storage: storage.tab() });
    other.chat.connect();
    assert.equal(other.socket.url, `${URL}?nick=bo`);
  });

  test('is a guest anew when the remembered token is refused, once', () => {
    const storage = makeStorage();
    const guest = { user: { id: 'g1', name: 'ann', guest: true }, token: 'g_old' };
    makeWorld({ nick: 'ann', storage: storage.tab() }).connect(guest);
    const world = makeWorld({ nick: 'ann', storage: storage.tab() });
    world.chat.connect();
    world.socket.end(4501);
    assert.equal(world.sockets.length, 2);
    assert.equal(world.socket.url, `${URL}?nick=ann`);
    world.socket.end(4501);
    assert.equal(world.chat.state.phase, 'stopped');
  });

  test('is the guest that the server named, through a reconnection', async () => {
    const world = makeWorld();
    world.connect({ user: { id: 'g1', name: 'guest-7', guest: true }, token: 'g_7' });
    await world.again();
    assert.deepEqual(world.socket.protocols, ['wsrelay.v1', 'bearer.g_7']);
    world.chat.identify({});
    assert.deepEqual(world.socket.protocols, ['wsrelay.v1']);
  });
});

describe('back-off', () => {
  test('doubles its ceiling up to the greatest wait, and goes on', async () => {
    const world = makeWorld();
    world.chat.connect();
    const waits = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      world.socket.end(1006);
      waits.push(world.chat.state.until - world.clock.now());
      assert.equal(world.chat.state.attempt, attempt + 1);
      await world.clock.pass(waits.at(-1));
    }
    assert.ok(waits.every((wait) => wait <= BACKOFF_MAX_MS));
    assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  });

  test('starts small again after a connection that held, and only then', async () => {
    const world = makeWorld();
    world.connect();
    world.socket.end();
    await world.clock.pass(250);
    world.socket.welcome();
    await world.clock.pass(STABLE_MS - 1);
    world.socket.end();
    assert.equal(world.chat.state.attempt, 2);
    await world.clock.pass(500);
    world.socket.welcome();
    await world.clock.pass(STABLE_MS);
    world.socket.end();
    assert.equal(world.chat.state.attempt, 1);
  });

  test('waits at least as long as the server asks', () => {
    const world = makeWorld();
    world.connect();
    world.socket.say({ type: 'error', code: 'busy', message: 'later', retry: true, after_ms: 7000 });
    world.socket.end(1013);
    assert.equal(world.chat.state.until - world.clock.now(), 7250);
    assert.equal(world.of('error')[0].code, 'busy');
  });

  for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 4000, 4008, 4499]) {
    test(`close code ${code} is tried again`, async () => {
      const world = makeWorld();
      world.connect();
      world.socket.end(code);
      assert.equal(world.chat.state.phase, 'waiting');
      await world.clock.pass(250);
      assert.equal(world.sockets.length, 2);
    });
  }

  for (const code of [4500, 4501, 4502, 4503, 4504, 4999]) {
    test(`close code ${code} stops, with the server's words`, async () => {
      const world = makeWorld({ token: 'a_1' });
      const connecting = world.chat.connect();
      world.socket.say({ type: 'error', code: 'no', message: 'No, and that is final.', retry: false });
      world.socket.end(code, 'short');
      assert.deepEqual(world.chat.state, { phase: 'stopped', code, reason: 'No, and that is final.' });
      await assert.rejects(connecting, ChatError);
      await world.clock.pass(3_600_000);
      assert.equal(world.sockets.length, 1);
      assert.equal(world.clock.timers, 0);
      world.chat.reconnectNow();
      assert.equal(world.chat.state.phase, 'connecting');
    });
  }

  test('reconnectNow does not wait, and closes no good connection', () => {
    const world = makeWorld();
    world.connect();
    world.chat.reconnectNow();
    assert.equal(world.sockets.length, 1);
    world.socket.end();
    world.chat.reconnectNow();
    assert.equal(world.chat.state.phase, 'connecting');
    assert.equal(world.sockets.length, 2);
  });

  test('close ends everything', async () => {
    const world = makeWorld();
    world.connect();
    world.chat.join('lobby');
    world.chat.close();
    assert.deepEqual(world.chat.state, { phase: 'stopped', code: 1000, reason: 'closed' });
    await settle();
    assert.equal(world.clock.timers, 0);
  });
});

describe('the network', () => {
  test('its end is offline, and its return a connection at once', () => {
    const world = makeWorld();
    world.connect();
    world.network.on('offline');
    assert.deepEqual(world.chat.state, { phase: 'offline' });
    world.network.on('visible');
    assert.deepEqual(world.chat.state, { phase: 'offline' });
    world.network.on('online');
    assert.equal(world.chat.state.phase, 'connecting');
  });

  test('without it a lost connection is offline, and does not try', async () => {
    const world = makeWorld();
    world.connect();
    world.network.online = false;
    world.socket.end();
    assert.deepEqual(world.chat.state, { phase: 'offline' });
    await world.clock.pass(3_600_000);
    assert.equal(world.sockets.length, 1);
  });

  for (const what of ['online', 'visible']) {
    test(`${what} ends a wait`, () => {
      const world = makeWorld();
      world.connect();
      world.socket.end();
      world.network.on(what);
      assert.equal(world.chat.state.phase, 'connecting');
    });

    test(`${what} asks a connection whether it lives`, async () => {
      const world = makeWorld();
      world.connect();
      world.network.on(what);
      assert.equal(world.socket.of('ping').length, 1);
      await world.clock.pass(DOUBT_MS);
      assert.equal(world.chat.state.phase, 'waiting');
    });
  }
});

describe('silence', () => {
  test('is broken by a ping, and an answered ping is all it takes', async () => {
    const world = makeWorld();
    const socket = world.connect();
    for (let round = 1; round <= 3; round += 1) {
      await world.clock.pass(PING_MS);
      assert.equal(socket.of('ping').length, round);
      socket.say({ type: 'pong' });
    }
    await world.clock.pass(PONG_MS);
    assert.equal(world.chat.state.phase, 'connected');
  });

  test('needs no ping where others speak', async () => {
    const world = makeWorld();
    const socket = world.connect();
    for (let second = 0; second < 120; second += 1) {
      await world.clock.pass(1000);
      socket.say({ type: 'presence', room: 'lobby', count: second });
    }
    assert.equal(socket.of('ping').length, 0);
  });

  test('that outlasts the ping is the end of the connection', async () => {
    const world = makeWorld();
    const socket = world.connect();
    await world.clock.pass(PING_MS + PONG_MS - 1);
    assert.equal(world.chat.state.phase, 'connected');
    await world.clock.pass(1);
    assert.equal(world.chat.state.phase, 'waiting');
    assert.equal(socket.closedWith, 1000);
  });

  test('is as long after somebody has set the clock', async () => {
    for (const ms of [-86_400_000, 86_400_000]) {
      const world = makeWorld();
      const socket = world.connect();
      world.clock.set(ms);
      socket.say({ type: 'pong' });
      world.clock.set(ms);
      await world.clock.pass(PING_MS - 1);
      assert.equal(socket.of('ping').length, 0);
      await world.clock.pass(1);
      assert.equal(socket.of('ping').length, 1);
      await world.clock.pass(PONG_MS);
      assert.equal(world.chat.state.phase, 'waiting');
    }
  });

  test('is measured by a given clock that knows only the time of day, too', async () => {
    const { now, setTimeout, clearTimeout, pass } = makeClock();
    const world = makeWorld({ clock: { now, setTimeout, clearTimeout } });
    const socket = world.connect();
    await pass(PING_MS);
    assert.equal(socket.of('ping').length, 1);
  });

  test('of a machine that slept is doubted before it is believed', async () => {
    const world = makeWorld();
    const socket = world.connect();
    world.clock.sleep(3_600_000);
    await world.clock.pass(1);
    assert.equal(world.chat.state.phase, 'connected');
    socket.say({ type: 'pong' });
    await world.clock.pass(PONG_MS);
    assert.equal(world.chat.state.phase, 'connected');
  });

  test('after a request is a reason to ask', async () => {
    const world = makeWorld();
    const socket = world.connect();
    const asked = assert.rejects(world.chat.rooms(), { code: 'timeout', retry: true });
    await world.clock.pass(15_000);
    await asked;
    assert.equal(socket.of('ping').length, 1);
    await world.clock.pass(DOUBT_MS);
    assert.equal(world.chat.state.phase, 'waiting');
  });
});
