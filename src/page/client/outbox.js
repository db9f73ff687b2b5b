/**
 * Own posts until the server has them. Each has a key, so that to send one twice is to send it once; each is in
 * storage, so that a reload loses none; those of one room go one after the other, in the order in which they were
 * written.
 *
 *     waiting ──ok, its entry──> sent
 *      │ │  ^──lost, later── refused for now           waiting, failed ──discard──> discarded
 *      │ └──refused──> failed ──retry──> waiting
 *      └── what other tabs make of it is told by storage
 *
 * Tabs share the posts of a person. Who sends one holds its room's lock, and looks whether it is still there; a living
 * tab's posts are left to that tab for a while.
 */

import { parsePost } from './shelf.js';
import { ChatError } from './wire.js';

/** @typedef {import('./types.js').OutboxPost} OutboxPost */
/** @typedef {import('./types.js').Receipt} Receipt */

/**
 * @typedef {Omit<OutboxPost, 'until'> & { dueAt?: number, isFresh: boolean, isOthers: boolean, promise: Promise<Receipt>,
 *   resolve(receipt: Receipt): void, reject(error: ChatError): void }} Item
 *   `isFresh`: written on this connection, so that a room which does not know us is the writer's mistake; `isOthers`:
 *   written in another tab, which lives; `dueAt`: it is not sent before, by the clock that nobody sets.
 */

/** A program that writes into the void has to be stopped somewhere. */
export const POSTS_MAX = 500;

/** Another tab's post is left to it for this long. */
export const OTHERS_MS = 10_000;

/** A post is sent again after this long if the server did not say when. */
const AGAIN_MS = 1_000;

/**
 * @param {{ clock: import('./host.js').Clock, random(): number, newKey(): string,
 *   shelf: import('./shelf.js').PostShelf,
 *   ask(type: string, fields: object, done: import('./requests.js').Settle): void,
 *   mayPost(room: string, isFresh: boolean): boolean, changed(post: OutboxPost): void }} to
 *   `mayPost` is true if the room knows us on this connection.
 */
