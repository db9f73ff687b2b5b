/**
 * What the page has to ask or tell the server, as it stands. A need has a key, is there until an answer has changed the
 * state, and is asked for once at a time.
 *
 * @typedef {import('../model.js').State} State
 * @typedef {import('./room.js').Room} Room
 * @typedef {{ key: string, room: string } & ({ kind: 'enter' } | { kind: 'history', where: 'end' | 'before' | 'after', from: number | null }
 *   | { kind: 'around', seq: number } | { kind: 'members', max: number } | { kind: 'quote', seq: number } | { kind: 'preview' | 'pins' })} Need
 */

import { current } from '../model.js';
import * as timeline from './timeline.js';

/** Rooms whose last line is asked for to be shown in the list. */
const PREVIEWS_MAX = 40;

/** Sources of replies that are asked for at a time. */
const QUOTES_MAX = 8;

/** @param {State} state @returns {Need[]} */
export function needs(state) {
  if (state.link.phase !== 'connected' || !state.me) return [];
  const room = current(state);
  const id = state.place.room;
  // A token in the address is an invitation. An open room is asked about first.
  if (!room && id?.startsWith('~') && !state.refused.has(id)) return [{ key: `enter ${id}`, kind: 'enter', room: id }];
  const pins = room && state.panel === 'details' && (room.pins?.asOf ?? -1) < room.pinsSeq;
  return [...room ? roomNeeds(room, state.place.seq) : [], ...pins ? [{ key: `pins ${id}`, kind: /** @type {const} */ ('pins'), room: room.room }] : [], ...previews(state)];
}

/** Up to which post one has read the room that one looks at, if the server does not know it. @param {State} state */
export function readSeq(state) {
  const room = current(state);
  if (!room || !state.isAttending || !room.isAtBottom || !room.timeline.isLoaded || !room.timeline.atEnd || room.told < room.seq) return null;
  // After a lost connection the log may be longer than what has come of it.
  const seq = timeline.lastSeq(room.timeline) ?? room.seq;
  return seq > room.read ? { room: room.room, seq } : null;
}

/** @param {Room} room @param {number | null} seq the post that the address names @returns {Need[]} */
function roomNeeds(room, seq) {
  const id = room.room;
  // Not before we follow it: what is said between the answer and then would be missing.
  if (room.first === null) return [];
  /** @type {Need[]} */
  const found = [];
  const middle = seq !== null && !timeline.spans(room.timeline, seq) ? seq : room.want === 'new' ? room.marker : null;
  if (middle !== null) found.push({ key: `around ${id} ${middle}`, kind: 'around', room: id, seq: middle });
  else if (!room.timeline.isLoaded) found.push({ key: `end ${id}`, kind: 'history', room: id, where: 'end', from: null });
  else if (room.want === 'before' && !room.timeline.atStart) found.push(more(room, 'before', timeline.firstSeq(room.timeline)));
  else if (room.want === 'after' && !room.timeline.atEnd) found.push(more(room, 'after', timeline.lastSeq(room.timeline)));
  if (room.isMembersStale) found.push({ key: `members ${id}`, kind: 'members', room: id, max: room.membersMax });
  return [...found, ...quotes(room)];
}

/** @param {Room} room @param {'before' | 'after'} where @param {number | null} from @returns {Need} */
function more({ room }, where, from) {
  return { key: `${where} ${room} ${from}`, kind: 'history', room, where, from };
}

/** @param {Room} room @returns {Need[]} */
function quotes(room) {
  const { pages } = room.timeline;
  // Pages come at the ends, so each is looked at when it comes.
  const fresh = [...pages.slice(0, 1), ...pages.slice(1).slice(-3)];
  const unknown = fresh.flatMap(({ lines }) => lines).flatMap((line) => (
    line.kind === 'post' && line.reply_to !== undefined && sourceOf(room, line.reply_to) === undefined ? [line.reply_to] : []));
  return [...new Set(unknown)].slice(-QUOTES_MAX)
    .map((seq) => ({ key: `quote ${room.room} ${seq}`, kind: 'quote', room: room.room, seq }));
}

/** The post that is answered; null if there is none, undefined if that is not known. @param {Room} room @param {number} seq */
export function sourceOf(room, seq) {
  const line = timeline.find(room.timeline, seq);
  if (line) return line.kind === 'post' ? line : null;
  return room.quotes.get(seq);
}

/** @param {State} state @returns {Need[]} */
function previews({ rooms }) {
  return [...rooms.values()]
    .filter(({ last, seq, first }) => last === undefined && seq > 0 && first !== null)
    .slice(0, PREVIEWS_MAX)
    .map(({ room }) => ({ key: `preview ${room}`, kind: 'preview', room }));
}
