/** A post's form as nodes. Text is only ever text; the one attribute that comes from it is an address that `format.js` let pass. */

import { isEmojiOnly, parse } from '../model/format.js';
import { h } from './dom.js';

/** @typedef {import('../model/format.js').Block} Block */
/** @typedef {import('../model/format.js').Inline} Inline */

const TAGS = /** @type {const} */ ({ bold: 'strong', italic: 'em', struck: 's' });

/** @param {string} text @param {readonly string[]} mentions @param {string} me @returns {HTMLElement} */
export function formatted(text, mentions, me) {
  const look = isEmojiOnly(text) ? 'body large' : 'body';
  return h('div', { class: look, dir: 'auto' }, ...parse(text, mentions).map((block) => blockNode(block, me)));
}

/** @param {Block} block @param {string} me @returns {HTMLElement} */
function blockNode(block, me) {
  const pieces = (/** @type {Inline[]} */ inline) => inline.map((piece) => pieceNode(piece, me));
  switch (block.kind) {
    case 'paragraph': return h('p', {}, ...pieces(block.inline));
    case 'code': return h('pre', { dir: 'ltr', tabindex: 0 }, h('code', {}, block.text));
    case 'quote': return h('blockquote', {}, ...block.blocks.map((inner) => blockNode(inner, me)));
    case 'list': {
      const isOrdered = block.items[0]?.number !== null;
      const items = block.items.map(({ number, inline }) => h('li', { value: isOrdered ? number : null }, ...pieces(inline)));
      return h(isOrdered ? 'ol' : 'ul', {}, ...items);
    }
  }
}

/** @param {Inline} piece @param {string} me @returns {Node | string} */
function pieceNode(piece, me) {
  if (typeof piece === 'string') return piece;
  switch (piece.kind) {
    case 'code': return h('code', { dir: 'ltr' }, piece.text);
    case 'link': return h('a', { href: piece.href, 'data-name': piece.href, title: piece.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, piece.text);
    case 'mention': return h('span', { class: piece.name === me ? 'mention me' : 'mention' }, piece.text);
    default: return h(TAGS[piece.kind], {}, ...piece.inline.map((inner) => pieceNode(inner, me)));
  }
}
