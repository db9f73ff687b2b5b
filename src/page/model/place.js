/**
 * Where one is: the address's fragment, which no server sees. An invite room's token is in it. To go somewhere again is
 * another place that says the same.
 *
 *     #/            the list of rooms          #/room/ID        a room          #/room/ID/SEQ        a post in it
 *
 * @typedef {{ room: string | null, seq: number | null, isEnd?: true }} Place `isEnd`: one wants to see the room's present
 */

/** @param {string} hash @returns {Place} */
export function placeOf(hash) {
  const [, room, seq] = /^#\/room\/([^/]+)(?:\/(\d{1,15}))?$/.exec(hash) ?? [];
  return { room: room === undefined ? null : decoded(room), seq: seq === undefined ? null : Number(seq) };
}

/** @param {string | null} room @param {number | null} [seq] */
export function hashOf(room, seq = null) {
  if (room === null) return '#/';
  return `#/room/${encodeURIComponent(room)}${seq === null ? '' : `/${seq}`}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
