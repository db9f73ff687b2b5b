import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { current, initial, person } from '../../src/page/model.js';
import { listed, joinable } from '../../src/page/model/list.js';
import { needs, readSeq } from '../../src/page/model/needs.js';
import { hashOf, placeOf } from '../../src/page/model/place.js';
import { isModerator, mayPin, mayPost, outranks, receiptsOf } from '../../src/page/model/room.js';
import {
  ANN, IN_LOBBY, connected, entry, from, heard, joined, loaded, lobby, page, posts, scrolled, seqs, summary, welcome, went,
} from './world.mjs';

const attending = (on) => ({ type: 'attending', on });
const pending = (fields) => ({ type: 'post', of: { key: 'k', room: 'lobby', body: 'hi', at: 1, state: 'waiting', kept: true, ...fields } });
const counts = ({ read, unread, mentions }) => [read, unread, mentions];
const keys = (state) => needs(state).map(({ key }) => key);

describe('a room', () => {
  test('counts what others say, and who is mentioned', () => {
    const state = from(IN_LOBBY, attending(false), heard(entry(1)), heard(entry(2, 'post', { mentions: ['ann'] })), heard(entry(3, 'join')));
    assert.deepEqual(counts(lobby(state)), [0, 2, 1]);
  });

  test('is read by who posts in it', () => {
    const state = from(IN_LOBBY, attending(false), heard(entry(1)), heard(entry(2, 'post', { from: 'ann' })));
    assert.deepEqual(counts(lobby(state)), [2, 0, 0]);
    assert.equal(lobby(state).marker, null);
  });

  test('does not count again what the summary has counted', () => {
    const state = from(IN_LOBBY, attending(false), welcome([summary({ seq: 2, unread: 2 })]), heard(entry(1)), heard(entry(2)), heard(entry(3)));
    assert.deepEqual(counts(lobby(state)), [0, 3, 0]);
    assert.deepEqual(seqs(lobby(state).timeline), [1, 2, 3]);
  });

  test('is read elsewhere too', () => {
    const state = from(IN_LOBBY, attending(false), heard(entry(1)), heard(entry(2)),
      { type: 'read', of: { room: 'lobby', from: 'ann', seq: 1, unread: 1, mentions: 0 } });
    assert.deepEqual(counts(lobby(state)), [1, 1, 0]);
  });

  test('is begun anew with another log', () => {
    const state = from(IN_LOBBY, heard(entry(1)), welcome([summary({ epoch: 'e2', seq: 9 })]));
    assert.deepEqual(seqs(lobby(state).timeline), []);
    assert.equal(lobby(state).timeline.isLoaded, false);
  });

  test('changes its name, mode and one\'s role by what happens in it', () => {
    const state = from(IN_LOBBY, heard(entry(1, 'rename', { name: 'Other' })), heard(entry(2, 'mode', { read_only: true, slow_ms: 5 })),
      heard(entry(3, 'role', { user: 'ann', role: 'admin' })), heard(entry(4, 'role', { user: 'cy', role: 'owner' })));
    const { name, read_only, slow_ms, role } = lobby(state);
    assert.deepEqual([name, read_only, slow_ms, role], ['Other', true, 5, 'admin']);
    assert.equal('read_only' in lobby(from(state, heard(entry(5, 'mode', { read_only: false, slow_ms: 0 })))), false);
  });

  test('that one is out of is left, and not looked at', () => {
    const state = from(IN_LOBBY, { type: 'out', room: 'lobby' });
    assert.deepEqual([state.rooms.size, state.place.room], [0, null]);
    assert.deepEqual(from(IN_LOBBY, went('other'), { type: 'out', room: 'lobby' }).place.room, 'other');
  });

  test('that is not known changes nothing', () => {
    assert.equal(from(IN_LOBBY, heard({ ...entry(1), room: 'nowhere' })), IN_LOBBY);
  });
});

