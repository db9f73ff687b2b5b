import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';

import { words as de } from '../../src/page/words/de.js';
import { words as en } from '../../src/page/words/en.js';

// A browser's, as far as words need one.
Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { languages: ['en-GB', 'de'] } });
const { ago, dayName, duration, isolated, listed, shortTime, t, translated } = await import('../../src/page/words.js');

const forms = (phrase) => (typeof phrase === 'string' ? [phrase] : Object.values(phrase));
const places = (phrase) => [...new Set(forms(phrase).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
const textOf = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
/** From one heading of the protocol to the next of its rank. */
const chapter = (name) => new RegExp(`\\n(#+) ${name}\\n[^]*?(?=\\n\\1 )`).exec(textOf('PROTOCOL.md'))[0];
const found = (text, pattern) => [...text.matchAll(pattern)].flatMap(([, cell]) => cell.match(/\w+/g));
/** The codes with which the server refuses: the second column of one table, the first of the other. */
const SERVERS = [
  ...found(chapter('Accounts'), /^\| \d{3} \| (`.*?`) \|/gm),
  ...found(chapter('Errors'), /^\| `((?!code`)\w+)` \|/gm),
];
/** And those with which the client does. */
const CLIENTS = readdirSync(new URL('../../src/page/client/', import.meta.url))
  .flatMap((file) => found(textOf(`src/page/client/${file}`), /code: '(\w+)'/g));
const NOON = new Date(2026, 2, 2, 12).getTime();
const HOUR = 3_600_000;

describe('languages', () => {
  test('say the same things', () => {
    assert.deepEqual(Object.keys(en).filter((word) => !(word in de)), []);
    // Only refusals, which come from the server in English, are in other languages alone.
    assert.deepEqual(Object.keys(de).filter((word) => !(word in en) && !word.startsWith('refused_')), []);
  });

  test('have words for every refusal', () => {
    for (const [codes, some] of [[SERVERS, ['wrong_password', 'registered', 'slow', 'bad_name']], [CLIENTS, ['timeout', 'discarded']]]) {
      assert.deepEqual(some.filter((code) => !codes.includes(code)), [], 'the list is not what it was');
    }
    const without = (words, codes) => codes.filter((code) => !(`refused_${code}` in words));
    assert.deepEqual(without(de, [...SERVERS, ...CLIENTS]), []);
    // The server says in English itself what it refuses, and more exactly.
    assert.deepEqual(without(en, CLIENTS.filter((code) => !SERVERS.includes(code))), []);
  });

  test('put the same things in', () => {
    for (const word of Object.keys(en)) {
      const [ours, theirs] = [places(en[word]), places(de[word])];
      assert.deepEqual(theirs.filter((place) => place !== '{n}'), ours.filter((place) => place !== '{n}'), word);
    }
  });
});

describe('phrases', () => {
  test('are put together, in the number\'s form', () => {
    assert.equal(t('newBelow', { n: 1 }), '1 new post');
    assert.equal(t('newBelow', { n: 1_234 }), '1,234 new posts');
    assert.equal(t('noteAdd', { name: 'ann', user: 'bo' }), 'ann added bo');
  });

  test('take what was typed as it is', () => {
    assert.equal(t('noteAdd', { name: '{user} $& $1', user: '<b>' }), '{user} $& $1 added <b>');
  });

  test('keep names that run from right to left to themselves', () => {
    assert.equal(isolated('ירון'), '\u2068ירון\u2069');
    assert.equal(isolated('ann'), 'ann');
    assert.equal(isolated('\u202eann\u2069'), 'ann');
    assert.equal(listed(['ann', 'ירון']), 'ann and \u2068ירון\u2069');
  });

  test('are only ours', () => {
    assert.equal(translated('refused_timeout'), en.refused_timeout);
    for (const word of ['refused_nothing', 'constructor', '__proto__', 'toString']) assert.equal(translated(word), null, word);
  });
});

describe('times', () => {
  test('of days near are named', () => {
    assert.deepEqual([0, -1, -3, -400].map((days) => dayName(NOON + days * 24 * HOUR, NOON)), ['Today', 'Yesterday', 'Friday 27 February', '26 January 2025']);
  });

  test('are as short as they can be', () => {
    assert.deepEqual([0, -24, -24 * 9].map((hours) => shortTime(NOON + hours * HOUR, NOON)), ['12:00', 'Sun', '21 Feb']);
  });

  test('past are told roughly', () => {
    assert.deepEqual([0, 90_000, 5 * HOUR, 50 * HOUR].map((ms) => ago(NOON - ms, NOON)), ['just now', '2 minutes ago', '5 hours ago', '2 days ago']);
    assert.equal(ago(NOON + HOUR, NOON), 'just now', 'clocks differ');
  });

  test('have lengths', () => {
    assert.deepEqual([500, 30_000, 60_000, 3_600_000, 86_400_000].map(duration), ['1 second', '30 seconds', '1 minute', '1 hour', '1 day']);
  });
});
