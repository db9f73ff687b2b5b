/** Names that complete an `@`, while one writes: arrow keys choose, Enter or Tab takes. */

import { current, person } from '../model.js';
import { t } from '../words.js';
import { h, stepOf } from './dom.js';
import { avatarOf, called } from './who.js';

const NAMES_MAX = 6;

/** @param {import('./view.js').Parts} parts @param {HTMLTextAreaElement} text @param {HTMLElement} box */
export function makeCompletion({ state }, text, box) {
  const list = h('div.menu.completion', { role: 'listbox', id: 'completion', 'aria-label': t('mention'), hidden: true });
  box.append(list);
  text.setAttribute('aria-autocomplete', 'list');
  /** @type {string[]} */
  let names = [];
  let at = 0;
  /** Where the cursor was then: the names are for what is before it. */
  let cursor = 0;

  /** What is written of a name before the cursor. */
  function begun() {
    return /(?:^|[^\p{L}\p{N}])@([\p{L}\p{N}_.-]{0,32})$/u.exec(text.value.slice(0, text.selectionStart))?.[1];
  }

  function look() {
    const room = current(state());
    const part = begun()?.toLocaleLowerCase();
    if (!room || part === undefined) return close();
    const known = new Set([...room.members ?? []].map(({ name }) => name).concat([...room.online ?? []], [...room.cursors.keys()]));
    known.delete(state().me?.name ?? '');
    const begins = (/** @type {string} */ name) => [name, person(state(), name).display ?? ''].some((one) => one.toLocaleLowerCase().startsWith(part));
    names = [...known].filter(begins).sort().slice(0, NAMES_MAX);
    at = 0;
    cursor = text.selectionStart;
    // A name that is written out is for Enter to send.
    if (names.every((name) => name.toLocaleLowerCase() === part)) return close();
    return draw();
  }

  function draw() {
    list.replaceChildren(...names.map((name, place) => h('div', {
      role: 'option', id: `completion-${place}`, 'aria-selected': String(place === at), onpointerdown: (/** @type {Event} */ event) => {
        event.preventDefault();
        choose(name);
      },
    }, avatarOf(state(), name), h('b', {}, called(state(), name)), h('small', {}, `@${name}`))));
    list.hidden = false;
    text.setAttribute('aria-controls', 'completion');
    text.setAttribute('aria-activedescendant', `completion-${at}`);
  }

  /** @param {string} name */
  function choose(name) {
    const part = begun() ?? '';
    text.setRangeText(`@${name} `, text.selectionStart - part.length - 1, text.selectionStart, 'end');
    close();
    text.dispatchEvent(new Event('input'));
  }

  function close() {
    list.hidden = true;
    names = [];
    text.removeAttribute('aria-activedescendant');
  }

  /** Whoever goes elsewhere in the text is done with the name. */
  function closeIfMoved() {
    if (names.length > 0 && (text.selectionStart !== cursor || text.selectionEnd !== cursor)) close();
  }

  text.addEventListener('input', look);
  text.addEventListener('blur', close);
  document.addEventListener('selectionchange', closeIfMoved);

  return {
    close,
    /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
    take(event) {
      // The event of it may be yet to come.
      closeIfMoved();
      if (names.length === 0) return false;
      const step = stepOf(event);
      if (step) {
        at = (at + step + names.length) % names.length;
        draw();
      } else if (event.key === 'Enter' || event.key === 'Tab') {
        choose(/** @type {string} */ (names[at]));
      } else if (event.key === 'Escape') {
        close();
      } else {
        return false;
      }
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}
