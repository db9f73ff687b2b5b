/**
 * Requests and their answers, by number. Each is settled exactly once: by its answer, by time, or by the end of the
 * connection.
 */

import { ChatError, jsonOf } from './wire.js';

/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {(error: ChatError | null, ok: any) => void} Settle */

/** A server that takes longer than this has lost the request, or the connection is dead. */
export const REQUEST_MS = 15_000;

/**
 * @param {{ clock: import('./host.js').Clock, send(frame: object): void, overdue(): void, bytesMax(): number }} to
 *   `bytesMax`: of a message; the server hangs up on whoever sends a larger one, and would again after each return
 */
export function makeRequests({ clock, send, overdue, bytesMax }) {
  /** @type {Map<number, { settle: Settle, timer: any }>} */
  const open = new Map();
  let nextId = 1;

  /** @param {number} id @param {ChatError | null} error @param {any} [ok] */
  function settle(id, error, ok) {
    const request = open.get(id);
    if (!request) return;
    open.delete(id);
    clock.clearTimeout(request.timer);
    request.settle(error, ok);
  }

  return {
    /**
     * Settles at once when the answer is heard, and so before the frames that follow it.
     *
     * @param {string} type @param {object} fields @param {Settle} done @param {number} [timeoutMs]
     */
    ask(type, fields, done, timeoutMs = REQUEST_MS) {
      const id = nextId;
      nextId += 1;
      const frame = { type, id, ...fields };
      if (bytesOf(frame) > bytesMax()) return done(new ChatError({ code: 'too_large', message: 'That is too long to be sent.' }), null);
      const timer = clock.setTimeout(() => {
        settle(id, new ChatError({ code: 'timeout', message: 'The server does not answer.' }));
        overdue();
      }, timeoutMs);
      open.set(id, { settle: done, timer });
      send(frame);
    },

    /** @param {Frame} frame `ok`, or `error` with an id */
    answered({ type, id, ...rest }) {
      if (type === 'ok') settle(id, null, rest);
      else settle(id, new ChatError(/** @type {any} */ (rest)));
    },

    /** The connection is gone, and with it every answer. */
    lost() {
      for (const id of [...open.keys()]) settle(id, disconnected());
    },
  };
}

/** @param {object} frame */
function bytesOf(frame) {
  return new TextEncoder().encode(jsonOf(frame)).length;
}

export function disconnected() {
  return new ChatError({ code: 'disconnected', message: 'There is no connection.' });
}
