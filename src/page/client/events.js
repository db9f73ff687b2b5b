/**
 * Who listens to what. A listener that throws is reported and harms nobody else.
 *
 * @template {Record<string, any>} Events
 */
export function makeEvents() {
  /** @type {Map<keyof Events, Set<(event: any) => void>>} */
  const listeners = new Map();

  return {
    /** @template {keyof Events} T @param {T} type @param {(event: Events[T]) => void} listener @returns {() => void} */
    on(type, listener) {
      const all = listeners.get(type) ?? new Set();
      listeners.set(type, all);
      // Each listening is its own, even of one function twice.
      /** @param {Events[T]} event */
      const own = (event) => listener(event);
      all.add(own);
      return () => { all.delete(own); };
    },

    /** @template {keyof Events} T @param {T} type @param {Events[T]} event */
    emit(type, event) {
      for (const listener of [...listeners.get(type) ?? []]) {
        try {
          listener(event);
        } catch (error) {
          report(error);
        }
      }
    },
  };
}

/** As if nobody had caught it, which is what it would have been. @param {unknown} error */
function report(error) {
  if (typeof reportError === 'function') reportError(error);
  else queueMicrotask(() => { throw error; });
}
