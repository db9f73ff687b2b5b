/** A list of things to do, beside what it is about. The platform closes it and gives the focus back. */

import { h, icon, stepOf } from './dom.js';

/** @typedef {{ label: string, does: () => void, icon?: import('./dom.js').Icon, danger?: boolean }} Item */

/** @param {HTMLElement} anchor @param {(Item | null | false)[]} items */
export function openMenu(anchor, items) {
  const buttons = items.filter((item) => !!item).map((item) => h('button', {
    role: 'menuitem', class: item.danger ? 'danger' : '',
    onclick: () => { menu.hidePopover(); item.does(); },
  }, item.icon ? icon(item.icon) : null, item.label));
  const menu = h('div.menu', { role: 'menu', popover: 'auto' }, ...buttons);
  menu.addEventListener('keydown', (event) => {
    const step = stepOf(event);
    if (event.key === 'Tab') menu.hidePopover();
    if (!step) return;
    event.preventDefault();
    const at = buttons.findIndex((one) => one === document.activeElement) + step;
    buttons.at(at % buttons.length)?.focus();
  });
  float(menu, anchor);
  buttons[0]?.focus();
}

/** Shows something beside an element, within the window, until one turns away from it. @param {HTMLElement} popover @param {HTMLElement} anchor */
export function float(popover, anchor) {
  const back = document.activeElement;
  anchor.setAttribute('aria-expanded', 'true');
  // In the same part of the page; and from a dialog in the dialog, because what is behind it is inert.
  (anchor.closest('dialog, nav, main, aside') ?? document.body).append(popover);
  popover.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === 'open') return;
    anchor.removeAttribute('aria-expanded');
    const hadFocus = popover.contains(document.activeElement) || document.activeElement === document.body;
    popover.remove();
    if (hadFocus && back instanceof HTMLElement) back.focus();
  });
  popover.showPopover();
  const from = anchor.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const below = from.bottom + height + 8 <= innerHeight;
  const start = getComputedStyle(anchor).direction === 'rtl' ? from.left : from.right - width;
  popover.style.setProperty('left', `${Math.max(8, Math.min(start, innerWidth - width - 8))}px`);
  popover.style.setProperty('top', `${below ? from.bottom + 4 : Math.max(8, from.top - height - 4)}px`);
}
