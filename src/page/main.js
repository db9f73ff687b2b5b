/**
 * Puts the parts together: what happens becomes an event, the event a new state, and the state is shown and tended to.
 */

import { initial, update } from './model.js';
import { placeOf } from './model/place.js';
import { makeSession } from './session.js';
import { makeView } from './view/view.js';

let state = initial(placeOf(location.hash));
let isDue = false;

/** What a person does to the page itself is shown before anything else happens; the rest once a frame. */
const AT_ONCE = ['compose', 'panel', 'went'];

/** @param {import('./model.js').Event} event */
function dispatch(event) {
  const before = state;
  state = update(state, event);
  if (state === before && event.type !== 'untoast') return;
  const wasDue = isDue;
  isDue = true;
  // The next key may be for what this one has opened.
  if (AT_ONCE.includes(event.type)) turn();
  else if (!wasDue) later();
}

/** A tab in the background gets no frames, and its title has to count all the same. */
function later() {
  if (document.hidden) setTimeout(turn);
  else requestAnimationFrame(turn);
}

function turn() {
  if (!isDue) return;
  isDue = false;
  session.tend();
  show(state);
}

const session = makeSession({ dispatch, state: () => state });
const show = makeView({ session, dispatch, state: () => state });

const go = () => dispatch({ type: 'went', place: placeOf(location.hash) });
addEventListener('hashchange', go);
// A link to where one is already leads there again: one may have scrolled away since.
addEventListener('click', ({ target }) => {
  const link = target instanceof Element ? target.closest('a') : null;
  if (link?.getAttribute('href') === location.hash) go();
});
const attend = () => dispatch({ type: 'attending', on: !document.hidden && document.hasFocus() });
for (const type of ['focus', 'blur']) addEventListener(type, attend);
document.addEventListener('visibilitychange', () => {
  attend();
  // A frame that was waited for does not come any more.
  if (isDue) later();
});

attend();
session.start();
show(state);
