/**
 * A room as the page knows it, and what becomes of it by what the server says.
 *
 * @typedef {import('../client/types.js').Summary} Summary
 * @typedef {import('../client/types.js').Member} Member
 * @typedef {import('../client/types.js').Entry} Entry
 * @typedef {import('../client/types.js').OutboxPost} OutboxPost
 * @typedef {import('../client/types.js').PostEntry} PostEntry
 * @typedef {import('./timeline.js').Line} Line
 * @typedef {import('./timeline.js').PostLine} PostLine
 * @typedef {{ received: number, read: number }} Cursor
 * @typedef {{ kind: 'reply' | 'edit', seq: number } | null} Composing
 */

import { isChange } from '../client/wire.js';
import * as timeline from './timeline.js';

/**
 * @typedef {Readonly<Summary & {
 *   first: number | null, told: number, lost: number, timeline: timeline.Timeline, want: 'before' | 'after' | 'new' | null, isAtBottom: boolean,
 *   marker: number | null, composing: Composing, last: Line | null | undefined, quotes: ReadonlyMap<number, PostLine | null>,
 *   members: readonly Member[] | null, membersMax: number, isMembersStale: boolean, total: number | null,
 *   online: ReadonlySet<string> | null, count: number | null, typing: readonly string[],
 *   cursors: ReadonlyMap<string, Cursor>, pending: readonly OutboxPost[],
 *   pins: { posts: readonly PostEntry[], asOf: number } | null, pinsSeq: number }>} Room
 *   `want`: what is to be read next: more on that side, or where what is new begins.
 *   `told`: the last entry that came; `seq` is further while others are on their way.
 *   `pinsSeq`: where what is pinned last became something else.
 *   `isAtBottom`: the view has its end in sight; false until it has looked.
 *   `first`: the first entry that the server still has; null until it lets us follow. `lost`: entries that went from the
 *   log before we had them. `last`: the last line, undefined if it was not asked for. `marker`: what comes after it was new when one came. `quotes`: replies' sources that
 *   the timeline does not have; null is one that is not there. `membersMax`: so many are asked for, though there may be more.
 */

/** Members that are listed before somebody asks for more. */
export const MEMBERS_MAX = 1_000;

/** @param {Summary} summary @returns {Room} */
export function fresh(summary) {
  return {
    ...summary, first: null, told: summary.seq, lost: 0, timeline: timeline.EMPTY, want: null, isAtBottom: false, marker: null, composing: null,
    last: undefined, quotes: new Map(), members: null, membersMax: MEMBERS_MAX, isMembersStale: true, total: null, online: null, count: null,
    typing: [], cursors: new Map(), pending: [], pins: null, pinsSeq: 0,
  };
}

/** The server's word on it, and what the page had. @param {Room | undefined} room @param {Summary} summary @returns {Room} */
export function summarized(room, summary) {
  if (!room || room.epoch !== summary.epoch) return { ...fresh(summary), pending: room?.pending ?? [] };
  const { read_only: _, slow_ms: __, ...rest } = room;
  return { ...rest, ...summary, read: Math.max(room.read, summary.read) };
}

/**
 * @param {Room} room @param {Entry} entry @param {string} me @param {boolean} isAttended whether one looks at its end just now
 * @returns {Room}
 */
export function entered(room, entry, me, isAttended) {
  const isNew = entry.seq > room.seq;
  const isMine = entry.from === me;
  // What was missed and comes now has to be looked at first.
  const isAtBottom = isNew && room.isAtBottom;
  let next = { ...room, timeline: timeline.entered(room.timeline, entry), seq: Math.max(room.seq, entry.seq), told: entry.seq, isAtBottom };
  if (isChange(entry)) return { ...next, ...withChange(next, entry) };
  if (isNew) next = ruled({ ...next, at: entry.at }, entry, me);
  if (entry.seq >= (room.last?.seq ?? 0)) next = { ...next, last: timeline.lineOf(entry) };
  if (entry.kind !== 'post') return { ...next, isMembersStale: true };
  next = { ...next, cursors: moved(next.cursors, entry.from, { received: entry.seq, read: entry.seq }) };
  if (isMine) return ownPosted(next, entry);
  if (!isNew) return next;
  const marker = isAttended || room.marker !== null ? room.marker : entry.seq - 1;
  const mentions = room.mentions + Number(entry.mentions?.includes(me) ?? false);
  return { ...next, unread: room.unread + 1, mentions, marker };
}

/** What an entry makes of the room itself. @param {Room} room @param {Entry} entry @param {string} me @returns {Room} */
function ruled(room, entry, me) {
  if (entry.kind === 'rename') return { ...room, name: entry.name };
  if (entry.kind === 'role' && entry.user === me) return { ...room, role: entry.role };
  if (entry.kind !== 'mode') return room;
  const { read_only: _, ...rest } = room;
  return { ...rest, slow_ms: entry.slow_ms, ...entry.read_only ? { read_only: true } : {} };
}

/** Whoever writes has read. @param {Room} room @param {import('./timeline.js').PostEntry} entry @returns {Room} */
function ownPosted(room, entry) {
  const pending = room.pending.filter(({ key }) => key !== entry.key);
  return { ...room, pending, ...entry.seq > room.read ? { read: entry.seq, unread: 0, mentions: 0, marker: null } : {} };
}

