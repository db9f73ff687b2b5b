/** A room's details: its link, its members and what may be done about them, what is pinned, and how it takes posts. */

import { plain } from '../model/format.js';
import { hashOf } from '../model/place.js';
import { isModerator, outranks } from '../model/room.js';
import { ago, duration, isolated, t } from '../words.js';
import { linkRow, openAdd } from './begin.js';
import { askFor, choice, confirm, field, openDialog } from './dialog.js';
import { button, fill, h, icon, iconButton, isThere, keepFocus, keyed, onChange } from './dom.js';
import { openMenu } from './menu.js';
import { avatarOf, called, nameTag } from './who.js';

/** @typedef {import('./view.js').Parts} Parts */
/** @typedef {import('../model/room.js').Room} Room */
/** @typedef {import('../client/types.js').Member} Member */

const MINUTE_MS = 60_000;
const MUTES_MS = [5 * MINUTE_MS, 60 * MINUTE_MS, 24 * 60 * MINUTE_MS, 7 * 24 * 60 * MINUTE_MS];
const SLOW_MS = [0, 5_000, 30_000, 60_000, 5 * MINUTE_MS, 60 * MINUTE_MS];

/**
 * A section is drawn anew when something that it shows is another thing: a list of choices that is open stays so meanwhile.
 *
 * @param {Parts} parts @param {HTMLElement} body
 */
export function makeDetails(parts, body) {
  const showSections = keyed(body, (/** @type {() => HTMLElement} */ draw) => draw());

  return onChange((/** @type {Room} */ room, /** @type {import('../model.js').State['people']} */ people) => {
    const { kind, role, slow_ms, read_only } = room;
    const pinned = room.pins?.posts ?? [];
    // Of when somebody was seen and who is muted.
    const minute = Math.floor(Date.now() / MINUTE_MS);
    const sections = [
      (kind === 'invite' || kind === 'open') && { key: 'link', of: () => link(parts, room), by: [] },
      isModerator(room) && { key: 'moderation', of: () => moderation(parts, room), by: [role, slow_ms, read_only] },
      pinned.length > 0 && { key: 'pins', of: () => pins(parts, room, pinned), by: [pinned, people] },
      { key: 'members', of: () => members(parts, room), by: [role, room.members, room.total, room.online, people, minute] },
      kind !== 'lobby' && kind !== 'direct' && { key: 'ways', of: () => ways(parts, room), by: [] },
    ];
    keepFocus(body, () => showSections(sections.filter(isThere)));
  });
}

/** @param {import('../words.js').Word} title @param {...import('./dom.js').Child} content */
function section(title, ...content) {
  return h('section', {}, h('h3', {}, t(title)), ...content);
}

/** @param {Parts} parts @param {Room} room */
function link(parts, room) {
  return section('link', h('p.hint', {}, t(room.kind === 'invite' ? 'inviteHint' : 'openHint')), linkRow(parts, room.room));
}

/** @param {Parts} parts @param {Room} room */
function moderation({ session, state }, room) {
  const { chat, attempt } = session;
  const now = room.slow_ms ?? 0;
  const slow = choice(t('slowMode'), {
    'data-name': ' slow', onchange: async (/** @type {any} */ { target }) => {
      if (!await attempt(chat.slow(room.room, Number(target.value)))) target.value = String(now);
    },
  }, [...new Set([...SLOW_MS, now])].map((ms) => [String(ms), ms === 0 ? t('slowOff') : duration(ms)]), String(now));
  const readOnly = h('label.check', {}, h('input', {
    type: 'checkbox', checked: room.read_only ?? false, 'data-name': ' read', onchange: async (/** @type {any} */ { target }) => {
      if (!await attempt(chat.readOnly(room.room, target.checked))) target.checked = !target.checked;
    },
  }), t('readOnlyMode'));
  const rename = button(t('rename'), () => askFor({
    title: t('rename'), verb: t('save'), fields: [field(t('title'), { name: 'name', required: true, maxlength: 64, value: state().rooms.get(room.room)?.name ?? '' })],
    does: ({ name = '' }) => chat.rename(room.room, name.trim()),
  }));
  const bans = button(t('bans'), () => openBans(session, room));
  return section('moderation', slow, readOnly, h('div.row', {}, room.kind === 'group' && rename, room.kind !== 'lobby' && bans));
}

/** Who is banned, and the way to let them in again. @param {import('../session.js').Session} session @param {Room} room */
function openBans({ chat, attempt }, { room }) {
  const list = h('ul.picks');
  const nobody = h('p.hint', { role: 'status' });
  openDialog(t('bans'), h('div.form', {}, nobody, list));
  const load = async (after = '') => {
    const answer = await attempt(chat.bans(room, after === '' ? {} : { after }));
    if (!answer) return;
    const items = answer.users.map((user) => h('li.session', {}, h('b', {}, isolated(user.display ?? user.name)),
      button(t('liftBan'), () => attempt(chat.ban(room, user.name, false)).then(() => load()))));
    if (after === '') fill(list, ...items);
    else list.append(...items);
    nobody.textContent = list.children.length === 0 ? t('nobodyBanned') : '';
    if (answer.more) await load(answer.users.at(-1)?.name);
  };
  load();
}

