/**
 * What the page knows, and how it changes: `update(state, event)` returns the next state and does nothing else.
 *
 * No socket, no clock, no randomness, no document here. What is to be asked of the server follows from the state
 * (`model/needs.js`), and the views show it. Events of the client keep their names and payloads; the page's own are below.
 *
 * @typedef {import('./client/types.js').User} User
 * @typedef {import('./client/types.js').LinkState} LinkState
 * @typedef {import('./client/types.js').Summary} Summary
 * @typedef {import('./model/room.js').Room} Room
 * @typedef {import('./model/room.js').Composing} Composing
 * @typedef {import('./model/place.js').Place} Place
 * @typedef {import('./model/timeline.js').Where} Where
 * @typedef {'details' | 'search' | null} Panel
 * @typedef {{ id: number, text: string, isError: boolean }} Toast
 *
 * @typedef {Readonly<{ arriving: { notice: string } | null, link: LinkState, me: User | null,
 *   limits: Record<string, number>, rooms: ReadonlyMap<string, Room>, open: readonly string[],
 *   people: ReadonlyMap<string, User>, place: Place, panel: Panel, isAttending: boolean, toasts: readonly Toast[],
 *   refused: ReadonlyMap<string, string> }>} State
 *   `arriving`: who one is has to be asked. `open`: rooms that are listed. `refused`: why a room could not be entered.
 *
 * @typedef {import('./client/types.js').Entry} Entry
 * @typedef {{ entries: readonly Entry[], more: boolean, moreAfter?: boolean, as_of: number,
 *   changes: readonly import('./client/types.js').ChangeEntry[] }} History
 * @typedef {{ type: 'state', link: LinkState } | { type: 'welcome', welcome: import('./client/types.js').Welcome }
 *   | { type: 'joined', of: import('./client/types.js').Joined } | { type: 'entry', of: Entry }
 *   | { type: 'gap', of: import('./client/types.js').Gap } | { type: 'room', summary: Summary }
 *   | { type: 'out', room: string } | { type: 'presence', present: import('./client/types.js').Present | null, presence: import('./client/types.js').Presence }
 *   | { type: 'typing', room: string, names: string[] }
 *   | { type: 'received' | 'read', of: import('./client/types.js').Reached }
 *   | { type: 'profile', of: { user: User } } | { type: 'post', of: import('./client/types.js').OutboxPost }
 *   | { type: 'rooms', rooms: Summary[], open: string[] } | { type: 'users', users: readonly User[] }
 *   | { type: 'members', room: string, members: import('./client/types.js').Member[], total: number }
 *   | { type: 'pinned', room: string, entries: import('./client/types.js').PostEntry[], as_of: number }
 *   | { type: 'loaded', room: string, where: Where, from: number | null, history: History }
 *   | { type: 'quoted', room: string, seq: number, history: History } | { type: 'previewed', room: string, history: History }
 *   | { type: 'refused', room: string, why: string }
 *   | { type: 'arrive', notice: string } | { type: 'arrived' } | { type: 'went', place: Place } | { type: 'panel', panel: Panel }
 *   | { type: 'attending', on: boolean } | { type: 'scrolled', room: string, isAtBottom: boolean, want: Room['want'] }
 *   | { type: 'present' | 'moreMembers', room: string } | { type: 'unmark', room: string } | { type: 'seen', room: string, seq: number }
 *   | { type: 'compose', room: string, composing: Composing }
 *   | { type: 'toast', toast: Toast } | { type: 'untoast', id: number }} Event
 *   `present`: somebody wants to see the present. `seen`: the server is told that one has read up to there.
 */

import * as room from './model/room.js';
import * as timeline from './model/timeline.js';

/** @param {Place} place @returns {State} */
export function initial(place) {
  return {
    arriving: null, link: { phase: 'connecting', attempt: 0 }, me: null, limits: {}, rooms: new Map(), open: [], people: new Map(),
    place, panel: null, isAttending: true, toasts: [], refused: new Map(),
  };
}

/** @param {State} state @returns {Room | null} the room that is shown */
export function current({ rooms, place }) {
  return place.room === null ? null : rooms.get(place.room) ?? null;
}

/** @param {State} state @param {string} name @returns {User} */
export function person({ people }, name) {
  return people.get(name) ?? { id: '', name, guest: false };
}

