import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MENDS_MAX } from '../../../src/page/client/rooms.js';
import { ANN, makeWorld, post, settle } from './world.mjs';

const LOG = { room: 'lobby', epoch: 'e1', first: 1 };
const seqs = (world) => world.of('entry').map(({ seq }) => seq);
const request = ({ type, id, ...fields }) => fields;

/** A client that is connected and follows the lobby, up to `seq`. */
function following(seq = 10) {
  const world = makeWorld();
  const socket = world.connect();
  const joined = world.chat.join('lobby');
  socket.ok('join', { ...LOG, seq });
  return { world, socket, joined };
}

describe('joining', () => {
  test('is a join while connected, and answers where the log stands', async () => {
    const { world, socket, joined } = following(10);
    assert.deepEqual(request(socket.last('join')), { room: 'lobby' });
    assert.equal((await joined).seq, 10);
    assert.deepEqual(world.chat.cursor('lobby'), { epoch: 'e1', seq: 10 });
    assert.deepEqual(world.of('joined'), [{ type: 'joined', ...LOG, seq: 10 }]);
    assert.equal((await world.chat.join('lobby')).seq, 10);
    assert.equal(socket.of('join').length, 1);
  });

  test('may be asked for before there is a connection, and is one resume then', async () => {
    const world = makeWorld();
    const lobby = world.chat.join('lobby', { since: { epoch: 'e1', seq: 3 } });
    const rust = world.chat.join('Rust');
    world.chat.on('welcome', () => { world.chat.join('late'); });
    const socket = world.connect();
    assert.deepEqual(socket.sent.map(({ type }) => type), ['resume']);
    assert.deepEqual(socket.last('resume').rooms, [
      { room: 'lobby', since: { epoch: 'e1', seq: 3 } }, { room: 'rust' }, { room: 'late' }]);
    socket.say({ type: 'joined', ...LOG, seq: 4, recovered: true }, post(4));
    socket.say({ type: 'joined', ...LOG, room: 'rust', seq: 0 });
    socket.say({ type: 'joined', room: 'late', error: { code: 'banned', message: 'no', retry: false } });
    socket.ok('resume', {});
    assert.equal((await lobby).seq, 4);
    assert.equal((await rust).seq, 0);
    assert.deepEqual(seqs(world), [4]);
    assert.deepEqual(world.of('detached').map(({ room, error }) => [room, error.code]), [['late', 'banned']]);
  });

  test('that is refused for good is given up, and one can try again', async () => {
    const world = makeWorld();
    const socket = world.connect();
    const joined = world.chat.join('secret');
    socket.refuse('join', 'no_room');
    await assert.rejects(joined, { code: 'no_room', retry: false, message: 'it is no_room' });
    assert.deepEqual(world.chat.followed(), []);
    world.chat.join('secret');
    assert.equal(socket.of('join').length, 2);
  });

  test('that is refused for now is asked again when the server said, until it is granted', async () => {
    const world = makeWorld();
    const socket = world.connect();
    const joined = world.chat.join('lobby');
    for (let round = 1; round <= 3; round += 1) {
      socket.refuse('join', 'unavailable', 2000);
      await world.clock.pass(1999);
      assert.equal(socket.of('join').length, round);
      await world.clock.pass(1001);
      assert.equal(socket.of('join').length, round + 1);
    }
    socket.ok('join', { ...LOG, seq: 1 });
    await joined;
  });

  test('of more rooms than a resume names is several resumes', async () => {
    const world = makeWorld();
    for (let room = 0; room < 5; room += 1) world.chat.join(`room-${room}`);
    const socket = world.connect({ limits: { resume_rooms: 2 } });
    assert.deepEqual(socket.of('resume').map(({ rooms }) => rooms.length), [2, 2, 1]);
  });

  test('by a resume that is refused as a whole is tried room by room', async () => {
    const world = makeWorld();
    world.chat.join('lobby');
    world.chat.join('rust');
    const socket = world.connect();
    socket.refuse('resume', 'bad_field');
    assert.deepEqual(socket.of('join').map(({ room }) => room), ['lobby', 'rust']);
    socket.ok('join', { ...LOG, room: 'rust', seq: 2 });
    assert.deepEqual(world.chat.cursor('rust'), { epoch: 'e1', seq: 2 });
  });

  test('ends with detach, and a late answer or entry changes nothing', async () => {
    const { world, socket } = following(10);
    world.chat.detach('lobby');
    assert.deepEqual(request(socket.last('detach')), { room: 'lobby' });
    socket.say(post(11));
    assert.deepEqual(seqs(world), []);
    assert.equal(world.chat.cursor('lobby'), null);
    const again = world.chat.join('lobby');
    world.chat.detach('lobby');
    socket.ok('join', { ...LOG, seq: 12 });
    assert.equal(world.chat.cursor('lobby'), null);
    await assert.rejects(again, { code: 'out' });
    assert.equal(world.of('detached').length, 0);
    assert.equal(world.of('joined').length, 1);
  });

  test('ends when the server puts us out', async () => {
    const { world, socket } = following(10);
    socket.say({ type: 'out', room: 'lobby', reason: 'banned' });
    assert.deepEqual(world.of('out'), [{ type: 'out', room: 'lobby', reason: 'banned' }]);
    await world.again();
    assert.equal(world.socket.of('resume').length, 0);
  });
});

