/**
 * Puts the parts together: what happens becomes an event, the event a new state, and the state is shown and done.
 */

import { ANSWER_MS, cleanNick, guestNick, initial, linesOf, onTheirWay, roomFrom, update, wire } from './model.js';
import { makeSocket, roomUrl } from './socket.js';
import { makeView, showNoSuchRoom } from './view.js';

/** @typedef {import('./model.js').State} State */
/** @typedef {import('./model.js').Event} Event */

const NICK_KEY = 'wsrelay.nick';

/** @param {string} room */
function start(room) {
  const url = roomUrl(room, location.href);
  let state = initial({ room, nick: rememberedNick() });
  // Lines up to this id have been given to the socket.
  let handedId = 0;
  let dueTimer = 0;
  let answerTimer = 0;
  let answerFor = 0;

  const view = makeView({
    room,
    url,
    /** @returns {boolean} whether the lines were taken, and the box may be emptied */
    say(text) {
      const taken = state.link.phase === 'open' && linesOf(text).length > 0;
      if (taken) dispatch({ type: 'said', now: Date.now(), text });
      return taken;
    },
    sayAgain: (id) => dispatch({ type: 'saidAgain', now: Date.now(), id }),
    retry: () => dispatch({ type: 'retry' }),
    rename(typed) {
      const nick = cleanNick(typed) ?? state.nick;
      remember(nick);
      dispatch({ type: 'renamed', nick });
      return nick;
    },
  });

  const socket = makeSocket({
    opened: () => dispatch({ type: 'opened', now: Date.now() }),
    closed: (code, reason) => dispatch({ type: 'closed', now: Date.now(), code, reason, random: Math.random() }),
    text: (text) => dispatch({ type: 'received', now: Date.now(), text }),
    binary: (bytes) => dispatch({ type: 'receivedBinary', now: Date.now(), bytes }),
  });

  /** @param {Event} event */
  function dispatch(event) {
    const before = state;
    state = update(state, event);
    if (state.link !== before.link) follow(before.link);
    if (state.rows !== before.rows) handOver();
    view.show(state);
  }

  /** @param {State['link'] | null} before */
  function follow(before) {
    const { link } = state;
    clearTimeout(dueTimer);
    if (link.phase === 'connecting' && link.epoch !== before?.epoch) socket.open(url);
    if (link.phase === 'waiting') dueTimer = setTimeout(() => dispatch({ type: 'due' }), link.until - Date.now());
    if (link.phase !== 'connecting' && link.phase !== 'open') socket.drop();
  }

  function handOver() {
    const lines = onTheirWay(state);
    for (const line of lines) {
      if (line.id <= handedId) continue;
      handedId = line.id;
      socket.send(wire(line));
    }
    // A TCP connection can be dead for minutes without a sign. A line that does not come back is a sign.
    const oldest = lines[0]?.id ?? 0;
    if (oldest === answerFor) return;
    answerFor = oldest;
    clearTimeout(answerTimer);
    if (oldest === 0) return;
    answerTimer = setTimeout(() => {
      dispatch({ type: 'unanswered', now: Date.now(), random: Math.random() });
    }, ANSWER_MS);
  }

  // This machine is reached without a network, so whether there is one says nothing.
  if (!isLoopback(location.hostname)) {
    addEventListener('offline', () => dispatch({ type: 'offline', now: Date.now() }));
    addEventListener('online', () => dispatch({ type: 'online', now: Date.now(), random: Math.random() }));
  }
  follow(null);
  view.show(state);
}

/** @param {string} hostname */
function isLoopback(hostname) {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function rememberedNick() {
  const nick = cleanNick(recall() ?? '') ?? guestNick(Math.random());
  // A guest keeps the name that the others have come to know.
  remember(nick);
  return nick;
}

// Storage can be forbidden; then a name lasts as long as the tab.

function recall() {
  try {
    return localStorage.getItem(NICK_KEY);
  } catch {
    return null;
  }
}

/** @param {string} nick */
function remember(nick) {
  try {
    localStorage.setItem(NICK_KEY, nick);
  } catch {
    // Nothing to do about it, and nothing lost that was promised.
  }
}

const room = roomFrom(location.search);
if (room === null) showNoSuchRoom();
else start(room);