describe('what is new', () => {
  test('is marked when one comes to a room', () => {
    const state = from(initial({ room: null, seq: null }), connected, welcome([summary({ seq: 9, read: 4, unread: 5 })]), went('lobby'));
    assert.equal(lobby(state).marker, 4);
    assert.equal(lobby(from(state, went(null), { type: 'seen', room: 'lobby', seq: 9 }, went('lobby'))).marker, null);
  });

  test('is marked in the room with which the page begins', () => {
    assert.equal(lobby(from(initial({ room: 'lobby', seq: null }), welcome([summary({ seq: 9, read: 4, unread: 5 })]))).marker, 4);
  });

  test('is where one begins to read, and what is there is not asked for again', () => {
    const lines = (state) => keys(state).filter((key) => /end|around/.test(key));
    const state = from(initial({ room: 'lobby', seq: null }), connected, welcome([summary({ seq: 90, read: 4, unread: 86 })]), joined());
    assert.deepEqual(lines(state), ['around lobby 4']);
    const there = from(state, loaded('around', page(posts(1, 44), { moreAfter: true })));
    assert.deepEqual(lines(there), []);
    assert.equal(readSeq(from(there, scrolled(true))), null, 'the end was not seen');
    assert.equal(seqs(lobby(from(there, went(null), went('lobby'))).timeline).length, 44);
    assert.deepEqual(lines(from(there, { type: 'present', room: 'lobby' })), ['end lobby']);
  });

  test('is marked from the first post that comes while one looks away', () => {
    const state = from(IN_LOBBY, heard(entry(1)), { type: 'seen', room: 'lobby', seq: 1 }, attending(false), heard(entry(2)), heard(entry(3)));
    assert.equal(lobby(state).marker, 1);
    assert.equal(lobby(from(state, attending(true))).marker, 1, 'and stays while one reads');
    const again = from(state, attending(true), { type: 'seen', room: 'lobby', seq: 3 }, attending(false), heard(entry(4)));
    assert.equal(lobby(again).marker, 3);
  });

  test('is marked when it was missed, though the server was not told what had been read', () => {
    const read = from(IN_LOBBY, heard(entry(1)), { type: 'seen', room: 'lobby', seq: 1 });
    const markedAt = (fields) => lobby(from(read, welcome([summary(fields)]))).marker;
    assert.equal(markedAt({ seq: 3, read: 0, unread: 3 }), 1);
    assert.equal(markedAt({ seq: 3, read: 1, unread: 2 }), 1);
    assert.equal(markedAt({ seq: 1, read: 0, unread: 1 }), null, 'nothing was missed');
  });

  test('is marked too when one reads further up', () => {
    assert.equal(lobby(from(IN_LOBBY, heard(entry(1)), scrolled(false), heard(entry(2)))).marker, 1);
  });

  test('is not what one watches come', () => {
    assert.equal(lobby(from(IN_LOBBY, heard(entry(1)))).marker, null);
  });
});

