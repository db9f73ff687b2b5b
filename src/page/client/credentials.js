/**
 * Who we say we are, and where: a token, a guest's name, or nothing, and then the cookie says it.
 *
 * A guest is given a token with the welcome. It is offered from then on, so that the guest remains the same person
 * through reconnections; one who asked for a name has it kept in storage too, and remains so through a reload.
 */

/**
 * @param {string} address of the socket
 * @param {import('./host.js').Shelf} storage
 * @param {import('./types.js').Identity} given
 */
export function makeCredentials(address, storage, { token, nick }) {
  const place = `wsrelay.guest ${address} ${nick}`;
  /** @type {string | null} */
  let guestToken = token === undefined && nick !== undefined ? recall() : null;

  function recall() {
    try {
      return storage.getItem(place);
    } catch {
      return null;
    }
  }

  /** @param {string | null} next */
  function remember(next) {
    guestToken = next;
    if (nick === undefined) return;
    try {
      if (next === null) storage.removeItem(place);
      else storage.setItem(place, next);
    } catch {
      // A storage that is full or forbidden: the guest is one for as long as the page.
    }
  }

  return {
    /** What to open a socket with. @returns {{ url: string, protocols: string[] }} */
    dial() {
      const bearer = token ?? guestToken;
      const url = new URL(address);
      if (bearer === null && nick !== undefined) url.searchParams.set('nick', nick);
      return { url: url.href, protocols: bearer === null ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${bearer}`] };
    },

    /** @param {import('./types.js').Welcome} welcome */
    welcomed(welcome) {
      if (token === undefined && welcome.user.guest && welcome.token !== undefined) remember(welcome.token);
    },

    /** The server has closed for good. @param {number} code @returns {boolean} whether something else can be tried */
    refused(code) {
      if (code !== BAD_TOKEN || guestToken === null) return false;
      remember(null);
      return true;
    },
  };
}

/**
 * The socket's address: `ws` beside the page, or at the server that is named.
 *
 * @param {string | undefined} url
 * @param {string | undefined} base
 */
export function socketAddress(url, base) {
  const address = new URL(url ?? 'ws', base);
  address.protocol = address.protocol.replace('http', 'ws');
  if (address.pathname.endsWith('/')) address.pathname += 'ws';
  address.hash = '';
  if (url === undefined) address.search = '';
  return address.href;
}

const SUBPROTOCOL = 'wsrelay.v1';
const BAD_TOKEN = 4501;
