/** How the connection is: a lamp beside one's name while all is well, and a line across the page while it is not. */

import { t } from '../words.js';
import { button, element, focusComposer, h, onChange, setText } from './dom.js';

/** A wait shorter than this is over before anybody has read how long it is. */
const COUNTDOWN_MIN_MS = 1_500;

/** @param {import('./view.js').Parts} parts */
export function makeConnection({ session }) {
  const strip = element('connection');
  const phase = h('span', { role: 'status' });
  // The seconds tick for the eye alone.
  const countdown = h('span.countdown', { 'aria-hidden': 'true' });
  const now = button(t('connectNow'), () => {
    session.chat.reconnectNow();
    focusComposer();
  });
  strip.append(phase, countdown, now);
  let ticking = 0;

  const show = onChange((/** @type {import('../model.js').State['link']} */ link, /** @type {boolean} */ isArriving, /** @type {boolean} */ wasHere) => {
    clearInterval(ticking);
    const isFirst = link.phase === 'connecting' && link.attempt === 0 && !wasHere;
    const isQuiet = isArriving || isFirst || link.phase === 'connected';
    strip.classList.toggle('shown', !isQuiet);
    strip.inert = isQuiet;
    document.documentElement.dataset.link = link.phase;
    setText(phase, link.phase === 'connecting' || link.phase === 'waiting' ? isQuiet ? '' : t('reconnecting')
      : link.phase === 'stopped' ? t('stopped', { reason: link.reason }) : t(link.phase));
    now.hidden = link.phase === 'connecting' || link.phase === 'connected';
    const until = link.phase === 'waiting' ? link.until : 0;
    countdown.hidden = until - Date.now() < COUNTDOWN_MIN_MS;
    if (countdown.hidden) return;
    const tick = () => setText(countdown, t('inSeconds', { n: Math.max(0, Math.ceil((until - Date.now()) / 1000)) }));
    tick();
    ticking = setInterval(tick, 250);
  });

  return (/** @type {import('../model.js').State} */ { link, arriving, me }) => show(link, arriving !== null, me !== null);
}