/** @param {State} state @param {Event} event @returns {State} */
export function update(state, event) {
  switch (event.type) {
    case 'state': return { ...state, link: event.link };
    case 'welcome': return welcomed(state, event.welcome);
    case 'joined': return inRoom(state, event.of.room, (one) => ({ ...one, first: event.of.first }));
    case 'entry': return entered(state, event.of);
    case 'gap': return gapped(state, event.of);
    case 'room': return summarized(state, event.summary);
    case 'out': return without(state, event.room);
    case 'presence': return inRoom(state, event.presence.room, (one) => room.withPresence(one, event.present, event.presence));
    case 'typing': return inRoom(state, event.room, (one) => ({ ...one, typing: event.names.filter((name) => name !== state.me?.name) }));
    case 'received': case 'read': return receipt(state, event.type, event.of);
    case 'profile': return known(state, [event.of.user]);
    case 'users': return known(state, event.users);
    case 'post': return inRoom(state, event.of.room, (one) => room.withPending(one, event.of));
    case 'rooms': return event.rooms.reduce(summarized, { ...state, open: event.open });
    case 'members': return members(state, event);
    case 'refused': return { ...state, refused: new Map(state.refused).set(event.room, event.why) };
    case 'arrive': return { ...initial(state.place), arriving: { notice: event.notice }, isAttending: state.isAttending };
    case 'arrived': return { ...state, arriving: null };
    case 'panel': return { ...state, panel: event.panel };
    case 'toast': return { ...state, toasts: [...state.toasts.slice(-2), event.toast] };
    case 'untoast': return { ...state, toasts: state.toasts.filter(({ id }) => id !== event.id) };
    default: return looking(state, event);
  }
}

/** What one does to the view of a room, and what it has asked for. @param {State} state @param {Event} event @returns {State} */
function looking(state, event) {
  switch (event.type) {
    case 'went': return went(state, event.place);
    case 'attending': return attending(state, event.on);
    case 'loaded': return inRoom(state, event.room, (one) => room.loaded(one, event, state.me?.name ?? ''));
    case 'pinned': return inRoom(state, event.room, (one) => (
      { ...one, pins: { posts: event.entries, asOf: event.as_of } }));
    case 'quoted': return inRoom(state, event.room, (one) => {
      const source = timeline.find(timeline.loaded(timeline.EMPTY, 'end', event.history, 0), event.seq);
      return { ...one, quotes: new Map(one.quotes).set(event.seq, source?.kind === 'post' ? source : null) };
    });
    case 'previewed': return inRoom(state, event.room, (one) => {
      const [last = null] = timeline.backwards(timeline.loaded(timeline.EMPTY, 'end', event.history, 0));
      return { ...one, last: one.last ?? last };
    });
    case 'scrolled': return scrolled(state, event);
    case 'present': return inRoom({ ...state, place: { room: event.room, seq: null, isEnd: true } }, event.room, (one) => (
      one.timeline.atEnd && one.want !== 'new' ? one : { ...one, want: null, timeline: timeline.EMPTY }));
    case 'moreMembers': return inRoom(state, event.room, (one) => (
      { ...one, membersMax: one.membersMax + room.MEMBERS_MAX, isMembersStale: true }));
    case 'unmark': return inRoom(state, event.room, (one) => ({ ...one, marker: null }));
    case 'seen': return inRoom(state, event.room, (one) => (
      event.seq <= one.read ? one : { ...one, read: event.seq, unread: 0, mentions: 0 }));
    case 'compose': return inRoom(state, event.room, (one) => ({ ...one, composing: event.composing }));
    default: return state;
  }
}

/** @param {State} state @param {string} id @param {(room: Room) => Room} change @returns {State} */
function inRoom(state, id, change) {
  const before = state.rooms.get(id);
  if (!before) return state;
  const after = change(before);
  return after === before ? state : { ...state, rooms: new Map(state.rooms).set(id, after) };
}

/** @param {State} state @param {import('./client/types.js').Welcome} welcome @returns {State} */
function welcomed(state, { user, limits, rooms }) {
  // Somebody else than before: nothing of theirs stays.
  const { place, toasts, isAttending } = state;
  const base = state.me && state.me.id !== user.id ? { ...initial(place), toasts, isAttending } : state;
  const mine = rooms.map((summary) => {
    const one = room.summarized(base.rooms.get(summary.room), summary);
    // What was missed is new, unless it is only that the server was not told.
    const marker = one.unread > 0 && (one.read === summary.read || one.told < one.seq) ? one.read : one.marker;
    return /** @type {const} */ ([summary.room, { ...one, marker, isMembersStale: true, online: null }]);
  });
  const next = known({ ...base, arriving: null, me: user, limits, rooms: new Map(mine), refused: new Map() }, [user]);
  return base === state && state.me ? next : marked(next);
}

