/** How people and rooms are called and pictured: a name, a hue, a letter. */

import { person } from '../model.js';
import { isolated, t } from '../words.js';
import { h, icon } from './dom.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model.js').User} User */
/** @typedef {import('../model/room.js').Room} Room */

/** @param {State} state @param {string} name */
export function called(state, name) {
  return isolated(person(state, name).display ?? name);
}

/** What a room is called. @param {State} state @param {Pick<Room, 'kind' | 'name' | 'room'>} room */
export function titleOf(state, { kind, name, room }) {
  if (kind === 'direct') return called(state, name);
  return name === '' || name === room && room.startsWith('~') ? t('inviteRoom') : isolated(name);
}

/** A name's hue: chosen, or always the same (FNV-1a, whose low bits mix poorly). @param {{ name: string, hue?: number }} user */
export function hueOf({ name, hue }) {
  if (hue !== undefined) return hue;
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ /** @type {number} */ (char.codePointAt(0)), 0x01000193);
  return (((hash ^ (hash >>> 15)) >>> 0) % 24) * 15;
}

/** @param {State} state @param {string} name @param {boolean} [isHere] */
export const avatarOf = (state, name, isHere) => avatar(person(state, name), isHere);

/** @param {User} user @param {boolean} [isHere] if that is to be seen */
export function avatar(user, isHere) {
  return h('span.avatar', { hue: hueOf(user), 'aria-hidden': 'true' }, letter(user.display ?? user.name),
    isHere !== undefined && h('span', { class: isHere ? 'dot online' : 'dot' }));
}

/** A name in its colour. @param {State} state @param {string} name */
export function nameTag(state, name) {
  const user = person(state, name);
  return h('b.name', { hue: hueOf(user), title: `@${name}`, dir: 'auto' }, called(state, name));
}

/** @param {State} state @param {Room} room */
export function roomPicture(state, room) {
  if (room.kind === 'direct') return avatarOf(state, room.name, room.online?.has(room.name) ?? false);
  const sign = room.kind === 'group' ? letter(room.name) : icon(room.kind === 'invite' ? 'link' : 'hash');
  return h('span', { class: `avatar square ${room.kind}`, hue: hueOf({ name: room.room }), 'aria-hidden': 'true' }, sign);
}

/** @param {string} name */
function letter(name) {
  return /[\p{L}\p{N}]/u.exec(name)?.[0]?.toLocaleUpperCase() ?? '?';
}