describe('reading', () => {
  test('is told when one looks at the end', () => {
    const state = from(IN_LOBBY, heard(entry(1)));
    assert.deepEqual(readSeq(state), { room: 'lobby', seq: 1 });
    assert.equal(readSeq(from(state, { type: 'seen', room: 'lobby', seq: 1 })), null);
  });

  test('is not told of what one cannot see', () => {
    const state = from(IN_LOBBY, heard(entry(1)));
    for (const event of [attending(false), scrolled(false), went('other')]) assert.equal(readSeq(from(state, event)), null);
    const past = from(state, loaded('around', page(posts(1, 1), { moreAfter: true })));
    assert.equal(readSeq(past), null);
  });

  test('is told of a room to which one comes once its end is seen', () => {
    const came = from(initial({ room: 'lobby', seq: null }), connected, welcome([summary({ seq: 50, unread: 50 })]), joined(),
      loaded('end', page(posts(1, 50))));
    assert.equal(readSeq(came), null, 'the view has not looked yet');
    assert.equal(readSeq(from(came, scrolled(false))), null);
    assert.deepEqual(readSeq(from(came, scrolled(true))), { room: 'lobby', seq: 50 });
    const back = from(IN_LOBBY, went('other'), heard(entry(1)), went('lobby'));
    assert.equal(readSeq(back), null);
  });

  test('is told of what was missed when all of it has come', () => {
    const back = from(IN_LOBBY, heard(entry(1)), welcome([summary({ seq: 3, unread: 2, read: 1 })]));
    assert.equal(readSeq(back), null);
    assert.equal(lobby(back).marker, 1);
    assert.equal(readSeq(from(back, heard(entry(2)), scrolled(true))), null, 'more is on its way, and may be more than a screen');
    const all = from(back, heard(entry(2)), heard(entry(3)));
    assert.equal(readSeq(all), null, 'the view has not looked yet');
    assert.deepEqual(readSeq(from(all, scrolled(true))), { room: 'lobby', seq: 3 });
  });

  test('and receiving are known of others, and never go back', () => {
    const receipt = (kind, name, seq) => ({ type: kind, of: { room: 'lobby', from: name, seq } });
    const state = from(IN_LOBBY, heard(entry(1, 'post', { from: 'ann' })), receipt('read', 'bo', 1), receipt('read', 'bo', 0), receipt('received', 'cy', 1));
    assert.deepEqual(receiptsOf(lobby(state), { seq: 1, from: 'ann' }), { read: ['bo'], received: ['cy'] });
    assert.deepEqual(receiptsOf(lobby(state), { seq: 2, from: 'ann' }), { read: [], received: [] });
  });

  test('is known of who posts', () => {
    const state = from(IN_LOBBY, heard(entry(1, 'post', { from: 'ann' })), heard(entry(2)));
    assert.deepEqual(receiptsOf(lobby(state), { seq: 1, from: 'ann' }).read, ['bo']);
  });
});

describe('an own post', () => {
  test('waits in its room until its entry is there', () => {
    const waiting = from(IN_LOBBY, pending({}));
    assert.deepEqual(lobby(waiting).pending.map(({ state }) => state), ['waiting']);
    const sent = from(waiting, pending({ state: 'sent', seq: 1 }));
    assert.deepEqual(lobby(sent).pending.map(({ state }) => state), ['sent'], 'not gone before its entry comes');
    assert.deepEqual(lobby(from(sent, heard(entry(1, 'post', { from: 'ann', key: 'k' })))).pending, []);
  });

  test('is one row, whichever of answer and entry comes first', () => {
    const state = from(IN_LOBBY, pending({}), heard(entry(1, 'post', { from: 'ann', key: 'k' })), pending({ state: 'sent', seq: 1 }));
    assert.deepEqual([lobby(state).pending.length, seqs(lobby(state).timeline)], [0, [1]]);
  });

  test('is one row if history has it before its writer was told', () => {
    const said = entry(1, 'post', { from: 'ann', key: 'k' });
    const state = from(IN_LOBBY, pending({}), loaded('end', page([said])));
    assert.deepEqual([lobby(state).pending.length, seqs(lobby(state).timeline)], [0, [1]]);
    const other = from(IN_LOBBY, pending({}), loaded('end', page([{ ...said, from: 'bo' }])));
    assert.equal(lobby(other).pending.length, 1, 'another has the same key');
  });

  test('of another\'s key stays', () => {
    assert.equal(lobby(from(IN_LOBBY, pending({}), heard(entry(1, 'post', { from: 'bo', key: 'k' })))).pending.length, 1);
  });

  test('fails, waits again, or is discarded', () => {
    const failed = from(IN_LOBBY, pending({}), pending({ state: 'failed', error: { code: 'muted', message: '' } }));
    assert.equal(lobby(failed).pending[0].state, 'failed');
    assert.equal(lobby(from(failed, pending({}))).pending[0].state, 'waiting');
    assert.deepEqual(lobby(from(failed, pending({ state: 'discarded' }))).pending, []);
  });

  test('outlives another log', () => {
    assert.equal(lobby(from(IN_LOBBY, pending({}), welcome([summary({ epoch: 'e2' })]))).pending.length, 1);
  });
});

