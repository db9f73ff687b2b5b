/** The head of a room: what it is called, who is here, and the way to its details and to search. */

import { current } from '../model.js';
import { hashOf } from '../model/place.js';
import { ago, duration, t } from '../words.js';
import { button, element, fill, h, iconButton, icon, onChange, setText } from './dom.js';
import { roomPicture, titleOf } from './who.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/room.js').Room} Room */

/** @param {import('./view.js').Parts} parts */
export function makeHeader({ dispatch, state, session }) {
  const head = element('head');
  const none = element('no-room');
  const toggle = (/** @type {'details' | 'search'} */ panel) => () => dispatch({ type: 'panel', panel: state().panel === panel ? null : panel });
  const search = iconButton('search', t('search'), toggle('search'));
  const details = iconButton('people', t('details'), toggle('details'));
  const title = h('h1', { dir: 'auto' });
  const about = h('p');
  let picture = h('span');
  head.append(h('a.icon-button.back', { href: hashOf(null), 'aria-label': t('toRooms') }, icon('back')),
    picture, h('div.about', {}, title, about), search, details);

  const show = onChange((/** @type {Room | null} */ room, /** @type {State['people']} */ _, /** @type {State['panel']} */ panel) => {
    head.hidden = room === null;
    if (!room) return;
    const now = state();
    search.setAttribute('aria-pressed', String(panel === 'search'));
    details.setAttribute('aria-pressed', String(panel === 'details'));
    const before = picture;
    picture = roomPicture(now, room);
    before.replaceWith(picture);
    setText(title, titleOf(now, room));
    setText(about, subtitle(room));
  });

  const showNone = onChange((/** @type {Room | null} */ room, /** @type {string | null} */ id, /** @type {string | undefined} */ why, /** @type {boolean} */ isHere) => {
    none.hidden = room !== null || !isHere;
    if (room || !isHere) return;
    const join = id !== null && !id.startsWith('~') && why === undefined;
    fill(none,
      h('h1', {}, id === null ? t('chooseRoom') : join ? t('joinTitle', { room: id }) : why === undefined ? t('entering') : t('noEntry')),
      h('p', {}, id === null ? t('chooseRoomNote') : join ? t('joinNote') : why ?? ''),
      join && button(t('join'), () => session.enter(session.chat.join(id), state().place.seq), 'primary'),
      h('a', { href: hashOf('lobby') }, t('toLobby')));
  });

  return (/** @type {State} */ next) => {
    const room = current(next);
    show(room, next.people, next.panel);
    showNone(room, next.place.room, next.refused.get(next.place.room ?? ''), next.me !== null && !next.arriving);
  };
}

/** @param {Room} room */
function subtitle(room) {
  if (room.kind === 'direct') {
    if (room.online?.has(room.name)) return t('online');
    const seen = room.members?.find(({ name }) => name === room.name)?.last_seen;
    return seen === undefined ? t('offlinePerson') : t('lastSeen', { ago: ago(Date.parse(seen)) });
  }
  return [
    room.count === null ? '' : t('here', { n: room.count }),
    room.total === null || room.kind === 'lobby' ? '' : t('membersCount', { n: room.total }),
    room.read_only ? t('readOnly') : '',
    room.slow_ms ? t('slowShort', { time: duration(room.slow_ms) }) : '',
  ].filter((text) => text).join(' · ') || t(room.kind);
}
