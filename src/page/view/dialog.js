/** Windows over the page: the platform's own, which hold the focus and give it back. */

import { refusal } from '../session.js';
import { t } from '../words.js';
import { button, h, iconButton } from './dom.js';

/** @param {string} title @param {...import('./dom.js').Child} content @returns {() => void} closes it */
export function openDialog(title, ...content) {
  const close = () => dialog.close();
  const dialog = h('dialog', { 'aria-label': title },
    h('header', {}, h('h2', {}, title), iconButton('close', t('close'), close)),
    ...content);
  dialog.addEventListener('close', () => dialog.remove());
  // A click beside it.
  dialog.addEventListener('pointerdown', (event) => { if (event.target === dialog) close(); });
  document.body.append(dialog);
  dialog.showModal();
  return close;
}

/**
 * A form: fields, a button that says what it does, and a place for why it could not be done.
 *
 * @param {{ fields: HTMLElement[], verb: string, danger?: boolean, note?: string,
 *   does(data: Record<string, string>): Promise<unknown> | unknown, cancel?: () => void }} of
 */
export function form({ fields, verb, danger = false, note, does, cancel }) {
  const why = h('p.why', { role: 'alert' });
  const send = h('button', { type: 'submit', class: danger ? 'primary danger' : 'primary' }, verb);
  return h('form', {
    class: 'form',
    async onsubmit(event) {
      event.preventDefault();
      const data = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(event.target)));
      why.textContent = '';
      send.disabled = true;
      try {
        await does(data);
      } catch (error) {
        why.textContent = refusal(error);
      }
      send.disabled = false;
    },
  }, note ? h('p.note', {}, note) : null, ...fields, why,
  h('div.actions', {}, cancel ? button(t('cancel'), cancel) : null, send));
}

/** @param {string} label @param {import('./dom.js').Props} props @param {string} [hint] */
export function field(label, props, hint) {
  return h('label.field', {}, h('span', {}, label), h('input', { autocomplete: 'off', ...props }), hint ? h('small', {}, hint) : null);
}

/** @param {string} label @param {import('./dom.js').Props} props @param {[string, string][]} options value and label @param {string} chosen */
export function choice(label, props, options, chosen) {
  return h('label.field', {}, h('span', {}, label), h('select', props,
    ...options.map(([value, text]) => h('option', { value, selected: value === chosen }, text))));
}

/**
 * Asks before something is done that hurts: the question is the word's `Title`, what it means is its `Note`.
 *
 * @param {'ban' | 'delete' | 'deleteAccount' | 'kick' | 'leave' | 'leaveOpen' | 'mute'} word
 * @param {(data: Record<string, string>) => Promise<unknown> | unknown} does
 * @param {Record<string, string>} [values] @param {HTMLElement[]} [fields]
 */
export function confirm(word, does, values = {}, fields = []) {
  askFor({ title: t(`${word}Title`, values), note: t(`${word}Note`), verb: t(word), danger: true, fields, does });
}

/** @param {{ title: string, note?: string, verb: string, danger?: boolean, fields?: HTMLElement[], does(data: Record<string, string>): Promise<unknown> | unknown }} of */
export function askFor({ title, fields = [], ...rest }) {
  const close = openDialog(title, form({
    fields,
    ...rest,
    cancel: () => close(),
    does: async (data) => {
      await rest.does(data);
      close();
    },
  }));
}
