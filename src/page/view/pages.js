/**
 * The lines of a room as rows, in pages that stay in the document. A page whose lines are the same is not looked at, so that
 * a post costs one page's work however many there are.
 */

import { rowsOf } from '../model/rows.js';
import { sourceOf } from '../model/needs.js';
import { dayName, exactTime, t } from '../words.js';
import { h, keyed, setText, today } from './dom.js';
import { noteText } from './note.js';
import { drawPost } from './post.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/room.js').Room} Room */
/** @typedef {import('../model/rows.js').Row} Row */
/** @typedef {{ page: import('../model/timeline.js').Page, before: import('../model/timeline.js').Line | null }} PageAt */

/**
 * @param {HTMLElement} parent @param {(key: string) => HTMLElement | null} pendingRow of a post that was sent from here
 * @returns {(state: State, room: Room) => void} for one room
 */
export function makePages(parent, pendingRow) {
  /** @type {State} */
  let state;
  /** @type {Room} */
  let room;
  /** @type {WeakMap<HTMLElement, ReturnType<typeof keyed<Row>>>} */
  const rowsIn = new WeakMap();

  const showPages = keyed(parent, (/** @type {PageAt} */ { page, before }, old) => {
    const box = old ?? h('div.page', { 'data-first': page.lines[0]?.seq });
    const showRows = rowsIn.get(box) ?? keyed(box, drawRow);
    rowsIn.set(box, showRows);
    showRows(rowsOf(page.lines, before, room.marker, room.timeline.atStart).map((row) => ({ key: row.key, of: row, by: shownBy(row) })));
    return box;
  });

  /** @param {Row} row */
  function shownBy(row) {
    switch (row.kind) {
      case 'post': {
        const { line, isLead } = row;
        const source = line.reply_to === undefined ? null : sourceOf(room, line.reply_to);
        return [line, isLead, state.people.get(line.from), source, source && state.people.get(source.from)];
      }
      case 'note': return [row.lines.length, ...row.lines.map(({ from }) => state.people.get(from))];
      case 'day': return [today()];
      case 'new': return [];
    }
  }

  /** @param {Row} row @param {HTMLElement | null} old @returns {HTMLElement} */
  function drawRow(row, old) {
    switch (row.kind) {
      case 'post': {
        const { line } = row;
        const own = line.key !== undefined && line.from === state.me?.name ? pendingRow(line.key) : null;
        return drawPost(old ?? own, state, room, line, row.isLead);
      }
      case 'note': {
        const first = /** @type {import('../model/timeline.js').Line} */ (row.lines[0]);
        const note = old ?? h('p.note-row', { 'data-seq': first.seq, title: exactTime(first.time), dir: 'auto' });
        setText(note, noteText(state, row.lines));
        return note;
      }
      case 'day': return h('h2.day', {}, h('span', {}, dayName(row.time)));
      case 'new': return h('p.new', {}, h('span', {}, t('newPosts')));
    }
  }

  return (nextState, nextRoom) => {
    [state, room] = [nextState, nextRoom];
    const { pages, atStart } = room.timeline;
    showPages(pages.map((page, at) => {
      const before = pages[at - 1]?.lines.at(-1) ?? null;
      return {
        key: String(page.lines[0]?.seq),
        of: { page, before },
        by: [page, before?.seq, before?.from, room.marker, atStart, room.quotes, state.people, today()],
      };
    }));
  };
}
