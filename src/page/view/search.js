/** Search: posts that have all the words, newest first, here or everywhere; each leads to where it was said. */

import { current } from '../model.js';
import { exactTime, shortTime, t } from '../words.js';
import { hashOf } from '../model/place.js';
import { button, h } from './dom.js';
import { avatar, nameTag, titleOf } from './who.js';
import { person } from '../model.js';

const ASK_AFTER_MS = 250;

/** @param {import('./view.js').Parts} parts */
export function makeSearch({ session, state }) {
  const query = h('input', { type: 'search', 'aria-label': t('search'), placeholder: t('searchPlaceholder'), oninput: later, maxlength: 200 });
  const everywhere = h('input', { type: 'checkbox', onchange: later });
  const status = h('p', { class: 'hint', role: 'status' });
  const list = h('ul', { class: 'hits' });
  let timer = 0;
  let asked = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => ask(0), ASK_AFTER_MS);
  }

  /** @param {number} skip */
  async function ask(skip) {
    asked += 1;
    const mine = asked;
    const words = query.value.trim();
    if (words === '') {
      list.replaceChildren();
      status.textContent = '';
      return;
    }
    const room = current(state());
    const answer = await session.attempt(session.chat.search(words, { skip, ...everywhere.checked || !room ? {} : { room: room.room } }));
    // Another was asked meanwhile.
    if (!answer || mine !== asked) return;
    if (skip === 0) list.replaceChildren();
    list.querySelector('.more')?.remove();
    list.append(...answer.hits.map(hitItem));
    if (answer.more) list.append(h('li', { class: 'more' }, button(t('moreHits'), () => ask(skip + answer.hits.length))));
    status.textContent = skip === 0 && answer.hits.length === 0 ? t('noHits') : '';
  }

  /** @param {import('../client/types.js').Hit} hit */
  function hitItem({ room, entry, snippet }) {
    const now = state();
    const where = now.rooms.get(room);
    const time = Date.parse(entry.at);
    return h('li', {}, h('a', { href: hashOf(room, entry.seq) },
      avatar(person(now, entry.from)), h('span', { class: 'who' }, nameTag(now, entry.from),
        where && where.room !== now.place.room ? h('small', {}, titleOf(now, where)) : null,
        h('time', { datetime: entry.at, title: exactTime(time) }, shortTime(time))),
      h('span', { class: 'snippet', dir: 'auto' }, ...marked(snippet))));
  }

  return h('search', { class: 'search' }, query, h('label', { class: 'check' }, everywhere, t('everywhere')), status, list);
}

/** What matched is between U+E000 and U+E001. @param {string} snippet */
function marked(snippet) {
  return snippet.split('\uE000').flatMap((part, at) => {
    const [hit = '', rest = ''] = part.split('\uE001');
    return at === 0 ? [part] : [h('mark', {}, hit), rest];
  });
}
