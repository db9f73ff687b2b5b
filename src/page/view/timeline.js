/**
 * Where one is in a room's lines: at the present and follows it, or somewhere back and stays there while rows come above and
 * below. Reads on in both directions before one comes to the end.
 */

import { current } from '../model.js';
import { spans } from '../model/timeline.js';
import { t } from '../words.js';
import { actOn } from './acts.js';
import { element, focusComposer, h, icon, keepFocus, keyed, onChange } from './dom.js';
import { makePages } from './pages.js';
import { drawPending } from './post.js';
import { makeReceipt } from './receipt.js';
import { makeTools } from './tools.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/place.js').Place} Place */
/** @typedef {import('../model/room.js').Room} Room */
/** @typedef {import('../client/types.js').OutboxPost} OutboxPost */

/** So near to an end more is read, in pixels: two screens of a phone. */
const READ_ON_PX = 1_500;

/** Somebody is at the bottom who is this near to it: zoomed pages stop at fractions of a pixel. */
const BOTTOM_PX = 24;

/** @param {import('./view.js').Parts} parts */
export function makeTimeline(parts) {
  const { session, dispatch } = parts;
  const log = element('timeline');
  const edge = h('div.edge');
  const pages = h('div');
  const pending = h('div');
  const toNew = h('button.jump.up', { onclick: jumpToNew });
  const toPresent = h('button.jump.down', { onclick: jumpToPresent });
  log.setAttribute('aria-label', t('posts'));
  log.append(edge, pages, pending);
  log.after(toNew, toPresent);
  const showTools = makeTools(parts, log);
  const showReceipt = makeReceipt(rowOf);
  let showPages = makePages(pages, pendingRow);

  /** @type {State} */
  let state = parts.state();
  /** @type {Room | null} */
  let room = null;
  let follows = true;
  /** The room's last entry when one saw its end, once one has been brought to where it begins for one. @type {number | null} */
  let shown = null;
  /** Whether one has gone to its end, or elsewhere, since then. */
  let hasGone = false;
  let height = 0;
  /** Where one went last, and whether the post that the address names is yet to be shown. @type {{ place: Place | null, isDue: boolean }} */
  let target = { place: null, isDue: false };

  const showPending = keyed(pending, (/** @type {{ post: OutboxPost, isLead: boolean }} */ { post, isLead }, old) => (
    drawPending(old, state, /** @type {Room} */ (room), post, isLead)));

  const show = onChange((/** @type {Room | null} */ next, /** @type {Place} */ place, /** @type {unknown[]} */ ..._) => {
    if (next?.room !== room?.room) begin();
    if (place !== target.place) {
      if (target.place && place.isEnd) follows = hasGone = true;
      target = { place, isDue: place.seq !== null };
    }
    if (next?.marker !== room?.marker) hasGone = false;
    room = next;
    log.hidden = next === null;
    toNew.hidden = toPresent.hidden = true;
    if (!next) return;
    if (!next.timeline.isLoaded) {
      follows = true;
      target = { place, isDue: place.seq !== null };
      if (next.want === 'new') {
        shown = null;
        hasGone = false;
      }
    }
    const anchor = follows ? null : firstInView();
    showPages(state, next);
    const isMineLast = next.last?.kind === 'post' && next.last.from === state.me?.name;
    showPending(next.pending.map((post, at) => ({
      key: post.key, of: { post, isLead: at === 0 && !isMineLast }, by: [post, at === 0 && !isMineLast, state.link.phase],
    })));
    showEdge(next);
    showReceipt(state, next);
    showTools();
    if (target.isDue) reveal(next, place.seq);
    else if (follows) toEnd(next);
    else if (anchor?.row.isConnected) log.scrollTop += anchor.row.getBoundingClientRect().top - anchor.top;
    showJumps(next);
    measure();
  });

  /** The row of a line; or, because an address can name what is no line, the one before it. @param {number} seq */
  function rowOf(seq) {
    const page = [...pages.children].findLast((one) => Number(one.getAttribute('data-first')) <= seq) ?? pages;
    const rows = /** @type {HTMLElement[]} */ ([...page.querySelectorAll('[data-seq]:not(button)')]);
    return rows.findLast((one) => Number(one.dataset.seq) <= seq) ?? rows[0];
  }

  /** A post that has arrived goes on with the row that it had while it waited. @param {string} key */
  function pendingRow(key) {
    return /** @type {HTMLElement | null} */ (pending.querySelector(`[data-key="${CSS.escape(key)}"]`));
  }

  /** The line above what is new. */
  function markOf() {
    return room?.marker === null ? null : pages.querySelector('.new');
  }

  function begin() {
    pages.replaceChildren();
    showPages = makePages(pages, pendingRow);
    follows = true;
    shown = null;
    hasGone = false;
    target = { place: null, isDue: false };
  }

  /** Of lines alone: the rows of days and of what is new go when others come above them. */
  function firstInView() {
    const { top } = log.getBoundingClientRect();
    const isInView = (/** @type {Element} */ one) => one.getBoundingClientRect().bottom > top;
    const page = [...pages.children].find(isInView);
    const row = [...page?.querySelectorAll(':scope > [data-seq]') ?? []].find(isInView);
    return row ? { row, top: row.getBoundingClientRect().top } : null;
  }

  /** @param {Room} of */
  function toEnd(of) {
    log.scrollTop = log.scrollHeight;
    if (!of.timeline.isLoaded) return;
    // Then something has come that nobody sees.
    const isUnseen = of.seq !== shown && (document.hidden || state.link.phase !== 'connected' || of.told < of.seq);
    const isPlaced = shown !== null && !isUnseen;
    shown = isUnseen ? null : of.seq;
    if (isPlaced) return;
    // Who comes, or comes back, to more than a screen of new posts begins where they begin.
    const mark = markOf();
    if (!mark || hasGone || of.read > (of.marker ?? 0)) return;
    if (mark.getBoundingClientRect().top > log.getBoundingClientRect().top) return;
    mark.scrollIntoView({ block: 'start' });
    follows = false;
  }

  /** @param {Room} of @param {number | null} seq */
  function reveal(of, seq) {
    if (seq === null || !spans(of.timeline, seq)) return;
    const row = rowOf(seq);
    target = { ...target, isDue: false };
    follows = false;
    hasGone = true;
    if (!row) return;
    row.scrollIntoView({ block: 'center' });
    row.classList.remove('flash');
    // Reading the width lets the browser see the class gone, so that the animation starts anew.
    void row.offsetWidth;
    row.classList.add('flash');
    // Lines that are read anew take nobody from what they are writing.
    if (!document.querySelector('textarea:focus:not(:placeholder-shown)')) row.focus({ preventScroll: true });
  }

  /** Before the first line: what is there, or that nothing is. @param {Room} of */
  function showEdge({ timeline, first, lost, want, kind }) {
    const { atStart, isLoaded, pages: all } = timeline;
    const gone = Math.max(lost, first !== null ? first - 1 : 0);
    const isLoading = !isLoaded || want === 'before';
    const text = !atStart ? t(isLoading ? 'loading' : 'loadEarlier') : gone > 0 ? t('notKept', { n: gone })
      : all.length === 0 ? t(kind === 'direct' ? 'emptyDirect' : 'emptyRoom') : kind === 'direct' ? '' : t('beginning');
    log.setAttribute('aria-busy', String(!isLoaded));
    edge.classList.toggle('empty', atStart && all.length === 0);
    if (edge.textContent === text) return;
    keepFocus(log, () => edge.replaceChildren(atStart || isLoading ? h('p', {}, text) : h('button', { onclick: () => readOn('before') }, text)));
  }

  /** @param {Room} of */
  function showJumps(of) {
    toNew.replaceChildren(t('newAbove', { n: of.unread }));
    toPresent.classList.toggle('news', of.unread > 0);
    toPresent.replaceChildren(icon('down'), of.unread > 0 ? t('newBelow', { n: of.unread }) : h('span.unseen', {}, t('toPresent')));
    hideJumps(of);
  }

  /** Nobody jumps to what is in sight. @param {Room} of */
  function hideJumps(of) {
    const mark = markOf();
    const { atStart, atEnd, isLoaded } = of.timeline;
    const isNewAbove = mark ? mark.getBoundingClientRect().bottom < log.getBoundingClientRect().top : isLoaded && !atStart;
    toNew.hidden = of.marker === null || of.unread === 0 || !isNewAbove;
    toPresent.hidden = !isLoaded || (follows && atEnd);
  }

  function jumpToNew() {
    const mark = markOf();
    follows = false;
    if (mark) mark.scrollIntoView({ block: 'start' });
    else if (room?.marker) session.go(room.room, room.marker);
  }

  function jumpToPresent() {
    if (!room) return;
    session.goToPresent(room.room);
    focusComposer();
  }

  /** @param {'before' | 'after' | null} want */
  function readOn(want) {
    if (!room) return;
    // What has come since it was drawn is not in sight.
    const now = parts.state().rooms.get(room.room) ?? room;
    dispatch({ type: 'scrolled', room: room.room, isAtBottom: follows && (now === room || now.isAtBottom), want });
  }

  function measure() {
    if (!room?.timeline.isLoaded || log.clientHeight === 0) return;
    // A phone's keyboard takes half of the page, and a notice a line: who read the end wants to go on reading it.
    if (follows && log.clientHeight !== height) log.scrollTop = log.scrollHeight;
    height = log.clientHeight;
    const { atStart, atEnd } = room.timeline;
    const below = log.scrollHeight - log.clientHeight - log.scrollTop;
    follows = below < BOTTOM_PX && atEnd && !target.isDue;
    const want = log.scrollTop < READ_ON_PX && !atStart ? 'before' : below < READ_ON_PX && !atEnd ? 'after' : null;
    if (follows !== room.isAtBottom || want !== room.want) readOn(want);
  }

  log.addEventListener('scroll', () => {
    measure();
    if (room) hideJumps(room);
  }, { passive: true });
  new ResizeObserver(measure).observe(log);

  log.addEventListener('click', ({ target: hit }) => {
    const button = /** @type {Element} */ (hit).closest('[data-does]');
    const row = button?.closest('article');
    if (button instanceof HTMLElement && row && room) actOn(parts, room, row, button);
  });

  return (/** @type {State} */ next) => {
    state = next;
    show(current(next), next.place, next.people, next.link.phase);
  };
}
