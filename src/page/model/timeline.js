/**
 * The lines of a room that the page has: one unbroken stretch of its log, in pages, so that a change touches one page and
 * the view need not look at the others.
 *
 * The stretch ends at the present (`atEnd`), and then grows with what is said; or it lies in the past, where it grows as
 * somebody reads on. Changes of a post (edit, delete, react, pin) are applied wherever the post is; to apply one twice is
 * to apply it once.
 *
 * @typedef {import('../client/types.js').Entry} Entry
 * @typedef {import('../client/types.js').PostEntry} PostEntry
 * @typedef {import('../client/types.js').RoomEntry} RoomEntry
 * @typedef {import('../client/types.js').ChangeEntry} ChangeEntry
 * @typedef {PostEntry & { time: number }} PostLine
 * @typedef {PostLine | (RoomEntry & { time: number })} Line `time` is `at` in milliseconds since 1970
 * @typedef {{ lines: readonly Line[] }} Page
 * @typedef {{ pages: readonly Page[], isLoaded: boolean, atStart: boolean, atEnd: boolean }} Timeline
 * @typedef {'end' | 'before' | 'after' | 'around'} Where
 */

import { isChange } from '../client/wire.js';

/** Lines of one page. */
export const PAGE_LINES = 100;

/** Lines that are kept. Beyond it those go that are farthest from where one reads; scrolling brings them back. */
export const LINES_MAX = 12_000;

/** @type {Timeline} */
export const EMPTY = { pages: [], isLoaded: false, atStart: false, atEnd: true };

/** @param {Entry} entry @returns {Line} */
export function lineOf(entry) {
  return /** @type {Line} */ ({ ...entry, time: Date.parse(entry.at) });
}

/** @param {Timeline} timeline */
export function firstSeq({ pages }) {
  return pages[0]?.lines[0]?.seq ?? null;
}

/** @param {Timeline} timeline */
export function lastSeq({ pages }) {
  return pages.at(-1)?.lines.at(-1)?.seq ?? null;
}

/** @param {Timeline} timeline @param {number} seq @returns {Line | null} */
export function find({ pages }, seq) {
  const lines = pages[pageOf(pages, seq)]?.lines ?? [];
  const line = lines[placeOf(lines, seq)];
  return line?.seq === seq ? line : null;
}

/** Would the post be among the lines, if there is one? @param {Timeline} timeline @param {number} seq */
export function spans(timeline, seq) {
  const { isLoaded, atStart, atEnd } = timeline;
  return isLoaded && (atStart || seq >= (firstSeq(timeline) ?? 0)) && (atEnd || seq <= (lastSeq(timeline) ?? 0));
}

/**
 * Whether lines that were asked for beside one still come beside it: others may have taken its place since.
 *
 * @param {Timeline} timeline @param {Where} where @param {number | null} from
 */
export function joins(timeline, where, from) {
  return where === 'before' ? from === firstSeq(timeline) : where === 'after' ? from === lastSeq(timeline) : true;
}

/** @param {Timeline} timeline @returns {Generator<Line, void>} the last first */
export function* backwards({ pages }) {
  for (let page = pages.length - 1; page >= 0; page -= 1) {
    const { lines } = /** @type {Page} */ (pages[page]);
    for (let place = lines.length - 1; place >= 0; place -= 1) yield /** @type {Line} */ (lines[place]);
  }
}

/**
 * Something happened, or is replayed.
 *
 * @param {Timeline} timeline @param {Entry} entry @returns {Timeline}
 */
export function entered(timeline, entry) {
  if (isChange(entry)) return patched(timeline, entry.post, (post) => changed(post, entry));
  const line = lineOf(entry);
  const last = lastSeq(timeline);
  if (last !== null && line.seq <= last) return replaced(timeline, line);
  return timeline.atEnd ? trimmed(appended(timeline, [line]), 'start') : timeline;
}

/**
 * History has come.
 *
 * @param {Timeline} timeline @param {Where} where
 * @param {import('../model.js').History} answer
 *   `more` in the direction that was asked for; around a post `more` is before it, and `moreAfter` after
 * @param {number} seq the last entry that was told
 * @returns {Timeline}
 */
export function loaded(timeline, where, { entries, more, moreAfter = false, as_of, changes }, seq) {
  // A page may be older than what was told while it was on its way, and was not taken: there is more, whatever it says.
  const isBehind = as_of < seq;
  const next = placed(timeline, where, entries.map(lineOf), more, moreAfter, isBehind);
  return changes.reduce(entered, next);
}

/**
 * @param {Timeline} timeline @param {Where} where @param {Line[]} lines
 * @param {boolean} more @param {boolean} moreAfter @param {boolean} isBehind @returns {Timeline}
 */
