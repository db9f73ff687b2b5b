/** One post as a row: who, when, what, to what, and what others make of it. Draws; what is clicked is `timeline.js`'s. */

import { sourceOf } from '../model/needs.js';
import { plain } from '../model/format.js';
import { clockTime, exactTime, listed, number, t } from '../words.js';
import { refusal } from '../session.js';
import { formatted } from './formatted.js';
import { fill, h, icon, keepFocus } from './dom.js';
import { avatarOf, called, nameTag } from './who.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/room.js').Room} Room */
/** @typedef {import('../model/timeline.js').PostLine} PostLine */

/** @param {HTMLElement | null} old @param {State} state @param {Room} room @param {PostLine} line @param {boolean} isLead */
export function drawPost(old, state, room, line, isLead) {
  const row = old ?? h('article.post', { tabindex: -1 }, h('div.content'));
  const me = state.me?.name ?? '';
  row.dataset.seq = String(line.seq);
  row.classList.remove('waiting', 'failed', 'sent');
  delete row.dataset.key;
  row.classList.toggle('lead', isLead);
  row.classList.toggle('mine', line.from === me);
  row.classList.toggle('to-me', line.mentions?.includes(me) ?? false);
  row.classList.toggle('pinned', line.pinned ?? false);
  row.setAttribute('aria-label', `${called(state, line.from)}, ${clockTime(line.time)}`);
  draw(row,
    isLead && avatarOf(state, line.from),
    isLead ? h('p.who', {}, nameTag(state, line.from), line.guest && h('small.tag', {}, t('guest')), timeOf(line)) : timeOf(line),
    line.pinned && h('p.mark', {}, icon('pin'), t('pinned')),
    line.reply_to !== undefined && quote(state, room, line.reply_to),
    line.deleted ? h('p.body.gone', {}, t('deleted')) : body(line, me),
    reactions(state, line, me));
  return row;
}

/** A post that the server does not have yet. @param {HTMLElement | null} old @param {State} state @param {Room} room @param {import('../client/types.js').OutboxPost} post @param {boolean} isLead */
export function drawPending(old, state, room, post, isLead) {
  const row = old ?? h('article', { tabindex: -1 }, h('div.content'));
  const me = /** @type {import('../model.js').User} */ (state.me);
  const isLate = post.until !== undefined && post.until > Date.now();
  row.className = `post mine ${post.state}${isLead ? ' lead' : ''}`;
  row.dataset.key = post.key;
  row.setAttribute('aria-label', `${called(state, me.name)}, ${t(post.state === 'failed' ? 'failed' : 'waiting')}`);
  const isFailed = post.state === 'failed';
  draw(row,
    isLead && avatarOf(state, me.name),
    isLead && h('p.who', {}, nameTag(state, me.name)),
    post.reply_to !== undefined && quote(state, room, post.reply_to),
    formatted(post.body, [], me.name),
    h('p', { class: isFailed ? 'receipt failed' : 'receipt' }, icon(isFailed ? 'warn' : 'clock'),
      isFailed ? t('failedWhy', { why: refusal(post.error) }) : post.state === 'sent' ? t('sent')
        : isLate ? t('waitingUntil', { time: exactTime(post.until ?? 0) }) : t('waiting'),
      isFailed && h('button', { 'data-does': 'retry' }, t('retry')),
      (isFailed || isLate || post.state !== 'sent' && state.link.phase !== 'connected') && h('button', { 'data-does': 'discard' }, t('discard'))));
  return row;
}

/** @param {HTMLElement} row @param {...import('./dom.js').Child} content */
function draw(row, ...content) {
  keepFocus(row, () => fill(/** @type {Element} */ (row.firstElementChild), ...content));
}

/** @param {PostLine} line */
function timeOf({ time, at }) {
  return h('time', { datetime: at, title: exactTime(time) }, clockTime(time));
}

/** @param {PostLine} line @param {string} me */
function body(line, me) {
  const node = formatted(line.body ?? '', line.mentions ?? [], me);
  if (line.edited !== undefined) {
    const mark = h('small.edited', { title: exactTime(Date.parse(line.edited)) }, ` ${t('edited')}`);
    const last = node.lastElementChild;
    (last?.tagName === 'P' ? last : node).append(mark);
  }
  return node;
}

/** @param {State} state @param {Room} room @param {number} seq */
function quote(state, room, seq) {
  const source = sourceOf(room, seq);
  const text = source === undefined ? '…' : !source ? t('sourceGone') : source.deleted ? t('deleted') : plain(source.body ?? '').slice(0, 200);
  return h('button.quote', { 'data-does': 'jump', 'data-seq': seq, 'data-name': 'quote' },
    icon('reply'), h('i.unseen', {}, t('replyingTo')), source && nameTag(state, source.from), h('span', { dir: 'auto' }, text));
}

/** @param {State} state @param {PostLine} line @param {string} me */
function reactions(state, { reactions: all = [] }, me) {
  if (all.length === 0) return null;
  return h('p.reactions', {}, ...all.map(({ emoji, users }) => {
    const names = listed(users.slice(0, 20).map((name) => called(state, name)));
    return h('button', {
      'data-does': 'react', 'data-emoji': emoji, 'data-name': emoji, 'aria-pressed': String(users.includes(me)), title: t('reacted', { emoji, names }),
    }, emoji, ` ${number(users.length)}`);
  }));
}