describe('entries', () => {
  test('come once and in order, whatever is repeated', () => {
    const { world, socket } = following(10);
    socket.say(post(9), post(10), post(11), post(11), post(12), post(11), post(13));
    assert.deepEqual(seqs(world), [11, 12, 13]);
    assert.deepEqual(world.chat.cursor('lobby'), { epoch: 'e1', seq: 13 });
    assert.deepEqual(world.of('entry')[0], { ...post(11), type: 'entry' });
  });

  test('come after the join\'s answer, even all at once', () => {
    const world = makeWorld();
    world.chat.join('lobby', { since: { epoch: 'e1', seq: 1 } });
    const socket = world.connect();
    const { id } = socket.last('resume');
    socket.say({ type: 'joined', ...LOG, seq: 3, recovered: true }, post(2), post(3), { type: 'ok', id }, post(4));
    const told = world.told.slice(3).map(({ type, seq }) => `${type} ${seq}`);
    assert.deepEqual(told, ['joined 3', 'entry 2', 'entry 3', 'entry 4']);
  });

  test('of rooms that are not followed are not told', () => {
    const { world, socket } = following(10);
    socket.say(post(1, { room: 'other' }));
    assert.deepEqual(seqs(world), []);
  });

  test('reach the other listeners when one throws', () => {
    const { world, socket } = following(10);
    const reported = [];
    globalThis.reportError = (error) => reported.push(error.message);
    const off = world.chat.on('entry', () => { throw new Error('a listener\'s own fault'); });
    const heard = [];
    world.chat.on('entry', ({ seq }) => heard.push(seq));
    socket.say(post(11));
    off();
    socket.say(post(12));
    assert.deepEqual(heard, [11, 12]);
    assert.deepEqual(reported, ['a listener\'s own fault']);
    delete globalThis.reportError;
  });
});

