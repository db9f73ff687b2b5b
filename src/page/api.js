/** The part of the server that is asked by HTTP: who one is. The session is a cookie that no script sees. */

import { ChatError } from './client.js';
import { jsonOf } from './client/wire.js';

/** @typedef {import('./client/types.js').User} User */
/** @typedef {{ id: string, created: string, last_used: string, label: string, current: boolean }} Session */

/**
 * @param {'GET' | 'POST' | 'PATCH' | 'DELETE'} method @param {string} path @param {object} [body]
 * @returns {Promise<any>} rejected with a ChatError
 */
async function call(method, path, body) {
  const headers = body ? { 'Content-Type': 'application/json' } : {};
  const response = await fetch(`/api/${path}`, { method, headers, body: body ? jsonOf(body) : null })
    .catch(() => { throw new ChatError({ code: 'disconnected' }); });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const after = Number(response.headers.get('Retry-After') ?? NaN) * 1000;
  // What stands before the server says itself that nobody is behind it.
  const code = response.status > 501 ? 'disconnected' : `http_${response.status}`;
  throw new ChatError({ code, ...answer.error, ...after > 0 ? { after_ms: after } : {} });
}

/** @param {string} name @returns {Promise<{ user: User }>} */
export const guest = (name) => call('POST', 'guest', name === '' ? {} : { name });
/** @param {string} name @param {string} password @returns {Promise<{ user: User }>} */
export const register = (name, password) => call('POST', 'register', { name, password });
/** @param {string} name @param {string} password @returns {Promise<{ user: User }>} */
export const logIn = (name, password) => call('POST', 'login', { name, password });
export const logOut = () => call('POST', 'logout');
/** @param {{ display?: string, hue?: number }} profile @returns {Promise<{ user: User }>} */
export const setProfile = (profile) => call('PATCH', 'me', profile);
/** @param {string} old @param {string} next */
export const setPassword = (old, next) => call('POST', 'password', { old, new: next });
/** @param {string} password */
export const deleteAccount = (password) => call('DELETE', 'me', { password });
/** @returns {Promise<{ sessions: Session[] }>} */
export const sessions = () => call('GET', 'sessions');
/** @param {string} id */
export const endSession = (id) => call('DELETE', `sessions/${encodeURIComponent(id)}`);
