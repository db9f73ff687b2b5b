/** A small world for the tests of the model: a log that counts, and states that nobody may change. */

import { initial, update } from '../../src/page/model.js';

export const LIMITS = { post_chars: 4000 };
export const ANN = { id: '1', name: 'ann', guest: false };
const START_MS = Date.UTC(2026, 2, 2, 12);

/** Entry number `seq`, a minute after the one before. */
export function entry(seq, kind = 'post', fields = {}) {
  const body = kind === 'post' ? { body: `post ${seq}` } : {};
  return { room: 'lobby', seq, kind, from: 'bo', at: new Date(START_MS + seq * 60_000).toISOString(), ...body, ...fields };
}

/** Posts from one number to another. */
export function posts(from, to) {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at));
}

export function summary(fields = {}) {
  return { room: 'lobby', kind: 'lobby', name: 'lobby', epoch: 'e1', seq: 0, role: 'member', read: 0, unread: 0, mentions: 0, ...fields };
}

/** Of a log that has gone on no further than was told, if nothing else is said. */
export function page(entries, { more = false, moreAfter = false, as_of = Number.MAX_SAFE_INTEGER, changes = [] } = {}) {
  return { entries, more, moreAfter, as_of, changes };
}

/** A state is never changed, only followed by another. */
function freeze(value) {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) freeze(inner);
  return value;
}

export function from(state, ...events) {
  return events.reduce((next, event) => update(freeze(next), event), state);
}

export const welcome = (rooms = [summary()], user = ANN) => ({ type: 'welcome', welcome: { user, limits: LIMITS, ping_ms: 25_000, rooms } });
export const connected = { type: 'state', link: { phase: 'connected' } };
export const joined = (fields = {}) => ({ type: 'joined', of: { room: 'lobby', epoch: 'e1', seq: 0, first: 1, ...fields } });
export const heard = (one) => ({ type: 'entry', of: one });
/** @param {number | null} [from] the line beside which it was asked for */
export const loaded = (where, history, from = null) => ({ type: 'loaded', room: 'lobby', where, from, history });
export const went = (room, seq = null) => ({ type: 'went', place: { room, seq } });

/** The view says what of the lobby is in sight. */
export const scrolled = (isAtBottom, want = null) => ({ type: 'scrolled', room: 'lobby', isAtBottom, want });

/** Ann looks at the lobby, which has nothing in it. */
export const IN_LOBBY = from(initial({ room: 'lobby', seq: null }), connected, welcome(), joined(), loaded('end', page([])), scrolled(true));

export const lobby = (state) => state.rooms.get('lobby');
export const seqs = (timeline) => timeline.pages.flatMap(({ lines }) => lines.map(({ seq }) => seq));