describe('a lost connection', () => {
  test('resumes every room in one request, from the last entry of each', async () => {
    const { world, socket } = following(10);
    world.chat.join('rust');
    socket.ok('join', { ...LOG, room: 'rust', epoch: 'e2', seq: 5 });
    socket.say(post(11));
    const next = await world.again();
    assert.deepEqual(next.sent.map(({ type }) => type), ['resume']);
    assert.deepEqual(next.last('resume').rooms, [
      { room: 'lobby', since: { epoch: 'e1', seq: 11 } }, { room: 'rust', since: { epoch: 'e2', seq: 5 } }]);
    next.say({ type: 'joined', ...LOG, seq: 13, recovered: true }, post(12), post(13));
    next.say({ type: 'joined', ...LOG, room: 'rust', epoch: 'e2', seq: 5, recovered: true });
    next.ok('resume', {});
    next.say(post(14), post(6, { room: 'rust' }));
    assert.deepEqual(seqs(world), [11, 12, 13, 14, 6]);
    assert.equal(world.of('gap').length, 0);
  });

  test('in the middle of a replay goes on where the replay broke off', async () => {
    const { world } = following(10);
    const next = await world.again();
    next.say({ type: 'joined', ...LOG, seq: 14, recovered: true }, post(11), post(12));
    const third = await world.again();
    assert.deepEqual(third.last('resume').rooms[0].since, { epoch: 'e1', seq: 12 });
    third.say({ type: 'joined', ...LOG, seq: 14, recovered: true }, post(13), post(14));
    assert.deepEqual(seqs(world), [11, 12, 13, 14]);
  });

  test('does not lose a join on its way', async () => {
    const world = makeWorld();
    world.connect();
    const joined = world.chat.join('lobby');
    const next = await world.again();
    next.say({ type: 'joined', ...LOG, seq: 3 });
    assert.equal((await joined).seq, 3);
  });

  for (const [reason, answer, missed] of [
    ['too_many', { seq: 5000 }, 4990],
    ['trimmed', { seq: 90, first: 60 }, 80],
    ['unavailable', { seq: 12 }, 2],
    ['ahead', { seq: 4 }, null],
    ['epoch', { seq: 4, epoch: 'e9' }, null],
  ]) {
    test(`that cannot be made good is a gap: ${reason}`, async () => {
      const { world } = following(10);
      const next = await world.again();
      next.say({ type: 'joined', ...LOG, ...answer, recovered: false, reason });
      const { first = 1, seq } = answer;
      assert.deepEqual(world.of('gap'), [{ type: 'gap', room: 'lobby', reason, first, seq, missed }]);
      assert.equal(world.chat.cursor('lobby').seq, answer.seq);
      next.say(post(answer.seq), post(answer.seq + 1));
      assert.deepEqual(seqs(world), [answer.seq + 1]);
      const third = await world.again();
      assert.deepEqual(third.last('resume').rooms[0].since, { epoch: answer.epoch ?? 'e1', seq: answer.seq + 1 });
    });
  }
});

describe('somebody else', () => {
  const BEA = { id: 'u2', name: 'bea', guest: false };
  const resumed = (socket) => socket.of('resume').flatMap(({ rooms }) => rooms.map(({ room }) => room));
  /** Ann follows the lobby, an open room and an invite room. */
  function ann(user = ANN) {
    const world = makeWorld();
    const socket = world.connect({ user, rooms: [{ room: 'lobby', read: 0 }] });
    for (const room of ['lobby', 'rust', '~secret']) {
      world.chat.join(room);
      socket.ok('join', { ...LOG, room, seq: 10 });
    }
    return world;
  }

  test('does not follow, and so become a member of, what another followed', () => {
    const world = ann();
    world.chat.identify({ token: 'a_bea' });
    world.socket.welcome({ user: BEA, rooms: [{ room: 'lobby', read: 0 }] });
    assert.deepEqual(resumed(world.socket), ['lobby']);
    assert.deepEqual(world.chat.followed(), ['lobby']);
    assert.deepEqual(world.of('detached').map(({ room, error }) => [room, error.code]), [['rust', 'not_member'], ['~secret', 'not_member']]);
  });

  test('by the cookie of another tab neither', async () => {
    const world = ann();
    const next = await world.again({ user: BEA, rooms: [{ room: 'lobby', read: 0 }, { room: 'rust', read: 0 }] });
    assert.deepEqual(resumed(next), ['lobby', 'rust']);
  });

  test('follows what was joined for them, whoever followed it before', async () => {
    const world = ann();
    world.chat.on('welcome', () => world.chat.join('tea'));
    world.chat.identify({ token: 'a_bea' });
    const joined = world.chat.join('rust');
    world.socket.welcome({ user: BEA });
    assert.deepEqual(resumed(world.socket), ['rust', 'tea']);
    world.socket.say({ type: 'joined', ...LOG, room: 'rust', seq: 10 });
    assert.equal((await joined).room, 'rust');
  });

  test('is not a guest who has become an account, or was made anew', async () => {
    const world = ann({ id: 'g1', name: 'gus', guest: true });
    for (const user of [{ id: 'g2', name: 'gus', guest: true }, { id: '3', name: 'gus', guest: false }]) {
      const next = await world.again({ user });
      assert.deepEqual(resumed(next), ['lobby', 'rust', '~secret']);
      for (const room of resumed(next)) next.say({ type: 'joined', ...LOG, room, seq: 10, recovered: true });
    }
  });
});

