import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { rowsOf } from '../../src/page/model/rows.js';
import { lineOf } from '../../src/page/model/timeline.js';
import { entry } from './world.mjs';

/** Rows in short: `day`, `new`, `note`, `POST` where a name stands, `post` below it. */
function shown(entries, { marker = null, isStart = true, before = null } = {}) {
  return rowsOf(entries.map(lineOf), before && lineOf(before), marker, isStart)
    .map((row) => (row.kind === 'post' && row.isLead ? 'POST' : row.kind)).join(' ');
}

describe('rows', () => {
  test('begin each day with its name', () => {
    assert.equal(shown([entry(1), entry(2)]), 'day POST post');
    assert.equal(shown([entry(1), entry(1 + 24 * 60)]), 'day POST day POST');
  });

  test('of one person stand together for five minutes', () => {
    assert.equal(shown([entry(1), entry(5), entry(11)]), 'day POST post POST');
    assert.equal(shown([entry(1), entry(2, 'post', { from: 'cy' }), entry(3)]), 'day POST POST POST');
  });

  test('of an answer have a name, and what happened meanwhile parts them', () => {
    assert.equal(shown([entry(1), entry(2, 'post', { reply_to: 1 })]), 'day POST POST');
    assert.equal(shown([entry(1), entry(2, 'rename', { name: 'x' }), entry(3)]), 'day POST note POST');
  });

  test('go on from the page before', () => {
    assert.equal(shown([entry(2)], { before: entry(1) }), 'post');
    assert.equal(shown([entry(2)], { before: entry(1, 'post', { from: 'cy' }) }), 'POST');
  });

  test('say once where the new ones begin', () => {
    const three = [entry(1), entry(2), entry(3)];
    assert.equal(shown(three, { marker: 1 }), 'day POST new POST post');
    assert.equal(shown(three, { marker: 3 }), 'day POST post post');
    assert.equal(shown(three, { marker: 0 }), 'day new POST post post');
    assert.equal(shown(three, { marker: 0, isStart: false }), 'day POST post post', 'the first new one may be on an earlier page');
    assert.equal(shown([entry(2, 'join'), entry(3)], { marker: 1, before: entry(1) }), 'new note POST', 'whatever it begins with');
  });

  test('put comings and goings together, and nothing else', () => {
    const join = (seq, from) => entry(seq, 'join', { from });
    assert.equal(shown([join(1, 'a'), join(2, 'b'), entry(3, 'leave', { from: 'a' })]), 'day note');
    assert.equal(shown([join(1, 'a'), entry(2, 'rename', { name: 'x' }), join(3, 'b')]), 'day note note note');
    assert.equal(shown(Array.from({ length: 51 }, (_, at) => join(at + 1, `n${at}`))), 'day note note');
  });

  test('have keys of their own', () => {
    const rows = rowsOf([entry(1), entry(2), entry(2000), entry(2001, 'join')].map(lineOf), null, 1, true);
    assert.equal(new Set(rows.map(({ key }) => key)).size, rows.length);
  });
});
