/**
 * The rooms that are followed: how far each has come in its log, and how it goes on there after the connection was
 * lost. Every entry is given on once and in order. What is missing is asked for again, and what cannot be had is told
 * as a gap.
 *
 *     idle ──welcome, join──> asked ──joined──> live ──hole──> asked, from the last entry before it
 *      ^                       │ ^                │
 *      │                       v └──after_ms──────│── resting: refused for now
 *      └── connection lost ────┴──────────────────┘           refused for good, out, detach: not followed any more
 */

import { ChatError } from './wire.js';

/** @typedef {import('./types.js').Cursor} Cursor */
/** @typedef {import('./types.js').Joined} Joined */
/** @typedef {import('./types.js').Entry} Entry */
/** @typedef {import('./types.js').Gap} Gap */

/**
 * @typedef {{ resolve(joined: Joined): void, reject(error: ChatError): void }} Waiter
 * @typedef {{ room: string, cursor: Cursor | null, phase: 'idle' | 'asked' | 'live' | 'resting', mends: number,
 *   timer: any, joined: Joined | null, waiters: Waiter[], early: (() => void)[], isEarlier: boolean }} Followed
 *   `isEarlier`: asked for on an earlier connection, on which we may have been somebody else.
 */

/** How often a hole is asked for before it is told: a server that cannot fill it must not be asked for ever. */
export const MENDS_MAX = 3;

/** Before a room is asked for again, if the server did not say when; and at most, whatever it said. */
const REST_MS = 1_000;
const REST_MAX_MS = 60_000;

/**
 * @param {{ clock: import('./host.js').Clock, random(): number,
 *   ask(type: string, fields: object, done: import('./requests.js').Settle): void,
 *   joined(joined: Joined): void, entry(entry: Entry): void, gap(gap: Gap): void,
 *   dropped(room: string, error: ChatError | null): void }} to
 *   `dropped` without an error: by our own wish.
 */