describe('a log', () => {
  test('that is shorter than before is another one, though the server says that nothing is missing', async () => {
    const { world } = following(10);
    const next = await world.again();
    next.say({ type: 'joined', ...LOG, seq: 2, recovered: true });
    next.say(post(3));
    assert.deepEqual(world.of('gap').map(({ reason, missed }) => [reason, missed]), [['ahead', null]]);
    assert.deepEqual(seqs(world), [3]);
  });
});

describe('a hole', () => {
  test('is asked for again from the last entry before it', () => {
    const { world, socket } = following(10);
    socket.say(post(11), post(13));
    assert.deepEqual(socket.sent.slice(-2).map(({ type }) => type), ['detach', 'join']);
    assert.deepEqual(request(socket.last('join')), { room: 'lobby', since: { epoch: 'e1', seq: 11 } });
    // Still of the old attachment, or replayed: in order all the same.
    socket.say(post(14));
    socket.ok('join', { ...LOG, seq: 14, recovered: true });
    socket.say(post(12), post(13), post(14), post(15));
    assert.deepEqual(seqs(world), [11, 12, 13, 14, 15]);
    assert.equal(world.of('gap').length, 0);
  });

  test('that the server cannot fill is told, and not asked for for ever', () => {
    const { world, socket } = following(10);
    socket.say(post(13));
    for (let tries = 1; tries <= MENDS_MAX; tries += 1) {
      assert.equal(socket.of('join').length, 1 + tries);
      socket.ok('join', { ...LOG, seq: 13, recovered: true });
      socket.say(post(13));
    }
    assert.equal(socket.of('join').length, 1 + MENDS_MAX);
    assert.deepEqual(world.of('gap'), [{ type: 'gap', room: 'lobby', reason: 'hole', first: 1, seq: 12, missed: 2 }]);
    socket.say(post(14));
    assert.deepEqual(seqs(world), [13, 14]);
  });

  test('while the connection is lost is resumed like all else', async () => {
    const { world, socket } = following(10);
    socket.say(post(12));
    const next = await world.again();
    assert.deepEqual(next.last('resume').rooms[0].since, { epoch: 'e1', seq: 10 });
    assert.equal(next.of('join').length, 0);
  });
});