export function makeOutbox({ clock, random, newKey, shelf, ask, mayPost, changed }) {
  /** In order. @type {Item[]} */
  let items = [];
  /** Rooms of which a post is on its way. @type {Set<string>} */
  const busy = new Set();
  /** @type {Map<string, any>} */
  const timers = new Map();
  let lastAt = 0;
  let isConnected = false;

  /** @param {Pick<Item, 'key' | 'room' | 'body' | 'reply_to' | 'at' | 'kept'> & Partial<Item>} post */
  function add(post) {
    const item = renewed({ state: 'waiting', isFresh: false, isOthers: false, ...post });
    lastAt = Math.max(lastAt, item.at);
    const place = items.findIndex((other) => other.at > item.at);
    items.splice(place < 0 ? items.length : place, 0, item);
    return item;
  }

  /** @param {any} item a new promise, which nobody has to listen to @returns {Item} */
  function renewed(item) {
    item.promise = new Promise((resolve, reject) => Object.assign(item, { resolve, reject }));
    item.promise.catch(() => {});
    return item;
  }

  /** @param {string} key */
  const find = (key) => items.find((item) => item.key === key);

  /** @param {Item} item @returns {OutboxPost} */
  function snapshot({ dueAt, isFresh, isOthers, promise, resolve, reject, ...post }) {
    return dueAt === undefined ? post : { ...post, until: Math.round(clock.now() + dueAt - clock.monotonic()) };
  }

  /** @param {Item} item */
  function keep(item) {
    const { key, until, kept, ...post } = snapshot(item);
    item.kept = shelf.put(key, post);
  }

  /** @param {Item} item */
  function tell(item) {
    changed(snapshot(item));
  }

  /** @param {Item} item @param {'sent' | 'discarded'} state */
  function finish(item, state) {
    items = items.filter((other) => other !== item);
    item.state = state;
    delete item.dueAt;
    tell(item);
  }

  /** @param {Item} item @param {Receipt} receipt */
  function sent(item, receipt) {
    item.seq = receipt.seq;
    item.resolve(receipt);
    finish(item, 'sent');
  }

  /** @param {Item} item */
  function discarded(item) {
    item.reject(new ChatError({ code: 'discarded' }));
    finish(item, 'discarded');
  }

  /** @param {Item} item @param {ChatError} error */
  function refused(item, error) {
    if (!items.includes(item) || error.code === 'disconnected') return;
    if (error.retry) {
      const afterMs = error.after_ms ?? AGAIN_MS;
      // All whom a store's trouble stopped would come back at once.
      item.dueAt = clock.monotonic() + afterMs + Math.floor(random() * Math.min(afterMs, 1_000));
    } else {
      item.state = 'failed';
      item.error = { code: error.code, message: error.message };
      delete item.dueAt;
      keep(item);
      item.reject(error);
    }
    tell(item);
  }

  /** Sends the first of the room's posts, if none is on its way; and then the next. @param {string} room */
  function pump(room) {
    clock.clearTimeout(timers.get(room));
    timers.delete(room);
    if (busy.has(room)) return;
    const now = clock.monotonic();
    const waiting = items.filter((item) => item.room === room && item.state === 'waiting');
    // Another tab's post waits for that tab, and nothing waits for it, until it is ours to send.
    for (const item of waiting) item.isOthers &&= (item.dueAt ?? 0) > now;
    const next = waiting.find((item) => !item.isOthers) ?? waiting[0];
    if (!next) return;
    if ((next.dueAt ?? 0) > now) {
      timers.set(room, clock.setTimeout(() => pump(room), (next.dueAt ?? 0) - now));
    } else if (isConnected && mayPost(room, next.isFresh)) {
      busy.add(room);
      shelf.alone(room, () => send(next)).then(() => {
        busy.delete(room);
        pump(room);
      });
    }
  }

  /** @param {Item} item @returns {Promise<void>} */
  async function send(item) {
    const { room, key, body, reply_to } = item;
    // A lock can take its time.
    const isDue = items.includes(item) && item.state === 'waiting' && isConnected && mayPost(room, item.isFresh);
    if (!isDue) return;
    if (item.kept && !shelf.has(key)) {
      // Another tab has dealt with it, and the news is on its way; or somebody has emptied the storage.
      item.kept = false;
      item.dueAt = clock.monotonic() + AGAIN_MS;
      return;
    }
    await new Promise((/** @type {(done: void) => void} */ done) => {
      ask('post', { room, key, body, reply_to }, (error, ok) => {
        if (error) refused(item, error);
        else arrived({ ...ok, key });
        done();
      });
    });
  }

  /** It is in the log. @param {Receipt & { key?: string }} receipt */
  function arrived({ key = '', seq, at, dup }) {
    const item = find(key);
    if (!item) return;
    const receipt = dup ? { seq, at, dup } : { seq, at };
    shelf.remove(key, receipt);
    sent(item, receipt);
  }

  return {
    /** @param {string} room @param {string} body @param {number | undefined} replyTo */
    post(room, body, replyTo) {
      if (items.length >= POSTS_MAX) {
        throw new ChatError({ code: 'outbox_full', message: 'Too many posts are waiting.' });
      }
      const reply = replyTo !== undefined && { reply_to: replyTo };
      const at = Math.max(clock.now(), lastAt + 1);
      const item = add({ key: newKey(), room, body, ...reply, at, kept: false, isFresh: isConnected });
      keep(item);
      tell(item);
      pump(room);
      return { key: item.key, sent: item.promise };
    },

    /** @param {string | null} room @returns {OutboxPost[]} */
    list: (room) => items.filter((item) => room === null || item.room === room).map(snapshot),

    /** Sends a failed post again, or a waiting one now. @param {string} key */
    retry(key) {
      const item = find(key);
      if (!item) return Promise.reject(new ChatError({ code: 'discarded', message: 'The outbox has no such post.' }));
      if (item.state === 'failed') renewed(item);
      item.state = 'waiting';
      item.isOthers = false;
      delete item.dueAt;
      delete item.error;
      keep(item);
      tell(item);
      pump(item.room);
      return item.promise;
    },

    /** What is on its way already cannot be called back. @param {string} key */
    discard(key) {
      const item = find(key);
      if (!item) return;
      shelf.remove(key, null);
      discarded(item);
      pump(item.room);
    },

    /** @param {import('./types.js').User} user */
    welcomed(user) {
      // A guest who has become an account, or has been made anew, has another id under the same name, and its posts still to send.
      const owner = user.name;
      if (shelf.owner !== owner) {
        if (shelf.owner !== null) {
          const error = new ChatError({ code: 'stopped', message: 'It waits for who wrote it.' });
          for (const item of items) item.reject(error);
          items = [];
        }
        shelf.belongTo(owner);
        for (const item of items) keep(item);
        for (const post of shelf.all()) if (!find(post.key)) tell(add({ ...post, kept: true }));
      }
      isConnected = true;
      for (const room of new Set(items.map((item) => item.room))) pump(room);
    },

    lost() {
      isConnected = false;
      for (const item of items) item.isFresh = false;
    },

    /**
     * Its rules have changed, or we are in it now: nothing there has to wait as long as was said.
     *
     * @param {string} room
     */
    hurry(room) {
      for (const item of items) if (item.room === room && !item.isOthers) delete item.dueAt;
      pump(room);
    },

    arrived,

    /** The room lets us in no more. @param {string} room @param {ChatError} error */
    shut(room, error) {
      const own = items.filter((item) => item.room === room && item.state === 'waiting' && !item.isOthers);
      for (const item of own) refused(item, error);
    },

    /** Another tab has changed what is stored. @param {string} name @param {string | null} value */
    stored(name, value) {
      const key = shelf.keyOf(name);
      if (key === null) return;
      const post = parsePost(value);
      const item = find(key);
      if (post && 'sent' in post) return item && sent(item, post.sent);
      if (!post) return item && discarded(item);
      const { state, error } = post;
      if (!item) tell(add({ ...post, key, kept: true, isOthers: true, dueAt: clock.monotonic() + OTHERS_MS }));
      else if (item.state !== state) {
        item.state = state;
        if (error) item.error = error;
        else delete item.error;
        tell(item);
      }
      pump(post.room);
    },
  };
}
