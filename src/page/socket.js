/**
 * One WebSocket at a time, as events. It decides nothing: when to open, close or try again is the model's to say.
 */

/**
 * @typedef {{ opened(): void, closed(code: number, reason: string): void, text(text: string): void,
 *   binary(bytes: number): void }} Listener
 */

/** @param {Listener} listener */
export function makeSocket(listener) {
  /** @type {WebSocket | null} */
  let current = null;

  /** @param {string} url */
  function open(url) {
    drop();
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    // A socket that was dropped may still have events on their way: only the current one is heard.
    /** @param {() => void} tell */
    const ifCurrent = (tell) => { if (socket === current) tell(); };
    socket.onopen = () => ifCurrent(listener.opened);
    socket.onmessage = ({ data }) => ifCurrent(() => {
      if (typeof data === 'string') listener.text(data);
      else listener.binary(data.byteLength);
    });
    // There is no `onerror`: it says nothing, and `close` always follows.
    socket.onclose = ({ code, reason }) => ifCurrent(() => {
      current = null;
      listener.closed(code, reason);
    });
    current = socket;
  }

  /** @param {string} text */
  function send(text) {
    current?.send(text);
  }

  function drop() {
    const dropped = current;
    current = null;
    dropped?.close(1000);
  }

  return { open, send, drop };
}

/**
 * Where a room is: beside the page, wherever a proxy may have put that.
 *
 * @param {string} room
 * @param {string} base the address of the page
 */
export function roomUrl(room, base) {
  const url = new URL(`relay/${room}`, base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = '';
  url.hash = '';
  return url.href;
}
