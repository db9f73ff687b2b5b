/** The list of rooms and people, its filter, and what begins a new one. Arrow keys go through it. */

import { plain } from '../model/format.js';
import { joinable, listed } from '../model/list.js';
import { hashOf } from '../model/place.js';
import { draftKey, recall } from '../storage.js';
import { exactTime, number, shortTime, t } from '../words.js';
import { openBrowse, openCreate, openDirect } from './begin.js';
import { button, element, fill, h, iconButton, isComposing, keyed, onChange, stepOf, today } from './dom.js';
import { makeLookup } from './lookup.js';
import { openMenu } from './menu.js';
import { noteText } from './note.js';
import { openSettings } from './settings.js';
import { avatar, called, roomPicture, titleOf } from './who.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/room.js').Room} Room */

/** Open rooms, and people whom one does not know, that are shown for what was typed. */
const OTHERS_MAX = 8;

/** @param {import('./view.js').Parts} parts */
export function makeRooms(parts) {
  const { session, dispatch, state } = parts;
  const nav = element('rooms');
  const filter = h('input', { type: 'search', 'aria-label': t('find'), placeholder: t('find'), title: 'Ctrl+K', maxlength: 64, spellcheck: 'false', oninput: () => show(state()), onfocus: session.refreshRooms });
  const list = h('div.list', { onkeydown: walk });
  const add = iconButton('add', t('begin'), () => openMenu(add, [
    { label: t('beginOpen'), icon: 'hash', does: () => openBrowse(parts) },
    !state().me?.guest && { label: t('beginGroup'), icon: 'people', does: () => openCreate(parts, 'group') },
    { label: t('beginDirect'), icon: 'smile', does: () => openDirect(parts) },
    { label: t('beginInvite'), icon: 'link', does: () => openCreate(parts, 'invite') },
  ]), { 'aria-haspopup': 'menu' });
  const me = h('button.me', { onclick: () => openSettings(parts) });
  nav.setAttribute('aria-label', t('rooms'));
  nav.append(h('header', {}, h('h1', {}, 'wsrelay'), add), filter, list, me);

  const lookup = makeLookup(filter, async (query) => {
    if (query === '') return [];
    const answer = await session.chat.users(query, { limit: OTHERS_MAX }).catch(() => null);
    if (answer) dispatch({ type: 'users', users: answer.users });
    return answer?.users ?? null;
  }, () => show(state()));

  filter.addEventListener('keydown', (event) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter') choose();
    else if (event.key === 'ArrowDown') first()?.focus();
    else if (event.key === 'Escape' && filter.value !== '') event.stopPropagation();
    else return;
    event.preventDefault();
    if (event.key === 'Escape') clear();
  });

  /** @returns {HTMLElement | null} */
  const first = () => list.querySelector('a, button');

  /** The first of what is there; if nothing is, of whom the server finds. */
  function choose() {
    if (first()) take();
    else lookup.whenFound(take);
  }

  function take() {
    first()?.click();
    clear();
  }

  function clear() {
    filter.value = '';
    show(state());
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    const step = stepOf(event);
    if (!step || event.altKey) return;
    event.preventDefault();
    const stops = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('a, button')]);
    (stops[stops.findIndex((one) => one === document.activeElement) + step] ?? filter).focus();
  }

  list.addEventListener('click', (event) => {
    if (/** @type {Element} */ (event.target).closest('a, button')) clear();
  });

  const showMe = onChange((/** @type {import('../model.js').User | null} */ user) => {
    if (!user) return;
    me.replaceChildren(h('span.unseen', {}, t('settings')), avatar(user), h('span', {}, h('b', { dir: 'auto' }, user.display ?? user.name),
      h('small', {}, user.guest ? t('guest') : `@${user.name}`)), h('span.lamp', { title: t('connected') }));
  });

  /** @template T @param {string} title @param {(item: T, old: HTMLElement | null) => HTMLElement} fill */
  function section(title, fill) {
    const items = h('ul');
    const part = h('section', { 'aria-label': title }, h('h2', {}, title), items);
    const showItems = keyed(items, fill);
    list.append(part);
    return (/** @type {Parameters<typeof showItems>[0]} */ all) => {
      part.hidden = all.length === 0;
      showItems(all);
    };
  }

  const drawRoom = (/** @type {Room} */ room, /** @type {HTMLElement | null} */ old) => drawItem(old, state(), room);
  const showRooms = section(t('rooms'), drawRoom);
  const showPeople = section(t('people'), drawRoom);
  const showOpen = section(t('joinable'), (/** @type {string} */ name) => (
    h('li', {}, button(`# ${name}`, () => session.enter(session.chat.join(name)), 'other'))));
  const showOthers = section(t('morePeople'), (/** @type {import('../model.js').User} */ user) => {
    const other = button(user.display ?? user.name, () => session.enter(session.chat.direct(user.name)), 'other');
    other.prepend(avatar(user));
    return h('li', {}, other);
  });

  /** @param {State} now */
  function show(now) {
    list.hidden = me.hidden = !now.me;
    if (!now.me) return;
    showMe(now.me);
    const query = filter.value.trim();
    const { rooms, people } = listed(now, query);
    const items = (/** @type {Room[]} */ those) => those.map((room) => ({
      key: room.room, of: room, by: [room.last, room.at, room.unread, room.mentions, room.name, room.online, room.room === now.place.room, draftIn(now, room), now.people, today()],
    }));
    showRooms(items(rooms));
    showPeople(items(people));
    const open = query === '' ? [] : joinable(now, query).slice(0, OTHERS_MAX);
    showOpen(open.map((name) => ({ key: name, of: name, by: [] })));
    const others = (lookup.found() ?? []).filter(({ name }) => name !== now.me?.name && !people.some((room) => room.name === name));
    showOthers(others.map((user) => ({ key: user.name, of: user, by: [user.display, user.hue] })));
  }

  return { show, find() { filter.focus(); filter.select(); } };
}

