import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  BACKOFF_MAX_MS, NICK_CHARS_MAX, ROWS_MAX, STABLE_MS, TEXT_CHARS_MAX, TEXT_LINES_MAX,
  backoffMs, cleanNick, guestNick, hueOf, initial, isFinal, linesOf, onTheirWay, parseLine, roomFrom, update, wire,
} from '../../src/page/model.js';
import { roomUrl } from '../../src/page/socket.js';

/** @typedef {import('../../src/page/model.js').Event} Event */

const START = initial({ room: 'lobby', nick: 'ann' });
const OPENED = { type: 'opened', now: 0 };
const OPEN = after(OPENED);

/** @param {...object} events */
function after(...events) {
  return from(START, ...events);
}

function from(state, ...events) {
  return events.reduce((next, event) => update(freeze(next), /** @type {Event} */ (event)), state);
}

/** A state is never changed, only followed by another. */
function freeze(state) {
  state.rows.forEach(Object.freeze);
  Object.freeze(state.rows);
  Object.freeze(state.link);
  return Object.freeze(state);
}

const closed = (now, code = 1006, random = 0.5, reason = '') => ({ type: 'closed', now, code, reason, random });
const received = (text, now = 1) => ({ type: 'received', now, text });
const said = (text, now = 1) => ({ type: 'said', now, text });
const texts = (state) => state.rows.map((row) => row.text);
const deliveries = (state) => state.rows.map((row) => row.delivery);

describe('back-off', () => {
  test('is full jitter below a doubling ceiling', () => {
    assert.deepEqual([0, 1, 2, 3, 4].map((attempt) => backoffMs(attempt, 0.5)), [500, 1000, 2000, 4000, 8000]);
    assert.equal(backoffMs(3, 0), 0);
  });

  test('never passes its greatest wait, however many tries failed', () => {
    for (const attempt of [5, 10, 100, 5000]) {
      const wait = backoffMs(attempt, 1 - Number.EPSILON);
      assert.ok(wait <= BACKOFF_MAX_MS && wait >= BACKOFF_MAX_MS - 1, `attempt ${attempt} waits ${wait}`);
    }
  });
});

