import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { randomKey } from '../../../src/page/client/host.js';
import { OTHERS_MS, POSTS_MAX } from '../../../src/page/client/outbox.js';
import { KEPT_MS } from '../../../src/page/client/shelf.js';
import { ANN, AT, makeClock, makeStorage, makeWorld, post, settle } from './world.mjs';

const LOG = { room: 'lobby', epoch: 'e1', first: 1 };
const OK = { room: 'lobby', seq: 11, at: AT };
const bodies = (socket) => socket.of('post').map(({ body }) => body);
const states = (world) => world.of('post').map(({ body, state }) => `${body} ${state}`);

/** A client that is connected and follows the lobby. */
function following(options) {
  const world = makeWorld(options);
  world.connect();
  join(world, world.socket);
  return world;
}

function join(world, socket) {
  world.chat.join('lobby');
  if (socket.of('join').length > 0) socket.ok('join', { ...LOG, seq: 10 });
  else socket.say({ type: 'joined', ...LOG, seq: 10, recovered: true });
}

/** A page that is loaded anew, or in another tab. */
function tab(storage, options = {}) {
  return following({ storage: storage.tab(), locks: storage.locks, newKey: randomKey, ...options });
}

describe('a post', () => {
  test('is on its way at once, and sent when it is stored', async () => {
    const world = following();
    const { key, sent } = world.chat.post('Lobby', 'hi', { reply_to: 4 });
    const { id, ...frame } = world.socket.last('post');
    assert.deepEqual(frame, { type: 'post', room: 'lobby', key, body: 'hi', reply_to: 4 });
    assert.deepEqual(world.chat.outbox().map(({ state }) => state), ['waiting']);
    world.socket.ok('post', OK);
    assert.deepEqual(await sent, { seq: 11, at: AT });
    assert.deepEqual(world.chat.outbox(), []);
    assert.deepEqual(states(world), ['hi waiting', 'hi sent']);
    assert.equal(world.of('post').at(-1).seq, 11);
  });

  test('larger than a message may be is not sent, which would end the connection, and again after each return', async () => {
    const world = makeWorld();
    world.connect({ limits: { resume_rooms: 256, message_bytes: 200 } });
    join(world, world.socket);
    const { sent } = world.chat.post('lobby', '\u00e9'.repeat(100));
    await assert.rejects(sent, { code: 'too_large', retry: false });
    assert.deepEqual(world.chat.outbox().map(({ state }) => state), ['failed']);
    world.chat.post('lobby', 'short');
    await settle();
    assert.deepEqual(bodies(world.socket), ['short']);
  });

  test('has a key that nobody else makes', () => {
    const keys = Array.from({ length: 100 }, randomKey);
    assert.ok(keys.every((key) => /^[0-9a-f]{32}$/.test(key)));
    assert.equal(new Set(keys).size, 100);
  });

  test('goes after the one before it, in each room', async () => {
    const world = following();
    world.chat.post('lobby', 'one');
    world.chat.post('lobby', 'two');
    world.chat.post('rust', 'other');
    assert.deepEqual(bodies(world.socket), ['one', 'other']);
    const first = world.socket.of('post')[0];
    world.socket.say({ type: 'ok', id: first.id, ...OK });
    await settle();
    assert.deepEqual(bodies(world.socket), ['one', 'other', 'two']);
  });

  test('without a connection goes when there is one, and its room is joined', async () => {
    const world = makeWorld();
    world.chat.join('lobby');
    const { sent } = world.chat.post('lobby', 'early');
    const socket = world.connect();
    assert.deepEqual(bodies(socket), []);
    socket.say({ type: 'joined', ...LOG, seq: 10 });
    assert.deepEqual(bodies(socket), ['early']);
    socket.ok('post', OK);
    await sent;
  });

  test('is sent by its own entry too, should the answer be lost', async () => {
    const world = following();
    const { key, sent } = world.chat.post('lobby', 'hi');
    const next = await world.again();
    next.say({ type: 'joined', ...LOG, seq: 11, recovered: true });
    await settle();
    assert.equal(next.last('post').key, key);
    next.say(post(11, { from: 'bo', key }), post(12, { from: 'ann', key, body: 'hi' }));
    assert.equal((await sent).seq, 12);
    next.ok('post', { ...OK, seq: 12, dup: true });
    assert.deepEqual(states(world), ['hi waiting', 'hi sent']);
  });

  test('beyond what anybody writes is not taken', () => {
    const world = makeWorld();
    for (let count = 0; count < POSTS_MAX; count += 1) world.chat.post('lobby', `${count}`);
    assert.throws(() => world.chat.post('lobby', 'more'), { code: 'outbox_full' });
  });
});

