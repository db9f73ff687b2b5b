/**
 * The first thing one sees: who are you? One field for a guest; two for who has, or wants, an account. Where one had an account
 * before, one is asked to log in.
 */

import { refusal } from '../session.js';
import { recall } from '../storage.js';
import { t } from '../words.js';
import { field, form } from './dialog.js';
import { button, element, h, onChange } from './dom.js';

/** @typedef {'guest' | 'logIn' | 'register'} Way */

/** @param {import('./view.js').Parts} parts */
export function makeArrival({ session }) {
  const place = element('arrival');

  /** @param {Way} way @param {string} notice @param {boolean} isInvited */
  function draw(way, notice, isInvited) {
    const others = /** @type {Way[]} */ (['guest', 'logIn', 'register']).filter((one) => one !== way);
    const kind = isInvited && way === 'guest' ? 'invited' : way;
    place.replaceChildren(h('div.card', {},
      h('img', { src: 'favicon.svg', alt: '', width: 48, height: 48 }),
      h('h1', {}, t(`${kind}Title`)),
      h('p', {}, notice || t(`${kind}Note`)),
      formFor(way, isInvited),
      h('div.ways', {}, ...others.map((other) => button(t(`${other}Way`), () => draw(other, '', isInvited)))),
    ));
    place.querySelector('input')?.focus();
  }

  /** @param {Way} way @param {boolean} isInvited */
  function formFor(way, isInvited) {
    const name = field(t('yourName'), { name: 'name', required: way !== 'guest', maxlength: 64, autocomplete: 'username', spellcheck: 'false', autocapitalize: 'off' });
    if (way === 'guest') {
      return form({
        fields: [name],
        verb: t('guestVerb'),
        does: (data) => session.beGuest((data.name ?? '').trim()).catch((error) => {
          if (error.code !== 'no_guests') throw error;
          draw('logIn', refusal(error), isInvited);
        }),
      });
    }
    const isNew = way === 'register';
    const password = field(t('password'), {
      name: 'password', type: 'password', required: true, autocomplete: isNew ? 'new-password' : 'current-password',
    }, isNew ? t('passwordHint') : '');
    return form({
      fields: [name, password],
      verb: t(`${way}Verb`),
      does: (data) => session[way]((data.name ?? '').trim(), data.password ?? ''),
    });
  }

  const show = onChange((/** @type {{ notice: string } | null} */ arriving, /** @type {string | null} */ room) => {
    place.hidden = arriving === null;
    if (arriving) draw(recall('account') ? 'logIn' : 'guest', arriving.notice, room?.startsWith('~') ?? false);
    else place.replaceChildren();
  });

  return (/** @type {import('../model.js').State} */ { arriving, place: { room } }) => show(arriving, room);
}
