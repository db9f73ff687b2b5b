/** What the server knows by what one types into a field. The field is ahead of the answers, and Enter is for what is typed. */

import { afterTyping } from './dom.js';

/**
 * @template Found @param {HTMLInputElement} field @param {(query: string) => Promise<Found | null>} ask null: there is no answer
 * @param {() => void} show that something else is found
 */
export function makeLookup(field, ask, show) {
  /** @type {{ query: string, found: Found } | null} */
  let last = null;
  /** What waits for an answer, and to what. @type {{ query: string, then: () => void } | null} */
  let waiting = null;

  const query = () => field.value.trim();
  const answer = () => (last?.query === query() ? last : null);

  async function look() {
    const asked = query();
    const found = await ask(asked);
    // Something else is typed by now, or the field's dialog is closed.
    if (asked !== query() || !field.checkVisibility()) return;
    last = found && { query: asked, found };
    const then = last && waiting?.query === asked ? waiting.then : null;
    waiting = null;
    show();
    then?.();
  }

  const later = afterTyping(look);
  field.addEventListener('input', () => {
    waiting = null;
    later();
  });

  return {
    look,

    /** What is typed now was answered with this; null if it was not. */
    found: () => answer()?.found ?? null,

    /** Does it once what is typed is answered: now, or later, unless one types on. @param {() => void} then */
    whenFound(then) {
      if (answer()) return void then();
      waiting = { query: query(), then };
      look();
    },
  };
}
