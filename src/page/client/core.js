/**
 * Puts the parts together: what is heard goes to the part that it concerns, what a part has to tell to who listens.
 * Each part does one thing and knows none of the others.
 */

import { makeCredentials, socketAddress } from './credentials.js';
import { makeEvents } from './events.js';
import {
  browserLocks, browserStorage, memoryStorage, randomKey, systemClock, systemNetwork, watchBrowserStorage, wholeClock,
} from './host.js';
import { makeLink } from './link.js';
import { makeOutbox } from './outbox.js';
import { makePeople } from './people.js';
import { disconnected, makeRequests } from './requests.js';
import { makeRooms } from './rooms.js';
import { makeShelf } from './shelf.js';
import { makeWhispers } from './whispers.js';
import { ChatError, isChange } from './wire.js';

/** @typedef {import('./types.js').Entry} Entry */
/** @typedef {import('./types.js').Events} Events */
/** @typedef {import('./types.js').Identity} Identity */
/** @typedef {import('./types.js').LinkState} LinkState */
/** @typedef {import('./types.js').Options} Options */
/** @typedef {import('./types.js').Welcome} Welcome */

/** @typedef {ReturnType<typeof makeCore>} Core */

/** @param {Options} options */
export function makeCore(options) {
  const { random = Math.random, newKey = randomKey, receipts = true } = options;
  const clock = options.clock ? wholeClock(options.clock) : systemClock;
  const address = socketAddress(options.url, globalThis.location?.href);
  const browser = options.storage === undefined ? browserStorage() : null;
  const storage = options.storage ?? browser ?? memoryStorage();
  const watchStorage = options.storage?.watch?.bind(options.storage)
    ?? (browser ? watchBrowserStorage : () => () => {});
  const locks = options.locks !== undefined ? options.locks : browser && browserLocks();
  const WebSocket = options.WebSocket ?? globalThis.WebSocket;
  if (!WebSocket) throw new TypeError('There is no WebSocket here: give one as an option.');

  /** @type {Welcome | null} */
  let welcome = null;
  /** Rooms that we are in. @type {Set<string>} */
  const mine = new Set();
  /** @type {Set<import('./methods.js').Reading>} */
  const reading = new Set();
  /** @type {{ resolve(welcome: Welcome): void, reject(error: ChatError): void }[]} */
  const connecting = [];

  const events = /** @type {ReturnType<typeof makeEvents<Events>>} */ (makeEvents());
  const { on, emit } = events;
  let credentials = makeCredentials(address, storage, options);
  const link = makeLink({
    clock,
    random,
    network: options.network ?? systemNetwork(new URL(address).hostname),
    WebSocket,
    dial: () => credentials.dial(),
    refused: (code) => credentials.refused(code),
    heard,
    hidden: () => whispers.hurry(),
    changed,
  });
  const isConnected = () => link.state.phase === 'connected';
  const { send } = link;
  const requests = makeRequests({ clock, send, overdue: link.doubt, bytesMax: () => welcome?.limits.message_bytes ?? Infinity });
  const { ask } = requests;
  const people = makePeople({ clock, stopped: (typing) => emit('typing', typing) });
  const whispers = makeWhispers({ clock, send });
  const rooms = makeRooms({
    clock,
    random,
    ask,
    joined(joined) {
      mine.add(joined.room);
      emit('joined', joined);
      outbox.hurry(joined.room);
    },
    entry: told,
    gap(gap) {
      if (gap.missed === null) whispers.restart(gap.room);
      emit('gap', gap);
    },
    dropped(room, error) {
      people.forgetRoom(room);
      if (!error) return outbox.hurry(room);
      emit('detached', { room, error });
      outbox.shut(room, error);
    },
  });
  const outbox = makeOutbox({
    clock,
    random,
    newKey,
    shelf: makeShelf({ storage, locks, clock, address }),
    ask,
    mayPost(room, isFresh) {
      const phase = rooms.phase(room);
      return phase === null ? isFresh || mine.has(room) : phase === 'live';
    },
    changed: (post) => emit('post', post),
  });
  let unwatch = () => {};

  /** @param {LinkState} state @param {LinkState} before */
  function changed(state, before) {
    if (before.phase === 'connected') {
      requests.lost();
      rooms.lost();
      outbox.lost();
      whispers.lost();
      people.lost();
    }
    if (state.phase === 'stopped') ended(state.reason || `closed with ${state.code}`);
    emit('state', state);
  }

  /** @param {string} message */
  function ended(message) {
    const error = new ChatError({ code: 'stopped', message });
    unwatch();
    rooms.ended(error);
    for (const waiter of connecting.splice(0)) waiter.reject(error);
  }

  /** @param {import('./types.js').Frame} frame */
  function heard(frame) {
    const { type, ...rest } = frame;
    const event = /** @type {any} */ (rest);
    switch (type) {
      case 'entry': return rooms.heard(event);
      case 'ok': return requests.answered(frame);
      case 'error':
        if (event.id !== undefined) return requests.answered(frame);
        return emit('error', new ChatError(event));
      case 'joined': return rooms.resumed(event);
      case 'welcome': return welcomed(event);
      case 'out': return out(event);
      case 'room':
        mine.add(event.room);
        outbox.hurry(event.room);
        break;
      case 'profile':
        if (event.user.id === welcome?.user.id) welcome = { .../** @type {Welcome} */ (welcome), user: event.user };
        break;
      case 'presence': people.announced(event); break;
      case 'typing': people.typed(event); break;
      case 'received': case 'read': break;
      // A pong, or something newer than this client.
      default: return;
    }
    emit(/** @type {keyof Events} */ (type), event);
  }

  /** @param {Welcome} next */
  function welcomed(next) {
    const before = welcome?.user ?? next.user;
    if (before.id !== next.user.id) whispers.forget();
    welcome = next;
    mine.clear();
    for (const { room } of next.rooms) mine.add(room);
    credentials.welcomed(next);
    // A guest who has become an account, or has been made anew, has another id and is the same person: names do not pass on.
    if (before.name !== next.user.name) {
      const error = new ChatError({ code: 'not_member', message: 'You are somebody else now, who is not in that room.' });
      for (const room of rooms.leaveBehind(mine)) emit('detached', { room, error });
    }
    emit('welcome', next);
    for (const waiter of connecting.splice(0)) waiter.resolve(next);
    // A listener may have had enough.
    if (!isConnected()) return;
    rooms.welcomed(next.limits.resume_rooms || RESUME_ROOMS_MAX);
    whispers.welcomed(next.rooms);
    outbox.welcomed(next.user);
  }

  /** @param {import('./types.js').Out} event */
  function out(event) {
    mine.delete(event.room);
    rooms.out(event.room);
    emit('out', event);
    outbox.shut(event.room, new ChatError({ code: 'out', message: 'You are not in that room any more.' }));
  }

  /** @param {Entry} entry */
  function told(entry) {
    const { room, kind, from } = entry;
    for (const read of reading) if (read.room === room && isChange(entry)) read.changes.push(entry);
    if (kind === 'post') people.posted(room, from);
    emit('entry', entry);
    if (receipts) whispers.reach('received', room, entry.seq);
    if (kind === 'post' && from === welcome?.user.name) outbox.arrived(entry);
    if (kind === 'mute' || kind === 'mode') outbox.hurry(room);
  }

  /**
   * What is asked of a room that is on its way back may be refused for not being back yet: then it is asked again when it is.
   *
   * @param {string} type @param {{ room?: string }} fields @param {{ timeout_ms?: number }} [options] @returns {Promise<any>}
   */
  function request(type, fields = {}, { timeout_ms } = {}) {
    return new Promise((resolve, reject) => {
      const room = fields.room ?? '';
      const send = (/** @type {boolean} */ isEarly) => {
        if (!isConnected()) return reject(disconnected());
        ask(type, fields, (error, ok) => {
          if (!error) resolve(ok);
          else if (isEarly && error.code === 'not_member') rooms.whenAnswered(room, () => send(false));
          else reject(error);
        }, timeout_ms);
      };
      send(rooms.phase(room) === 'asked');
    });
  }

  function begin() {
    unwatch();
    unwatch = watchStorage((name, value) => outbox.stored(name, value));
    link.begin();
  }

  return {
    get state() { return link.state; },
    get welcome() { return welcome; },
    on,
    rooms,
    outbox,
    people,
    whispers,
    request,
    reading,

    /** @returns {Promise<Welcome>} */
    connect() {
      if (isConnected() && welcome) return Promise.resolve(welcome);
      /** @type {Promise<Welcome>} */
      const first = new Promise((resolve, reject) => { connecting.push({ resolve, reject }); });
      // Who listens to `state` instead is told there.
      first.catch(() => {});
      if (link.state.phase === 'stopped') begin();
      return first;
    },

    close: () => link.stop(1000, 'closed'),

    reconnectNow() { if (!isConnected()) begin(); },

    /** @param {Identity} identity */
    identify(identity) {
      credentials = makeCredentials(address, storage, identity);
      begin();
    },
  };
}

/** Rooms of one `resume`, where the server does not say. */
const RESUME_ROOMS_MAX = 256;
