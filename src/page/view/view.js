/** The page as a whole: shows a state, by showing it to each of its parts. It may be called as often as one likes. */

import { language } from '../words.js';
import { makeAnnouncer } from './announcer.js';
import { makeArrival } from './arrival.js';
import { makeComposer } from './composer.js';
import { makeConnection } from './connection.js';
import { makeHeader } from './header.js';
import { watchKeys } from './keys.js';
import { makePanel } from './panel.js';
import { makeRooms } from './rooms.js';
import { applyTheme } from './settings.js';
import { makeTimeline } from './timeline.js';
import { makeTitle, watchForNotifications } from './title.js';
import { makeToasts } from './toasts.js';
import { element } from './dom.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {{ session: import('../session.js').Session, dispatch(event: import('../model.js').Event): void, state(): State }} Parts */

/** @param {Parts} parts @returns {(state: State) => void} */
export function makeView(parts) {
  document.documentElement.lang = language;
  applyTheme();
  const app = element('app');
  const rooms = makeRooms(parts);
  const shows = [
    makeArrival(parts), makeConnection(parts), rooms.show, makeHeader(parts), makePanel(parts), makeComposer(parts), makeTimeline(parts),
    makeTitle(), makeToasts(), makeAnnouncer(parts),
  ];
  watchForNotifications(parts);
  watchKeys(parts, rooms);

  return (state) => {
    app.hidden = state.arriving !== null;
    app.dataset.place = state.place.room === null ? 'rooms' : 'room';
    for (const show of shows) show(state);
  };
}
