/**
 * Shows a state. `show` may be called as often as one likes: it draws once a frame, and touches only what changed.
 *
 * Text from the room reaches the page through `textContent` alone, so it can be nothing but text.
 */

import { hueOf, linesOf } from './model.js';

/** @typedef {import('./model.js').State} State */
/** @typedef {import('./model.js').Row} Row */

/**
 * @typedef {{ room: string, url: string, say(text: string): boolean, sayAgain(id: number): void, retry(): void,
 *   rename(nick: string): string }} Actions
 */

/** Lines of one speaker within this time stand together under one name. */
const TOGETHER_MS = 5 * 60_000;

/** Every so many rows the name is there all the same, for who scrolls into the middle of a long speech. */
const NAMED_ROWS = 12;

/** A wait shorter than this is over before anybody has read how long it is. */
const COUNTDOWN_MIN_MS = 1_000;

const clock = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });
const preciseClock = new Intl.DateTimeFormat([], { timeStyle: 'medium' });
const calendar = new Intl.DateTimeFormat([], { dateStyle: 'full', timeStyle: 'medium' });
const count = new Intl.NumberFormat();

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`the page has no ${kind.name} #${id}`);
  return found;
}

/** @param {Actions} actions */
export function makeView(actions) {
  document.title = `${actions.room} · wsrelay`;
  element('room', HTMLElement).textContent = actions.room;
  element('command', HTMLElement).textContent = `websocat ${actions.url}`;

  const showLink = makeLink(actions);
  const showRows = makeRows(actions);
  const showForm = makeForm(actions);
  const showTitle = makeTitle(actions.room);

  /** @type {State} */
  let latest;
  let scheduled = false;

  function draw() {
    scheduled = false;
    showLink(latest);
    showRows(latest);
    showForm(latest);
    showTitle(latest);
  }

  return {
    /** @param {State} state */
    show(state) {
      latest = state;
      if (scheduled) return;
      scheduled = true;
      // A tab in the background gets no frames, and its title has to count all the same.
      if (document.hidden) setTimeout(draw);
      else requestAnimationFrame(draw);
    },
  };
}

/** The address names something that is no room. */
export function showNoSuchRoom() {
  document.title = 'No such room · wsrelay';
  element('room', HTMLElement).textContent = '?';
  element('say', HTMLFormElement).hidden = true;
  element('link', HTMLElement).hidden = true;
  const empty = element('empty', HTMLElement);
  const lobby = document.createElement('a');
  lobby.href = '?';
  lobby.textContent = 'Go to the lobby';
  empty.replaceChildren(
    make('h2', '', 'No such room'),
    make('p', '', 'The name of a room is 1 to 64 characters of A–Z, a–z, 0–9 and . _ ~ -'),
    lobby,
  );
}

// The connection.

/** @param {Actions} actions */
function makeLink(actions) {
  const box = element('link', HTMLElement);
  const phase = element('phase', HTMLElement);
  const countdown = element('countdown', HTMLElement);
  const retry = element('retry', HTMLButtonElement);
  let ticking = 0;

  retry.addEventListener('click', () => {
    actions.retry();
    // The button is about to go, and the focus must not go with it.
    element('text', HTMLTextAreaElement).focus();
  });

  /** @param {State} state */
  return ({ link }) => {
    // A screen reader is told the phase once; the seconds only tick for the eye.
    setText(phase, phaseName(link));
    box.dataset.phase = link.phase === 'connecting' && link.attempt > 0 ? 'waiting' : link.phase;
    retry.hidden = link.phase === 'connecting' || link.phase === 'open';
    retry.textContent = link.phase === 'waiting' ? 'Now' : 'Try again';

    clearInterval(ticking);
    const until = link.phase === 'waiting' ? link.until : 0;
    const tick = () => setText(countdown, `in ${Math.max(0, Math.ceil((until - Date.now()) / 1000))} s`);
    countdown.hidden = until - Date.now() < COUNTDOWN_MIN_MS;
    if (countdown.hidden) return;
    tick();
    ticking = setInterval(tick, 250);
  };
}

/** @param {State['link']} link */
function phaseName(link) {
  switch (link.phase) {
    case 'connecting': return link.attempt === 0 ? 'Connecting' : 'Reconnecting';
    case 'open': return 'Connected';
    case 'waiting': return 'Reconnecting';
    case 'offline': return 'Offline';
    case 'stopped': return link.reason === '' ? `Closed by the server (${link.code})` : `Closed: ${link.reason}`;
  }
}

// The rows.

