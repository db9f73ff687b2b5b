/** The tools beside the post that is pointed at or has the focus: one set of them, which moves. Arrow keys go from post to post. */

import { current } from '../model.js';
import { mayPost } from '../model/room.js';
import { t } from '../words.js';
import { h, icon, stepOf } from './dom.js';

const QUICK = ['👍', '❤️', '😂'];

/** @param {import('./view.js').Parts} parts @param {HTMLElement} log */
export function makeTools({ state }, log) {
  const tool = (/** @type {import('./dom.js').Icon} */ sign, /** @type {string} */ does, /** @type {string} */ label) => (
    h('button.icon-button', { 'data-does': does, 'aria-label': label, title: label }, icon(sign)));
  const quick = QUICK.map((emoji) => h('button.icon-button', { 'data-does': 'react', 'data-emoji': emoji, 'aria-label': t('reactWith', { emoji }) }, emoji));
  const edit = tool('edit', 'edit', t('edit'));
  const speaking = [...quick, tool('smile', 'pick', t('react')), tool('reply', 'reply', t('reply')), edit];
  const tools = h('div.tools', { role: 'toolbar', 'aria-label': t('tools') }, ...speaking, tool('more', 'menu', t('more')));

  /** What was pointed at last. @type {HTMLElement | null} */
  let pointed = null;

  /** @param {HTMLElement | null} row */
  function moveTo(row) {
    const room = current(state());
    // While its menu is open the tools stay where it came from.
    if (!row || !room || row.dataset.seq === undefined || tools.querySelector('[aria-expanded]')) return;
    const isOver = row.querySelector('.gone') !== null || !mayPost(room);
    for (const one of speaking) one.hidden = isOver;
    edit.hidden ||= !row.classList.contains('mine');
    if (tools.parentElement !== row) row.append(tools);
  }

  const rowOf = (/** @type {EventTarget | null} */ target) => /** @type {Element} */ (target).closest('article');
  log.addEventListener('pointerover', ({ target }) => {
    pointed = rowOf(target);
    moveTo(pointed);
  });
  log.addEventListener('focusin', ({ target }) => moveTo(rowOf(target)));

  log.addEventListener('keydown', (event) => {
    const step = stepOf(event);
    if (!step || event.altKey || event.target !== log && !(/** @type {Element} */ (event.target).matches('article'))) return;
    const posts = /** @type {HTMLElement[]} */ ([...log.querySelectorAll('article')]);
    const at = posts.findIndex((one) => one === document.activeElement);
    event.preventDefault();
    posts[at < 0 ? posts.length - 1 : Math.min(Math.max(at + step, 0), posts.length - 1)]?.focus();
  });
  // The post that is pointed at may have become one for tools, without the pointer moving.
  return () => {
    if (pointed?.matches(':hover') && tools.parentElement !== pointed && !tools.contains(document.activeElement)) moveTo(pointed);
  };
}