/** @param {State} state @param {Entry} entry @returns {State} */
function entered(state, entry) {
  return inRoom(state, entry.room, (one) => {
    const isAttended = state.isAttending && state.place.room === entry.room && one.isAtBottom && one.timeline.atEnd;
    return room.entered(one, entry, state.me?.name ?? '', isAttended);
  });
}

/** Who looks at a room of which much was missed goes on where they were. @param {State} state @param {import('./client/types.js').Gap} gap @returns {State} */
function gapped(state, gap) {
  const next = inRoom(state, gap.room, (one) => room.gapped(one, gap));
  return state.place.room === gap.room ? marked(next) : next;
}

/** @param {State} state @param {Summary} summary @returns {State} */
function summarized(state, summary) {
  const next = room.summarized(state.rooms.get(summary.room), summary);
  const refused = new Map(state.refused);
  refused.delete(summary.room);
  return { ...state, refused, rooms: new Map(state.rooms).set(summary.room, next) };
}

/** @param {State} state @param {string} id @returns {State} */
function without(state, id) {
  const rooms = new Map(state.rooms);
  rooms.delete(id);
  return { ...state, rooms, place: state.place.room === id ? { room: null, seq: null } : state.place };
}

/** @param {State} state @param {'received' | 'read'} kind @param {import('./client/types.js').Reached} receipt @returns {State} */
function receipt(state, kind, { room: id, from, seq, unread, mentions }) {
  return inRoom(state, id, (one) => {
    const next = room.withCursor(one, from, { [kind]: seq });
    if (kind !== 'read' || from !== state.me?.name) return next;
    return { ...next, read: Math.max(one.read, seq), unread: unread ?? one.unread, mentions: mentions ?? one.mentions };
  });
}

/** @param {State} state @param {readonly User[]} users @returns {State} */
function known(state, users) {
  const isNews = (/** @type {User} */ user) => {
    const old = state.people.get(user.name);
    return old?.display !== user.display || old?.hue !== user.hue || old?.guest !== user.guest;
  };
  if (!users.some(isNews)) return state;
  const people = new Map(state.people);
  for (const { id, name, guest, display, hue } of users) {
    people.set(name, { id, name, guest, ...display === undefined ? {} : { display }, ...hue === undefined ? {} : { hue } });
  }
  const me = state.me && people.get(state.me.name);
  return { ...state, people, me: me ?? null };
}

/** @param {State} state @param {Extract<Event, { type: 'members' }>} event @returns {State} */
function members(state, event) {
  const next = inRoom(state, event.room, (one) => room.withMembers(one, event.members, event.total));
  return known(next, event.members.map((member) => ({ ...member, guest: member.guest ?? false })));
}

/** @param {State} state @param {Place} place @returns {State} */
function went(state, place) {
  const isSame = place.room === state.place.room;
  const next = { ...state, place, panel: isSame ? state.panel : null };
  if (isSame || place.room === null) return next;
  return marked(next);
}

/** @param {State} state @param {Extract<Event, { type: 'scrolled' }>} event @returns {State} */
function scrolled(state, { room: id, isAtBottom, want }) {
  // What the view shows still may be gone from here.
  const next = inRoom(state, id, (one) => (
    !one.timeline.isLoaded || (one.isAtBottom === isAtBottom && one.want === want) ? one : { ...one, isAtBottom, want }));
  // Who has read on from a post to the end has left it: what is read anew later is not read around it.
  const hasLeft = isAtBottom && state.place.room === id && state.place.seq !== null && next.rooms.get(id)?.timeline.atEnd;
  return hasLeft ? { ...next, place: { room: id, seq: null } } : next;
}

/** What is new when one comes is marked as new until one comes again, and one begins there. @param {State} state @returns {State} */
function marked(state) {
  return inRoom(state, state.place.room ?? '', (one) => {
    const marker = one.unread > 0 ? one.read : null;
    const isThere = marker === null || timeline.spans(one.timeline, marker);
    return { ...one, marker, isAtBottom: false, ...isThere ? { want: null } : { want: 'new', timeline: timeline.EMPTY } };
  });
}

/** @param {State} state @param {boolean} on @returns {State} */
function attending(state, on) {
  const next = { ...state, isAttending: on };
  // Who looks away has seen all, so that the next post begins what is new.
  if (on || state.place.room === null) return next;
  return inRoom(next, state.place.room, (one) => (one.unread === 0 ? { ...one, marker: null } : one));
}
