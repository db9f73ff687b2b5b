/**
 * Who is present in a room, and who writes there just now: the sum of what was announced on this connection.
 */

/** @typedef {import('./types.js').Presence} Presence */
/** @typedef {import('./types.js').Typing} Typing */
/** @typedef {import('./types.js').Present} Present */

/** Who writes is forgotten this long after the last sign of it. */
export const TYPING_MS = 6_000;

/**
 * @param {{ clock: import('./host.js').Clock, stopped(typing: Typing): void }} to
 *   `stopped` when somebody writes no more without having said so.
 */
export function makePeople({ clock, stopped }) {
  /** @type {Map<string, Set<string> | number>} */
  const present = new Map();
  /** @type {Map<string, Map<string, any>>} by room and name: the timer that ends it */
  const typists = new Map();

  /** @param {string} room @param {string} name @returns {boolean} whether they had been writing */
  function forget(room, name) {
    const those = typists.get(room);
    clock.clearTimeout(those?.get(name));
    const had = those?.delete(name) ?? false;
    if (those?.size === 0) typists.delete(room);
    return had;
  }

  /** @param {string} room @param {string} from */
  function end(room, from) {
    if (forget(room, from)) stopped({ room, from, on: false });
  }

  /** @param {string} room */
  function forgetRoom(room) {
    present.delete(room);
    for (const name of [...typists.get(room)?.keys() ?? []]) end(room, name);
  }

  return {
    /** @param {Presence} presence */
    announced(presence) {
      const { room } = presence;
      if ('count' in presence) present.set(room, presence.count);
      else if (!('user' in presence)) present.set(room, new Set(presence.online));
      else {
        const names = present.get(room);
        if (!(names instanceof Set)) return;
        if (presence.online) names.add(presence.user);
        else names.delete(presence.user);
      }
    },

    /** @param {Typing} typing */
    typed({ room, from, on }) {
      forget(room, from);
      if (!on) return;
      const those = typists.get(room) ?? new Map();
      typists.set(room, those.set(from, clock.setTimeout(() => end(room, from), TYPING_MS)));
    },

    /** What was being written is there. @param {string} room @param {string} from */
    posted: end,

    forgetRoom,

    lost() {
      for (const room of [...present.keys(), ...typists.keys()]) forgetRoom(room);
    },

    /** @param {string} room @returns {Present | null} null: not known */
    present(room) {
      const known = present.get(room);
      if (known === undefined) return null;
      return typeof known === 'number' ? { count: known } : { names: [...known].sort() };
    },

    /** @param {string} room */
    typists: (room) => [...typists.get(room)?.keys() ?? []],
  };
}