describe('connection', () => {
  test('opens one socket a try: every connecting has a new epoch', () => {
    const again = after(closed(0), { type: 'due' });
    assert.equal(START.link.epoch, 1);
    assert.deepEqual(again.link, { phase: 'connecting', attempt: 1, epoch: 2 });
  });

  test('waits longer after each failure', () => {
    const waits = [];
    let state = START;
    for (let attempt = 0; attempt < 7; attempt += 1) {
      state = from(state, closed(0));
      waits.push(state.link.until);
      state = from(state, { type: 'due' });
    }
    assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
  });

  test('starts with short waits again after a connection that held', () => {
    const tried = after(closed(0), { type: 'due' }, closed(0), { type: 'due' }, OPENED);
    assert.equal(from(tried, closed(STABLE_MS)).link.until, STABLE_MS + 500);
    assert.equal(from(tried, closed(STABLE_MS)).link.attempt, 1);
  });

  test('keeps the long waits after a connection that did not hold', () => {
    const tried = after(closed(0), { type: 'due' }, closed(0), { type: 'due' }, OPENED);
    assert.equal(from(tried, closed(STABLE_MS - 1)).link.until, STABLE_MS - 1 + 2000);
  });

  test('stops for 4500 to 4999 and for nothing else', () => {
    for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 4000, 4008, 4499, 5000]) {
      assert.equal(isFinal(code), false);
      assert.equal(from(OPEN, closed(1, code)).link.phase, 'waiting', `${code}`);
    }
    for (const code of [4500, 4501, 4999]) {
      assert.equal(from(OPEN, closed(1, code)).link.phase, 'stopped', `${code}`);
    }
  });

  test('once stopped, only a person starts it again', () => {
    const stopped = from(OPEN, closed(1, 4501, 0.5, 'session ended'));
    assert.equal(stopped.link.reason, 'session ended');
    for (const event of [{ type: 'due' }, { type: 'online', now: 2, random: 0 }, OPENED, closed(2)]) {
      assert.equal(from(stopped, event), stopped);
    }
    assert.equal(from(stopped, { type: 'retry' }).link.phase, 'connecting');
  });

  test('"now" cuts a wait short, and does nothing to a connection', () => {
    assert.equal(after(closed(0), { type: 'retry' }).link.phase, 'connecting');
    assert.equal(from(OPEN, { type: 'retry' }), OPEN);
    assert.equal(from(START, { type: 'retry' }), START);
  });

  test('waits for a network that is gone, and spreads out when it is back', () => {
    const offline = from(OPEN, { type: 'offline', now: 5 });
    assert.equal(offline.link.phase, 'offline');
    assert.equal(from(offline, { type: 'due' }), offline);
    const online = from(offline, { type: 'online', now: 100, random: 0.5 });
    assert.deepEqual([online.link.phase, online.link.until], ['waiting', 600]);
    assert.equal(from(OPEN, { type: 'online', now: 1, random: 0 }), OPEN);
  });

  test('marks where lines may be missing, once, and only where there was something to miss', () => {
    assert.deepEqual(after(closed(0), { type: 'due' }, OPENED).rows, []);
    const back = from(OPEN, closed(10), { type: 'due' }, closed(20), { type: 'due' }, { type: 'opened', now: 30 });
    assert.deepEqual(back.rows.map(({ kind, since, at }) => [kind, since, at]), [['gap', 10, 30]]);
    const twice = from(back, received('bo: hi'), closed(40), { type: 'due' }, { type: 'opened', now: 50 });
    assert.deepEqual(twice.rows.map(({ kind, since, at }) => [kind, since, at]),
      [['gap', 10, 30], ['line', undefined, 1], ['gap', 40, 50]]);
  });

  test('makes one gap of those with nothing between them', () => {
    const back = from(OPEN, closed(10), { type: 'due' }, { type: 'opened', now: 30 });
    const twice = from(back, closed(40), { type: 'due' }, { type: 'opened', now: 50 });
    assert.deepEqual(twice.rows.map(({ since, at }) => [since, at]), [[10, 50]]);
  });
});

describe('what one says', () => {
  test('is on its way until the room gives it back', () => {
    const sending = from(OPEN, said('hello'));
    assert.deepEqual(onTheirWay(sending).map(wire), ['ann: hello']);
    const sent = from(sending, received('ann: hello', 7));
    assert.deepEqual(onTheirWay(sent), []);
    assert.deepEqual(sent.rows.map(({ nick, text, own, delivery, at }) => [nick, text, own, delivery, at]),
      [['ann', 'hello', true, 'sent', 7]]);
  });

  test('stays in the box while there is no connection', () => {
    const waiting = from(OPEN, closed(1));
    for (const state of [START, waiting, from(OPEN, { type: 'offline', now: 1 })]) {
      assert.equal(from(state, said('hello')), state);
    }
  });

  test('is one line a message', () => {
    assert.deepEqual(linesOf(' one\r\n\n two \n\t\n'), ['one', 'two']);
    assert.deepEqual(onTheirWay(from(OPEN, said('one\ntwo'))).map(wire), ['ann: one', 'ann: two']);
  });

  test('takes the place that the room gave it', () => {
    const state = from(OPEN, said('first'), received('bo: earlier'), received('ann: first'));
    assert.deepEqual(texts(state), ['earlier', 'first']);
    assert.deepEqual(state.rows.map((row) => row.own), [false, true]);
    assert.equal(new Set(state.rows.map((row) => row.id)).size, 2);
  });

  test('keeps its order among its own', () => {
    const state = from(OPEN, said('a\nb\nc'), received('ann: a'), received('ann: b'), received('ann: c'));
    assert.deepEqual(texts(state), ['a', 'b', 'c']);
    assert.deepEqual(deliveries(state), ['sent', 'sent', 'sent']);
  });

  test('said twice is given back twice', () => {
    const once = from(OPEN, said('ha\nha'), received('ann: ha'));
    assert.deepEqual(deliveries(once), ['sent', 'sending']);
    assert.deepEqual(deliveries(from(once, received('ann: ha'))), ['sent', 'sent']);
  });

  test('is known as one\'s own after a change of name in mid-flight', () => {
    const state = from(OPEN, said('hello'), { type: 'renamed', nick: 'anna' }, received('ann: hello'), said('again'));
    assert.deepEqual(state.rows.map((row) => [row.nick, row.own]), [['ann', true], ['anna', true]]);
  });

  test('is never shown as sent if the connection ended first', () => {
    for (const end of [closed(2), { type: 'offline', now: 2 }, closed(2, 4500), { type: 'unanswered', now: 2, random: 0 }]) {
      const state = from(OPEN, said('hello'), end);
      assert.deepEqual(deliveries(state), ['unconfirmed'], end.type);
      assert.deepEqual(onTheirWay(state), []);
    }
  });

  test('can be sent again when the connection is back, at its new place', () => {
    const cut = from(OPEN, said('hello'), closed(2));
    const [{ id }] = cut.rows;
    assert.equal(from(cut, { type: 'saidAgain', now: 3, id }), cut);
    const again = from(cut, { type: 'due' }, { type: 'opened', now: 4 }, received('bo: hi'), { type: 'saidAgain', now: 5, id });
    assert.deepEqual(again.rows.map((row) => row.kind), ['gap', 'line', 'line']);
    assert.deepEqual(onTheirWay(again).map(wire), ['ann: hello']);
    assert.ok(onTheirWay(again)[0].id > id, 'a new id, so that it is handed over');
    assert.equal(from(again, { type: 'saidAgain', now: 6, id }), again);
  });

  test('a connection that answers nothing is given up, one with nothing to answer is not', () => {
    assert.equal(from(OPEN, said('hello'), { type: 'unanswered', now: 2, random: 0.5 }).link.phase, 'waiting');
    assert.equal(from(OPEN, { type: 'unanswered', now: 2, random: 0.5 }), OPEN);
  });
});

