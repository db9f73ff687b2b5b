/** How rooms begin: one joins or opens an open one, makes a group or an invite room, writes to somebody. */

import { joinable } from '../model/list.js';
import { isolated, t } from '../words.js';
import { copy, linkTo } from './acts.js';
import { field, form, openDialog } from './dialog.js';
import { button, fill, h, isComposing } from './dom.js';
import { makeLookup } from './lookup.js';
import { avatar } from './who.js';

/** @typedef {import('./view.js').Parts} Parts */

/** Open rooms: those there are, or a new one. @param {Parts} parts */
export function openBrowse({ session, state }) {
  const { chat } = session;
  const list = h('ul.picks');
  const known = h('div.form', {}, h('h3', {}, t('joinable')), list);
  const fillIn = () => {
    const names = joinable(state(), '');
    known.hidden = names.length === 0;
    fill(list, ...names.map((name) => h('li', {}, button(`# ${isolated(name)}`, () => { close(); session.enter(chat.join(name)); }))));
  };
  const make = form({
    fields: [field(t('roomName'), { name: 'name', required: true, maxlength: 32, spellcheck: 'false', autocapitalize: 'off' }, t('roomNameHint'))],
    verb: t('createRoom'),
    async does({ name = '' }) {
      const answer = await chat.create('open', { name: name.trim() });
      close();
      session.enter(answer);
    },
  });
  const close = openDialog(t('beginOpen'), known,
    state().me?.guest ? h('p.form.note', {}, t('guestsCannotCreate')) : make);
  fillIn();
  session.refreshRooms().then(fillIn);
}

/** @param {Parts} parts @param {'group' | 'invite'} kind */
export function openCreate(parts, kind) {
  const { session } = parts;
  const close = openDialog(t(kind === 'group' ? 'beginGroup' : 'beginInvite'), form({
    note: t(kind === 'group' ? 'groupNote' : 'inviteNote'),
    fields: [field(t('title'), { name: 'name', required: kind === 'group', maxlength: 64 })],
    verb: t('createRoom'),
    async does({ name = '' }) {
      const title = name.trim();
      const answer = await session.chat.create(kind, title === '' ? {} : { name: title });
      close();
      await session.enter(answer);
      const room = parts.state().rooms.get(answer.room);
      if (kind === 'invite') openLink(parts, answer.room);
      else if (room) openAdd(parts, room);
    },
  }));
}

/** @param {Parts} parts @param {string} room */
function openLink(parts, room) {
  openDialog(t('link'), h('div.form', {}, h('p.note', {}, t('inviteHint')), linkRow(parts, room)));
}

/** A room's link, to be copied. @param {Parts} parts @param {string} room */
export function linkRow(parts, room) {
  const address = linkTo(room);
  const text = h('input', { readonly: true, value: address, 'aria-label': t('link'), 'data-name': ' link', onfocus: () => text.select() });
  return h('div.row', {}, text, button(t('copyLink'), () => copy(parts, address), 'primary'));
}

/** @param {Parts} parts */
export function openDirect(parts) {
  const close = openDialog(t('beginDirect'), people(parts, (name) => {
    close();
    parts.session.enter(parts.session.chat.direct(name));
  }));
}

/** @param {Parts} parts @param {import('../model/room.js').Room} room */
export function openAdd(parts, room) {
  const members = new Set(room.members?.map(({ name }) => name));
  const close = openDialog(t('addMember'), people(parts, async (name) => {
    if (await parts.session.attempt(parts.session.chat.add(room.room, name))) close();
  }, (name) => !members.has(name)));
}

/** A field, and the people whose names begin so. @param {Parts} parts @param {(name: string) => void} chosen @param {(name: string) => boolean} [isOffered] */
function people({ session, state }, chosen, isOffered = () => true) {
  const list = h('ul.picks');
  const nobody = h('p.hint', { role: 'status' });
  const query = h('input', { type: 'search', 'aria-label': t('name'), placeholder: t('findPerson'), maxlength: 64 });
  const ask = async (/** @type {string} */ text) => (await session.attempt(session.chat.users(text, { limit: 20 })))?.users ?? null;
  const lookup = makeLookup(query, ask, () => {
    const found = lookup.found();
    const users = found?.filter(({ name, guest }) => name !== state().me?.name && !guest && isOffered(name)) ?? [];
    nobody.textContent = found && users.length === 0 ? t('nobodyFound') : '';
    list.replaceChildren(...users.map((user) => {
      const one = button(isolated(user.display ?? user.name), () => chosen(user.name));
      one.prepend(avatar(user));
      if (user.display !== undefined) one.append(h('small', {}, `@${user.name}`));
      return h('li', {}, one);
    }));
  });
  query.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !isComposing(event)) lookup.whenFound(() => list.querySelector('button')?.click());
  });
  lookup.look();
  return h('div.form', {}, query, nobody, list);
}