/** @param {HTMLElement | null} old @param {State} state @param {Room} room */
function drawItem(old, state, room) {
  const link = old?.querySelector('a') ?? h('a', { href: hashOf(room.room) });
  if (state.place.room === room.room) link.setAttribute('aria-current', 'page');
  else link.removeAttribute('aria-current');
  link.classList.toggle('unread', room.unread > 0);
  const time = room.at ? Date.parse(room.at) : null;
  fill(link,
    roomPicture(state, room),
    h('span.title', { dir: 'auto' }, titleOf(state, room)),
    time !== null && h('time', { datetime: room.at, title: exactTime(time) }, shortTime(time)),
    h(draftIn(state, room) === null ? 'span.preview' : 'span.preview.draft', { dir: 'auto' }, previewOf(state, room)),
    room.unread > 0 && h('span.badges', {},
      room.mentions > 0 && room.kind !== 'direct' && h('span.badge.mentions', { title: t('mentions') }, `@${number(room.mentions)}`),
      h('span', { class: room.kind === 'direct' ? 'badge mentions' : 'badge' }, number(room.unread), h('span.unseen', {}, ` ${t('unread')}`))));
  return old ?? h('li', {}, link);
}

/** What one has begun to write where one is not now. @param {State} state @param {Room} room */
function draftIn({ me, place }, { room }) {
  return place.room === room ? null : recall(draftKey(me, room));
}

/** @param {State} state @param {Room} room */
function previewOf(state, room) {
  const { last } = room;
  const draft = draftIn(state, room);
  if (draft !== null) return t('draft', { text: plain(draft).slice(0, 120) });
  if (!last) return room.seq === 0 ? t('nothingYet') : '';
  if (last.kind !== 'post') return noteText(state, [last]);
  const text = last.deleted ? t('deleted') : plain(last.body ?? '').slice(0, 120);
  if (last.from === state.me?.name) return t('youSaid', { text });
  return room.kind === 'direct' ? text : `${called(state, last.from)}: ${text}`;
}
