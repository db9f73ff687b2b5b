/**
 * What the page knows, and how it changes: `update(state, event)` returns the next state and does nothing else.
 *
 * No socket, no clock, no randomness, no document here: times and random numbers arrive in events. What is
 * to be done follows from the state alone: `main.js` opens a socket when `link` says connecting, sets a timer when
 * it says waiting, and hands over the lines that are on their way.
 *
 * A raw room carries plain text and keeps nothing, so three things are worth being exact about:
 *
 * - A line is *sent* once the room has given it back. Until then it is *sending*; if the connection ends first it
 *   is *unconfirmed*, because nobody can say whether the others saw it.
 * - Lines said while this page was away are gone. The page marks where that was (a gap) rather than hide it.
 * - A line is whatever somebody typed. Only the page itself makes a gap, so no text can pass for one.
 *
 *     connecting ──opened──> open ──closed──> waiting ──due, retry──> connecting
 *         └─────closed────────────────────────> ┘  ^
 *     any ──offline──> offline ──online────────────┘      4500–4999 ──> stopped ──retry──> connecting
 */

/**
 * @typedef {{ kind: 'line', id: number, at: number, nick: string | null, text: string, cut: number, own: boolean,
 *   delivery: 'sent' | 'sending' | 'unconfirmed' }} Line
 *   `cut` is how many characters of a very long text are not kept.
 * @typedef {{ kind: 'binary', id: number, at: number, bytes: number }} Binary
 * @typedef {{ kind: 'gap', id: number, at: number, since: number }} Gap
 * @typedef {Line | Binary | Gap} Row
 *
 * @typedef {{ phase: 'connecting' } | { phase: 'open', since: number } | { phase: 'waiting', until: number }
 *   | { phase: 'offline' } | { phase: 'stopped', code: number, reason: string }} Phase
 * @typedef {Phase & { attempt: number, epoch: number }} Link
 *   `attempt` counts the tries since a connection last held; `epoch` names the try, so each opens one socket.
 *
 * @typedef {Readonly<{ room: string, nick: string, link: Link, rows: readonly Row[], nextId: number,
 *   lostAt: number | null }>} State
 *
 * @typedef {{ type: 'opened', now: number }
 *   | { type: 'closed', now: number, code: number, reason: string, random: number }
 *   | { type: 'due' } | { type: 'retry' } | { type: 'offline', now: number }
 *   | { type: 'online', now: number, random: number } | { type: 'unanswered', now: number, random: number }
 *   | { type: 'received', now: number, text: string } | { type: 'receivedBinary', now: number, bytes: number }
 *   | { type: 'said', now: number, text: string } | { type: 'saidAgain', now: number, id: number }
 *   | { type: 'renamed', nick: string }} Event
 */

/** Rows kept on the page. Older ones go: a tab left open for a week must not grow for a week. */
export const ROWS_MAX = 1000;

/** Characters and lines of one text that are kept: a room allows 64 KiB, and a thousand of those is not a page. */
export const TEXT_CHARS_MAX = 8000;
export const TEXT_LINES_MAX = 40;

/** Characters in a name. Also what tells a name from a sentence with a colon in it. */
export const NICK_CHARS_MAX = 24;

/** The ceiling of the first wait, and of all. */
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_MAX_MS = 30_000;

/** A connection that held this long was a good one: the next wait starts small again. */
export const STABLE_MS = 10_000;

/** A room gives a line back within a round trip; a silence this long means nobody is there. */
export const ANSWER_MS = 15_000;

const ROOM = /^[A-Za-z0-9._~-]{1,64}$/;

/**
 * @param {{ room: string, nick: string }} who
 * @returns {State}
 */
export function initial({ room, nick }) {
  const link = /** @type {Link} */ ({ phase: 'connecting', attempt: 0, epoch: 1 });
  return { room, nick, link, rows: [], nextId: 1, lostAt: null };
}

/**
 * @param {State} state
 * @param {Event} event
 * @returns {State}
 */
export function update(state, event) {
  switch (event.type) {
    case 'opened': return state.link.phase === 'connecting' ? opened(state, event.now) : state;
    case 'closed': return isIdle(state.link) ? state : closed(state, event);
    case 'due': return state.link.phase === 'waiting' ? connecting(state) : state;
    case 'retry': return isIdle(state.link) ? connecting(state) : state;
    case 'offline': return lost(state, event.now, { phase: 'offline' }, 0);
    case 'online': return state.link.phase === 'offline' ? waiting(state, event, 0) : state;
    case 'unanswered': return onTheirWay(state).length > 0 ? waiting(state, event, 0) : state;
    case 'received': return received(state, event);
    case 'receivedBinary': return added(state, { kind: 'binary', at: event.now, bytes: event.bytes });
    case 'said': return said(state, event.text, event.now);
    case 'saidAgain': return saidAgain(state, event);
    case 'renamed': return { ...state, nick: event.nick };
  }
}