describe('a gap', () => {
  const gap = (fields) => ({ type: 'gap', of: { room: 'lobby', reason: 'too_many', first: 1, seq: 5_000, missed: 4_998, ...fields } });

  test('has the lines read anew, because they may have changed', () => {
    const state = from(IN_LOBBY, heard(entry(1)), heard(entry(2)), gap({}));
    assert.deepEqual([seqs(lobby(state).timeline), lobby(state).seq, lobby(state).lost], [[], 5_000, 0]);
    assert.ok(keys(state).includes('around lobby 0'), 'from where one was');
    const read = from(IN_LOBBY, heard(entry(1)), { type: 'seen', room: 'lobby', seq: 1 }, gap({}));
    assert.ok(keys(read).includes('end lobby'), 'or all that is new is one\'s own');
  });

  test('has the last line read anew, for the list', () => {
    const state = from(IN_LOBBY, heard(entry(2)), gap({}));
    assert.equal(lobby(state).last, undefined);
    assert.ok(keys(state).includes('preview lobby'));
    assert.equal(lobby(from(state, { type: 'previewed', room: 'lobby', history: page([entry(5_000)]) })).last.seq, 5_000);
  });

  test('has the last lines read by who has read on to the end from a post that a link led to', () => {
    const there = from(IN_LOBBY, went('lobby', 2), loaded('around', page(posts(1, 9), { more: true })), scrolled(false));
    assert.ok(keys(from(there, gap({}))).includes('around lobby 2'), 'who is still there stays there');
    assert.ok(keys(from(there, scrolled(true), scrolled(false), gap({}))).includes('end lobby'));
  });

  test('leaves no own post waiting that the log had before what is read anew', () => {
    const sent = from(IN_LOBBY, pending({}), gap({}), pending({ state: 'sent', seq: 101 }));
    const read = (as_of) => from(sent, loaded('end', page(posts(4_941, as_of), { more: true, as_of })));
    assert.deepEqual(lobby(read(5_000)).pending, []);
    const later = from(IN_LOBBY, pending({}), pending({ state: 'sent', seq: 10 }), loaded('end', page(posts(1, 9), { as_of: 9 })));
    assert.equal(lobby(later).pending.length, 1, 'its entry is still to come');
  });

  test('says how much is not kept any more', () => {
    assert.equal(lobby(from(IN_LOBBY, heard(entry(1)), heard(entry(2)), gap({ reason: 'trimmed', first: 17 }))).lost, 14);
  });

  test('of another log is not counted', () => {
    const state = from(IN_LOBBY, heard(entry(2)), gap({ reason: 'epoch', seq: 1, missed: null }));
    assert.deepEqual([lobby(state).lost, lobby(state).seq], [0, 1]);
  });
});

