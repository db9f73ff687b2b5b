/**
 * The lines of a room, as one page of it shows them: posts with what later entries made of them, and notices of what
 * else happened. Pure: a list, ordered by `seq`, becomes another list.
 */

/** @typedef {import('wsrelay').Entry} Entry */
/** @typedef {import('wsrelay').PostEntry} PostEntry */

/**
 * @param {readonly Entry[]} lines @param {Entry} entry
 * @returns {readonly Entry[]}
 */
export function withEntry(lines, entry) {
  switch (entry.kind) {
    case 'edit': return withPost(lines, entry.post, (post) => edited(post, entry));
    case 'delete': return withPost(lines, entry.post, deleted);
    case 'react': return withPost(lines, entry.post, (post) => reacted(post, entry));
    case 'pin': return withPost(lines, entry.post, (post) => ({ ...post, pinned: entry.on }));
    default: return withLines(lines, [entry]);
  }
}

/**
 * A page of the history, and then what has changed in it meanwhile.
 *
 * @param {readonly Entry[]} lines @param {import('wsrelay').Page} page
 * @returns {readonly Entry[]}
 */
export function withPage(lines, { entries, changes }) {
  return changes.reduce(withEntry, withLines(lines, entries));
}

/**
 * What is there already stays as it is: it has heard of every change.
 *
 * @param {readonly Entry[]} lines @param {Entry[]} added
 */
function withLines(lines, added) {
  const there = new Set(lines.map(({ seq }) => seq));
  return [...lines, ...added.filter(({ seq }) => !there.has(seq))].sort((a, b) => a.seq - b.seq);
}

/** @param {readonly Entry[]} lines @param {number} seq @param {(post: PostEntry) => any} change */
function withPost(lines, seq, change) {
  return lines.map((line) => (line.seq === seq && line.kind === 'post' && !line.deleted ? change(line) : line));
}

/** @param {PostEntry} post @param {{ body?: string, at: string }} edit without a body if the post was deleted later */
function edited(post, { body, at }) {
  return body === undefined ? post : { ...post, body, edited: at };
}

/** @param {PostEntry} post */
function deleted({ room, seq, kind, from, at }) {
  return { room, seq, kind, from, at, deleted: true };
}

/** @param {PostEntry} post @param {{ from: string, emoji: string, on: boolean }} reaction */
function reacted(post, { from, emoji, on }) {
  const before = post.reactions ?? [];
  const users = (before.find((reaction) => reaction.emoji === emoji)?.users ?? []).filter((user) => user !== from);
  const others = before.filter((reaction) => reaction.emoji !== emoji);
  const after = on ? [...users, from] : users;
  return { ...post, reactions: after.length > 0 ? [...others, { emoji, users: after }] : others };
}
