import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { TYPING_MS } from '../../../src/page/client/people.js';
import { RECEIPTS_EVERY_MS, RECEIPTS_MAX, TYPING_EVERY_MS } from '../../../src/page/client/whispers.js';
import { makeWorld, post } from './world.mjs';

const LOG = { room: 'lobby', epoch: 'e1', first: 1 };

function following(options) {
  const world = makeWorld(options);
  const socket = world.connect();
  world.chat.join('lobby');
  socket.ok('join', { ...LOG, seq: 10 });
  return { world, socket };
}

describe('typing', () => {
  test('is said now and then, however many keys', async () => {
    const { world, socket } = following();
    for (let key = 0; key < 60; key += 1) {
      world.chat.typing('lobby');
      await world.clock.pass(100);
    }
    assert.equal(socket.of('typing').length, 6_000 / TYPING_EVERY_MS);
    assert.deepEqual(socket.of('typing')[0], { type: 'typing', room: 'lobby', on: true });
  });

  test('is said again though somebody has set the clock back', async () => {
    const { world, socket } = following();
    world.chat.typing('lobby');
    world.clock.set(-86_400_000);
    await world.clock.pass(TYPING_EVERY_MS);
    world.chat.typing('lobby');
    assert.equal(socket.of('typing').length, 2);
  });

  test('is ended once, and only if it was said', () => {
    const { world, socket } = following();
    world.chat.typing('lobby', false);
    world.chat.typing('lobby');
    world.chat.typing('lobby', false);
    world.chat.typing('lobby', false);
    assert.deepEqual(socket.of('typing').map(({ on }) => on), [true, false]);
  });

  test('begins anew after a post', () => {
    const { world, socket } = following();
    world.chat.typing('lobby');
    world.chat.post('lobby', 'done');
    world.chat.typing('lobby', false);
    world.chat.typing('lobby');
    assert.deepEqual(socket.of('typing').map(({ on }) => on), [true, true]);
  });

  test('of others expires by itself', async () => {
    const { world, socket } = following();
    socket.say({ type: 'typing', room: 'lobby', from: 'bo', on: true });
    await world.clock.pass(TYPING_MS - 1);
    assert.deepEqual(world.chat.typists('lobby'), ['bo']);
    socket.say({ type: 'typing', room: 'lobby', from: 'bo', on: true });
    await world.clock.pass(TYPING_MS - 1);
    assert.deepEqual(world.chat.typists('lobby'), ['bo']);
    await world.clock.pass(1);
    assert.deepEqual(world.chat.typists('lobby'), []);
    assert.deepEqual(world.of('typing').map(({ on }) => on), [true, true, false]);
  });

  test('of others ends with the post, with a word, and with the connection', () => {
    const { world, socket } = following();
    for (const from of ['bo', 'cy', 'di']) socket.say({ type: 'typing', room: 'lobby', from, on: true });
    socket.say(post(11));
    assert.deepEqual(world.chat.typists('lobby'), ['cy', 'di']);
    socket.say({ type: 'typing', room: 'lobby', from: 'cy', on: false });
    assert.deepEqual(world.chat.typists('lobby'), ['di']);
    socket.end();
    assert.deepEqual(world.chat.typists('lobby'), []);
    assert.deepEqual(world.of('typing').filter(({ on }) => !on).map(({ from }) => from), ['bo', 'cy', 'di']);
  });
});