function placed(timeline, where, lines, more, moreAfter, isBehind) {
  const first = firstSeq(timeline) ?? Infinity;
  const last = lastSeq(timeline) ?? 0;
  switch (where) {
    case 'before': {
      const pages = [...pagesOf(lines.filter(({ seq }) => seq < first)), ...timeline.pages];
      return trimmed({ ...timeline, pages, atStart: !more }, 'end');
    }
    case 'after': {
      const next = appended(timeline, lines.filter(({ seq }) => seq > last));
      return trimmed({ ...next, atEnd: !more && !isBehind }, 'start');
    }
    case 'around':
      return { pages: pagesOf(lines), isLoaded: true, atStart: !more, atEnd: !moreAfter && !isBehind };
    case 'end': {
      // What was said since the answer was made is here already.
      const newest = lines.at(-1)?.seq ?? 0;
      const since = timeline.atEnd ? [...backwards(timeline)].reverse().filter(({ seq }) => seq > newest) : [];
      return { pages: pagesOf([...lines, ...since]), isLoaded: true, atStart: !more, atEnd: true };
    }
  }
}

/** @param {Timeline} timeline @param {number} seq @param {(post: PostLine) => PostLine} change @returns {Timeline} */
function patched(timeline, seq, change) {
  const line = find(timeline, seq);
  return line?.kind === 'post' ? replaced(timeline, change(line)) : timeline;
}

/** What an entry makes of a post. @param {PostLine} post @param {ChangeEntry} entry @returns {PostLine} */
export function changed(post, entry) {
  if (post.deleted) return post;
  switch (entry.kind) {
    case 'edit': return entry.body === undefined ? post : { ...post, body: entry.body, edited: entry.at };
    case 'pin': {
      const { pinned: _, ...rest } = post;
      return entry.on ? { ...rest, pinned: true } : rest;
    }
    case 'react': return { ...post, reactions: reacted(post.reactions ?? [], entry) };
    case 'delete': {
      const { room, seq, kind, from, at, time } = post;
      return { room, seq, kind, from, at, time, deleted: true };
    }
  }
}

/** @param {{ emoji: string, users: string[] }[]} reactions @param {{ emoji: string, on: boolean, from: string }} entry */
function reacted(reactions, { emoji, on, from }) {
  const isNew = on && !reactions.some((one) => one.emoji === emoji);
  return [...reactions, ...isNew ? [{ emoji, users: [] }] : []].map((one) => {
    if (one.emoji !== emoji) return one;
    const others = one.users.filter((user) => user !== from);
    return { emoji, users: on ? [...others, from] : others };
  }).filter(({ users }) => users.length > 0);
}

/** @param {Timeline} timeline @param {Line} line @returns {Timeline} */
function replaced(timeline, line) {
  const at = pageOf(timeline.pages, line.seq);
  const page = timeline.pages[at];
  const place = page ? placeOf(page.lines, line.seq) : -1;
  if (!page || page.lines[place]?.seq !== line.seq) return timeline;
  return { ...timeline, pages: timeline.pages.with(at, { lines: page.lines.with(place, line) }) };
}

/** @param {Timeline} timeline @param {Line[]} lines after all that are there @returns {Timeline} */
function appended(timeline, lines) {
  if (lines.length === 0) return timeline;
  const last = timeline.pages.at(-1);
  const room = last ? PAGE_LINES - last.lines.length : 0;
  const filled = last && room > 0 ? [{ lines: [...last.lines, ...lines.slice(0, room)] }] : last ? [last] : [];
  return { ...timeline, pages: [...timeline.pages.slice(0, -1), ...filled, ...pagesOf(lines.slice(room))] };
}

/** @param {Timeline} timeline @param {'start' | 'end'} side where lines may go @returns {Timeline} */
function trimmed(timeline, side) {
  const { pages } = timeline;
  if (pages.length * PAGE_LINES <= LINES_MAX) return timeline;
  let count = pages.reduce((sum, { lines }) => sum + lines.length, 0);
  let from = 0;
  let to = pages.length;
  while (count > LINES_MAX && to - from > 1) {
    count -= pages[side === 'start' ? from++ : --to]?.lines.length ?? 0;
  }
  const atStart = timeline.atStart && from === 0;
  const atEnd = timeline.atEnd && to === pages.length;
  return { ...timeline, pages: pages.slice(from, to), atStart, atEnd };
}

/** @param {Line[]} lines @returns {Page[]} */
function pagesOf(lines) {
  /** @type {Page[]} */
  const pages = [];
  for (let from = 0; from < lines.length; from += PAGE_LINES) pages.push({ lines: lines.slice(from, from + PAGE_LINES) });
  return pages;
}

/** The page in which a line is, if it is in any. @param {readonly Page[]} pages @param {number} seq */
function pageOf(pages, seq) {
  return lastWhere(pages.length, (at) => /** @type {number} */ (pages[at]?.lines[0]?.seq) <= seq);
}

/** @param {readonly Line[]} lines @param {number} seq */
function placeOf(lines, seq) {
  return lastWhere(lines.length, (at) => /** @type {Line} */ (lines[at]).seq <= seq);
}

/** The last place for which it is true, given that it is true up to there; -1 if for none. @param {number} length @param {(at: number) => boolean} is */
function lastWhere(length, is) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
