/** What happened in a room besides posts, as a sentence. Only the page says these; no post can look like one. */

import { duration, listed, t } from '../words.js';
import { called } from './who.js';

/** @typedef {import('../model/timeline.js').Line} Line */

/** @param {import('../model.js').State} state @param {readonly Line[]} lines comings and goings together, or one of anything else */
export function noteText(state, lines) {
  const line = /** @type {Line} */ (lines[0]);
  const name = called(state, line.from);
  const user = 'user' in line ? called(state, line.user) : '';
  switch (line.kind) {
    case 'created': return line.room_kind === 'direct' ? t('noteDirect') : t('noteCreated', { name });
    case 'join': case 'leave': {
      const names = (/** @type {string} */ kind) => [...new Set(lines.filter((one) => one.kind === kind).map(({ from }) => called(state, from)))];
      const [came, went] = [names('join'), names('leave')];
      return [came.length > 0 ? t('noteJoin', { names: listed(came), n: came.length }) : '',
        went.length > 0 ? t('noteLeave', { names: listed(went), n: went.length }) : ''].filter((text) => text).join(' · ');
    }
    case 'add': return t('noteAdd', { name, user });
    case 'remove': return t('noteRemove', { name, user });
    case 'role': return line.from === line.user ? t('noteOwnRole', { name, role: t(line.role) }) : t('noteRole', { name, user, role: t(line.role) });
    case 'rename': return t('noteRename', { name, title: line.name });
    case 'ban': return t(line.on ? 'noteBan' : 'noteUnban', { name, user });
    case 'mute': {
      const ms = line.until === undefined ? 0 : Date.parse(line.until) - line.time;
      return ms > 0 ? t('noteMute', { name, user, time: duration(ms) }) : t('noteUnmute', { name, user });
    }
    case 'mode': return [line.read_only ? t('noteReadOnly', { name }) : '',
      line.slow_ms > 0 ? t('noteSlow', { name, time: duration(line.slow_ms) }) : ''].filter((text) => text).join(' · ') || t('noteFree', { name });
    default: return '';
  }
}
