/** Keys that work everywhere, and the page that tells of them. */

import { current } from '../model.js';
import { listed } from '../model/list.js';
import { t } from '../words.js';
import { openDialog } from './dialog.js';
import { focusComposer, h, isComposing } from './dom.js';

/** @type {[string, import('../words.js').Word][]} */
const SHORTCUTS = [
  ['Ctrl K', 'keyFind'], ['Alt ↑ ↓', 'keyRooms'], ['Ctrl Shift F', 'keySearch'], ['↑', 'keyEdit'], ['Enter', 'keySend'], ['Shift Enter', 'keyLine'],
  ['Ctrl B, Ctrl I', 'keyForm'], ['Esc', 'keyEscape'], ['@', 'keyMention'], ['Ctrl /', 'keyHelp'],
];
const FORMS = ['**bold**', '_italic_', '~~struck~~', '`code`', '```', '> …', '- …', '[…](https://…)'];

/** @param {import('./view.js').Parts} parts @param {{ find(): void }} rooms */
export function watchKeys(parts, rooms) {
  addEventListener('keydown', (event) => {
    const isControl = (event.ctrlKey || event.metaKey) && !event.altKey;
    const key = event.key.toLowerCase();
    if (isComposing(event) || parts.state().arriving || document.querySelector('dialog[open], :popover-open')) return;
    if (isControl && key === 'k') rooms.find();
    else if (isControl && event.shiftKey && key === 'f') parts.dispatch({ type: 'panel', panel: 'search' });
    else if (isControl && event.key === '/') openShortcuts();
    else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) step(parts, event.key === 'ArrowUp' ? -1 : 1);
    else if (event.key === 'Escape') escape(parts);
    else return;
    event.preventDefault();
  });
}

/** @param {import('./view.js').Parts} parts @param {1 | -1} by */
function step({ state, session }, by) {
  const { rooms, people } = listed(state(), '');
  const all = [...rooms, ...people];
  const at = all.findIndex(({ room }) => room === state().place.room);
  const next = all[(at + by + all.length) % all.length];
  if (next) session.go(next.room);
}

/** What is open is closed; then all is read. @param {import('./view.js').Parts} parts */
function escape({ state, dispatch, session }) {
  const room = current(state());
  if (state().panel) dispatch({ type: 'panel', panel: null });
  else if (room) {
    session.chat.read(room.room, room.seq);
    dispatch({ type: 'seen', room: room.room, seq: room.seq });
    dispatch({ type: 'unmark', room: room.room });
  }
  focusComposer();
}

export function openShortcuts() {
  openDialog(t('shortcuts'), h('div.form', {},
    h('dl.keys', {}, ...SHORTCUTS.flatMap(([keys, word]) => [h('dt', {}, h('kbd', {}, keys)), h('dd', {}, t(word))])),
    h('h3', {}, t('forms')), h('p.forms', {}, ...FORMS.map((one) => h('code', {}, one)))));
}