describe('what others say', () => {
  const rows = [
    ['bo: hello', 'bo', 'hello'],
    ['bo: a: b', 'bo', 'a: b'],
    ['mary ann: hi', 'mary ann', 'hi'],
    ['bo: ', 'bo', ''],
    ['hello', null, 'hello'],
    [': hello', null, ': hello'],
    ['bo:hello', null, 'bo:hello'],
    ['', null, ''],
    [' bo: hello', null, ' bo: hello'],
    ['two\nlines: hello', null, 'two\nlines: hello'],
    ['http://a: b', null, 'http://a: b'],
    [`${'x'.repeat(NICK_CHARS_MAX)}: y`, 'x'.repeat(NICK_CHARS_MAX), 'y'],
    [`${'x'.repeat(NICK_CHARS_MAX + 1)}: y`, null, `${'x'.repeat(NICK_CHARS_MAX + 1)}: y`],
    ['b\u200bo: zero width', null, 'b\u200bo: zero width'],
    ['\u202ebo: turned round', null, '\u202ebo: turned round'],
  ];
  for (const [text, nick, rest] of rows) {
    test(`${JSON.stringify(text.slice(0, 30))} is said by ${nick}`, () => {
      assert.deepEqual(parseLine(text), { nick, text: rest });
    });
  }

  test('is a line, whatever it looks like: only the page makes a gap', () => {
    for (const text of ['ann left', '* gap *', '{"kind":"gap"}', 'Disconnected from 1 to 2.']) {
      assert.equal(from(OPEN, received(text)).rows[0].kind, 'line');
    }
  });

  test('under one\'s own name is still not one\'s own', () => {
    assert.equal(from(OPEN, received('ann: it is me')).rows[0].own, false);
  });

  test('is shortened when it is very long, and says by how much', () => {
    const [long] = from(OPEN, received(`bo: ${'x'.repeat(TEXT_CHARS_MAX + 5)}`)).rows;
    assert.deepEqual([long.text.length, long.cut], [TEXT_CHARS_MAX, 5]);
    const [tall] = from(OPEN, received('x\n'.repeat(TEXT_LINES_MAX + 5))).rows;
    assert.equal(tall.text.split('\n').length, TEXT_LINES_MAX);
    assert.equal(tall.text.length + tall.cut, 2 * (TEXT_LINES_MAX + 5));
    const [paired] = from(OPEN, received(`${'x'.repeat(TEXT_CHARS_MAX - 1)}🎉`)).rows;
    assert.deepEqual([paired.text.length, paired.cut], [TEXT_CHARS_MAX - 1, 2]);
  });

  test('may be binary, which has a size', () => {
    const [row] = from(OPEN, { type: 'receivedBinary', now: 3, bytes: 12 }).rows;
    assert.deepEqual(row, { kind: 'binary', id: 1, at: 3, bytes: 12 });
  });

  test('never fills the page: the oldest rows go', () => {
    let state = OPEN;
    for (let line = 0; line < ROWS_MAX + 10; line += 1) state = update(state, received(`bo: ${line}`));
    assert.equal(state.rows.length, ROWS_MAX);
    assert.deepEqual([state.rows[0].text, state.rows.at(-1)?.text], ['10', `${ROWS_MAX + 9}`]);
  });
});

