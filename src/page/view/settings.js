/** One's own things: how one is shown, how the page looks and speaks, one's sessions, password and account. */

import * as api from '../api.js';
import { recall, remember } from '../storage.js';
import { ago, language, languages, t } from '../words.js';
import { askFor, choice, confirm, field, form, openDialog } from './dialog.js';
import { button, h } from './dom.js';
import { openShortcuts } from './keys.js';
import { avatar, hueOf } from './who.js';

/** @typedef {import('./view.js').Parts} Parts */

/** @param {Parts} parts */
export function openSettings(parts) {
  const { session, state } = parts;
  const me = state().me;
  if (!me) return;
  const close = openDialog(t('settings'),
    me.guest ? keepName(parts, me, () => close()) : profile(parts, me),
    pageSettings(parts),
    me.guest ? null : account(parts),
    h('div.form', {}, h('div.row', {},
      button(t('shortcuts'), () => openShortcuts()),
      button(t(me.guest ? 'guestLogOut' : 'logOut'), () => { close(); session.logOut(); }, 'danger'))));
}

/** A guest becomes an account of the same name, and stays where they are. @param {Parts} parts @param {import('../model.js').User} me @param {() => void} done */
function keepName({ session }, { name }, done) {
  return form({
    note: t('guestAbout', { name }),
    fields: [field(t('password'), { name: 'password', type: 'password', required: true, autocomplete: 'new-password' }, t('passwordHint'))],
    verb: t('keepName'),
    async does({ password = '' }) {
      await session.register(name, password);
      done();
      session.tell(t('nameKept'));
    },
  });
}

/** @param {Parts} parts @param {import('../model.js').User} me */
function profile({ session, dispatch }, me) {
  const picture = avatar(me);
  const hue = h('input', {
    type: 'range', name: 'hue', min: 0, max: 359, value: hueOf(me), class: 'hue', oninput: () => picture.style.setProperty('--hue', hue.value),
  });
  return form({
    fields: [
      field(t('displayName'), { name: 'display', maxlength: 32, value: me.display ?? me.name }, t('displayHint', { name: me.name })),
      h('label.field', {}, h('span', {}, t('colour')), h('span.row', {}, picture, hue)),
    ],
    verb: t('save'),
    async does(data) {
      const display = (data.display ?? '').trim();
      const { user } = await api.setProfile({ hue: Number(data.hue), ...display === '' ? {} : { display } });
      dispatch({ type: 'profile', of: { user } });
      session.tell(t('saved'));
    },
  });
}

/** @param {Parts} parts */
function pageSettings({ session }) {
  const notify = h('input', { type: 'checkbox', checked: recall('notify') === 'on', onchange: turnNotifications });
  async function turnNotifications() {
    const permission = notify.checked && 'Notification' in window ? await Notification.requestPermission() : 'denied';
    if (notify.checked && permission !== 'granted') session.tell(t('notifyDenied'), true);
    notify.checked = permission === 'granted';
    remember('notify', notify.checked ? 'on' : null);
  }
  const changed = (/** @type {string} */ key, /** @type {() => void} */ then) => (/** @type {any} */ { target }) => {
    remember(key, target.value === '' ? null : target.value);
    then();
  };
  return h('div.form', {},
    choice(t('theme'), { onchange: changed('theme', applyTheme) }, [['', t('themeAuto')], ['light', t('themeLight')], ['dark', t('themeDark')]], recall('theme') ?? ''),
    choice(t('language'), { onchange: changed('language', () => location.reload()) }, Object.entries(languages), language),
    h('label.check', {}, notify, t('notify')));
}

export function applyTheme() {
  document.documentElement.dataset.theme = recall('theme') ?? '';
}

/** @param {Parts} parts */
function account({ session }) {
  const secret = (/** @type {string} */ label, /** @type {string} */ name, /** @type {string} */ autocomplete) => field(label, { name, type: 'password', required: true, autocomplete });
  const list = h('ul.picks');
  const load = async () => {
    const answer = await session.attempt(api.sessions());
    list.replaceChildren(...(answer?.sessions ?? []).map(({ id, label, last_used, current: isCurrent }) => h('li.session', {},
      h('span', {}, h('b', {}, label || t('aSession')), h('small', {}, isCurrent ? t('thisSession') : t('lastUsed', { ago: ago(Date.parse(last_used)) }))),
      isCurrent ? null : button(t('endSession'), () => session.attempt(api.endSession(id)).then(load)))));
  };
  load();
  return h('div.form', {}, h('h3', {}, t('sessions')), list,
    h('div.row', {},
      button(t('endOthers'), () => session.attempt(api.endSession('others')).then(load)),
      button(t('changePassword'), () => askFor({
        title: t('changePassword'), note: t('passwordNote'), verb: t('save'),
        fields: [secret(t('oldPassword'), 'old', 'current-password'), secret(t('newPassword'), 'next', 'new-password')],
        async does(data) {
          await api.setPassword(data.old ?? '', data.next ?? '');
          session.tell(t('saved'));
        },
      })),
      button(t('deleteAccount'), () => confirm('deleteAccount', async ({ password = '' }) => {
        await api.deleteAccount(password);
        session.forget();
      }, {}, [secret(t('password'), 'password', 'current-password')]), 'danger')));
}