describe('what is needed', () => {
  const start = from(initial({ room: 'lobby', seq: null }), welcome([summary({ seq: 9, at: entry(9).at })]));

  test('is nothing without a connection, or before the room is followed', () => {
    assert.deepEqual(keys(from(start, joined())), []);
    assert.deepEqual(keys(from(start, connected)), []);
  });

  test('is the end of the room, its members, and a last line', () => {
    assert.deepEqual(keys(from(start, connected, joined())), ['end lobby', 'members lobby', 'preview lobby']);
  });

  test('is more in the direction in which one reads', () => {
    const state = from(start, connected, joined(), loaded('end', page(posts(5, 9), { more: true })), scrolled(true, 'before'));
    assert.ok(keys(state).includes('before lobby 5'));
    const top = from(state, loaded('before', page(posts(1, 4)), 5), scrolled(true, 'before'));
    assert.ok(!keys(top).some((key) => key.startsWith('before')));
  });

  test('is what stands around a post that is far away', () => {
    const state = from(start, connected, joined(), loaded('end', page(posts(5, 9), { more: true })));
    assert.ok(keys(from(state, went('lobby', 2))).includes('around lobby 2'));
    assert.ok(!keys(from(state, went('lobby', 7))).some((key) => key.startsWith('around')));
    const there = from(state, went('lobby', 2), loaded('around', page(posts(1, 3), { moreAfter: true })));
    assert.ok(!keys(there).some((key) => key.startsWith('around')));
  });

  test('is what was told while the last lines were on their way', () => {
    const past = from(start, connected, joined(), went('lobby', 2), loaded('around', page(posts(1, 3), { moreAfter: true })), scrolled(false, 'after'));
    const behind = from(past, heard(entry(10)), loaded('after', page(posts(4, 9), { as_of: 9 }), 3), scrolled(false, 'after'));
    assert.ok(keys(behind).includes('after lobby 9'));
  });

  test('is not what was asked for beside lines that are no longer here', () => {
    const reading = from(start, connected, joined(), loaded('end', page(posts(50, 59), { more: true })), scrolled(false, 'before'));
    const jumped = from(reading, went('lobby', 2), loaded('around', page(posts(1, 3), { moreAfter: true })), loaded('before', page(posts(40, 49)), 50));
    assert.deepEqual(seqs(lobby(jumped).timeline), [1, 2, 3]);
    const back = from(jumped, scrolled(false, 'after'), { type: 'present', room: 'lobby' }, loaded('after', page(posts(4, 9)), 3));
    assert.deepEqual(seqs(lobby(back).timeline), []);
    assert.equal(lobby(back).want, null);
  });

  test('is the present, if one goes back to it', () => {
    const past = from(start, connected, joined(), went('lobby', 2), loaded('around', page(posts(1, 3), { moreAfter: true })));
    assert.ok(keys(from(past, { type: 'present', room: 'lobby' })).includes('end lobby'));
  });

  test('is the source of an answer, once', () => {
    const state = from(start, connected, joined(), loaded('end', page([entry(8, 'post', { reply_to: 2 }), entry(9, 'post', { reply_to: 8 })], { more: true })));
    assert.deepEqual(keys(state).filter((key) => key.startsWith('quote')), ['quote lobby 2']);
    for (const found of [[entry(2)], [entry(1)], []]) {
      const next = from(state, { type: 'quoted', room: 'lobby', seq: 2, history: page(found) });
      assert.equal(lobby(next).quotes.get(2)?.seq ?? null, found[0]?.seq === 2 ? 2 : null);
      assert.ok(!keys(next).some((key) => key.startsWith('quote')));
    }
  });

  test('is a last line, or a source, with what became of it while it was on its way', () => {
    const history = page([entry(2)], { changes: [entry(10, 'delete', { post: 2 })] });
    const state = from(start, { type: 'quoted', room: 'lobby', seq: 2, history }, { type: 'previewed', room: 'lobby', history });
    assert.deepEqual([lobby(state).quotes.get(2).deleted, lobby(state).last.deleted], [true, true]);
    assert.equal(lobby(from(start, { type: 'previewed', room: 'lobby', history: page([]) })).last, null);
  });

  test('is to enter a room that a link leads to, but not an open one unasked', () => {
    const base = from(start, connected);
    assert.deepEqual(keys(from(base, went('~AAAAAAAAAAAAAAAAAAAAAA')))[0], 'enter ~AAAAAAAAAAAAAAAAAAAAAA');
    assert.ok(!keys(from(base, went('music'))).some((key) => key.startsWith('enter')));
    assert.ok(!keys(from(base, went('~A'), { type: 'refused', room: '~A', why: 'gone' })).some((key) => key.startsWith('enter')));
  });

  test('is who is there, when somebody new is', () => {
    const known = from(IN_LOBBY, { type: 'members', room: 'lobby', members: [{ ...ANN, role: 'member', online: true }], total: 1 });
    assert.ok(!keys(known).includes('members lobby'));
    const came = (name) => ({ type: 'presence', present: { names: ['ann', name] }, presence: { room: 'lobby', user: name, online: true } });
    assert.ok(keys(from(known, came('gus'))).includes('members lobby'));
    assert.ok(!keys(from(known, came('ann'))).includes('members lobby'));
  });

  test('is so many members, and as many again for who asks', () => {
    const asked = (state) => needs(state).find(({ kind }) => kind === 'members')?.max;
    const [first, all] = [asked(IN_LOBBY), from(IN_LOBBY, { type: 'members', room: 'lobby', members: [], total: 5_000 })];
    assert.equal(asked(all), undefined);
    assert.equal(asked(from(all, { type: 'moreMembers', room: 'lobby' })), 2 * first);
  });
});