describe('a post that is refused', () => {
  for (const code of ['unavailable', 'rate', 'busy', 'slow', 'muted']) {
    test(`for now (${code}) is sent again after as long as was said, before later ones`, async () => {
      const world = following();
      const { key } = world.chat.post('lobby', 'one');
      world.chat.post('lobby', 'two');
      world.socket.refuse('post', code, 3000);
      await settle();
      assert.equal(world.chat.outbox()[0].until, world.clock.now() + 3500);
      await world.clock.pass(3499);
      assert.deepEqual(bodies(world.socket), ['one']);
      await world.clock.pass(1);
      assert.deepEqual(bodies(world.socket), ['one', 'one']);
      assert.equal(world.socket.last('post').key, key);
      world.socket.ok('post', OK);
      await settle();
      assert.deepEqual(bodies(world.socket), ['one', 'one', 'two']);
    });
  }

  test('for now waits no longer, nor shorter, for somebody who sets the clock', async () => {
    for (const ms of [-86_400_000, 86_400_000]) {
      const world = following();
      world.chat.post('lobby', 'one');
      world.socket.refuse('post', 'slow', 3000);
      await settle();
      world.clock.set(ms);
      assert.equal(world.chat.outbox()[0].until, world.clock.now() + 3500, 'by the clock as it is now');
      await world.clock.pass(3499);
      assert.deepEqual(bodies(world.socket), ['one']);
      await world.clock.pass(1);
      assert.deepEqual(bodies(world.socket), ['one', 'one']);
    }
  });

  test('for a year waits a year, not a moment', async () => {
    const world = following();
    world.chat.post('lobby', 'one');
    world.socket.refuse('post', 'muted', 365 * 24 * 3_600_000);
    await settle();
    world.socket.answer = ({ type }) => { if (type === 'ping') world.socket.say({ type: 'pong' }); };
    await world.clock.pass(24 * 3_600_000);
    assert.equal(bodies(world.socket).length, 1);
  });

  test('for a rule that is lifted is sent at once', async () => {
    const world = following();
    world.chat.post('lobby', 'one');
    world.socket.refuse('post', 'muted', 3_600_000);
    await settle();
    world.socket.say({ ...post(11), kind: 'mute', user: 'ann' });
    assert.deepEqual(bodies(world.socket), ['one', 'one']);
  });

  test('for good has failed, and holds up no other', async () => {
    const world = following();
    const { key, sent } = world.chat.post('lobby', 'x'.repeat(9));
    world.chat.post('lobby', 'two');
    world.socket.refuse('post', 'body_too_long');
    await assert.rejects(sent, { code: 'body_too_long' });
    const shown = world.chat.outbox().map(({ state, error }) => [state, error?.code]);
    assert.deepEqual(shown, [['failed', 'body_too_long'], ['waiting', undefined]]);
    await settle();
    assert.equal(bodies(world.socket).at(-1), 'two');
    world.socket.ok('post', OK);
    await settle();
    const again = world.chat.retry(key);
    assert.equal(world.socket.last('post').key, key);
    world.socket.ok('post', { ...OK, seq: 12 });
    assert.equal((await again).seq, 12);
  });

  test('can be given up', async () => {
    const world = following();
    const { key, sent } = world.chat.post('lobby', 'oops');
    world.socket.refuse('post', 'not_allowed');
    await assert.rejects(sent);
    world.chat.discard(key);
    assert.deepEqual(world.chat.outbox(), []);
    assert.equal(states(world).at(-1), 'oops discarded');
    await assert.rejects(world.chat.retry(key), { code: 'discarded' });
  });

  test('while it waits can be given up, or sent now', async () => {
    const world = following();
    const one = world.chat.post('lobby', 'one');
    const two = world.chat.post('lobby', 'two');
    world.socket.refuse('post', 'slow', 60_000);
    await settle();
    world.chat.retry(one.key);
    assert.deepEqual(bodies(world.socket), ['one', 'one']);
    world.socket.refuse('post', 'slow', 60_000);
    await settle();
    world.chat.discard(one.key);
    await assert.rejects(one.sent, { code: 'discarded' });
    assert.equal(bodies(world.socket).at(-1), 'two');
    world.socket.ok('post', OK);
    await two.sent;
  });

  test('by nobody, for there is no answer, is sent again', async () => {
    const world = following();
    const { key } = world.chat.post('lobby', 'hi');
    world.socket.answer = ({ type }) => { if (type === 'ping') world.socket.say({ type: 'pong' }); };
    await world.clock.pass(15_000 + 1_500);
    assert.deepEqual(world.socket.of('post').map((frame) => frame.key), [key, key]);
  });
});

