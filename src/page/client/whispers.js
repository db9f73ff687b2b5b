/**
 * What is said without an answer: that one writes, and how far one has received and read. Throttled, and told only
 * forward. The server drops whispers beyond its rate silently, so few go at a time.
 */

/** While one goes on writing it is said this often: sooner than the others forget it. */
export const TYPING_EVERY_MS = 3_000;

/** How far one is, is said at most this often, for at most so many rooms at a time. */
export const RECEIPTS_EVERY_MS = 500;
export const RECEIPTS_MAX = 10;

/** @typedef {'received' | 'read'} Mark */

/**
 * @param {{ clock: import('./host.js').Clock, send(frame: object): void }} to
 */
export function makeWhispers({ clock, send }) {
  /** When it was last said that one writes there. @type {Map<string, number>} */
  const typingAt = new Map();
  /** How far one is. @type {Record<Mark, Map<string, number>>} */
  const reached = { received: new Map(), read: new Map() };
  /** Which of these the server has not been told. @type {Map<string, { type: Mark, room: string }>} */
  const untold = new Map();
  let isConnected = false;
  /** @type {any} */
  let timer;

  /** @param {Mark} type @param {string} room */
  function tell(type, room) {
    untold.set(`${type} ${room}`, { type, room });
    if (isConnected) timer ??= clock.setTimeout(flush, RECEIPTS_EVERY_MS);
  }

  function flush() {
    timer = undefined;
    for (const [key, { type, room }] of [...untold].slice(0, RECEIPTS_MAX)) {
      untold.delete(key);
      send({ type, room, seq: reached[type].get(room) });
    }
    if (untold.size > 0) timer = clock.setTimeout(flush, RECEIPTS_EVERY_MS);
  }

  return {
    /** @param {string} room @param {boolean} on */
    typing(room, on) {
      if (!isConnected) return;
      const now = clock.monotonic();
      const saidAt = typingAt.get(room);
      if (on ? saidAt !== undefined && now - saidAt < TYPING_EVERY_MS : saidAt === undefined) return;
      if (on) typingAt.set(room, now);
      else typingAt.delete(room);
      send({ type: 'typing', room, on });
    },

    /** The post says that one writes no more. @param {string} room */
    posted: (room) => typingAt.delete(room),

    /** @param {Mark} type @param {string} room @param {number} seq */
    reach(type, room, seq) {
      if (seq <= (reached[type].get(room) ?? 0)) return;
      reached[type].set(room, seq);
      tell(type, room);
    },

    /** What is to be told is told now: there may be no later. */
    hurry() {
      if (timer === undefined) return;
      clock.clearTimeout(timer);
      flush();
    },

    /** One is somebody else now. */
    forget() {
      reached.received.clear();
      reached.read.clear();
      untold.clear();
    },

    /** The room's log began anew, and so does how far one is in it. @param {string} room */
    restart(room) {
      for (const type of /** @type {const} */ (['received', 'read'])) {
        reached[type].delete(room);
        untold.delete(`${type} ${room}`);
      }
    },

    /**
     * What was said into a dead connection is said again.
     *
     * @param {import('./types.js').Summary[]} rooms what the server knows
     */
    welcomed(rooms) {
      isConnected = true;
      for (const { room, read } of rooms) if ((reached.read.get(room) ?? 0) > read) tell('read', room);
      if (untold.size > 0) timer ??= clock.setTimeout(flush, RECEIPTS_EVERY_MS);
    },

    lost() {
      isConnected = false;
      clock.clearTimeout(timer);
      timer = undefined;
      typingAt.clear();
    },
  };
}
