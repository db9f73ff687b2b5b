/** What can be done to a post: by its buttons, by its menu, by the tools that stand beside it. */

import { hashOf } from '../model/place.js';
import { isModerator, mayPin, mayPost, receiptsOf } from '../model/room.js';
import { find } from '../model/timeline.js';
import { listed, t } from '../words.js';
import { confirm, openDialog } from './dialog.js';
import { focusComposer, h } from './dom.js';
import { openEmoji } from './emoji.js';
import { openMenu } from './menu.js';
import { called } from './who.js';

/** @typedef {import('./view.js').Parts} Parts */
/** @typedef {import('../model/room.js').Room} Room */
/** @typedef {import('../model/timeline.js').PostLine} PostLine */

/** @param {Parts} parts @param {Room} room @param {HTMLElement} row @param {HTMLElement} button with what it does in `data-does` */
export function actOn(parts, room, row, button) {
  const { session } = parts;
  const { does, emoji, seq } = button.dataset;
  const { key } = row.dataset;
  if (key !== undefined && does === 'retry') return session.attempt(session.chat.retry(key));
  if (key !== undefined && does === 'discard') return session.chat.discard(key);
  if (does === 'jump') return session.go(room.room, Number(seq));
  const post = find(room.timeline, Number(row.dataset.seq));
  if (post?.kind !== 'post') return undefined;
  switch (does) {
    case 'react': return react(parts, room, post, emoji ?? '');
    case 'pick': return openEmoji(button, (chosen) => react(parts, room, post, chosen));
    case 'reply': case 'edit': return compose(parts, room, post, does);
    default: return openPostMenu(parts, room, post, button);
  }
}

/** @param {Parts} parts @param {Room} room @param {PostLine} post @param {string} emoji */
function react({ session, state }, room, post, emoji) {
  const mine = post.reactions?.some((one) => one.emoji === emoji && one.users.includes(state().me?.name ?? '')) ?? false;
  return session.attempt(session.chat.react(room.room, post.seq, emoji, !mine));
}

/** @param {Parts} parts @param {Room} room @param {PostLine} post @param {'reply' | 'edit'} kind */
function compose({ dispatch }, { room }, { seq }, kind) {
  dispatch({ type: 'compose', room, composing: { kind, seq } });
  focusComposer();
}

/** @param {Parts} parts @param {Room} room @param {PostLine} post @param {HTMLElement} anchor */
function openPostMenu(parts, room, post, anchor) {
  const { session, state } = parts;
  const isMine = post.from === state().me?.name;
  const isThere = !post.deleted;
  openMenu(anchor, [
    isThere && mayPost(room) && { label: t('reply'), icon: 'reply', does: () => compose(parts, room, post, 'reply') },
    isThere && isMine && { label: t('edit'), icon: 'edit', does: () => compose(parts, room, post, 'edit') },
    isThere && { label: t('copyText'), icon: 'copy', does: () => copy(parts, post.body ?? '') },
    { label: t('copyLink'), icon: 'link', does: () => copy(parts, linkTo(room.room, post.seq)) },
    isThere && mayPin(room) && { label: t(post.pinned ? 'unpin' : 'pin'), icon: 'pin', does: () => session.attempt(session.chat.pin(room.room, post.seq, !post.pinned)) },
    isThere && isMine && { label: t('whoRead'), icon: 'checks', does: () => openReceipts(parts, room, post) },
    isThere && (isMine || isModerator(room)) && { label: t('delete'), icon: 'trash', danger: true, does: () => confirm('delete', () => session.chat.delete(room.room, post.seq)) },
  ]);
}

/** @param {Parts} parts @param {Room} room @param {PostLine} post */
function openReceipts({ state }, room, post) {
  const { read, received } = receiptsOf(state().rooms.get(room.room) ?? room, post);
  const part = (/** @type {string} */ title, /** @type {string[]} */ names) => h('p', {}, h('b', {}, `${title}: `),
    names.length > 0 ? listed(names.map((name) => called(state(), name))) : t('nobody'));
  openDialog(t('whoRead'), h('div.form', {}, part(t('read'), read), part(t('delivered'), received)));
}

/** @param {string} room @param {number | null} [seq] */
export function linkTo(room, seq = null) {
  return location.origin + location.pathname + hashOf(room, seq);
}

/** @param {Parts} parts @param {string} text */
export async function copy({ session }, text) {
  // Pages of plain `http:` elsewhere than on this machine have no clipboard.
  if (!navigator.clipboard) return void openDialog(t('copyText'), h('p.copyable', {}, text));
  await session.attempt(navigator.clipboard.writeText(text).then(() => session.tell(t('copied'))));
}
