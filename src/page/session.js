/**
 * Between the client and the model: what the client tells becomes an event, what the model needs is asked of the client. All
 * that a person can do goes through here too, and what the server refuses is shown.
 */

import * as api from './api.js';
import { createClient } from './client.js';
import { hashOf } from './model/place.js';
import { needs, readSeq } from './model/needs.js';
import { recall, remember } from './storage.js';
import { t, translated } from './words.js';

/** @typedef {import('./model.js').State} State */
/** @typedef {import('./model.js').Event} Event */
/** @typedef {import('./model/needs.js').Need} Need */
/** @typedef {ReturnType<typeof makeSession>} Session */

const HISTORY_LINES = 60;
const CONTEXT_LINES = 40;
const MEMBERS_PAGE = 200;
const AGAIN_MS = 3_000;
const TOAST_MS = 6_000;

/** What the model takes as the client tells it. */
const TOLD_ON = /** @type {const} */ (['joined', 'entry', 'received', 'read', 'profile', 'post']);

/**
 * The server does not let in who one is: the cookie is nobody's any more, its name is somebody else's, or there is none and
 * guests are not admitted. Who one is has to be asked.
 */
const WHO_ARE_YOU = [4501, 4502, 4503];

/** @param {{ dispatch(event: Event): void, state(): State }} model */
export function makeSession({ dispatch, state }) {
  const chat = createClient();
  /** Needs that are being asked for, or were refused a moment ago. @type {Set<string>} */
  const asked = new Set();
  let toastId = 0;
  /** Who was here last, and where when they were no longer let in. */
  let [last, left] = ['', ''];

  chat.on('state', (link) => {
    if (link.phase === 'stopped' && WHO_ARE_YOU.includes(link.code)) arrive(t('loggedOut'));
    else dispatch({ type: 'state', link });
  });
  chat.on('welcome', (welcome) => {
    // Without its cookie the page would be some guest of the server's naming: who one is has to be asked then. If another
    // tab has logged out, and nobody in again, the browser remembers nobody, but this tab does.
    const name = recall('me') ?? state().me?.name ?? welcome.user.name;
    if (name !== welcome.user.name) {
      remember('me', null);
      return arrive(t('loggedOut'));
    }
    if (last && last !== name) return anew(location.hash === left || !left);
    [last, left] = [name, ''];
    asked.clear();
    dispatch({ type: 'welcome', welcome });
    welcome.rooms.forEach(follow);
    for (const post of chat.outbox()) dispatch({ type: 'post', of: post });
    refreshRooms();
  });
  chat.on('gap', (gap) => {
    dispatch({ type: 'gap', of: gap });
    const lost = state().rooms.get(gap.room)?.lost ?? 0;
    if (lost > 0) tell(t('notKept', { n: lost }));
  });
  chat.on('room', (summary) => {
    dispatch({ type: 'room', summary });
    follow(summary);
  });
  chat.on('out', ({ room, reason }) => {
    const name = state().rooms.get(room)?.name ?? room;
    if (state().place.room === room) history.replaceState(null, '', hashOf(null));
    dispatch({ type: 'out', room });
    if (reason !== 'left') tell(t(reason === 'banned' ? 'outBanned' : reason === 'gone' ? 'outGone' : 'outRemoved', { room: name }), true);
  });
  chat.on('detached', refreshRooms);
  chat.on('presence', (presence) => dispatch({ type: 'presence', present: chat.present(presence.room), presence }));
  chat.on('typing', ({ room }) => dispatch({ type: 'typing', room, names: chat.typists(room) }));
  for (const type of TOLD_ON) chat.on(type, (of) => dispatch(/** @type {Event} */ ({ type, of })));

  /** From where the summary ends: what is said before the server has us in is told too. @param {Pick<import('./model.js').Summary, 'room' | 'epoch' | 'seq'>} summary */
  function follow({ room, epoch, seq }) {
    // Told again, because the room may not have been known when it was joined.
    chat.join(room, { since: { epoch, seq } }).then((joined) => dispatch({ type: 'joined', of: joined }), () => {});
  }

  function refreshRooms() {
    return chat.rooms().then((answer) => dispatch({ type: 'rooms', ...answer }), () => {});
  }

  /** @param {string} notice */
  function arrive(notice) {
    left = location.hash;
    chat.close();
    // Who comes next begins with their own rooms.
    for (const room of chat.followed()) chat.detach(room);
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    dispatch({ type: 'arrive', notice });
  }

  /** For somebody else the page is a new one: nothing of what one has begun to write, looked for or opened. @param {boolean} goesHome */
  function anew(goesHome) {
    if (goesHome) history.replaceState(null, '', hashOf(null));
    location.reload();
  }

  /** @param {string} text @param {boolean} [isError] */
  function tell(text, isError = false) {
    toastId += 1;
    const id = toastId;
    dispatch({ type: 'toast', toast: { id, text, isError } });
    setTimeout(() => dispatch({ type: 'untoast', id }), TOAST_MS);
  }

  /** What was asked for, or null, and then it was said why not. @template T @param {Promise<T> | T} answer @returns {Promise<T | null>} */
  async function attempt(answer) {
    try {
      return await answer;
    } catch (error) {
      tell(refusal(error), true);
      return null;
    }
  }

  /** @param {Promise<{ user: { name: string, guest: boolean } }>} answer */
  async function become(answer) {
    const { user } = await answer;
    remember('me', user.name);
    remember('account', user.guest ? null : user.name);
    dispatch({ type: 'arrived' });
    chat.identify({});
  }

  /**
   * Into a room that has just come to be, or that one has joined.
   *
   * @typedef {{ room: string, summary: import('./model.js').Summary }} Begun
   * @param {Promise<import('./client/types.js').Joined | Begun> | Begun} answer
   * @param {number | null} [seq] the post for which one came
   */
  async function enter(answer, seq = null) {
    const entered = await attempt(answer);
    if (!entered) return;
    const summary = 'summary' in entered ? entered.summary : null;
    if (summary) dispatch({ type: 'room', summary });
    follow(summary ?? /** @type {import('./client/types.js').Joined} */ (entered));
    go(entered.room, seq);
  }

  /** @param {string | null} room @param {number | null} [seq] */
  function go(room, seq = null) {
    const hash = hashOf(room, seq);
    if (location.hash === hash) dispatch({ type: 'went', place: { room, seq } });
    else location.hash = hash;
  }

  /** To the last lines. @param {string} room */
  function goToPresent(room) {
    history.replaceState(null, '', hashOf(room));
    dispatch({ type: 'present', room });
  }

  /**
   * Lines that come late, when one has gone elsewhere, are not to take the place of others.
   *
   * @param {Need} need @param {import('./model/timeline.js').Where} where @param {number | null} from
   * @param {Promise<import('./model.js').History>} coming
   */
  async function load(need, where, from, coming) {
    const lines = await coming;
    if (needs(state()).some(({ key }) => key === need.key)) dispatch({ type: 'loaded', room: need.room, where, from, history: lines });
  }

  /** @param {Need} need */
  async function fulfil(need) {
    const { room } = need;
    switch (need.kind) {
      case 'enter': {
        const joined = await chat.join(room);
        dispatch({ type: 'rooms', ...await chat.rooms() });
        return follow(joined);
      }
      case 'history': {
        const { where, from } = need;
        return load(need, where, from, chat.history(room, { limit: HISTORY_LINES, ...from === null ? {} : { [where]: from } }));
      }
      case 'around': return load(need, 'around', need.seq, chat.around(room, need.seq, { limit: CONTEXT_LINES }));
      case 'members': {
        const answer = await chat.members(room, { limit: MEMBERS_PAGE });
        const { members, total } = answer;
        for (let { more } = answer; more && members.length < need.max;) {
          const next = await chat.members(room, { after: /** @type {{ name: string }} */ (members.at(-1)).name, limit: MEMBERS_PAGE });
          members.push(...next.members);
          more = next.more;
        }
        return dispatch({ type: 'members', room, members, total });
      }
      case 'pins': return dispatch({ type: 'pinned', room, ...await chat.pins(room) });
      case 'quote':
        return dispatch({ type: 'quoted', room, seq: need.seq, history: await chat.history(room, { before: need.seq + 1, limit: 1 }) });
      case 'preview': return dispatch({ type: 'previewed', room, history: await chat.history(room, { limit: 1 }) });
    }
  }

  return {
    chat,
    tell,
    attempt,
    enter,
    go,
    goToPresent,

    /** As who this browser was last, or the person is asked. */
    start() {
      if (recall('me') === null) dispatch({ type: 'arrive', notice: '' });
      else chat.connect();
    },

    /** Asks and tells the server what the state says is to be asked and told. */
    tend() {
      const reached = readSeq(state());
      if (reached) {
        chat.read(reached.room, reached.seq);
        dispatch({ type: 'seen', ...reached });
      }
      for (const need of needs(state())) {
        if (asked.has(need.key)) continue;
        asked.add(need.key);
        fulfil(need).then(() => asked.delete(need.key), (error) => {
          if (need.kind === 'enter') dispatch({ type: 'refused', room: need.room, why: refusal(error) });
          setTimeout(() => {
            // Still needed, most likely: a turn of the state asks again.
            if (asked.delete(need.key)) dispatch({ type: 'untoast', id: 0 });
          }, AGAIN_MS);
        });
      }
    },

    /** @param {string} name */
    beGuest: (name) => become(api.guest(name)),
    /** @param {string} name @param {string} password */
    register: (name, password) => become(api.register(name, password)),
    /** @param {string} name @param {string} password */
    logIn: (name, password) => become(api.logIn(name, password)),
    /** Whoever could not be logged out stays: the browser would still be theirs. */
    async logOut() {
      if (!await attempt(api.logOut())) return;
      remember('me', null);
      anew(true);
    },
    /** The account is gone. */
    forget() {
      remember('account', null);
      remember('me', null);
      arrive(t('accountGone'));
    },
    refreshRooms,
  };
}

/** What a refusal is to a person. @param {unknown} error */
export function refusal(error) {
  const { code, message } = /** @type {{ code?: string, message?: string }} */ (error);
  return translated(`refused_${code}`) ?? message ?? String(error);
}