describe('history', () => {
  const react = (seq, of) => ({ ...post(seq), kind: 'react', post: of, emoji: '👍', on: true });

  test('brings the changes that came while it was on its way, and that are not in it', async () => {
    const { world, socket } = following(10);
    socket.say(react(11, 3));
    const page = world.chat.history('lobby', { before: 8, limit: 5 });
    assert.deepEqual(request(socket.last('history')), { room: 'lobby', before: 8, limit: 5 });
    socket.say(react(12, 4), react(13, 5), post(14), { ...post(15), kind: 'delete', post: 6 });
    socket.ok('history', { room: 'lobby', entries: [post(3)], more: true, as_of: 12 });
    // Some sockets give several frames in one turn: these come before whoever waits for the page has it.
    socket.say({ ...post(16), kind: 'edit', post: 7, body: 'new' }, react(1, 2));
    assert.deepEqual((await page).changes.map(({ seq }) => seq), [13, 15, 16]);
    assert.deepEqual(seqs(world), [11, 12, 13, 14, 15, 16]);
  });

  test('around a post brings to each side the changes that are not in it, whichever was read first', async () => {
    for (const isBeforeFirst of [true, false]) {
      const { world, socket } = following(10);
      const page = world.chat.around('Lobby', 5, { limit: 2 });
      const [before, after] = socket.of('history');
      assert.deepEqual([before, after].map(request), [{ room: 'lobby', before: 6, limit: 2 }, { room: 'lobby', after: 5, limit: 2 }]);
      const answers = (as_of) => ({
        before: { type: 'ok', id: before.id, room: 'lobby', entries: [post(4), post(5)], more: true, as_of },
        after: { type: 'ok', id: after.id, room: 'lobby', entries: [post(6), post(7)], more: false, as_of },
      });
      socket.say(answers(10)[isBeforeFirst ? 'before' : 'after']);
      socket.say(react(11, isBeforeFirst ? 7 : 5), react(12, isBeforeFirst ? 5 : 7));
      socket.say(answers(12)[isBeforeFirst ? 'after' : 'before']);
      socket.say(react(13, 5), react(14, 7));
      const { entries, more, moreAfter, as_of, changes } = await page;
      assert.deepEqual([entries.map(({ seq }) => seq), more, moreAfter], [[4, 5, 6, 7], true, false]);
      assert.equal(as_of, isBeforeFirst ? 12 : 10);
      assert.deepEqual(changes.map(({ seq }) => seq), [12, 13, 14]);
    }
  });

  test('has nothing to do with other rooms, and forgets when it is done', async () => {
    const { world, socket } = following(10);
    world.chat.join('rust');
    socket.ok('join', { ...LOG, room: 'rust', seq: 0 });
    const page = world.chat.history('lobby');
    socket.say({ ...react(1, 1), room: 'rust' });
    socket.ok('history', { entries: [], more: false, as_of: 0 });
    assert.deepEqual((await page).changes, []);
    const refused = world.chat.history('lobby');
    socket.refuse('history', 'unavailable', 500);
    await assert.rejects(refused, { code: 'unavailable', retry: true, after_ms: 500 });
  });
});

describe('what is asked of a room that is on its way back', () => {
  test('and refused for that is asked again when it is back, once', async () => {
    const { world } = following(10);
    const next = await world.again();
    const page = world.chat.history('lobby');
    const members = world.chat.members('lobby');
    next.ok('members', { members: [], total: 0, more: false });
    assert.equal((await members).total, 0, 'it may well be answered');
    next.refuse('history', 'not_member');
    await settle();
    assert.equal(next.of('history').length, 1, 'not before');
    next.say({ type: 'joined', ...LOG, seq: 10, recovered: true });
    assert.equal(next.of('history').length, 2);
    next.ok('history', { entries: [post(10)], more: false, as_of: 10 });
    assert.deepEqual((await page).entries.map(({ seq }) => seq), [10]);
    const late = world.chat.history('lobby');
    next.refuse('history', 'not_member');
    await assert.rejects(late, { code: 'not_member' });
  });

  test('and refused is refused when it does not come back, or the connection goes', async () => {
    for (const then of [
      (socket) => socket.say({ type: 'joined', room: 'lobby', error: { code: 'banned', message: 'no', retry: false } }),
      (socket) => socket.end(),
    ]) {
      const { world } = following(10);
      const next = await world.again();
      const page = world.chat.history('lobby');
      next.refuse('history', 'not_member');
      then(next);
      if (next.isOpen) next.refuse('history', 'not_member');
      await assert.rejects(page, ({ code }) => ['not_member', 'disconnected'].includes(code));
    }
  });
});

