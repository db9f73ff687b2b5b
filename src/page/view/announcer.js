/** Reads new posts of the room that one is in aloud, politely. Not its history, not one's own, and nothing of what was deleted. */

import { current } from '../model.js';
import { plain } from '../model/format.js';
import { element, h } from './dom.js';
import { called } from './who.js';

/** Of a crowd's posts the last few are read. */
const POSTS_MAX = 5;

/** @param {import('./view.js').Parts} parts */
export function makeAnnouncer({ session, state }) {
  const place = element('announcer');
  session.chat.on('entry', (entry) => {
    const now = state();
    const room = current(now);
    if (entry.kind !== 'post' || entry.deleted || room?.room !== entry.room || entry.seq <= room.read || entry.from === now.me?.name) return;
    place.append(h('p', {}, `${called(now, entry.from)}: ${plain(entry.body ?? '')}`));
    while (place.children.length > POSTS_MAX) place.firstElementChild?.remove();
  });

  // What was read to one person is not for the next at this page.
  return (/** @type {import('../model.js').State} */ { arriving }) => { if (arriving) place.replaceChildren(); };
}