describe('a lost connection', () => {
  test('loses no post, and none of its order', async () => {
    const world = following();
    const posts = ['one', 'two', 'three'].map((body) => world.chat.post('lobby', body));
    assert.deepEqual(bodies(world.socket), ['one']);
    const next = await world.again();
    assert.deepEqual(bodies(next), []);
    next.answer = (frame) => { if (frame.type === 'post') next.say({ type: 'ok', id: frame.id, ...OK }); };
    next.say({ type: 'joined', ...LOG, seq: 10, recovered: true });
    await settle();
    assert.deepEqual(bodies(next), ['one', 'two', 'three']);
    await Promise.all(posts.map(({ sent }) => sent));
  });

  test('does not fail a post whose room has yet to be joined anew', async () => {
    const world = makeWorld();
    world.connect();
    world.chat.post('rust', 'hi');
    assert.deepEqual(bodies(world.socket), ['hi']);
    const next = await world.again();
    await settle();
    assert.deepEqual(bodies(next), []);
    next.say({ type: 'room', room: 'rust' });
    assert.deepEqual(bodies(next), ['hi']);
  });

  test('to a room that refuses to be joined fails its posts', async () => {
    const world = following();
    const { sent } = world.chat.post('lobby', 'hi');
    const next = await world.again();
    next.say({ type: 'joined', room: 'lobby', error: { code: 'banned', message: 'no', retry: false } });
    await assert.rejects(sent, { code: 'banned' });
    assert.deepEqual(world.chat.outbox().map(({ state }) => state), ['failed']);
  });

  test('is not needed to fail the posts of a room that one is put out of', async () => {
    const world = following();
    world.chat.post('lobby', 'one');
    const { sent } = world.chat.post('lobby', 'two');
    world.socket.say({ type: 'out', room: 'lobby', reason: 'removed' });
    await assert.rejects(sent, { code: 'out' });
    world.socket.ok('post', OK);
    await settle();
    assert.deepEqual(bodies(world.socket), ['one']);
    assert.deepEqual(world.chat.outbox().map(({ body }) => body), ['two']);
  });
});

