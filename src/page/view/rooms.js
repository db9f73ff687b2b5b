/** The list of rooms and people, its filter, and what begins a new one. Arrow keys go through it. */

import { plain } from '../model/format.js';
import { joinable, listed } from '../model/list.js';
import { hashOf } from '../model/place.js';
import { exactTime, number, shortTime, t } from '../words.js';
import { openBrowse, openCreate, openDirect } from './begin.js';
import { arrange, button, element, h, iconButton, onChange } from './dom.js';
import { openMenu } from './menu.js';
import { noteText } from './note.js';
import { openSettings } from './settings.js';
import { avatar, called, roomPicture, titleOf } from './who.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/room.js').Room} Room */

const ASK_AFTER_MS = 200;

/** @param {import('./view.js').Parts} parts */
export function makeRooms(parts) {
  const { session, dispatch, state } = parts;
  const nav = element('rooms', HTMLElement);
  const filter = h('input', { type: 'search', 'aria-label': t('find'), placeholder: t('find'), title: 'Ctrl+K', spellcheck: 'false', oninput: filtered });
  const list = h('div', { class: 'list', onkeydown: walk });
  const add = iconButton('add', t('begin'), () => openMenu(add, [
    { label: t('beginOpen'), icon: 'hash', does: () => openBrowse(parts) },
    !state().me?.guest && { label: t('beginGroup'), icon: 'people', does: () => openCreate(parts, 'group') },
    { label: t('beginDirect'), icon: 'smile', does: () => openDirect(parts) },
    { label: t('beginInvite'), icon: 'link', does: () => openCreate(parts, 'invite') },
  ]), { 'aria-haspopup': 'menu' });
  const me = h('button', { type: 'button', class: 'me', onclick: () => openSettings(parts) });
  nav.setAttribute('aria-label', t('rooms'));
  nav.append(h('header', {}, h('h1', {}, 'wsrelay'), add), filter, list, me);

  /** @type {Map<string, { room: Room, extra: string, link: HTMLElement }>} */
  let links = new Map();
  /** @type {readonly import('../model.js').User[]} */
  let found = [];
  let timer = 0;

  function filtered() {
    clearTimeout(timer);
    const query = filter.value.trim();
    timer = setTimeout(async () => {
      const answer = query === '' ? { users: [] } : await session.chat.users(query, { limit: 8 }).catch(() => ({ users: [] }));
      found = answer.users;
      dispatch({ type: 'users', users: found });
      show(state());
    }, ASK_AFTER_MS);
    show(state());
  }

  filter.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') /** @type {HTMLElement | null} */ (list.querySelector('a, button'))?.click();
    else if (event.key === 'ArrowDown') /** @type {HTMLElement | null} */ (list.querySelector('a, button'))?.focus();
    else if (event.key === 'Escape' && filter.value !== '') event.stopPropagation();
    else return;
    event.preventDefault();
    if (event.key !== 'ArrowDown') clear();
  });

  function clear() {
    filter.value = '';
    found = [];
    show(state());
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || event.altKey) return;
    event.preventDefault();
    const stops = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('a, button')]);
    (stops[stops.findIndex((one) => one === document.activeElement) + step] ?? filter).focus();
  }

  list.addEventListener('click', (event) => {
    if (/** @type {Element} */ (event.target).closest('a, button')) clear();
  });

  /** @param {State} now @param {Room} room */
  function linkTo(now, room) {
    const extra = [now.place.room === room.room, room.kind === 'direct' && called(now, room.name), new Date().getDate()].join();
    const old = links.get(room.room);
    const isSame = old && old.extra === extra && old.room.last === room.last && old.room.unread === room.unread && old.room.at === room.at
      && old.room.mentions === room.mentions && old.room.online === room.online && old.room.name === room.name;
    const link = isSame ? old.link : drawLink(old?.link ?? h('a', { href: hashOf(room.room) }), now, room);
    return { room, extra, link };
  }

  const showMe = onChange((/** @type {import('../model.js').User | null} */ user) => {
    if (!user) return;
    me.replaceChildren(h('span', { class: 'unseen' }, t('settings')), avatar(user), h('span', {}, h('b', { dir: 'auto' }, user.display ?? user.name),
      h('small', {}, user.guest ? t('guest') : `@${user.name}`)), h('span', { class: 'lamp', title: t('connected') }));
  });

  /** @param {State} now */
  function show(now) {
    if (now.arriving || !now.me) return;
    showMe(now.me);
    const query = filter.value;
    const { rooms, people } = listed(now, query);
    const next = new Map([...rooms, ...people].map((room) => [room.room, linkTo(now, room)]));
    links = next;
    const known = new Set(people.map(({ name }) => name));
    const linksOf = (/** @type {Room[]} */ those) => those.map(({ room }) => /** @type {HTMLElement} */ (next.get(room)?.link));
    const others = query.trim() === '' ? [] : found.filter(({ name }) => !known.has(name) && name !== now.me?.name);
    section('list-rooms', t('rooms'), linksOf(rooms));
    section('list-people', t('people'), linksOf(people));
    section('list-open', t('joinable'), query.trim() === '' ? [] : joinable(now, query).slice(0, 8).map((name) => (
      button(`# ${name}`, () => session.enter(session.chat.join(name)), 'other'))));
    section('list-others', t('morePeople'), others.map((user) => {
      const one = button(user.display ?? user.name, () => session.enter(session.chat.direct(user.name)), 'other');
      one.prepend(avatar(user));
      return one;
    }));
    nav.classList.toggle('nothing', list.querySelector('a, button') === null);
  }

  /** @param {string} id @param {string} title @param {HTMLElement[]} items */
  function section(id, title, items) {
    let part = document.getElementById(id);
    if (!part) {
      part = h('section', { id, 'aria-label': title }, h('h2', {}, title), h('ul', {}));
      list.append(part);
    }
    part.hidden = items.length === 0;
    arrange(/** @type {Element} */ (part.lastElementChild), items.map((item) => item.parentElement ?? h('li', {}, item)));
  }

  return { show, find() { filter.focus(); filter.select(); } };
}

