/** What went wrong, or was done: said briefly, and aloud. */

import { element, h, keyed } from './dom.js';

export function makeToasts() {
  const show = keyed(element('toasts'), (/** @type {import('../model.js').Toast} */ toast) => (
    h('p', { class: toast.isError ? 'toast error' : 'toast' }, toast.text)));
  return (/** @type {import('../model.js').State} */ { toasts }) => show(toasts.map((toast) => ({ key: String(toast.id), of: toast, by: [toast] })));
}
