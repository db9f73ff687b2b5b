/**
 * The chat for React: a provider that keeps one client, and two hooks. `useChat` is the connection and the rooms,
 * `useRoom` is one room. Copy this file, `stores.js` and `lines.js` into a program of your own.
 */

import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { createClient } from 'wsrelay';

import { makeChatStore, makeRoomStore } from './stores.js';

const Chat = createContext(null);

/**
 * @param {{ options: import('wsrelay').Options, children: import('react').ReactNode }} props
 *   `options` are those of the first rendering.
 */
export function ChatProvider({ options, children }) {
  const [context] = useState(() => {
    const chat = createClient(options);
    return { chat, store: makeChatStore(chat) };
  });
  useEffect(() => {
    // Strict mode mounts twice in a row: the first time is not worth a socket.
    const soon = setTimeout(context.chat.connect);
    return () => {
      clearTimeout(soon);
      context.chat.close();
    };
  }, [context]);
  return <Chat value={context}>{children}</Chat>;
}

/** The client, the state of its connection, who we are, and our rooms with what is unread in each. */
export function useChat() {
  const { chat, store } = useContext(Chat);
  const value = useSyncExternalStore(store.subscribe, store.value);
  return { chat, ...value };
}

/** One room, for as long as it is shown. @param {string} room */
export function useRoom(room) {
  const { chat } = useContext(Chat);
  const store = useMemo(() => makeRoomStore(chat, room), [chat, room]);
  useEffect(() => store.start(), [store]);
  const value = useSyncExternalStore(store.subscribe, store.value);
  return {
    ...value,
    loadEarlier: store.loadEarlier,
    /** @param {string} body */
    post: (body) => chat.post(room, body),
    typing: () => chat.typing(room),
    /** @param {number} seq */
    read: (seq) => chat.read(room, seq),
  };
}
