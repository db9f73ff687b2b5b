/** What the browser shows of the page when one looks elsewhere: the title, the icon, and notifications if they are wanted. */

import { current } from '../model.js';
import { plain } from '../model/format.js';
import { recall } from '../storage.js';
import { number, t } from '../words.js';
import { element, onChange } from './dom.js';
import { called, titleOf } from './who.js';

/** @typedef {import('../model.js').State} State */

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

/** @param {import('./view.js').Parts} parts */
export function watchForNotifications({ session, state }) {
  session.chat.on('entry', (entry) => {
    const now = state();
    const room = now.rooms.get(entry.room);
    if (entry.kind !== 'post' || !room || !now.me || entry.from === now.me.name || entry.seq <= room.read) return;
    const isLookedAt = now.isAttending && now.place.room === entry.room;
    const isForMe = room.kind === 'direct' || entry.mentions?.includes(now.me.name);
    if (isLookedAt || !isForMe || recall('notify') !== 'on' || Notification.permission !== 'granted') return;
    const notification = notify(t('notifyTitle', { name: called(now, entry.from), room: titleOf(now, room) }), {
      body: plain(entry.body ?? '').slice(0, 200), tag: entry.room, icon: 'favicon.svg',
    });
    if (!notification) return;
    notification.onclick = () => {
      window.focus();
      session.go(entry.room, entry.seq);
      notification.close();
    };
  });
}

/** Null where a page may ask to, and may not: Android leaves notifications to service workers. @param {string} title @param {NotificationOptions} options */
function notify(title, options) {
  try {
    return new Notification(title, options);
  } catch {
    return null;
  }
}