describe('a request', () => {
  test('is answered by its number, whatever the order', async () => {
    const world = makeWorld();
    const socket = world.connect();
    const [first, second] = [world.chat.direct('bo'), world.chat.users('b')];
    const [{ id: one }, { id: two }] = socket.sent;
    socket.say({ type: 'ok', id: 99 }, { type: 'ok', id: two, users: [] });
    socket.say({ type: 'error', id: one, code: 'no_user', message: 'Nobody.' }, { type: 'ok', id: one });
    assert.deepEqual(await second, { users: [] });
    await assert.rejects(first, { code: 'no_user', message: 'Nobody.' });
  });

  test('is refused at once without a connection, and when it is lost', async () => {
    const world = makeWorld();
    await assert.rejects(world.chat.rooms(), { code: 'disconnected', retry: true });
    world.connect();
    const lost = world.chat.rooms();
    world.socket.end();
    await assert.rejects(lost, { code: 'disconnected' });
  });

  test('has no half of a character, which no server reads: each is replaced', () => {
    const { world, socket } = following();
    const [high, low] = '😀'.split('');
    world.chat.edit('lobby', 4, `${high}a😀${low}`).catch(() => {});
    assert.equal(socket.last('edit').body, '\ufffda😀\ufffd');
    world.chat.rename('lobby', `Tea${high}`).catch(() => {});
    assert.equal(socket.last('rename').name, 'Tea\ufffd');
  });

  test('has the shape that the server knows', async () => {
    const world = makeWorld();
    const socket = world.connect();
    const { chat } = world;
    for (const asked of [
      chat.edit('Lobby', 3, 'x'), chat.delete('lobby', 3), chat.react('lobby', 3, '👍'), chat.pin('lobby', 3, false),
      chat.add('~g', 'bo', 'admin'), chat.remove('~g', 'bo'), chat.leave('~g'), chat.role('~g', 'bo', 'owner'),
      chat.rename('~g', 'Team'), chat.ban('~g', 'bo'), chat.mute('~g', 'bo', 60_000), chat.slow('~g', 500),
      chat.readOnly('~g'), chat.search('tea', { room: 'lobby' }), chat.create('group', { name: 'Team' }),
      chat.direct('bo'), chat.members('lobby'), chat.rooms(), chat.users('b', { limit: 5 }),
      chat.request('newer', { field: 1 }),
    ]) asked.catch(() => {});
    assert.deepEqual(socket.sent.map(({ id, ...frame }) => frame), [
      { type: 'edit', room: 'lobby', seq: 3, body: 'x' }, { type: 'delete', room: 'lobby', seq: 3 },
      { type: 'react', room: 'lobby', seq: 3, emoji: '👍', on: true }, { type: 'pin', room: 'lobby', seq: 3, on: false },
      { type: 'add', room: '~g', user: 'bo', role: 'admin' }, { type: 'remove', room: '~g', user: 'bo' },
      { type: 'leave', room: '~g' },
      { type: 'role', room: '~g', user: 'bo', role: 'owner' }, { type: 'rename', room: '~g', name: 'Team' },
      { type: 'ban', room: '~g', user: 'bo', on: true }, { type: 'mute', room: '~g', user: 'bo', for_ms: 60_000 },
      { type: 'slow', room: '~g', slow_ms: 500 }, { type: 'read_only', room: '~g', on: true },
      { type: 'search', query: 'tea', room: 'lobby' }, { type: 'create', kind: 'group', name: 'Team' },
      { type: 'direct', user: 'bo' }, { type: 'members', room: 'lobby' }, { type: 'rooms' },
      { type: 'users', query: 'b', limit: 5 }, { type: 'newer', field: 1 },
    ]);
    world.chat.close();
    await settle();
  });
});