describe('how far one is', () => {
  test('is said for many entries at once', async () => {
    const { world, socket } = following();
    for (let seq = 11; seq <= 30; seq += 1) socket.say(post(seq));
    world.chat.read('lobby', 25);
    world.chat.read('lobby', 20);
    await world.clock.pass(RECEIPTS_EVERY_MS);
    assert.deepEqual(socket.of('received'), [{ type: 'received', room: 'lobby', seq: 30 }]);
    assert.deepEqual(socket.of('read'), [{ type: 'read', room: 'lobby', seq: 25 }]);
    await world.clock.pass(60_000);
    world.chat.read('lobby', 25);
    assert.equal(socket.of('read').length, 1);
  });

  test('is said at once when the page is looked at no more', async () => {
    const { world, socket } = following();
    world.chat.read('lobby', 9);
    world.network.on('hidden');
    assert.deepEqual(socket.of('read').map(({ seq }) => seq), [9]);
    world.network.on('hidden');
    await world.clock.pass(RECEIPTS_EVERY_MS);
    assert.equal(socket.of('read').length, 1);
    world.socket.end();
    world.chat.read('lobby', 10);
    world.network.on('hidden');
    const next = await world.again();
    await world.clock.pass(RECEIPTS_EVERY_MS);
    assert.deepEqual(next.of('read').map(({ seq }) => seq), [10]);
  });

  test('keeps what one received to oneself, if one likes', async () => {
    const { world, socket } = following({ receipts: false });
    socket.say(post(11));
    await world.clock.pass(RECEIPTS_EVERY_MS);
    assert.equal(socket.of('received').length, 0);
  });

  test('is said for few rooms at a time: the server drops what is too much', async () => {
    const { world, socket } = following();
    for (let room = 0; room < 25; room += 1) world.chat.read(`room-${room}`, 5);
    const said = [];
    for (let round = 0; round < 3; round += 1) {
      await world.clock.pass(RECEIPTS_EVERY_MS);
      said.push(socket.of('read').length);
    }
    assert.deepEqual(said, [RECEIPTS_MAX, 2 * RECEIPTS_MAX, 25]);
  });

  test('waits for a connection, and is said again if the server did not hear it', async () => {
    const { world } = following();
    world.chat.read('lobby', 12);
    await world.clock.pass(RECEIPTS_EVERY_MS);
    world.socket.end();
    world.chat.read('rust', 3);
    const next = await world.again({ rooms: [{ room: 'lobby', read: 11 }, { room: 'other', read: 1 }] });
    await world.clock.pass(RECEIPTS_EVERY_MS);
    assert.deepEqual(next.of('read').map(({ room, seq }) => [room, seq]), [['rust', 3], ['lobby', 12]]);
  });

  test('begins anew with another log, and with another person', async () => {
    const { world } = following();
    world.chat.read('lobby', 12);
    const next = await world.again();
    next.say({ type: 'joined', ...LOG, epoch: 'e2', seq: 1, recovered: false, reason: 'epoch' });
    world.chat.read('lobby', 1);
    await world.clock.pass(RECEIPTS_EVERY_MS);
    assert.equal(next.last('read').seq, 1);
    world.chat.identify({ token: 'a_bo' });
    world.socket.welcome({ user: { id: 'u2', name: 'bo', guest: false } });
    world.chat.read('lobby', 1);
    await world.clock.pass(RECEIPTS_EVERY_MS);
    assert.equal(world.socket.of('read').length, 1);
  });
});

describe('presence', () => {
  test('is the sum of what was announced', () => {
    const { world, socket } = following();
    assert.equal(world.chat.present('lobby'), null);
    socket.say({ type: 'presence', room: 'lobby', online: ['cy', 'ann'] });
    socket.say({ type: 'presence', room: 'lobby', user: 'bo', online: true });
    socket.say({ type: 'presence', room: 'lobby', user: 'cy', online: false, last_seen: '2026-11-21T02:06:48.123Z' });
    assert.deepEqual(world.chat.present('lobby'), { names: ['ann', 'bo'] });
    socket.say({ type: 'presence', room: 'lobby', count: 523 });
    socket.say({ type: 'presence', room: 'lobby', user: 'bo', online: true });
    assert.deepEqual(world.chat.present('lobby'), { count: 523 });
    assert.equal(world.of('presence').length, 5);
  });

  test('is not known without a connection', () => {
    const { world, socket } = following();
    socket.say({ type: 'presence', room: 'lobby', online: ['ann'] });
    socket.end();
    assert.equal(world.chat.present('lobby'), null);
  });
});
