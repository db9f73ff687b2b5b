/**
 * What React shows of a chat: values that never change but are followed by others, and a way to hear of it. This is
 * all that stands between the client and `useSyncExternalStore`.
 */

import { withEntry, withPage } from './lines.js';

/** @typedef {import('wsrelay').Summary} Summary */

/** Lines of one page of the history. */
const LINES = 50;

/** @template T @param {T} first */
function makeStore(first) {
  let value = first;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    value: () => value,
    /** @param {Partial<T>} change */
    change(change) {
      value = { ...value, ...change };
      for (const listener of listeners) listener();
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
  };
}

/**
 * The connection, who we are, and our rooms. All rooms are followed, so that each one's unread posts can be counted.
 *
 * @param {import('wsrelay').Client} chat
 */
export function makeChatStore(chat) {
  const store = makeStore({ state: chat.state, user: chat.user, rooms: /** @type {Summary[]} */ ([]) });
  /** @param {string} room @param {(summary: Summary) => Partial<Summary>} changed */
  const change = (room, changed) => {
    const rooms = store.value().rooms.map((one) => (one.room === room ? { ...one, ...changed(one) } : one));
    store.change({ rooms });
  };
  /** @param {Summary} summary */
  const follow = ({ room, epoch, seq }) => chat.join(room, { since: { epoch, seq } });

  chat.on('state', (state) => store.change({ state }));
  chat.on('welcome', ({ user, rooms }) => {
    store.change({ user, rooms });
    rooms.forEach(follow);
  });
  chat.on('room', (summary) => {
    const others = store.value().rooms.filter(({ room }) => room !== summary.room);
    store.change({ rooms: [...others, summary] });
    follow(summary);
  });
  chat.on('out', ({ room }) => store.change({ rooms: store.value().rooms.filter((summary) => summary.room !== room) }));
  chat.on('read', ({ room, from, unread, mentions }) => {
    if (from === chat.user?.name && unread !== undefined) change(room, () => ({ unread, mentions }));
  });
  chat.on('entry', (entry) => {
    const { room, seq } = entry;
    change(room, (summary) => {
      // What was missed is told after the summary that has counted it.
      if (seq <= summary.seq) return {};
      if (entry.kind !== 'post') return { seq };
      // Who posts has read what is before it: the server counts so too.
      if (entry.from === chat.user?.name) return { seq, unread: 0, mentions: 0 };
      return { seq, unread: summary.unread + 1 };
    });
  });
  return store;
}

/**
 * One room that is looked at.
 *
 * @param {import('wsrelay').Client} chat @param {string} room
 */
export function makeRoomStore(chat, room) {
  const store = makeStore({
    lines: /** @type {readonly import('wsrelay').Entry[]} */ ([]),
    /** Own posts that are not in the log yet. */
    pending: chat.outbox(room),
    hasMore: false,
    typists: chat.typists(room),
    present: chat.present(room),
    error: /** @type {string | null} */ (null),
  });
  let isLoading = false;
  let isLoaded = false;

  /** @param {{ before?: number }} from */
  async function load(from) {
    if (isLoading) return;
    isLoading = true;
    try {
      const page = await chat.history(room, { ...from, limit: LINES });
      isLoaded = true;
      store.change({ lines: withPage(store.value().lines, page), hasMore: page.more, error: null });
    } catch (error) {
      // Without a connection: with the next one the room is joined, and that loads it.
      store.change({ error: error.retry ? null : error.message });
    } finally {
      isLoading = false;
    }
  }

  function start() {
    /** @type {(type: any, does: (event: any) => void) => () => void} */
    const on = (type, does) => chat.on(type, (event) => { if (event.room === room) does(event); });
    const ends = [
      on('joined', () => { if (!isLoaded) load({}); }),
      on('gap', () => {
        // What follows does not join on to what is here: begin again from the end, and read back from there.
        store.change({ lines: [] });
        isLoaded = false;
        load({});
      }),
      on('entry', (entry) => {
        const pending = store.value().pending.filter(({ key }) => entry.key === undefined || key !== entry.key);
        store.change({ lines: withEntry(store.value().lines, entry), pending });
      }),
      on('post', (post) => {
        const others = store.value().pending.filter(({ key, state }) => key !== post.key && state === 'sent');
        // A post that is stored is shown until its entry is here.
        const isThere = store.value().lines.some((line) => line.kind === 'post' && line.key === post.key);
        const isShown = post.state === 'sent' && !isThere;
        store.change({ pending: [...others, ...isShown ? [post] : [], ...chat.outbox(room)] });
      }),
      on('typing', () => store.change({ typists: chat.typists(room) })),
      on('presence', () => store.change({ present: chat.present(room) })),
    ];
    chat.join(room).then(() => { if (!isLoaded) load({}); }, ({ message }) => store.change({ error: message }));
    return () => ends.forEach((end) => end());
  }

  return { ...store, start, loadEarlier: () => load({ before: store.value().lines[0]?.seq }) };
}