/** @param {Parts} parts @param {Room} room @param {readonly import('../client/types.js').PostEntry[]} pinned */
function pins({ state }, room, pinned) {
  return section('pinnedPosts', h('ul.hits', {}, ...pinned.toReversed().map(({ seq, from, body }) => (
    h('li', {}, h('a', { href: hashOf(room.room, seq), 'data-name': ` ${seq}` }, icon('pin'), nameTag(state(), from), h('span.snippet', { dir: 'auto' }, plain(body ?? ''))))))));
}

/** @param {Parts} parts @param {Room} room */
function members(parts, room) {
  const { dispatch } = parts;
  const { members: all, total } = room;
  const here = (/** @type {Member} */ { name, online }) => room.online?.has(name) ?? online;
  const sorted = [...all ?? []].sort((a, b) => Number(here(b)) - Number(here(a)) || (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  const add = room.kind === 'group' && isModerator(room) && h('button', { 'data-name': ' add', onclick: () => openAdd(parts, room) }, t('addMember'));
  return section('members', add,
    h('ul.members', {}, ...sorted.map((member) => memberItem(parts, room, member, here(member)))),
    all && total !== null && total > all.length && h('button', {
      'data-name': ' more', onclick: () => dispatch({ type: 'moreMembers', room: room.room }),
    }, t('andMore', { n: total - all.length })));
}

/** @param {Parts} parts @param {Room} room @param {Member} member @param {boolean} isHere */
function memberItem(parts, room, member, isHere) {
  const { state } = parts;
  const isMuted = member.muted_until !== undefined && Date.parse(member.muted_until) > Date.now();
  const about = [member.guest ? t('guest') : '', member.role === 'member' ? '' : t(member.role), isMuted ? t('muted') : '',
    isHere ? '' : member.last_seen ? t('lastSeen', { ago: ago(Date.parse(member.last_seen)) }) : ''].filter((text) => text).join(' · ');
  const items = member.name === state().me?.name ? [] : memberMenu(parts, room, member, isMuted);
  const more = iconButton('more', t('actionsFor', { name: member.name }), () => openMenu(more, items), { 'data-name': member.name });
  return h('li', { class: isHere ? '' : 'away' }, avatarOf(state(), member.name, isHere), h('span', {}, nameTag(state(), member.name), h('small', {}, about)), items.length > 0 && more);
}

/** @param {Parts} parts @param {Room} room @param {Member} member @param {boolean} isMuted @returns {import('./menu.js').Item[]} */
function memberMenu({ session, state }, room, { name, role, guest }, isMuted) {
  const { chat, attempt } = session;
  const shown = called(state(), name);
  /** @type {import('./menu.js').Item[]} */
  const items = [];
  if (room.kind !== 'direct' && !guest && !state().me?.guest) items.push({ label: t('directTo', { name: shown }), icon: 'smile', does: () => session.enter(chat.direct(name)) });
  if (!outranks(room, role)) return items;
  for (const other of /** @type {const} */ (['reader', 'member', 'admin', 'owner'])) {
    const may = room.role === 'owner' || (other !== 'owner' && other !== 'admin');
    if (other !== role && may) items.push({ label: t('makeRole', { role: t(other) }), does: () => attempt(chat.role(room.room, name, other)) });
  }
  const times = choice(t('muteFor'), { name: 'ms' }, MUTES_MS.map((ms) => [String(ms), duration(ms)]), '');
  items.push(isMuted ? { label: t('unmute'), does: () => attempt(chat.mute(room.room, name, 0)) }
    : { label: t('mute'), icon: 'clock', does: () => confirm('mute', ({ ms }) => chat.mute(room.room, name, Number(ms)), { name: shown }, [times]) });
  if (room.kind === 'lobby') return items;
  items.push({ label: t('kick'), icon: 'door', danger: true, does: () => confirm('kick', () => chat.remove(room.room, name), { name: shown }) });
  items.push({ label: t('ban'), icon: 'close', danger: true, does: () => confirm('ban', () => chat.ban(room.room, name), { name: shown }) });
  return items;
}

/** @param {Parts} parts @param {Room} room */
function ways({ session }, room) {
  const leave = () => confirm(room.kind === 'open' ? 'leaveOpen' : 'leave', () => session.chat.leave(room.room));
  return h('section', {}, button(t('leave'), leave, 'danger'));
}
