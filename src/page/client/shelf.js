/**
 * Posts in storage, one item each, so that tabs never write over each other's; and the lock under which one is sent.
 * A storage that is full or forbidden keeps nothing, and says so.
 *
 * @typedef {Omit<import('./types.js').OutboxPost, 'key' | 'until' | 'kept'>} KeptPost
 * @typedef {ReturnType<typeof makeShelf>} PostShelf
 */

/** @typedef {import('./types.js').Receipt} Receipt */

/**
 * A lock is waited for this long. Who goes on without it only risks to send a post twice, which its key makes
 * harmless.
 */
const LOCK_MS = 20_000;

/** Whose post lies here for longer does not come back for it: the log-in has ended meanwhile. */
export const KEPT_MS = 90 * 24 * 3_600_000;

/** What all posts' names begin with, whoever wrote them, for whichever server. */
const POSTS = 'wsrelay.post ';

/**
 * @param {{ storage: import('./host.js').Shelf, locks: import('./host.js').Locks | null,
 *   clock: import('./host.js').Clock, address: string }} of
 */
export function makeShelf({ storage, locks, clock, address }) {
  /** Whose posts these are. @type {string | null} */
  let owner = null;
  const prefix = () => `${POSTS}${address} ${owner} `;

  /** @param {string} key @param {KeptPost | { sent: Receipt }} post @returns {boolean} whether it is kept */
  function put(key, post) {
    if (owner === null) return false;
    try {
      storage.setItem(prefix() + key, JSON.stringify(post));
      return true;
    } catch {
      return false;
    }
  }

  function names() {
    return Array.from({ length: storage.length }, (_, place) => storage.key(place) ?? '');
  }

  /** Others' posts do not lie here for ever. */
  function sweep() {
    const oldest = clock.now() - KEPT_MS;
    try {
      for (const name of names().filter((one) => one.startsWith(POSTS) && !one.startsWith(prefix()))) {
        const post = parsePost(storage.getItem(name));
        if (post && 'at' in post && post.at < oldest) storage.removeItem(name);
      }
    } catch {
      // Nothing is kept there.
    }
  }

  return {
    get owner() { return owner; },

    /** @param {string} person */
    belongTo(person) {
      owner = person;
      sweep();
    },

    put,

    /** The other tabs are told where it is before it goes. @param {string} key @param {Receipt | null} receipt */
    remove(key, receipt) {
      if (receipt) put(key, { sent: receipt });
      try {
        if (owner !== null) storage.removeItem(prefix() + key);
      } catch {
        // It is sent again after a reload, and its key tells the server that it has it.
      }
    },

    /** @param {string} key */
    has(key) {
      try {
        return storage.getItem(prefix() + key) !== null;
      } catch {
        return false;
      }
    },

    /** @returns {(KeptPost & { key: string })[]} */
    all() {
      const posts = [];
      try {
        for (const name of names()) {
          const post = name.startsWith(prefix()) ? parsePost(storage.getItem(name)) : null;
          if (post && !('sent' in post)) posts.push({ ...post, key: name.slice(prefix().length) });
        }
      } catch {
        // As above: nothing is kept there.
      }
      return posts;
    },

    /** The key of the post that is kept by this name; null: it is none of ours. @param {string} name */
    keyOf: (name) => (owner !== null && name.startsWith(prefix()) ? name.slice(prefix().length) : null),

    /** Does it while no other tab does the same. @param {string} room @param {() => Promise<void>} work */
    async alone(room, work) {
      if (!locks || owner === null) return work();
      const impatience = new AbortController();
      const timer = clock.setTimeout(() => impatience.abort(), LOCK_MS);
      let isHeld = false;
      const held = () => {
        isHeld = true;
        clock.clearTimeout(timer);
        return work();
      };
      try {
        await locks.request(prefix() + room, { signal: impatience.signal }, held);
      } catch {
        clock.clearTimeout(timer);
        if (!isHeld) await work();
      }
    },
  };
}

/** @param {string | null} text @returns {KeptPost | { sent: Receipt } | null} */
export function parsePost(text) {
  try {
    const post = JSON.parse(text ?? 'null');
    const isPost = typeof post?.room === 'string' && typeof post.body === 'string' && Number.isFinite(post.at);
    return isPost || Number.isFinite(post?.sent?.seq) ? post : null;
  } catch {
    return null;
  }
}
