import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { EMPTY, LINES_MAX, PAGE_LINES, backwards, entered, find, firstSeq, lastSeq, loaded as loadedAt } from '../../src/page/model/timeline.js';
import { entry, page, posts, seqs } from './world.mjs';

const range = (from, to) => posts(from, to).map(({ seq }) => seq);
const at = (timeline, ...entries) => entries.reduce(entered, timeline);
const loaded = (timeline, where, history, seq = 0) => loadedAt(timeline, where, history, seq);
const present = (from, to, more = false) => loaded(EMPTY, 'end', page(posts(from, to), { more }));

describe('lines', () => {
  test('of the last page end at the present', () => {
    const timeline = present(1, 3);
    assert.deepEqual(seqs(timeline), [1, 2, 3]);
    assert.deepEqual([timeline.atStart, timeline.atEnd, timeline.isLoaded], [true, true, true]);
  });

  test('that were said while the page came follow it, once', () => {
    const early = at(EMPTY, entry(3), entry(4), entry(5));
    assert.deepEqual(seqs(loaded(early, 'end', page(posts(1, 4)))), range(1, 5));
  });

  test('that are said are appended, and fill pages', () => {
    const timeline = at(present(1, 90), ...posts(91, 250));
    assert.deepEqual(seqs(timeline), range(1, 250));
    assert.deepEqual(timeline.pages.map(({ lines }) => lines.length), [PAGE_LINES, PAGE_LINES, 50]);
  });

  test('touch one page when one is appended', () => {
    const before = present(1, 250);
    const after = at(before, entry(251));
    assert.deepEqual(after.pages.map((one, place) => one === before.pages[place]), [true, true, false]);
  });

  test('before and after are joined without a repeat', () => {
    const middle = loaded(EMPTY, 'around', page(posts(40, 60), { more: true, moreAfter: true }));
    assert.deepEqual([middle.atStart, middle.atEnd], [false, false]);
    const up = loaded(middle, 'before', page(posts(20, 40), { more: true }));
    const down = loaded(up, 'after', page(posts(60, 80)));
    assert.deepEqual(seqs(down), range(20, 80));
    assert.deepEqual([down.atStart, down.atEnd], [false, true]);
    assert.equal(loaded(down, 'before', page(posts(1, 19))).atStart, true);
  });

  test('in the past are not followed by what is said now', () => {
    const past = loaded(EMPTY, 'around', page(posts(1, 5), { moreAfter: true }));
    assert.deepEqual(seqs(at(past, entry(99))), range(1, 5));
  });

  test('of a page older than what was told are not the last: what was told then is read on', () => {
    const past = loaded(EMPTY, 'around', page(posts(40, 80), { more: true, moreAfter: true }));
    const behind = loaded(at(past, entry(101)), 'after', page(posts(81, 100), { as_of: 100 }), 101);
    assert.equal(behind.atEnd, false);
    const all = loaded(at(behind, entry(102)), 'after', page(posts(101, 102), { as_of: 102 }), 102);
    assert.deepEqual([seqs(all), all.atEnd], [range(40, 102), true]);
    const jumped = loaded(EMPTY, 'around', page(posts(60, 100), { more: true, as_of: 100 }), 101);
    assert.equal(jumped.atEnd, false);
  });

  test('that are replayed take the place of what was there', () => {
    const timeline = at(present(1, 3), entry(2, 'post', { body: 'as it is now' }), entry(4));
    assert.equal(find(timeline, 2).body, 'as it is now');
    assert.deepEqual(seqs(timeline), range(1, 4));
  });

  test('are found, and what is not there is not', () => {
    const timeline = loaded(EMPTY, 'end', page([entry(2), entry(5), entry(9)]));
    assert.deepEqual([1, 2, 3, 5, 9, 10].map((seq) => find(timeline, seq)?.seq ?? null), [null, 2, null, 5, 9, null]);
    assert.equal(find(EMPTY, 1), null);
    assert.deepEqual([firstSeq(timeline), lastSeq(timeline), firstSeq(EMPTY), lastSeq(EMPTY)], [2, 9, null, null]);
    assert.deepEqual([...backwards(timeline)].map(({ seq }) => seq), [9, 5, 2]);
  });

  test('are only so many: those go that are farthest away', () => {
    const full = present(LINES_MAX + 1, 2 * LINES_MAX);
    const live = at(full, entry(2 * LINES_MAX + 1));
    assert.ok(seqs(live).length <= LINES_MAX);
    assert.equal(lastSeq(live), 2 * LINES_MAX + 1);
    assert.deepEqual([live.atStart, live.atEnd], [false, true]);
    const up = loaded({ ...full, atStart: false }, 'before', page(posts(LINES_MAX - 99, LINES_MAX), { more: true }));
    assert.ok(seqs(up).length <= LINES_MAX);
    assert.equal(firstSeq(up), LINES_MAX - 99);
    assert.equal(up.atEnd, false);
  });
});

describe('a post', () => {
  const one = present(1, 1);
  const post = (...entries) => find(at(one, ...entries), 1);
  const react = (seq, from, on, emoji = '👍') => entry(seq, 'react', { post: 1, emoji, on, from });

  test('is edited', () => {
    const { body, edited } = post(entry(2, 'edit', { post: 1, body: 'other' }));
    assert.deepEqual([body, edited], ['other', entry(2).at]);
  });

  test('keeps its text if the edited one is gone', () => {
    assert.equal(post(entry(2, 'edit', { post: 1 })).body, 'post 1');
  });

  test('is deleted with all that was made of it, and stays so', () => {
    const gone = post(react(2, 'ann', true), entry(3, 'pin', { post: 1, on: true }), entry(4, 'delete', { post: 1 }), react(5, 'ann', true));
    assert.deepEqual(Object.keys(gone).sort(), ['at', 'deleted', 'from', 'kind', 'room', 'seq', 'time']);
  });

  test('is pinned and unpinned', () => {
    const pin = (seq, on) => entry(seq, 'pin', { post: 1, on });
    assert.equal(post(pin(2, true)).pinned, true);
    assert.equal('pinned' in post(pin(2, true), pin(3, false)), false);
  });

  test('has each person once under an emoji, and no emoji without a person', () => {
    const both = post(react(2, 'ann', true), react(3, 'ann', true), react(4, 'cy', true), react(5, 'ann', true, '❤️'));
    assert.deepEqual(both.reactions, [{ emoji: '👍', users: ['ann', 'cy'].sort() }, { emoji: '❤️', users: ['ann'] }]);
    assert.deepEqual(post(react(2, 'ann', true), react(3, 'ann', false)).reactions, []);
    assert.deepEqual(post(react(2, 'ann', false)).reactions, []);
  });

  test('that is not here is not changed, and no line is added for a change', () => {
    assert.equal(at(one, entry(9, 'edit', { post: 7, body: 'x' })), one);
    assert.deepEqual(seqs(at(one, react(2, 'ann', true))), [1]);
  });

  test('comes with the changes that were told while its page was read', () => {
    const changes = [entry(8, 'delete', { post: 2 })];
    assert.equal(find(loaded(EMPTY, 'end', page(posts(1, 3), { changes })), 2).deleted, true);
  });

  test('is what it was if a change is applied twice', () => {
    const changes = [entry(2, 'edit', { post: 1, body: 'x' }), react(3, 'ann', true), entry(4, 'pin', { post: 1, on: true })];
    assert.deepEqual(post(...changes, ...changes), post(...changes));
  });
});
