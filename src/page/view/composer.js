/** Where posts are written, answered and edited. What is written stays with its room, through reloads too, until it is sent. */

import { current } from '../model.js';
import { backwards, find } from '../model/timeline.js';
import { plain } from '../model/format.js';
import { sourceOf } from '../model/needs.js';
import { mayPost } from '../model/room.js';
import { draftKey, recall, remember } from '../storage.js';
import { duration, listed, t } from '../words.js';
import { makeCompletion } from './completion.js';
import { element, fill, h, iconButton, isComposing, onChange, setText } from './dom.js';
import { openEmoji } from './emoji.js';
import { called, nameTag, titleOf } from './who.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../model/room.js').Room} Room */

/** How many characters are left is said when so few are. */
const FEW_LEFT = 200;

/** @param {import('./view.js').Parts} parts */
export function makeComposer(parts) {
  const { session, dispatch, state } = parts;
  const form = /** @type {HTMLFormElement} */ (element('composer'));
  const text = h('textarea', { rows: 1, enterkeyhint: 'send', 'aria-describedby': 'composer-hint' });
  const about = h('p.about');
  const emoji = iconButton('smile', t('chooseEmoji'), () => openEmoji(emoji, (chosen) => insert(chosen)));
  const send = iconButton('send', t('send'), () => {}, { type: 'submit' });
  const hint = h('p', { id: 'composer-hint', class: 'hint' });
  const typing = h('p.typing');
  const box = h('div.box', {}, text, emoji, send);
  form.append(about, box, h('div.below', {}, typing, hint));
  const completion = makeCompletion(parts, text, box);
  // On a phone the key for a new line is just that, and there is a button to send.
  const isTouch = matchMedia('(pointer: coarse)').matches;
  let shownRoom = '';

  const room = () => current(state());

  /** @param {string} words */
  function insert(words) {
    text.setRangeText(words, text.selectionStart, text.selectionEnd, 'end');
    text.focus();
    written();
  }

  function written() {
    const now = room();
    if (!now) return;
    if (!now.composing || now.composing.kind === 'reply') remember(draftKey(state().me, shownRoom), text.value === '' ? null : text.value);
    session.chat.typing(now.room, text.value !== '');
    showLength(state());
  }

  /** @param {State} now */
  function showLength({ limits }) {
    const left = (limits.post_chars ?? Infinity) - [...text.value].length;
    form.classList.toggle('too-long', left < 0);
    send.setAttribute('aria-disabled', String(text.value.trim() === '' || left < 0));
    const slowMs = room()?.slow_ms ?? 0;
    setText(hint, left < 0 ? t('tooLong', { n: -left }) : left < FEW_LEFT ? t('charsLeft', { n: left })
      : slowMs > 0 ? t('slowHint', { time: duration(slowMs) }) : '');
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const now = room();
    if (!now || send.getAttribute('aria-disabled') === 'true') return text.focus();
    const { composing } = now;
    const body = text.value.trim();
    if (composing?.kind === 'edit') {
      session.attempt(session.chat.edit(now.room, composing.seq, body)).then((done) => {
        // Meanwhile one may be in another room, or have begun something else in this one.
        if (done && state().rooms.get(now.room)?.composing === composing) compose(null, now.room);
      });
    } else {
      try {
        session.chat.post(now.room, body, composing ? { reply_to: composing.seq } : {}).sent.catch(() => {});
      } catch (error) {
        return session.tell(String(error), true);
      }
      text.value = '';
      written();
      compose(null);
      session.goToPresent(now.room);
    }
    text.focus();
  });

  /** @param {Room['composing']} composing @param {string} [of] a room */
  function compose(composing, of = shownRoom) {
    dispatch({ type: 'compose', room: of, composing });
  }

  text.addEventListener('input', written);
  text.addEventListener('keydown', (event) => {
    if (isComposing(event) || completion.take(event)) return;
    const isEmpty = text.value === '';
    if (event.key === 'Enter' && !event.shiftKey && !isTouch) form.requestSubmit();
    else if (event.key === 'Escape' && room()?.composing) compose(null);
    else if (event.key === 'ArrowUp' && isEmpty && !event.altKey) editLast();
    else if ((event.ctrlKey || event.metaKey) && (event.key === 'b' || event.key === 'i')) wrap(event.key === 'b' ? '**' : '_');
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function editLast() {
    const now = room();
    const mine = now && [...backwards(now.timeline)].find((line) => line.kind === 'post' && !line.deleted && line.from === state().me?.name);
    if (mine) compose({ kind: 'edit', seq: mine.seq });
  }

  /** @param {string} marker */
  function wrap(marker) {
    const { selectionStart: from, selectionEnd: to, value } = text;
    text.setRangeText(marker + value.slice(from, to) + marker, from, to, 'end');
    text.setSelectionRange(from + marker.length, to + marker.length);
    written();
  }

  const showComposing = onChange((/** @type {string} */ id, /** @type {Room['composing']} */ composing) => {
    if (id !== shownRoom || composing?.kind === 'edit' || form.classList.contains('editing')) {
      const edited = composing?.kind === 'edit' && room() ? find(/** @type {Room} */ (room()).timeline, composing.seq) : null;
      const isOther = id !== shownRoom;
      shownRoom = id;
      text.value = edited?.kind === 'post' ? edited.body ?? '' : recall(draftKey(state().me, shownRoom)) ?? '';
      if (isOther) completion.close();
    }
    form.classList.toggle('editing', composing?.kind === 'edit');
    showAbout(composing);
    if (!isTouch || composing) text.focus();
  });

  /** What is being answered or edited. @param {Room['composing']} composing */
  function showAbout(composing) {
    const now = room();
    about.hidden = composing === null;
    if (!composing || !now) return;
    const source = sourceOf(now, composing.seq);
    fill(about,
      h('b', {}, t(composing.kind === 'edit' ? 'editing' : 'replyingTo')),
      source && composing.kind === 'reply' && nameTag(state(), source.from),
      h('span.preview', { dir: 'auto' }, plain(source?.body ?? '').slice(0, 200)),
      iconButton('close', t('cancel'), () => compose(null)));
  }

  const show = onChange((/** @type {Room | null} */ now, /** @type {State} */ whole) => {
    form.hidden = now === null;
    if (!now) return;
    const title = titleOf(whole, now);
    const may = mayPost(now);
    text.disabled = !may;
    box.classList.toggle('closed', !may);
    text.placeholder = may ? t(now.kind === 'direct' ? 'writeToPerson' : 'writeTo', { room: title }) : t('mayNotPost');
    text.setAttribute('aria-label', text.placeholder);
    const names = now.typing.map((name) => called(whole, name));
    setText(typing, names.length === 0 ? '' : names.length > 3 ? t('manyTyping', { n: names.length }) : t('typing', { n: names.length, names: listed(names) }));
    showComposing(now.room, now.composing);
    showLength(whole);
  });

  return (/** @type {State} */ next) => show(current(next), next);
}