describe('storage', () => {
  test('brings back after a reload what was not sent, in order', async () => {
    const storage = makeStorage();
    const before = tab(storage);
    const first = before.chat.post('lobby', 'one', { reply_to: 3 });
    before.chat.post('lobby', 'two');
    before.socket.end();
    const world = tab(storage);
    assert.deepEqual(world.chat.outbox('lobby').map(({ key, body, state, kept }) => [key, body, state, kept]), [
      [first.key, 'one', 'waiting', true], [before.chat.outbox()[1].key, 'two', 'waiting', true]]);
    await settle();
    assert.deepEqual(world.socket.last('post').reply_to, 3);
    world.socket.ok('post', OK);
    await settle();
    world.socket.ok('post', { ...OK, seq: 12 });
    await settle();
    assert.deepEqual(bodies(world.socket), ['one', 'two']);
    assert.equal(storage.items.size, 0);
  });

  test('keeps what has failed, and why', async () => {
    const storage = makeStorage();
    const before = tab(storage);
    before.chat.post('lobby', 'one').sent.catch(() => {});
    await settle();
    before.socket.refuse('post', 'read_only');
    await settle();
    const world = tab(storage);
    assert.deepEqual(world.chat.outbox()[0].error, { code: 'read_only', message: 'it is read_only' });
    assert.deepEqual(bodies(world.socket), []);
    world.chat.discard(world.chat.outbox()[0].key);
    await settle();
    assert.equal(storage.items.size, 0);
    assert.deepEqual(before.chat.outbox(), []);
  });

  test('waits for the room to be joined after a reload, unless one is a member', async () => {
    const storage = makeStorage();
    const before = tab(storage);
    before.chat.post('rust', 'one');
    before.socket.end();
    await settle();
    const world = makeWorld({ storage: storage.tab(), locks: storage.locks });
    world.connect();
    await settle();
    assert.deepEqual(bodies(world.socket), []);
    world.chat.join('rust');
    world.socket.ok('join', { ...LOG, room: 'rust', seq: 1 });
    await settle();
    assert.deepEqual(bodies(world.socket), ['one']);
    const member = makeWorld({ storage: storage.tab(), locks: null });
    member.connect({ rooms: [{ room: 'rust', read: 0 }] });
    await settle();
    assert.deepEqual(bodies(member.socket), ['one']);
  });

  test('is one\'s own: another person neither sees nor sends one\'s posts', async () => {
    const storage = makeStorage();
    const world = tab(storage);
    const { sent } = world.chat.post('lobby', 'ann\'s');
    world.chat.identify({ token: 'a_bo' });
    world.socket.welcome({ user: { id: 'u2', name: 'bo', guest: false }, rooms: [{ room: 'lobby', read: 0 }] });
    world.socket.say({ type: 'joined', ...LOG, seq: 10, recovered: true });
    await assert.rejects(sent, { code: 'stopped' });
    assert.deepEqual(world.chat.outbox(), []);
    assert.deepEqual(bodies(world.socket), []);
    world.chat.identify({ token: 'a_ann' });
    world.socket.welcome({ user: ANN, rooms: [{ room: 'lobby', read: 0 }] });
    world.socket.say({ type: 'joined', ...LOG, seq: 10, recovered: true });
    await settle();
    assert.deepEqual(bodies(world.socket), ['ann\'s']);
  });

  test('is still one\'s own when a guest becomes an account, or is made anew', async () => {
    const storage = makeStorage();
    const world = makeWorld({ storage: storage.tab(), locks: storage.locks, newKey: randomKey });
    world.connect({ user: { id: 'g1', name: 'gus', guest: true } });
    join(world, world.socket);
    const { sent } = world.chat.post('lobby', 'as a guest');
    await settle();
    world.socket.refuse('post', 'slow', 60_000);
    await settle();
    for (const user of [{ id: 'g2', name: 'gus', guest: true }, { id: '3', name: 'gus', guest: false }]) {
      const next = await world.again({ user });
      next.say({ type: 'joined', ...LOG, seq: 10, recovered: true });
    }
    await settle();
    assert.deepEqual(bodies(world.socket), ['as a guest']);
    world.socket.ok('post', OK);
    assert.equal((await sent).seq, 11);
    assert.equal(storage.items.size, 0);
  });

  test('does not keep for ever what nobody comes back for', async () => {
    const storage = makeStorage();
    const clock = makeClock();
    const guest = makeWorld({ clock, storage: storage.tab(), locks: storage.locks });
    guest.connect({ user: { id: 'g1', name: 'guest-1', guest: true } });
    guest.chat.post('lobby', 'never sent');
    guest.chat.close();
    const kept = () => [...storage.items.values()].map((text) => JSON.parse(text).body);
    clock.sleep(KEPT_MS);
    tab(storage, { clock }).chat.close();
    assert.deepEqual(kept(), ['never sent']);
    clock.sleep(1);
    const ann = tab(storage, { clock });
    assert.deepEqual(kept(), []);
    ann.chat.post('lobby', 'ann\'s');
    ann.chat.close();
    clock.sleep(2 * KEPT_MS);
    assert.deepEqual(tab(storage, { clock }).chat.outbox().map(({ body }) => body), ['ann\'s'], 'who comes back has it');
  });

  test('that is full keeps nothing and says so, and the post goes out all the same', async () => {
    const storage = makeStorage();
    storage.full = true;
    const world = tab(storage);
    const { sent } = world.chat.post('lobby', 'hi');
    assert.equal(world.chat.outbox()[0].kept, false);
    await settle();
    world.socket.ok('post', OK);
    await sent;
  });

  test('that somebody emptied loses no post that a page still has', async () => {
    const storage = makeStorage();
    const world = makeWorld({ storage: storage.tab(), locks: storage.locks });
    world.connect();
    world.chat.post('lobby', 'hi').sent.catch(() => {});
    world.socket.end();
    storage.items.clear();
    await world.clock.pass(500);
    world.socket.welcome({ rooms: [{ room: 'lobby', read: 0 }] });
    await world.clock.pass(1000);
    assert.deepEqual(bodies(world.socket), ['hi']);
  });

  test('of another version or another program does no harm', () => {
    const storage = makeStorage();
    const prefix = 'wsrelay.post ws://chat.test/ws ann ';
    for (const text of ['{', 'null', '{"room":7}', '[]']) storage.items.set(`${prefix}${storage.items.size}`, text);
    storage.items.set('theirs', 'x');
    assert.deepEqual(tab(storage).chat.outbox(), []);
  });
});

