/** What the browser shows of the page when one looks elsewhere: the title, the icon, and notifications if they are wanted. */

import { current } from '../model.js';
import { plain } from '../model/format.js';
import { recall } from '../storage.js';
import { number, t } from '../words.js';
import { element, onChange } from './dom.js';
import { called, titleOf } from './who.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../client/types.js').PostEntry} PostEntry */

/** @param {State} state what wants attention: mentions, and posts to oneself */
function attentionIn({ rooms }) {
  return [...rooms.values()].reduce((sum, { kind, unread, mentions }) => sum + (kind === 'direct' ? unread : mentions), 0);
}

export function makeTitle() {
  const favicon = /** @type {HTMLLinkElement} */ (element('favicon'));
  const showTitle = onChange((/** @type {string} */ title) => { document.title = title; });
  const showIcon = onChange((/** @type {boolean} */ hasNews) => { favicon.href = hasNews ? 'favicon-news.svg' : 'favicon.svg'; });
  return (/** @type {State} */ state) => {
    const room = current(state);
    const attention = attentionIn(state);
    const unread = [...state.rooms.values()].some((one) => one.unread > 0);
    showTitle(`${attention > 0 ? `(${number(attention)}) ` : unread ? '• ' : ''}${room ? `${titleOf(state, room)} · ` : ''}wsrelay`);
    showIcon(attention > 0);
  };
}

/** Another tab or machine on which it is read has said so by then. */
const READ_ELSEWHERE_MS = 1_500;

/** @param {import('./view.js').Parts} parts */
export function watchForNotifications({ session, state }) {
  session.chat.on('entry', (entry) => {
    if (entry.kind !== 'post' || entry.deleted || !newsIn(entry)) return;
    if (recall('notify') !== 'on' || Notification.permission !== 'granted') return;
    setTimeout(show, READ_ELSEWHERE_MS, entry);
  });

  /** The room of a post that one should know of and has not seen. @param {PostEntry} entry */
  function newsIn(entry) {
    const { rooms, me, isAttending, place } = state();
    const room = rooms.get(entry.room);
    if (!room || !me || entry.from === me.name || entry.seq <= room.read) return null;
    const isLookedAt = isAttending && place.room === entry.room;
    const isForMe = room.kind === 'direct' || entry.mentions?.includes(me.name);
    return isForMe && !isLookedAt ? room : null;
  }

  /** @param {PostEntry} entry */
  function show(entry) {
    const room = newsIn(entry);
    if (!room) return;
    const title = t('notifyTitle', { name: called(state(), entry.from), room: titleOf(state(), room) });
    const notification = notify(title, { body: plain(entry.body ?? '').slice(0, 200), tag: entry.room, icon: 'favicon.svg' });
    if (!notification) return;
    notification.onclick = () => {
      window.focus();
      session.go(entry.room, entry.seq);
      notification.close();
    };
  }
}

/** Null where a page may ask to, and may not: Android leaves notifications to service workers. @param {string} title @param {NotificationOptions} options */
function notify(title, options) {
  try {
    return new Notification(title, options);
  } catch {
    return null;
  }
}
