/** What goes over the wire, and what a refusal is to a program. */

/**
 * Why something was not done. `code` is for programs: one of the server's (PROTOCOL.md), or `disconnected`, `timeout`,
 * `stopped`, `out`, `discarded`, `outbox_full`, `too_large`, which are the client's own.
 */
export class ChatError extends Error {
  /** @param {{ code: string, message?: string, after_ms?: number | undefined }} refusal */
  constructor({ code, message, after_ms }) {
    super(message ?? code);
    this.name = 'ChatError';
    /** @type {string} */
    this.code = code;
    /** Milliseconds after which the same may well be granted. @type {number | undefined} */
    this.after_ms = Number.isFinite(after_ms) ? after_ms : undefined;
  }

  /** Whether the same may be granted later, without anything being changed. */
  get retry() {
    return this.after_ms !== undefined || this.code === 'disconnected' || this.code === 'timeout';
  }
}

/**
 * The room's id for what a person typed: names are folded as the server folds them, other ids are opaque.
 *
 * @param {string} room
 */
export function roomId(room) {
  return room.startsWith('~') ? room : room.normalize('NFKC').toLowerCase().normalize('NFC');
}

/** @param {import('./types.js').Entry} entry @returns {entry is import('./types.js').ChangeEntry} */
export function isChange(entry) {
  return ['edit', 'delete', 'react', 'pin'].includes(entry.kind);
}

/**
 * As JSON that the server reads: UTF-8 has no half of a character, which is what remains where a text was cut in the
 * middle of an emoji. In place of it stands U+FFFD, as in all that a browser sends.
 *
 * @param {object} frame
 */
export function jsonOf(frame) {
  return JSON.stringify(frame, (_, value) => (typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value));
}

/**
 * @param {unknown} data what a socket gave
 * @returns {import('./types.js').Frame | null} null if this is nothing that we could know
 */
export function parseFrame(data) {
  if (typeof data !== 'string') return null;
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === 'string' ? frame : null;
  } catch {
    // An entry lost here leaves a hole in its log, and is asked for again.
    return null;
  }
}
