/**
 * What one can ask of the server, a function each. Every answer is a promise; a refusal is a `ChatError`, and without a
 * connection everything is refused at once.
 */

import { roomId } from './wire.js';

/** @typedef {import('./types.js').ChangeEntry} ChangeEntry */
/** @typedef {import('./types.js').Hit} Hit */
/** @typedef {import('./types.js').Member} Member */
/** @typedef {import('./types.js').Page} Page */
/** @typedef {import('./types.js').PostEntry} PostEntry */
/** @typedef {import('./types.js').Role} Role */
/** @typedef {import('./types.js').Stored} Stored */
/** @typedef {import('./types.js').Summary} Summary */
/** @typedef {import('./types.js').User} User */

/** @typedef {ReturnType<typeof makeMethods>} Methods */
/**
 * @typedef {{ room: string, changes: ChangeEntry[] }} Reading history on its way, and what was told meanwhile
 */

/**
 * @param {(type: string, fields?: object, options?: { timeout_ms?: number }) => Promise<any>} request
 * @param {Set<Reading>} reading to which the histories that are on their way are added
 */
export function makeMethods(request, reading) {
  /**
   * What becomes an entry.
   *
   * @param {string} type @param {string} room @param {object} [fields] @returns {Promise<Stored>}
   */
  const act = (type, room, fields) => request(type, { room: roomId(room), ...fields });

  /** What is told of the room is noted until it is taken out of `reading`. @param {string} room @returns {Reading} */
  function begun(room) {
    const read = { room: roomId(room), changes: [] };
    reading.add(read);
    return read;
  }

  return {
    /** Any request: the fields of its answer. */
    request,

    /** @param {string} room @param {number} seq of the post @param {string} body */
    edit: (room, seq, body) => act('edit', room, { seq, body }),
    /** @param {string} room @param {number} seq of the post */
    delete: (room, seq) => act('delete', room, { seq }),
    /**
     * @param {string} room @param {number} seq of the post @param {string} emoji
     * @param {boolean} [on] false: take it back
     */
    react: (room, seq, emoji, on = true) => act('react', room, { seq, emoji, on }),
    /** @param {string} room @param {number} seq of the post @param {boolean} [on] */
    pin: (room, seq, on = true) => act('pin', room, { seq, on }),
    /** @param {string} room @param {string} user @param {Role} [role] */
    add: (room, user, role) => act('add', room, { user, role }),
    /** @param {string} room @param {string} user */
    remove: (room, user) => act('remove', room, { user }),
    /** @param {string} room */
    leave: (room) => act('leave', room),
    /** @param {string} room @param {string} user @param {Role} role */
    role: (room, user, role) => act('role', room, { user, role }),
    /** @param {string} room @param {string} name */
    rename: (room, name) => act('rename', room, { name }),
    /** @param {string} room @param {string} user @param {boolean} [on] */
    ban: (room, user, on = true) => act('ban', room, { user, on }),
    /** @param {string} room @param {string} user @param {number} for_ms 0: no longer */
    mute: (room, user, for_ms) => act('mute', room, { user, for_ms }),
    /** @param {string} room @param {number} slow_ms between two posts of a member */
    slow: (room, slow_ms) => act('slow', room, { slow_ms }),
    /** @param {string} room @param {boolean} [on] */
    readOnly: (room, on = true) => act('read_only', room, { on }),

    /**
     * Lines of a room's log, earliest first: the last ones, or those beside `before` or `after`. Put them in, and
     * then apply `changes`: they were told while the page was on its way, when you did not have the posts that they
     * change.
     *
     * @param {string} room @param {{ before?: number, after?: number, limit?: number }} [options]
     * @returns {Promise<Page>}
     */
    async history(room, { before, after, limit } = {}) {
      const read = begun(room);
      try {
        const page = await request('history', { room: read.room, before, after, limit });
        return { ...page, changes: read.changes.filter((entry) => entry.seq > page.as_of) };
      } finally {
        reading.delete(read);
      }
    },
    /**
     * Lines on both sides of a post, as `history` gives them: up to `limit` that end with it, and as many after it.
     *
     * @param {string} room @param {number} seq of the post @param {{ limit?: number }} [options]
     * @returns {Promise<Page & { moreAfter: boolean }>} `more` is before them; `as_of` is of those after the post
     */
    async around(room, seq, { limit } = {}) {
      const read = begun(room);
      const ask = (/** @type {object} */ beside) => request('history', { room: read.room, ...beside, limit });
      try {
        const [before, after] = await Promise.all([ask({ before: seq + 1 }), ask({ after: seq })]);
        // The log went on between the two: each has what its own lines were changed by.
        const changes = read.changes.filter((entry) => entry.seq > (entry.post <= seq ? before : after).as_of);
        return { entries: [...before.entries, ...after.entries], more: before.more, moreAfter: after.more, as_of: after.as_of, changes };
      } finally {
        reading.delete(read);
      }
    },
    /**
     * Pinned posts, earliest first: the last ones, or those before `before`.
     *
     * @param {string} room @param {{ before?: number, limit?: number }} [options]
     * @returns {Promise<{ entries: PostEntry[], more: boolean, as_of: number }>}
     */
    pins: (room, { before, limit } = {}) => request('pins', { room: roomId(room), before, limit }),
    /**
     * @param {string} query words; posts that have them all, newest first
     * @param {{ room?: string, skip?: number, limit?: number }} [options]
     * @returns {Promise<{ hits: Hit[], more: boolean }>}
     */
    search: (query, { room, skip, limit } = {}) =>
      request('search', { query, room: room === undefined ? undefined : roomId(room), skip, limit }),
    /**
     * @param {string} room @param {{ after?: string, limit?: number }} [options] `after`: go on after this name
     * @returns {Promise<{ room: string, members: Member[], total: number, more: boolean }>}
     */
    members: (room, { after, limit } = {}) => request('members', { room: roomId(room), after, limit }),
    /**
     * Who is banned, by name.
     *
     * @param {string} room @param {{ after?: string, limit?: number }} [options] `after`: go on after this name
     * @returns {Promise<{ room: string, users: User[], more: boolean }>}
     */
    bans: (room, { after, limit } = {}) => request('bans', { room: roomId(room), after, limit }),
    /** One's rooms, and the names of those open to join. @returns {Promise<{ rooms: Summary[], open: string[] }>} */
    rooms: () => request('rooms'),
    /**
     * People whose name begins so.
     *
     * @param {string} [query] @param {{ limit?: number }} [options] @returns {Promise<{ users: User[] }>}
     */
    users: (query, { limit } = {}) => request('users', { query, limit }),
    /**
     * @param {'open' | 'group' | 'invite'} kind @param {{ name?: string }} [options]
     * @returns {Promise<{ room: string, summary: Summary }>}
     */
    create: (kind, { name } = {}) => request('create', { kind, name }),
    /**
     * The one room of oneself and another.
     *
     * @param {string} user @returns {Promise<{ room: string, summary: Summary }>}
     */
    direct: (user) => request('direct', { user }),
  };
}