// The connection.

/**
 * Full jitter: anywhere between at once and a ceiling that doubles. After a restart everybody comes back, and
 * spreading them over the whole interval is what keeps that from being one blow.
 *
 * @param {number} attempt tries that failed so far
 * @param {number} random in [0, 1)
 */
export function backoffMs(attempt, random) {
  return Math.floor(random * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt));
}

/** @param {number} code closed for good: the server asks not to be called again (4000–4499 asks for patience only) */
export function isFinal(code) {
  return code >= 4500 && code <= 4999;
}

/** @param {Link} link neither connected nor about to be */
function isIdle(link) {
  return link.phase === 'waiting' || link.phase === 'offline' || link.phase === 'stopped';
}

/** @param {State} state @param {number} now @returns {State} */
function opened(state, now) {
  const link = { ...state.link, phase: /** @type {const} */ ('open'), since: now };
  const open = { ...state, link, lostAt: null };
  if (state.lostAt === null) return open;
  // Gaps with nothing between them are one: a connection that flaps must not fill the page.
  const last = state.rows.at(-1);
  if (last?.kind !== 'gap') return added(open, { kind: 'gap', at: now, since: state.lostAt });
  return added({ ...open, rows: state.rows.slice(0, -1) }, { kind: 'gap', at: now, since: last.since });
}

/** @param {State} state @param {{ now: number, code: number, reason: string, random: number }} event @returns {State} */
function closed(state, event) {
  const { link } = state;
  if (isFinal(event.code)) {
    return lost(state, event.now, { phase: 'stopped', code: event.code, reason: event.reason }, 0);
  }
  const held = link.phase === 'open' && event.now - link.since >= STABLE_MS;
  return waiting(state, event, held ? 0 : link.attempt);
}

/** @param {State} state @param {{ now: number, random: number }} event @param {number} attempt @returns {State} */
function waiting(state, { now, random }, attempt) {
  return lost(state, now, { phase: 'waiting', until: now + backoffMs(attempt, random) }, attempt + 1);
}

/** @param {State} state @returns {State} */
function connecting(state) {
  const { attempt, epoch } = state.link;
  return { ...state, link: { phase: 'connecting', attempt, epoch: epoch + 1 } };
}

/**
 * There is no connection now. What was on its way may have arrived or not, and the row says so.
 *
 * @param {State} state @param {number} now @param {Phase} phase @param {number} attempt
 * @returns {State}
 */
function lost(state, now, phase, attempt) {
  const rows = state.rows.map((row) => (isOnItsWay(row) ? { ...row, delivery: /** @type {const} */ ('unconfirmed') } : row));
  const lostAt = state.link.phase === 'open' ? now : state.lostAt;
  return { ...state, rows, lostAt, link: { ...phase, attempt, epoch: state.link.epoch } };
}

// Lines.

/**
 * A line as it travels, `ann: hello`: what a person reads and types in a terminal.
 *
 * @param {{ nick: string | null, text: string }} line
 */
export function wire({ nick, text }) {
  return nick === null ? text : `${nick}: ${text}`;
}

/**
 * The line in a text: a name before the first `: `, if what stands there can be a name at all.
 *
 * @param {string} text
 * @returns {{ nick: string | null, text: string }}
 */
export function parseLine(text) {
  const colon = text.indexOf(': ');
  const nick = text.slice(0, Math.max(colon, 0));
  return nick !== '' && cleanNick(nick) === nick ? { nick, text: text.slice(colon + 2) } : { nick: null, text };
}

/**
 * The lines in what was typed: one line a message, because others read by the line.
 *
 * @param {string} typed
 */
export function linesOf(typed) {
  return typed.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => line !== '');
}

/** @param {State} state the lines the room has yet to give back, oldest first @returns {Line[]} */
export function onTheirWay(state) {
  return /** @type {Line[]} */ (state.rows.filter(isOnItsWay));
}

/** @param {Row} row */
function isOnItsWay(row) {
  return row.kind === 'line' && row.delivery === 'sending';
}

