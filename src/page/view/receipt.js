/** Below one's last post: how far it has come, and who has read it. */

import { receiptsOf } from '../model/room.js';
import { backwards } from '../model/timeline.js';
import { listed, t } from '../words.js';
import { h, icon } from './dom.js';
import { called } from './who.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/room.js').Room} Room */

/** The post is looked for in so many of the last lines. */
const LINES = 100;
/** More names than these are a number, and named on hover. */
const NAMES = 3;

/** @param {(seq: number) => HTMLElement | undefined} rowOf */
export function makeReceipt(rowOf) {
  const mark = h('p.receipt');
  let shown = '';

  return (/** @type {State} */ state, /** @type {Room} */ room) => {
    const post = lastOwn(state, room);
    const row = post && rowOf(post.seq);
    if (!post || !row) return mark.remove();
    const { read, received } = receiptsOf(room, post);
    const names = listed(read.map((name) => called(state, name)));
    const text = read.length > 0 ? room.kind === 'direct' ? t('read') : read.length > NAMES ? t('readByMany', { n: read.length }) : t('readBy', { names })
      : t(received.length > 0 ? 'delivered' : 'sent');
    if (shown !== text + names) {
      shown = text + names;
      mark.classList.toggle('read', read.length > 0);
      mark.title = names;
      mark.replaceChildren(icon(read.length + received.length > 0 ? 'checks' : 'check'), text);
    }
    if (mark.parentElement !== row) row.append(mark);
  };
}

/** @param {State} state @param {Room} room */
function lastOwn(state, room) {
  let looked = 0;
  for (const line of backwards(room.timeline)) {
    looked += 1;
    if (looked > LINES) return null;
    if (line.kind === 'post' && line.from === state.me?.name && !line.deleted) return line;
  }
  return null;
}