export function makeRooms({ clock, random, ask, joined, entry, gap, dropped }) {
  /** @type {Map<string, Followed>} */
  const followed = new Map();
  /** Those that a `resume` has asked for, and that it has not answered yet. @type {Map<string, Followed>} */
  const resuming = new Map();
  let isConnected = false;

  /** @param {Followed} one */
  function attach(one) {
    one.phase = 'asked';
    ask('join', request(one), (error, ok) => answered(one, error, ok));
  }

  /** @param {Followed} one */
  function request({ room, cursor }) {
    return cursor === null ? { room } : { room, since: { ...cursor } };
  }

  /** @param {Followed[]} rooms */
  function resume(rooms) {
    for (const one of rooms) {
      one.phase = 'asked';
      resuming.set(one.room, one);
    }
    ask('resume', { rooms: rooms.map(request) }, (error) => {
      // What the answer left out, or all if there is none.
      for (const one of rooms.filter((left) => resuming.get(left.room) === left)) {
        resuming.delete(one.room);
        if (error && !error.retry) attach(one);
        else answered(one, error ?? new ChatError({ code: 'timeout' }));
      }
    });
  }

  /** @param {Followed} one @param {ChatError | null} error @param {Joined} [answer] */
  function answered(one, error, answer) {
    // It may have been given up since, and even begun anew.
    if (followed.get(one.room) !== one || one.phase !== 'asked') return;
    if (!error) return attached(one, /** @type {Joined} */ (answer));
    if (error.code === 'disconnected') return;
    if (!error.retry) return drop(one.room, error);
    one.phase = 'resting';
    const restMs = Math.min(error.after_ms ?? REST_MS, REST_MAX_MS);
    one.timer = clock.setTimeout(() => attach(one), restMs * (1 + random()));
    goOn(one);
  }

  /** Who asked for something too early asks again. @param {Followed} one */
  function goOn(one) {
    for (const early of one.early.splice(0)) early();
  }

  /** @param {Followed} one @param {Joined} answer */
  function attached(one, answer) {
    const { epoch, seq, first } = answer;
    const before = one.cursor;
    // A log that is shorter than what we have of it is another one, whatever the answer says.
    const isLost = before !== null && (answer.recovered === false || before.epoch !== epoch || seq < before.seq);
    one.phase = 'live';
    one.joined = answer;
    if (before === null || isLost) one.cursor = { epoch, seq };
    joined(answer);
    if (isLost) {
      const missed = before.epoch === epoch && seq >= before.seq ? seq - before.seq : null;
      gap({ room: one.room, reason: answer.reason ?? 'ahead', first, seq, missed });
    }
    for (const waiter of one.waiters.splice(0)) waiter.resolve(answer);
    goOn(one);
  }

  /** @param {Followed} one @param {Cursor} cursor @param {number} seq of an entry that does not follow */
  function mend(one, cursor, seq) {
    one.mends += 1;
    if (one.mends <= MENDS_MAX) {
      ask('detach', { room: one.room }, () => {});
      attach(one);
      return;
    }
    const missed = seq - 1 - cursor.seq;
    cursor.seq = seq - 1;
    gap({ room: one.room, reason: 'hole', first: one.joined?.first ?? 1, seq: seq - 1, missed });
  }

  /** @param {string} room @param {ChatError | null} error */
  function drop(room, error) {
    const one = followed.get(room);
    if (!one) return;
    followed.delete(room);
    clock.clearTimeout(one.timer);
    const reason = error ?? new ChatError({ code: 'out', message: 'The room is not followed any more.' });
    for (const waiter of one.waiters) waiter.reject(reason);
    dropped(room, error);
    goOn(one);
  }

  return {
    /** @param {string} room @param {Cursor | null} since @returns {Promise<Joined>} */
    join(room, since) {
      const one = followed.get(room) ?? begun(room, since);
      one.isEarlier = false;
      if (one.phase === 'live' && one.joined) return Promise.resolve(one.joined);
      followed.set(room, one);
      /** @type {Promise<Joined>} */
      const answer = new Promise((resolve, reject) => { one.waiters.push({ resolve, reject }); });
      // Who listens to `joined` and `detached` instead is told there.
      answer.catch(() => {});
      if (isConnected && one.phase === 'idle') attach(one);
      return answer;
    },

    /** @param {string} room */
    detach(room) {
      if (isConnected && followed.has(room)) ask('detach', { room }, () => {});
      drop(room, null);
    },

    /** The server has put us out. @param {string} room */
    out: (room) => drop(room, null),

    /**
     * We are not who we were. What they followed is not for us, unless we are in it too: to resume it would make us a member.
     *
     * @param {Set<string>} mine @returns {string[]} what is not followed any more
     */
    leaveBehind(mine) {
      const theirs = [...followed.values()].filter(({ room, isEarlier }) => isEarlier && !mine.has(room)).map(({ room }) => room);
      for (const room of theirs) drop(room, null);
      return theirs;
    },

    /** @param {number} roomsMax that one `resume` may name */
    welcomed(roomsMax) {
      isConnected = true;
      const idle = [...followed.values()].filter((one) => one.phase === 'idle');
      for (let from = 0; from < idle.length; from += roomsMax) resume(idle.slice(from, from + roomsMax));
    },

    /** @param {Joined & { error?: { code: string, message: string, after_ms?: number } }} answer one of a resume's */
    resumed(answer) {
      const one = resuming.get(answer.room);
      if (!one) return;
      resuming.delete(answer.room);
      answered(one, answer.error ? new ChatError(answer.error) : null, answer);
    },

    /** @param {Entry} next */
    heard(next) {
      const one = followed.get(next.room);
      const cursor = one?.cursor;
      if (!one || !cursor || !(next.seq > cursor.seq)) return;
      // While it is asked for, what comes after the hole is still of the old attachment.
      if (next.seq > cursor.seq + 1 && one.phase === 'live') mend(one, cursor, next.seq);
      if (next.seq > cursor.seq + 1) return;
      cursor.seq = next.seq;
      one.mends = 0;
      entry(next);
    },

    lost() {
      isConnected = false;
      resuming.clear();
      for (const one of followed.values()) {
        clock.clearTimeout(one.timer);
        one.phase = 'idle';
        one.isEarlier = true;
        goOn(one);
      }
    },

    /** Once it is known whether we are in a room: now, if nothing is on its way. @param {string} room @param {() => void} then */
    whenAnswered(room, then) {
      const one = followed.get(room);
      if (one?.phase === 'asked') one.early.push(then);
      else then();
    },

    /** Nothing will come any more: who waits is told. @param {ChatError} error */
    ended(error) {
      for (const one of followed.values()) for (const waiter of one.waiters.splice(0)) waiter.reject(error);
    },

    /** @param {string} room @returns {Cursor | null} */
    cursor(room) {
      const cursor = followed.get(room)?.cursor;
      return cursor ? { ...cursor } : null;
    },

    /** @param {string} room */
    phase: (room) => followed.get(room)?.phase ?? null,

    names: () => [...followed.keys()],
  };
}

/** @param {string} room @param {Cursor | null} since @returns {Followed} */
function begun(room, since) {
  const cursor = since && { ...since };
  return { room, cursor, phase: 'idle', mends: 0, timer: undefined, joined: null, waiters: [], early: [], isEarlier: false };
}