/** @param {State} state @param {string} typed @param {number} now @returns {State} */
function said(state, typed, now) {
  // What cannot be sent is not a line yet: it stays in the box.
  if (state.link.phase !== 'open') return state;
  return linesOf(typed).reduce((next, text) => added(next, {
    kind: 'line', at: now, nick: next.nick, text, cut: 0, own: true, delivery: 'sending',
  }), state);
}

/** @param {State} state @param {{ now: number, id: number }} event @returns {State} */
function saidAgain(state, { now, id }) {
  const line = state.rows.find((row) => row.id === id);
  if (state.link.phase !== 'open' || line?.kind !== 'line' || line.delivery !== 'unconfirmed') return state;
  const { id: _, ...rest } = line;
  const without = { ...state, rows: state.rows.filter((row) => row !== line) };
  return added(without, { ...rest, at: now, delivery: 'sending' });
}

/**
 * A text from the room. The room gives every sender its own lines back, in the order they were sent, so the first
 * line on its way with this text is the one that has arrived.
 *
 * @param {State} state @param {{ now: number, text: string }} event @returns {State}
 */
function received(state, { now, text }) {
  const own = onTheirWay(state).find((line) => wire(line) === text);
  if (own) {
    // It takes its place among the others' lines where the room put it, which is last.
    const { id: _, ...rest } = own;
    const rows = state.rows.map((row) => (row === own ? { ...own, at: now, delivery: /** @type {const} */ ('sent') } : row));
    const settled = rows.every((row) => row.id <= own.id || isOnItsWay(row));
    if (settled) return { ...state, rows };
    return added({ ...state, rows: state.rows.filter((row) => row !== own) }, { ...rest, at: now, delivery: 'sent' });
  }
  const line = parseLine(text);
  const kept = clip(line.text);
  return added(state, {
    kind: 'line', at: now, nick: line.nick, text: kept, cut: line.text.length - kept.length, own: false, delivery: 'sent',
  });
}

/** @param {string} text */
function clip(text) {
  const few = text.split('\n', TEXT_LINES_MAX).join('\n');
  if (few.length <= TEXT_CHARS_MAX) return few;
  // Half of a surrogate pair would be shown as a broken character.
  const end = /[\uD800-\uDBFF]/.test(few[TEXT_CHARS_MAX - 1]) ? TEXT_CHARS_MAX - 1 : TEXT_CHARS_MAX;
  return few.slice(0, end);
}

/** @typedef {Omit<Line, 'id'> | Omit<Binary, 'id'> | Omit<Gap, 'id'>} NewRow */

/** @param {State} state @param {NewRow} row @returns {State} */
function added(state, row) {
  const rows = [...state.rows, /** @type {Row} */ ({ ...row, id: state.nextId })];
  return { ...state, rows: rows.slice(-ROWS_MAX), nextId: state.nextId + 1 };
}

// Names.

/**
 * A name as others will see it: one line, no colon (that is where a name ends), no invisible characters, not too
 * long. Null if nothing is left.
 *
 * @param {string} typed
 */
export function cleanNick(typed) {
  const visible = typed.replace(/[\p{C}:]/gu, '').replace(/[\p{Z}\s]+/gu, ' ').trim();
  const short = [...visible].slice(0, NICK_CHARS_MAX).join('').trim();
  return short === '' ? null : short;
}

/** @param {number} random in [0, 1) */
export function guestNick(random) {
  // Without 0, 1, i, l and o: people read these names to each other.
  const letters = '23456789abcdefghjkmnpqrstuvwxyz';
  let rest = Math.floor(random * letters.length ** 4);
  let name = '';
  for (let place = 0; place < 4; place += 1) {
    name += letters[rest % letters.length];
    rest = Math.floor(rest / letters.length);
  }
  return `guest-${name}`;
}

/** @param {string} nick one of twelve hues, always the same for the same name (FNV-1a, whose low bits mix poorly) */
export function hueOf(nick) {
  let hash = 0x811c9dc5;
  for (const char of nick) hash = Math.imul(hash ^ /** @type {number} */ (char.codePointAt(0)), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % 12;
}

/**
 * The room that the address asks for: `?room=name`, or the lobby. Null if it asks for something that is no room.
 *
 * @param {string} search
 */
export function roomFrom(search) {
  const asked = new URLSearchParams(search).get('room');
  if (asked === null) return 'lobby';
  // Browsers resolve a path segment of dots away, so a room of that name could never be reached from here.
  return ROOM.test(asked) && asked !== '.' && asked !== '..' ? asked : null;
}