/** @param {HTMLElement} link @param {State} state @param {Room} room */
function drawLink(link, state, room) {
  const isCurrent = state.place.room === room.room;
  if (isCurrent) link.setAttribute('aria-current', 'page');
  else link.removeAttribute('aria-current');
  link.classList.toggle('unread', room.unread > 0);
  const time = room.at ? Date.parse(room.at) : null;
  link.replaceChildren(
    roomPicture(state, room),
    h('span', { class: 'title', dir: 'auto' }, titleOf(state, room)),
    time === null ? '' : h('time', { datetime: room.at, title: exactTime(time) }, shortTime(time)),
    h('span', { class: 'preview', dir: 'auto' }, previewOf(state, room)),
    room.unread === 0 ? '' : h('span', { class: 'badges' },
      room.mentions > 0 && room.kind !== 'direct' ? h('span', { class: 'badge mentions', title: t('mentions') }, `@${number(room.mentions)}`) : null,
      h('span', { class: room.kind === 'direct' ? 'badge mentions' : 'badge' }, number(room.unread), h('span', { class: 'unseen' }, ` ${t('unread')}`))),
  );
  return link;
}

/** @param {State} state @param {Room} room */
function previewOf(state, room) {
  const { last } = room;
  if (!last) return room.seq === 0 ? t('nothingYet') : '';
  if (last.kind !== 'post') return noteText(state, [last]);
  const text = last.deleted ? t('deleted') : plain(last.body ?? '').slice(0, 120);
  if (last.from === state.me?.name) return t('youSaid', { text });
  return room.kind === 'direct' ? text : `${called(state, last.from)}: ${text}`;
}