describe('several tabs', () => {
  test('send a post once, and all know it', async () => {
    const storage = makeStorage();
    const clock = makeClock();
    const [a, b] = [tab(storage, { clock }), tab(storage, { clock })];
    const { sent } = a.chat.post('lobby', 'hi');
    await settle();
    assert.deepEqual(b.chat.outbox().map(({ body }) => body), ['hi']);
    a.socket.ok('post', OK);
    await sent;
    await settle();
    assert.deepEqual(b.chat.outbox(), []);
    assert.deepEqual(states(b), ['hi waiting', 'hi sent']);
    assert.equal(bodies(b.socket).length, 0);
  });

  test('at once after a restart of the browser send each of its posts once, in order', async () => {
    const storage = makeStorage();
    const before = tab(storage);
    for (const body of ['one', 'two', 'three']) before.chat.post('lobby', body);
    before.socket.end();
    const worlds = [tab(storage), tab(storage), tab(storage)];
    const arrived = [];
    for (const { socket } of worlds) {
      socket.answer = ({ type, id, body }) => {
        if (type !== 'post') return;
        arrived.push(body);
        queueMicrotask(() => socket.say({ type: 'ok', id, room: 'lobby', seq: 10 + arrived.length, at: AT }));
      };
    }
    // The first tab's post went out before anybody answered.
    await settle();
    for (const { socket } of worlds) {
      for (const frame of socket.of('post')) if (!arrived.includes(frame.body)) socket.answer(frame);
    }
    for (let round = 0; round < 5; round += 1) await Promise.all(worlds.map(({ clock }) => clock.pass(0)));
    assert.deepEqual(arrived, ['one', 'two', 'three']);
    assert.equal(storage.items.size, 0);
    for (const { chat } of worlds) assert.deepEqual(chat.outbox(), []);
  });

  test('send for one that cannot, after a while', async () => {
    const storage = makeStorage();
    const clock = makeClock();
    const [a, b] = [tab(storage, { clock }), tab(storage, { clock })];
    a.network.on('offline');
    const { sent } = a.chat.post('lobby', 'hi');
    await settle();
    const own = b.chat.post('lobby', 'own');
    await settle();
    assert.deepEqual(bodies(b.socket), ['own']);
    b.socket.ok('post', OK);
    await own.sent;
    await clock.pass(OTHERS_MS);
    assert.deepEqual(bodies(b.socket), ['own', 'hi']);
    b.socket.ok('post', { ...OK, seq: 12 });
    assert.equal((await sent).seq, 12);
    assert.equal(storage.items.size, 0);
  });

  test('send for another in its order, even if the first is refused for now', async () => {
    const storage = makeStorage();
    const clock = makeClock();
    const [a, b] = [tab(storage, { clock }), tab(storage, { clock })];
    a.network.on('offline');
    a.chat.post('lobby', 'one');
    a.chat.post('lobby', 'two');
    await clock.pass(OTHERS_MS);
    b.socket.refuse('post', 'rate', 5000);
    await clock.pass(1000);
    assert.deepEqual(bodies(b.socket), ['one']);
    await clock.pass(5000);
    assert.deepEqual(bodies(b.socket), ['one', 'one']);
  });

  test('do not send what is in storage no more, though they have not heard why', async () => {
    const storage = makeStorage();
    const clock = makeClock();
    const before = tab(storage, { clock });
    before.network.on('offline');
    const { sent } = before.chat.post('lobby', 'hi');
    const world = tab(storage, { clock });
    await settle();
    storage.isSlow = true;
    world.socket.ok('post', OK);
    await settle();
    before.network.on('online');
    before.socket.welcome();
    before.socket.say({ type: 'joined', ...LOG, seq: 11, recovered: true });
    await settle();
    assert.deepEqual(bodies(before.socket), []);
    // Nor do they give it up: should nobody say what became of it, the server will.
    await clock.pass(1000);
    assert.deepEqual(bodies(before.socket), ['hi']);
    before.socket.ok('post', { ...OK, dup: true });
    assert.equal((await sent).dup, true);
  });

  test('know what another gave up, and that it has failed', async () => {
    const storage = makeStorage();
    const clock = makeClock();
    const [a, b] = [tab(storage, { clock }), tab(storage, { clock })];
    const { key, sent } = a.chat.post('lobby', 'hi');
    await settle();
    a.socket.refuse('post', 'read_only');
    await assert.rejects(sent);
    await settle();
    assert.deepEqual(b.chat.outbox().map(({ state, error }) => [state, error.code]), [['failed', 'read_only']]);
    b.chat.discard(key);
    await settle();
    assert.deepEqual(a.chat.outbox(), []);
    assert.equal(states(a).at(-1), 'hi discarded');
  });

  test('do not wait for ever for one that holds a lock', async () => {
    const storage = makeStorage();
    storage.locks.seize('wsrelay.post ws://chat.test/ws ann lobby');
    const world = tab(storage);
    world.socket.answer = ({ type }) => { if (type === 'ping') world.socket.say({ type: 'pong' }); };
    world.chat.post('lobby', 'hi');
    await world.clock.pass(20_000);
    assert.deepEqual(bodies(world.socket), ['hi']);
  });
});
