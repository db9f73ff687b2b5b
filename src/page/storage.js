/**
 * What this browser remembers for the page: settings, drafts, who one is. Storage can be forbidden or full; then things last as
 * long as the tab.
 */

const PREFIX = 'wsrelay.page.';

/** Where it keeps what somebody has begun to write in a room. @param {{ id: string } | null} me @param {string} room */
export const draftKey = (me, room) => `draft.${me?.id}.${room}`;

/** @param {string} key @returns {string | null} */
export function recall(key) {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string | null} value null: forget it */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // Nothing to do about it, and nothing lost that was promised.
  }
}
