/**
 * Elements. What a person typed comes in as children or attributes, never as markup: there is nothing here that could read it.
 */

/** @typedef {Node | string | null | undefined | false} Child */

/** Between two keys of one word. */
const TYPING_ENDS_MS = 200;

/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Props */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag | `${Tag}.${string}`} what an element, and its classes
 * @param {Props} [props] attributes; with `on` before it a listener; `hue` is a colour
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(what, props = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const made = document.createElement(/** @type {Tag} */ (tag));
  made.classList.add(...classes);
  if (tag === 'button') made.setAttribute('type', 'button');
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (name === 'hue') made.style.setProperty('--hue', String(value));
    else if (value === true) made.setAttribute(name, '');
    else if (isThere(value)) made.setAttribute(name, String(value));
  }
  made.append(...children.filter(isThere));
  return made;
}

/** Gives an element other children. @param {Element} parent @param {...Child} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter(isThere));
}

/**
 * Draws anew what may have the focus: it goes to what has the same `data-name` then, or to all of it.
 *
 * @param {HTMLElement} of @param {() => void} draw
 */
export function keepFocus(of, draw) {
  const focused = of.contains(document.activeElement) ? document.activeElement : null;
  draw();
  if (!focused || of.contains(focused)) return;
  const name = CSS.escape(focused.getAttribute('data-name') ?? '');
  const next = /** @type {HTMLElement} */ (of.querySelector(`[data-name="${name}"]`) ?? of);
  next.focus({ preventScroll: true });
}

/** @template T @param {T | false | null | undefined} one @returns {one is T} */
export function isThere(one) {
  return one !== false && one !== null && one !== undefined;
}

/** Outlines of 24 by 24, of which each is one path. */
const ICONS = {
  add: 'M12 5v14M5 12h14',
  back: 'M15 5l-7 7 7 7',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2 12.5l4.5 4.5L15 8.5M11 16l1 1L21.5 7.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  door: 'M14 4h5v16h-5M4 12h10M10 8l4 4-4 4',
  down: 'M12 5v14M6 13l6 6 6-6',
  edit: 'M4 20l1-4L16 5l3 3L8 19z',
  hash: 'M9 4L7 20M17 4l-2 16M4 9h17M3 15h17',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  more: 'M4.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0zM11.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0zM18.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0z',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5c2 .8 3.5 2.5 3.5 5.5',
  pin: 'M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6',
  reply: 'M9 7L4 12l5 5M4 12h10c4 0 6 2 6 6',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  send: 'M5 12L4 4l17 8-17 8zM5 12h8',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 14c2 3 6 3 8 0M9 9.5v.5M15 9.5v.5',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13',
  warn: 'M12 4L2.5 20h19zM12 10v4.5M12 17v.5',
};

/** @typedef {keyof typeof ICONS} Icon */

/** @param {Icon} name */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that is an icon, and says what it does. @param {Icon} name @param {string} label @param {(event: MouseEvent) => void} does @param {Props} [props] */
export function iconButton(name, label, does, props = {}) {
  return h('button.icon-button', { 'aria-label': label, title: label, onclick: does, ...props }, icon(name));
}

/** @param {string} label @param {(event: MouseEvent) => void} does @param {string} [look] */
export function button(label, does, look = '') {
  return h('button', { class: look, onclick: does }, label);
}

/** What `index.html` has. @param {string} id */
export function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Where one writes, most of the time. */
export const focusComposer = () => document.querySelector('textarea')?.focus();

/** Changes when “today” becomes “yesterday”. */
export const today = () => new Date().getDate();

/** Which way an arrow key leads in a list. @param {KeyboardEvent} event */
export const stepOf = ({ key }) => ({ ArrowDown: 1, ArrowUp: -1 })[key] ?? 0;

/** Writing the same text again would have a screen reader read it again. @param {HTMLElement} at @param {string} text */
export function setText(at, text) {
  if (at.textContent !== text) at.textContent = text;
}

/**
 * Does it only when what it is given has changed: `show` may be called as often as one likes.
 *
 * @template {unknown[]} Given @param {(...given: Given) => void} does @returns {(...given: Given) => void}
 */
export function onChange(does) {
  /** @type {unknown[] | null} */
  let last = null;
  return (...given) => {
    if (last?.length === given.length && given.every((one, at) => one === last?.[at])) return;
    last = given;
    does(...given);
  };
}

/** Whether a key is an input method's. Safari says so of the one that ends the word by its code alone. @param {KeyboardEvent} event */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

/** Does it when no more has been typed for a while. @param {() => void} does */
export function afterTyping(does) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(does, TYPING_ENDS_MS);
  };
}

/**
 * Puts the elements of a list in order. Those that stay are not touched: focus, selection and scrolling stay with them.
 *
 * @param {Element} parent @param {readonly Element[]} children
 */
function arrange(parent, children) {
  const keep = new Set(children);
  for (const old of [...parent.children]) if (!keep.has(old)) old.remove();
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
}

/**
 * A list by keys: an element is made once, and filled again when something that it shows, `by`, is another thing.
 *
 * @template T @param {Element} parent @param {(item: T, element: HTMLElement | null) => HTMLElement} fill
 * @returns {(items: readonly { key: string, of: T, by: readonly unknown[] }[]) => void}
 */
export function keyed(parent, fill) {
  /** @type {Map<string, { by: readonly unknown[], element: HTMLElement }>} */
  let shown = new Map();
  return (items) => {
    const next = new Map(items.map(({ key, of, by }) => {
      const old = shown.get(key);
      const isSame = old?.by.length === by.length && by.every((one, at) => one === old.by[at]);
      return [key, isSame ? old : { by, element: fill(of, old?.element ?? null) }];
    }));
    shown = next;
    arrange(parent, [...next.values()].map((one) => one.element));
  };
}
