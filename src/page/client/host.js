/**
 * Where the client runs: clock, chance, network, and what outlives the page. The only file that knows browsers from
 * Node; what is not there is done without.
 *
 * @typedef {{ now(): number, setTimeout(done: () => void, ms: number): any, clearTimeout(timer: any): void,
 *   monotonic?(): number }} GivenClock
 *   `now` is in milliseconds since 1970, and jumps when somebody sets the clock; `monotonic` is in milliseconds since any
 *   moment, and only goes on: what is waited for is measured by it.
 * @typedef {Required<GivenClock>} Clock
 * @typedef {(changed: (key: string, value: string | null) => void) => () => void} WatchStorage
 *   Calls back when another tab changed what is stored; returns what ends it.
 * @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'> & { watch?: WatchStorage }} Shelf
 * @typedef {{ request(name: string, options: { signal: AbortSignal }, held: () => Promise<void>): Promise<any> }} Locks
 * @typedef {{ isOnline(): boolean, watch(on: (what: 'online' | 'offline' | 'visible' | 'hidden') => void): () => void }} Network
 */

/** A browser fires timers at once if they are set for more than 2^31 ms; whoever waits looks at the clock again. */
const TIMER_MS_MAX = 3_600_000;

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (done, ms) => setTimeout(done, Math.min(ms, TIMER_MS_MAX)),
  clearTimeout: (timer) => clearTimeout(timer),
};

/** One without `monotonic` is taken to be never set. @param {GivenClock} clock @returns {Clock} */
export function wholeClock(clock) {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic?.() ?? clock.now(),
    setTimeout: (done, ms) => clock.setTimeout(done, ms),
    clearTimeout: (timer) => clock.clearTimeout(timer),
  };
}

/** 128 random bits, as a post's key. */
export function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The browser's storage, if there is one and it may be used. @returns {Shelf | null} */
export function browserStorage() {
  try {
    // Newer Nodes have the name, and warn who touches it.
    return typeof document === 'undefined' ? null : localStorage;
  } catch {
    return null;
  }
}

/** @returns {Shelf} as long as the program runs */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    get length() { return kept.size; },
    key: (place) => [...kept.keys()][place] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => { kept.set(key, value); },
    removeItem: (key) => { kept.delete(key); },
  };
}

/** The browser's locks, which pages of plain `http:` do not have. @returns {Locks | null} */
export function browserLocks() {
  return typeof document === 'undefined' ? null : /** @type {any} */ (navigator).locks ?? null;
}

/** @type {WatchStorage} */
export function watchBrowserStorage(changed) {
  if (typeof document === 'undefined') return () => {};
  /** @param {StorageEvent} event */
  const heard = ({ key, newValue }) => { if (key !== null) changed(key, newValue); };
  addEventListener('storage', heard);
  return () => removeEventListener('storage', heard);
}

/**
 * @param {string} hostname of the server: this machine is reached without a network, so that there is none says nothing
 * @returns {Network}
 */
export function systemNetwork(hostname) {
  const isNeeded = !(hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname));
  return {
    isOnline: () => !isNeeded || globalThis.navigator?.onLine !== false,
    watch(on) {
      if (typeof document === 'undefined') return () => {};
      const ended = new AbortController();
      const { signal } = ended;
      document.addEventListener('visibilitychange', () => on(document.hidden ? 'hidden' : 'visible'), { signal });
      if (isNeeded) {
        addEventListener('online', () => on('online'), { signal });
        addEventListener('offline', () => on('offline'), { signal });
      }
      return () => ended.abort();
    },
  };
}