describe('people', () => {
  test('are shown as they want to be', () => {
    const state = from(IN_LOBBY, { type: 'profile', of: { user: { ...ANN, display: 'Ann of Kent', hue: 7 } } });
    assert.equal(person(state, 'ann').display, 'Ann of Kent');
    assert.equal(state.me.hue, 7);
    assert.deepEqual(person(state, 'nobody'), { id: '', name: 'nobody', guest: false });
  });

  test('who are known already change nothing', () => {
    assert.equal(from(IN_LOBBY, { type: 'users', users: [ANN] }), IN_LOBBY);
  });

  test('who log in after somebody else see nothing of theirs', () => {
    const state = from(IN_LOBBY, heard(entry(1)), pending({}), welcome([summary()], { id: '2', name: 'bo', guest: false }));
    assert.deepEqual([state.me.name, lobby(state).pending, seqs(lobby(state).timeline)], ['bo', [], []]);
  });
});

describe('roles', () => {
  const room = (role, fields = {}) => summary({ role, ...fields });

  test('say who may do what', () => {
    assert.deepEqual(['reader', 'member', 'admin', 'owner'].map((role) => mayPost(room(role))), [false, true, true, true]);
    assert.deepEqual(['reader', 'member', 'admin', 'owner'].map((role) => mayPost(room(role, { read_only: true }))), [false, false, true, true]);
    assert.deepEqual(['member', 'admin', 'owner'].map((role) => isModerator(room(role))), [false, true, true]);
    assert.deepEqual([isModerator(room('owner', { kind: 'direct' })), mayPin(room('member', { kind: 'direct' })), mayPin(room('member'))], [false, true, false]);
  });

  test('say over whom', () => {
    const over = (mine) => ['reader', 'member', 'admin', 'owner'].filter((role) => outranks(room(mine), role));
    assert.deepEqual(over('member'), []);
    assert.deepEqual(over('admin'), ['reader', 'member']);
    assert.deepEqual(over('owner'), ['reader', 'member', 'admin']);
  });
});

describe('the list', () => {
  const rooms = [
    summary({ room: 'old', kind: 'open', name: 'old', at: entry(1).at }), summary({ room: 'new', kind: 'open', name: 'new', at: entry(9).at }),
    summary({ room: 'b', kind: 'open', name: 'b' }), summary({ room: 'a', kind: 'open', name: 'a' }),
    summary({ room: '~1', kind: 'direct', name: 'bo' }),
  ];
  const state = from(initial({ room: null, seq: null }), welcome(rooms), { type: 'rooms', rooms: [], open: ['old', 'music'] },
    { type: 'profile', of: { user: { id: '2', name: 'bo', guest: false, display: 'Robert' } } });

  test('has the latest first, and people apart', () => {
    const { rooms: many, people } = listed(state, '');
    assert.deepEqual(many.map(({ room }) => room), ['new', 'old', 'a', 'b']);
    assert.deepEqual(people.map(({ name }) => name), ['bo']);
  });

  test('is filtered by what rooms and people are called', () => {
    assert.deepEqual(listed(state, ' OL').rooms.map(({ room }) => room), ['old']);
    assert.deepEqual(listed(state, 'rob').people.map(({ name }) => name), ['bo']);
    assert.deepEqual(joinable(state, 'm'), ['music']);
    assert.deepEqual(joinable(state, 'old'), []);
  });
});

describe('the place', () => {
  test('is in the address, there and back', () => {
    for (const [room, seq] of [['lobby', null], ['~a-_B', 12], ['жук', 3], ['100%', null], ['a/b', null], [null, null]]) {
      assert.deepEqual(placeOf(hashOf(room, seq)), { room, seq });
    }
  });

  test('is nowhere for any other address', () => {
    for (const hash of ['', '#', '#/', '#/room/', '#/room/%', '#/room/a/b', '#/room/a/1/2', '#/rooms/a', '#javascript:alert(1)']) {
      assert.equal(placeOf(hash).room, null, hash);
    }
  });

  test('leads to a room that is there', () => {
    assert.equal(current(from(IN_LOBBY, went('nowhere'))), null);
    assert.equal(current(IN_LOBBY).room, 'lobby');
  });
});