/** @param {Room} room @param {import('../client/types.js').ChangeEntry} entry */
function withChange(room, entry) {
  const quote = room.quotes.get(entry.post);
  const quotes = quote ? new Map(room.quotes).set(entry.post, timeline.changed(quote, entry)) : room.quotes;
  const last = room.last?.kind === 'post' && room.last.seq === entry.post ? timeline.changed(room.last, entry) : room.last;
  const isPinned = entry.kind === 'pin' || room.pins?.posts.some(({ seq }) => seq === entry.post);
  return { quotes, last, pinsSeq: isPinned ? entry.seq : room.pinsSeq };
}

/**
 * Entries passed that will not be delivered. What is here may have been edited or deleted by them, so it is read anew, the
 * last line too.
 *
 * @param {Room} room @param {import('../client/types.js').Gap} gap @returns {Room}
 */
export function gapped(room, gap) {
  const had = timeline.lastSeq(room.timeline);
  const lost = had !== null && room.timeline.atEnd && gap.missed !== null ? Math.max(0, gap.first - had - 1) : room.lost;
  const seq = gap.missed === null ? gap.seq : Math.max(room.seq, gap.seq);
  return {
    ...room, seq, told: gap.seq, lost, first: gap.first, timeline: timeline.EMPTY, last: undefined, quotes: new Map(), want: null, isMembersStale: true, pins: null,
  };
}

/**
 * History has come. What the log had by then of one's own posts does not wait any more: it may have had one before its writer
 * was told so, and the entry of one that fell into a gap does not come.
 *
 * @param {Room} room @param {{ where: timeline.Where, from: number | null, history: import('../model.js').History }} answer @param {string} me
 * @returns {Room}
 */
export function loaded(room, { where, from, history }, me) {
  if (!timeline.joins(room.timeline, where, from)) return room;
  const keys = new Set(history.entries.map((entry) => (entry.kind === 'post' && entry.from === me ? entry.key : undefined)));
  const isThere = (/** @type {OutboxPost} */ { key, seq }) => keys.has(key) || (seq !== undefined && seq <= history.as_of);
  const pending = room.pending.some(isThere) ? room.pending.filter((post) => !isThere(post)) : room.pending;
  return { ...room, pending, want: null, timeline: timeline.loaded(room.timeline, where, history, room.seq) };
}

/** @param {Room} room @param {OutboxPost} post @returns {Room} */
export function withPending(room, post) {
  const at = room.pending.findIndex(({ key }) => key === post.key);
  const isThere = post.seq !== undefined && (timeline.lastSeq(room.timeline) ?? 0) >= post.seq;
  // One that is sent stays until its entry is here, or it would be gone for a moment.
  if (post.state === 'discarded' || isThere || (at < 0 && post.state === 'sent')) {
    return at < 0 ? room : { ...room, pending: room.pending.toSpliced(at, 1) };
  }
  return { ...room, pending: at < 0 ? [...room.pending, post] : room.pending.with(at, post) };
}

/**
 * Who is here now, and of whom that changed.
 *
 * @param {Room} room @param {import('../client/types.js').Present | null} present @param {import('../client/types.js').Presence} news
 * @returns {Room}
 */
export function withPresence(room, present, news) {
  const online = present && 'names' in present ? new Set(present.names) : null;
  const count = online?.size ?? (present && 'count' in present ? present.count : null);
  const left = 'user' in news && !news.online ? news : null;
  const members = !left ? room.members : room.members?.map((member) => (
    member.name === left.user && left.last_seen ? { ...member, last_seen: left.last_seen } : member)) ?? null;
  const isMembersStale = room.isMembersStale || [...online ?? []].some((name) => !members?.some((member) => member.name === name));
  return { ...room, online, count, members, isMembersStale };
}

/** @param {Room} room @param {string} name @param {Partial<Cursor>} to @returns {Room} */
export function withCursor(room, name, to) {
  return { ...room, cursors: moved(room.cursors, name, to) };
}

/** @param {Room} room @param {readonly Member[]} members @param {number} total @returns {Room} */
export function withMembers(room, members, total) {
  const cursors = members.reduce((all, { name, received, read }) => (
    moved(all, name, { received: received ?? 0, read: read ?? 0 })), room.cursors);
  return { ...room, members, total, cursors, isMembersStale: false };
}

/** How far somebody has come; never back. @param {ReadonlyMap<string, Cursor>} cursors @param {string} name @param {Partial<Cursor>} to */
function moved(cursors, name, to) {
  const { received, read } = cursors.get(name) ?? { received: 0, read: 0 };
  const farthest = Math.max(read, to.read ?? 0);
  return new Map(cursors).set(name, { received: Math.max(received, to.received ?? 0, farthest), read: farthest });
}

/** Who has received and read a post, the author apart. @param {Room} room @param {{ seq: number, from: string }} post */
export function receiptsOf({ cursors }, { seq, from }) {
  const others = [...cursors].filter(([name]) => name !== from);
  return {
    read: others.filter(([, cursor]) => cursor.read >= seq).map(([name]) => name),
    received: others.filter(([, cursor]) => cursor.received >= seq && cursor.read < seq).map(([name]) => name),
  };
}

/** @param {string} role */
const rank = (role) => ['reader', 'member', 'admin', 'owner'].indexOf(role);

/** May one moderate here? @param {Room} room */
export function isModerator({ role, kind }) {
  return rank(role) >= 2 && kind !== 'direct';
}

/** May one moderate somebody of that role? @param {Room} room @param {string} role */
export function outranks(room, role) {
  return isModerator(room) && (room.role === 'owner' ? role !== 'owner' : rank(role) < rank(room.role));
}

/** May one post here, a mute apart? @param {Room} room */
export function mayPost(room) {
  return rank(room.role) >= (room.read_only ? 2 : 1);
}

/** @param {Room} room */
export function mayPin(room) {
  return room.kind === 'direct' || isModerator(room);
}
