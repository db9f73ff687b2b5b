/** The list of rooms: what is in it, in which order, and what a filter leaves of it. */

import { person } from '../model.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('./room.js').Room} Room */

/** One's rooms, those with the latest posts first: rooms of many, and those of two. @param {State} state @param {string} filter */
export function listed(state, filter) {
  const rooms = [...state.rooms.values()].filter((room) => matches(state, room, filter)).sort(byTime);
  return { rooms: rooms.filter(({ kind }) => kind !== 'direct'), people: rooms.filter(({ kind }) => kind === 'direct') };
}

/** Rooms that one could join. @param {State} state @param {string} filter */
export function joinable(state, filter) {
  return state.open.filter((name) => !state.rooms.has(name) && has(name, filter));
}

/** @param {State} state @param {Room} room @param {string} filter */
function matches(state, room, filter) {
  return has(room.name, filter) || (room.kind === 'direct' && has(person(state, room.name).display ?? '', filter));
}

/** @param {string} text @param {string} filter */
function has(text, filter) {
  return text.toLocaleLowerCase().includes(filter.trim().toLocaleLowerCase());
}

/** The times are all of one form, so that they sort as text. @param {Room} a @param {Room} b */
function byTime(a, b) {
  const [at, bt] = [a.at ?? '', b.at ?? ''];
  return at === bt ? (a.name < b.name ? -1 : 1) : at < bt ? 1 : -1;
}
