/**
 * The chat, for programs: one connection that comes back by itself, rooms that are followed without a gap or a
 * repeat, and posts that are sent exactly once. No document here, and nothing to install: `import { createClient }
 * from '/client.js'`.
 *
 *     const chat = createClient({ url: 'http://127.0.0.1:8080', nick: 'ann' });
 *     chat.on('entry', (entry) => { if (entry.kind === 'post') console.log(`${entry.from}: ${entry.body}`); });
 *     await chat.connect();
 *     await chat.join('lobby');
 *     await chat.post('lobby', 'hello').sent;
 *
 * This file is what a program sees. `client/core.js` puts the parts together.
 */

import { makeCore } from './client/core.js';
import { makeMethods } from './client/methods.js';
import { ChatError, roomId } from './client/wire.js';

export { ChatError };

/** @typedef {import('./client/types.js').ChangeEntry} ChangeEntry */
/** @typedef {import('./client/types.js').Cursor} Cursor */
/** @typedef {import('./client/types.js').Entry} Entry */
/** @typedef {import('./client/types.js').Events} Events */
/** @typedef {import('./client/types.js').Gap} Gap */
/** @typedef {import('./client/types.js').Hit} Hit */
/** @typedef {import('./client/types.js').Identity} Identity */
/** @typedef {import('./client/types.js').Joined} Joined */
/** @typedef {import('./client/types.js').Limits} Limits */
/** @typedef {import('./client/types.js').LinkState} LinkState */
/** @typedef {import('./client/types.js').Member} Member */
/** @typedef {import('./client/types.js').Options} Options */
/** @typedef {import('./client/types.js').OutboxPost} OutboxPost */
/** @typedef {import('./client/types.js').Page} Page */
/** @typedef {import('./client/types.js').PostEntry} PostEntry */
/** @typedef {import('./client/types.js').Present} Present */
/** @typedef {import('./client/types.js').Role} Role */
/** @typedef {import('./client/types.js').RoomKind} RoomKind */
/** @typedef {import('./client/types.js').Stored} Stored */
/** @typedef {import('./client/types.js').Summary} Summary */
/** @typedef {import('./client/types.js').User} User */
/** @typedef {import('./client/types.js').Welcome} Welcome */
/** @typedef {ReturnType<typeof makeOwn> & import('./client/methods.js').Methods} Client */

/** @param {Options} [options] @returns {Client} which does nothing before `connect` */
export function createClient(options = {}) {
  const core = makeCore(options);
  return Object.assign(makeOwn(core), makeMethods(core.request, core.reading));
}

/** @param {import('./client/core.js').Core} core */
function makeOwn(core) {
  const { rooms, outbox, people, whispers } = core;
  return {
    /** Of the connection. @returns {LinkState} */
    get state() { return core.state; },
    /** Who we are; null before the first welcome. @returns {User | null} */
    get user() { return core.welcome && core.welcome.user; },
    /** What the server holds us to; null before the first welcome. @returns {Limits | null} */
    get limits() { return core.welcome && core.welcome.limits; },

    /** Listens. Returns what ends it. */
    on: core.on,

    /**
     * Connects, and stays connected. Settles with the first welcome, or when the server refuses for good.
     *
     * @returns {Promise<Welcome>}
     */
    connect: () => core.connect(),

    /** Ends the connection. What waits in the outbox goes out with the next. */
    close: () => core.close(),

    /** Tries at once, whatever it waits for. */
    reconnectNow: () => core.reconnectNow(),

    /**
     * Is somebody else from now on, as after a log-in: `{}` is who the cookie says. Connects anew. Rooms that were
     * followed and that the new person is not in are followed no more, unless they are joined again.
     *
     * @param {Identity} identity
     */
    identify: (identity) => core.identify(identity),

    /**
     * Follows a room, through every loss of the connection, until `detach`, `out` or `detached`; connected or not.
     *
     * @param {string} room @param {{ since?: Cursor | null }} [options] `since`: what one has of it already
     */
    join: (room, { since = null } = {}) => rooms.join(roomId(room), since),
    /** Follows it no more. One remains in it. @param {string} room */
    detach: (room) => rooms.detach(roomId(room)),
    /** How far one has come in a room; null: not followed yet. @param {string} room */
    cursor: (room) => rooms.cursor(roomId(room)),
    /** The rooms that are followed. */
    followed: () => rooms.names(),

    /**
     * Says something, now or when there is a connection. `sent` resolves when it is stored, and rejects when it is
     * refused for good or discarded. The post's own entry has the same `key`.
     *
     * @param {string} room @param {string} body @param {{ reply_to?: number | undefined }} [options]
     */
    post(room, body, { reply_to } = {}) {
      whispers.posted(roomId(room));
      return outbox.post(roomId(room), body, reply_to);
    },
    /** Own posts that wait or have failed, in order; of one room or all. @param {string} [room] */
    outbox: (room) => outbox.list(room === undefined ? null : roomId(room)),
    /** Sends a failed post again, or a waiting one now. @param {string} key */
    retry: (key) => outbox.retry(key),
    /** Gives a post up. One that is on its way may still arrive. @param {string} key */
    discard: (key) => outbox.discard(key),

    /** One writes: call it at every key, it is told now and then. @param {string} room @param {boolean} [on] */
    typing: (room, on = true) => whispers.typing(roomId(room), on),
    /** One has read the room up to here. @param {string} room @param {number} seq */
    read: (room, seq) => whispers.reach('read', roomId(room), seq),
    /** One's device has the room up to here; told by itself of every entry. @param {string} room @param {number} seq */
    received: (room, seq) => whispers.reach('received', roomId(room), seq),
    /** Who is in a room that is followed: names, or of a large one how many; null: not known. @param {string} room */
    present: (room) => people.present(roomId(room)),
    /** Who writes there just now. @param {string} room */
    typists: (room) => people.typists(roomId(room)),
  };
}