/** @param {Actions} actions */
function makeRows(actions) {
  const log = element('log', HTMLElement);
  const list = element('rows', HTMLElement);
  const empty = element('empty', HTMLElement);
  const latest = element('latest', HTMLButtonElement);
  log.setAttribute('aria-label', `Lines in ${actions.room}`);

  /** @type {Map<number, { row: Row, item: HTMLLIElement }>} */
  const shown = new Map();
  let follows = true;
  let below = 0;

  log.addEventListener('scroll', () => {
    // Half a line of slack: zoomed pages stop at fractions of a pixel.
    follows = log.scrollHeight - log.clientHeight - log.scrollTop < 12;
    if (follows) seen();
  }, { passive: true });

  list.addEventListener('click', ({ target }) => {
    if (target instanceof HTMLButtonElement) actions.sayAgain(Number(target.dataset.id));
  });

  latest.addEventListener('click', () => {
    toEnd();
    element('text', HTMLTextAreaElement).focus();
  });

  // A phone's keyboard takes half of the page: who read the end wants to go on reading it.
  new ResizeObserver(() => { if (follows) toEnd(); }).observe(log);

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }

  function seen() {
    below = 0;
    latest.hidden = true;
  }

  /** @param {State} state */
  return ({ rows, link }) => {
    const keep = new Set(rows.map((row) => row.id));
    for (const [id, { item }] of shown) {
      if (keep.has(id)) continue;
      item.remove();
      shown.delete(id);
    }

    const added = document.createDocumentFragment();
    let ownAdded = false;
    /** @type {Row | undefined} */
    let before;
    for (const row of rows) {
      const old = shown.get(row.id);
      if (old?.row !== row) {
        const item = fill(old?.item ?? document.createElement('li'), row);
        shown.set(row.id, { row, item });
        if (!old) {
          added.append(item);
          below += 1;
          ownAdded ||= row.kind === 'line' && row.own;
        }
      }
      shown.get(row.id)?.item.classList.toggle('again', standsUnder(before, row));
      before = row;
    }
    list.append(added);

    empty.hidden = rows.length > 0;
    list.classList.toggle('cut-off', link.phase !== 'open');
    if (follows || ownAdded) {
      toEnd();
      seen();
    } else if (below > 0) {
      setText(latest, below === 1 ? '1 new line' : `${count.format(below)} new lines`);
      latest.hidden = false;
    }
  };
}

/** @param {Row | undefined} before @param {Row} row */
function standsUnder(before, row) {
  return before?.kind === 'line' && row.kind === 'line' && row.nick !== null && before.nick === row.nick
    && before.own === row.own && row.at - before.at < TOGETHER_MS && row.id % NAMED_ROWS !== 0;
}

/** @param {HTMLLIElement} item @param {Row} row */
function fill(item, row) {
  item.className = `row ${row.kind}`;
  switch (row.kind) {
    case 'gap':
      item.replaceChildren(make('p', '', `Disconnected from ${preciseClock.format(row.since)} to ${
        preciseClock.format(row.at)}. What was said meanwhile is not here.`));
      break;
    case 'binary':
      item.replaceChildren(make('p', 'text', `${count.format(row.bytes)} bytes of binary data`), timeOf(row));
      break;
    case 'line':
      fillLine(item, row);
  }
  return item;
}

/** @param {HTMLLIElement} item @param {import('./model.js').Line} line */
function fillLine(item, line) {
  item.classList.add(line.delivery);
  item.classList.toggle('own', line.own);
  item.classList.toggle('nameless', line.nick === null);

  const text = make('p', 'text', line.text);
  // Each line runs in the direction of its own script.
  text.dir = 'auto';
  if (line.cut > 0) text.append(make('span', 'cut', ` … ${count.format(line.cut)} more characters`));
  item.replaceChildren(text, timeOf(line));
  if (line.nick !== null) {
    const nick = make('span', 'nick', line.nick);
    nick.dir = 'auto';
    nick.dataset.hue = String(hueOf(line.nick));
    item.prepend(nick);
  }
  if (line.delivery === 'unconfirmed') {
    const again = document.createElement('button');
    again.type = 'button';
    again.textContent = 'Send again';
    again.dataset.id = String(line.id);
    const note = make('p', 'note', 'Perhaps not sent ');
    note.append(again);
    item.append(note);
  }
}

/** @param {Row} row */
function timeOf({ at }) {
  const time = document.createElement('time');
  time.dateTime = new Date(at).toISOString();
  time.title = calendar.format(at);
  time.textContent = clock.format(at);
  return time;
}

// The form.

/** @param {Actions} actions */
function makeForm(actions) {
  const form = element('say', HTMLFormElement);
  const nick = element('nick', HTMLInputElement);
  const text = element('text', HTMLTextAreaElement);
  const send = element('send', HTMLButtonElement);
  const hint = element('hint', HTMLElement);

  nick.addEventListener('change', () => { nick.value = actions.rename(nick.value); });
  nick.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    // Enter in a form submits it; here it only ends the name.
    event.preventDefault();
    text.focus();
  });

  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (actions.say(text.value)) text.value = '';
    else if (linesOf(text.value).length > 0) insist(hint);
    text.focus();
  });

  /** @param {State} state */
  return ({ link, nick: name }) => {
    if (document.activeElement !== nick) nick.value = name;
    const open = link.phase === 'open';
    // Not `disabled`: the button stays where the keyboard finds it, and says why it does nothing.
    send.setAttribute('aria-disabled', String(!open));
    hint.classList.toggle('keys', open);
    setText(hint, open ? 'Enter sends, Shift and Enter begin another line.'
      : 'Not connected. What you type stays here until you are back.');
  };
}

/** @param {HTMLElement} hint */
function insist(hint) {
  hint.classList.remove('insist');
  // Reading the width lets the browser see the class gone, so that the animation starts anew.
  void hint.offsetWidth;
  hint.classList.add('insist');
}

// The title.

/** @param {string} room */
function makeTitle(room) {
  let seenId = 0;
  /** @param {State} state */
  const unseen = (state) => state.rows.filter((row) => row.id > seenId && row.kind === 'line' && !row.own).length;
  let last = 0;
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    seenId = last;
    document.title = `${room} · wsrelay`;
  });

  /** @param {State} state */
  return (state) => {
    last = state.nextId - 1;
    if (!document.hidden) seenId = last;
    const lines = unseen(state);
    const title = lines === 0 ? `${room} · wsrelay` : `(${count.format(lines)}) ${room} · wsrelay`;
    if (document.title !== title) document.title = title;
  };
}

// Elements.

/** @param {string} tag @param {string} className @param {string} text */
function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}

/** Writing the same text again would have a screen reader read it again. @param {HTMLElement} at @param {string} text */
function setText(at, text) {
  if (at.textContent !== text) at.textContent = text;
}