describe('names', () => {
  const rows = [
    ['ann', 'ann'],
    ['  ann  lee ', 'ann lee'],
    ['a:n:n', 'ann'],
    ['\u0000a\u200bn\u202en', 'ann'],
    ['a\u00a0b', 'a b'],
    ['Ξένη', 'Ξένη'],
    ['🎉', '🎉'],
    ['', null],
    [' : \u200b ', null],
    ['🎉'.repeat(NICK_CHARS_MAX + 3), '🎉'.repeat(NICK_CHARS_MAX)],
    [`${'x'.repeat(NICK_CHARS_MAX - 1)} y`, 'x'.repeat(NICK_CHARS_MAX - 1)],
  ];
  for (const [typed, nick] of rows) {
    test(`${JSON.stringify(typed.slice(0, 30))} becomes ${JSON.stringify(nick)?.slice(0, 30)}`, () => {
      assert.equal(cleanNick(typed), nick);
      // What is a name once is the same name the next time, and read back from a line as that name.
      if (nick !== null) {
        assert.equal(cleanNick(nick), nick);
        assert.deepEqual(parseLine(wire({ nick, text: 'x: y' })), { nick, text: 'x: y' });
      }
    });
  }

  test('guests have one from the start', () => {
    assert.equal(guestNick(0), 'guest-2222');
    assert.equal(guestNick(1 - Number.EPSILON), 'guest-zzzz');
    for (const random of [0.1, 0.5, 0.77]) {
      assert.match(guestNick(random), /^guest-[2-9a-hj-km-np-z]{4}$/);
      assert.equal(cleanNick(guestNick(random)), guestNick(random));
    }
  });

  test('have one of twelve hues, and keep it', () => {
    for (const nick of ['ann', 'bo', 'Ξένη', '🎉', '']) {
      assert.equal(hueOf(nick), hueOf(nick));
      assert.ok(Number.isInteger(hueOf(nick)) && hueOf(nick) >= 0 && hueOf(nick) < 12);
    }
  });
});

describe('rooms', () => {
  const rows = [
    ['', 'lobby'],
    ['?other=1', 'lobby'],
    ['?room=tea', 'tea'],
    ['?room=A-z_0.9~', 'A-z_0.9~'],
    [`?room=${'x'.repeat(64)}`, 'x'.repeat(64)],
    [`?room=${'x'.repeat(65)}`, null],
    ['?room=', null],
    ['?room=a/b', null],
    ['?room=a%2fb', null],
    ['?room=caf%C3%A9', null],
    ['?room=a+b', null],
    ['?room=tea%0a', null],
    ['?room=.', null],
    ['?room=..', null],
    ['?room=...', '...'],
  ];
  for (const [search, room] of rows) {
    test(`${search.slice(0, 20) || 'no query'} asks for ${room?.slice(0, 20)}`, () => assert.equal(roomFrom(search), room));
  }

  test('are beside the page, wherever that is', () => {
    assert.equal(roomUrl('tea', 'http://host:8080/?room=tea#x'), 'ws://host:8080/relay/tea');
    assert.equal(roomUrl('tea', 'https://host/'), 'wss://host/relay/tea');
    assert.equal(roomUrl('tea', 'https://host/chat/'), 'wss://host/chat/relay/tea');
  });
});
