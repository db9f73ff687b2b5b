/** What stands beside a room when one asks for it: its details, or a search. */

import { current } from '../model.js';
import { t } from '../words.js';
import { makeDetails } from './details.js';
import { element, focusComposer, h, iconButton, onChange } from './dom.js';
import { makeSearch } from './search.js';

/** @param {import('./view.js').Parts} parts */
export function makePanel(parts) {
  const place = element('panel');
  const close = () => {
    parts.dispatch({ type: 'panel', panel: null });
    focusComposer();
  };
  const title = h('h2');
  const body = h('div.panel-body', { tabindex: -1 });
  const search = makeSearch(parts);
  place.append(h('header', {}, title, iconButton('close', t('close'), close)), body);

  /** @type {ReturnType<typeof makeDetails>} */
  let showDetails;
  const show = onChange((/** @type {import('../model.js').Panel} */ panel, /** @type {string} */ _) => {
    document.documentElement.classList.toggle('has-panel', panel !== null);
    place.hidden = panel === null;
    body.replaceChildren();
    if (panel === null) return;
    title.textContent = t(panel);
    place.setAttribute('aria-label', t(panel));
    if (panel === 'search') {
      body.append(search);
      search.querySelector('input')?.focus();
    } else {
      showDetails = makeDetails(parts, body);
    }
  });

  return (/** @type {import('../model.js').State} */ state) => {
    const room = current(state);
    const panel = room ? state.panel : null;
    show(panel, state.place.room ?? '');
    if (room && panel === 'details') showDetails(room, state.people);
  };
}
