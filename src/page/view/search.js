/** Search: posts that have all the words, newest first, here or everywhere; each leads to where it was said. */

import { current } from '../model.js';
import { plain } from '../model/format.js';
import { exactTime, shortTime, t } from '../words.js';
import { hashOf } from '../model/place.js';
import { afterTyping, button, h } from './dom.js';
import { avatarOf, nameTag, titleOf } from './who.js';

/** @param {import('./view.js').Parts} parts */
export function makeSearch({ session, state }) {
  const later = afterTyping(() => ask(0));
  const query = h('input', { type: 'search', 'aria-label': t('search'), placeholder: t('searchPlaceholder'), oninput: later, maxlength: 200 });
  const everywhere = h('input', { type: 'checkbox', onchange: later });
  const status = h('p.hint', { role: 'status' });
  const list = h('ul.hits');
  let asked = 0;

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
    if (mine !== asked) return;
    if (skip === 0) list.replaceChildren();
    if (!answer) return;
    list.querySelector('.more')?.remove();
    list.append(...answer.hits.map(hitItem));
    if (answer.more) list.append(h('li.more', {}, button(t('moreHits'), () => ask(skip + answer.hits.length))));
    status.textContent = skip === 0 && answer.hits.length === 0 ? t('noHits') : '';
  }

  /** @param {import('../client/types.js').Hit} hit */
  function hitItem({ room, entry, snippet }) {
    const now = state();
    const where = now.rooms.get(room);
    const time = Date.parse(entry.at);
    return h('li', {}, h('a', { href: hashOf(room, entry.seq) },
      avatarOf(now, entry.from), h('span.who', {}, nameTag(now, entry.from),
        where && where.room !== now.place.room ? h('small', {}, titleOf(now, where)) : null,
        h('time', { datetime: entry.at, title: exactTime(time) }, shortTime(time))),
      h('span.snippet', { dir: 'auto' }, ...marked(plain(snippet)))));
  }

  return h('search.search', {}, query, h('label.check', {}, everywhere, t('everywhere')), status, list);
}

/** What matched is between U+E000 and U+E001. @param {string} snippet */
function marked(snippet) {
  return snippet.split('\uE000').flatMap((part, at) => {
    const [hit = '', rest = ''] = part.split('\uE001');
    return at === 0 ? [part] : [h('mark', {}, hit), rest];
  });
}
