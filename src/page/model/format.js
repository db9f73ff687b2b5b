/**
 * The form of a post: its text, read as blocks and inline pieces, which the view makes nodes of. There is no HTML here and
 * none comes of it; what is not understood stays as it was typed.
 *
 *     ``` code ```   > quote   - list   1. list        blocks, by the line
 *     **bold**  *italic*  _italic_  ~~struck~~  `code`  https://…  [words](https://…)  @name
 *
 * Every text takes time in proportion to its length: one expression finds the next token, each token is looked at once,
 * and at most one marker of each sort is open.
 *
 * @typedef {string | { kind: 'bold' | 'italic' | 'struck', inline: Inline[] } | { kind: 'code', text: string }
 *   | { kind: 'link', href: string, text: string } | { kind: 'mention', name: string, text: string }} Inline
 * @typedef {{ kind: 'paragraph', inline: Inline[] } | { kind: 'code', text: string } | { kind: 'quote', blocks: Block[] }
 *   | { kind: 'list', items: { number: number | null, inline: Inline[] }[] }} Block
 */

/** Quotes in quotes; deeper ones are text. */
const QUOTE_DEPTH_MAX = 3;

const ITEM = /^ {0,8}(?:[-*•]|(\d{1,9})[.)]) +(\S.*)$/u;
const TOKEN = new RegExp([
  /`([^`\n]+)`/,
  /\[([^[\]\n]{1,200})\]\((https?:\/\/[^\s()<>]{1,1000})\)/u,
  /((?<![\p{L}\p{N}])https?:\/\/[^\s<>"`]{1,2000})/u,
  /(?<![\p{L}\p{N}])@([\p{L}\p{N}_][\p{L}\p{M}\p{N}_.-]{0,31})/u,
  /(\*+|_+|~+)/u,
].map((one) => one.source).join('|'), 'giu');

/** @type {Record<string, ('bold' | 'italic' | 'struck')>} */
const MARKERS = { '**': 'bold', '*': 'italic', _: 'italic', '~~': 'struck' };

/**
 * @param {string} text
 * @param {readonly string[]} [mentions] the names that the server found in it
 * @returns {Block[]}
 */
export function parse(text, mentions = []) {
  const known = new Map(mentions.map((name) => [name.toLowerCase(), name]));
  return blocksOf(text.split(/\r\n|\r|\n/), known, 0);
}

/** A line of it without its form: for previews, notifications and what is read aloud. @param {string} text */
export function plain(text) {
  const short = text.length > 600 ? text.slice(0, 600) : text;
  return parse(short).map(blockText).join(' ').replace(/\s+/g, ' ').trim();
}

/** A few emoji and nothing else, which are shown larger. @param {string} text */
export function isEmojiOnly(text) {
  return text.length <= 40 && /^(?:(?:\p{Extended_Pictographic}|[\u{1F1E6}-\u{1F1FF}]{2})[\uFE0F\u200D\p{Emoji_Modifier}]*\s?){1,6}$/u
    .test(text);
}

/** @param {Block} block @returns {string} */
function blockText(block) {
  switch (block.kind) {
    case 'paragraph': return inlineText(block.inline);
    case 'code': return block.text;
    case 'quote': return block.blocks.map(blockText).join(' ');
    case 'list': return block.items.map((item) => `• ${inlineText(item.inline)}`).join(' ');
  }
}

/** @param {Inline[]} pieces @returns {string} */
function inlineText(pieces) {
  return pieces.map((piece) => {
    if (typeof piece === 'string') return piece;
    return 'inline' in piece ? inlineText(piece.inline) : piece.text;
  }).join('');
}

/** @param {string[]} lines @param {Map<string, string>} known @param {number} depth @returns {Block[]} */
function blocksOf(lines, known, depth) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {string[]} */
  let paragraph = [];
  const end = () => {
    if (paragraph.some((line) => line.trim() !== '')) {
      blocks.push({ kind: 'paragraph', inline: inlineOf(paragraph.join('\n').replace(/^\n+/, ''), known) });
    }
    paragraph = [];
  };
  for (let at = 0; at < lines.length;) {
    const line = /** @type {string} */ (lines[at]);
    const { block, next } = blockAt(lines, at, known, depth);
    if (block || line.trim() === '') end();
    if (block) blocks.push(block);
    else paragraph.push(line);
    at = next;
  }
  end();
  return blocks;
}

/**
 * @param {string[]} lines @param {number} at @param {Map<string, string>} known @param {number} depth
 * @returns {{ block: Block | null, next: number }} null: the line belongs to a paragraph
 */
function blockAt(lines, at, known, depth) {
  const line = /** @type {string} */ (lines[at]);
  if (line.startsWith('```')) return codeAt(lines, at);
  if (line.startsWith('>') && depth < QUOTE_DEPTH_MAX) {
    const next = endOf(lines, at, (one) => one.startsWith('>'));
    const inner = lines.slice(at, next).map((one) => one.replace(/^> ?/, ''));
    return { block: { kind: 'quote', blocks: blocksOf(inner, known, depth + 1) }, next };
  }
  if (ITEM.test(line)) {
    const next = endOf(lines, at, (one) => ITEM.test(one));
    const items = lines.slice(at, next).map((one) => {
      const [, number, text = ''] = ITEM.exec(one) ?? [];
      return { number: number === undefined ? null : Number(number), inline: inlineOf(text, known) };
    });
    return { block: { kind: 'list', items }, next };
  }
  return { block: null, next: at + 1 };
}

/** @param {string[]} lines @param {number} at @returns {{ block: Block, next: number }} a block that is not ended goes to the end */
function codeAt(lines, at) {
  const first = /** @type {string} */ (lines[at]).slice(3);
  const closed = first.indexOf('```');
  if (closed > 0) return { block: { kind: 'code', text: first.slice(0, closed) }, next: at + 1 };
  const next = endOf(lines, at + 1, (line) => !line.startsWith('```'));
  // A word beside the fence names a language; anything else is the code's first line.
  const head = /^[\w+#.-]*\s*$/.test(first) ? [] : [first];
  return { block: { kind: 'code', text: [...head, ...lines.slice(at + 1, next)].join('\n') }, next: next + 1 };
}

/** @param {string[]} lines @param {number} at @param {(line: string) => boolean} belongs */
function endOf(lines, at, belongs) {
  let next = at;
  while (next < lines.length && belongs(/** @type {string} */ (lines[next]))) next += 1;
  return next;
}

/** @param {string} text @param {Map<string, string>} known @returns {Inline[]} */
function inlineOf(text, known) {
  const open = new Nest();
  const token = new RegExp(TOKEN);
  let done = 0;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const [whole, code, words, target, address, name, marker] = found;
    open.put(text.slice(done, found.index));
    done = found.index + whole.length;
    if (code !== undefined) open.put({ kind: 'code', text: code });
    else if (words !== undefined && target !== undefined) open.put(namedLink(whole, words, target));
    else if (name !== undefined) done = found.index + open.mention(name, known);
    else if (marker !== undefined) open.mark(marker, text[found.index - 1] ?? ' ', text[done] ?? ' ');
    else if (address !== undefined) done = found.index + open.address(address);
    token.lastIndex = done;
  }
  open.put(text.slice(done));
  return open.end();
}

/** The markers that are open, outermost first, and what stands in each. */
class Nest {
  /** @type {{ marker: string, inline: Inline[] }[]} */
  #open = [{ marker: '', inline: [] }];

  /** @param {Inline} piece */
  put(piece) {
    const { inline } = /** @type {{ inline: Inline[] }} */ (this.#open.at(-1));
    const last = inline.at(-1);
    if (piece === '') return;
    if (typeof piece === 'string' && typeof last === 'string') inline[inline.length - 1] = last + piece;
    else inline.push(piece);
  }

  /** @param {string} run of one marker's characters @param {string} before @param {string} after */
  mark(run, before, after) {
    const inner = this.#open.at(-1)?.marker;
    const markers = run !== '***' ? [run] : inner === '*' ? ['*', '**'] : ['**', '*'];
    for (const marker of markers) {
      const inWords = marker === '*' || marker === '_';
      const isOpen = this.#open.some((one) => one.marker === marker);
      // A backslash makes a marker a character. It stays, because of ¯\_(ツ)_/¯.
      if (MARKERS[marker] === undefined || before === '\\') this.put(marker);
      else if (isOpen && !isSpace(before) && !(inWords && isWord(after))) this.#close(marker);
      else if (!isOpen && !isSpace(after) && !(inWords && isWord(before))) this.#open.push({ marker, inline: [] });
      else this.put(marker);
    }
  }

  /** @param {string} name as typed @param {Map<string, string>} known @returns {number} how much of the text it took */
  mention(name, known) {
    let chars = name.length;
    while (chars > 1 && '.-'.includes(/** @type {string} */ (name[chars - 1])) && !known.has(name.slice(0, chars).toLowerCase())) {
      chars -= 1;
    }
    const is = known.get(name.slice(0, chars).toLowerCase());
    const text = `@${name.slice(0, chars)}`;
    this.put(is === undefined ? text : { kind: 'mention', name: is, text });
    return chars + 1;
  }

  /** @param {string} address @returns {number} how much of the text it took: not the full stop after it */
  address(address) {
    const text = address.slice(0, addressEnd(address));
    const href = hrefOf(text);
    this.put(href === null ? text : { kind: 'link', href, text });
    return text.length;
  }

  /** What is still open was no marker. @returns {Inline[]} */
  end() {
    while (this.#open.length > 1) this.#undo();
    return /** @type {{ inline: Inline[] }} */ (this.#open[0]).inline;
  }

  /** @param {string} marker */
  #close(marker) {
    while (this.#open.at(-1)?.marker !== marker) this.#undo();
    const { inline } = /** @type {{ inline: Inline[] }} */ (this.#open.pop());
    const kind = /** @type {'bold' | 'italic' | 'struck'} */ (MARKERS[marker]);
    if (inline.length === 0) this.put(marker + marker);
    else this.put({ kind, inline });
  }

  #undo() {
    const { marker, inline } = /** @type {{ marker: string, inline: Inline[] }} */ (this.#open.pop());
    this.put(marker);
    for (const piece of inline) this.put(piece);
  }
}

/** @param {string} whole @param {string} words @param {string} target @returns {Inline} */
function namedLink(whole, words, target) {
  const href = hrefOf(target);
  // Words that look like an address could name another one than the link's.
  const deceives = /:\/\/|^\s*www\./i.test(words);
  return href === null || deceives ? whole : { kind: 'link', href, text: words };
}

/** @param {string} address */
function hrefOf(address) {
  if (!URL.canParse(address)) return null;
  const { protocol, href } = new URL(address);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}

/** Where an address ends: before the punctuation of its sentence, and before a bracket that it did not open. @param {string} address */
function addressEnd(address) {
  let end = address.length;
  let unopened = [...address].reduce((sum, char) => sum + Number(char === ')') - Number(char === '('), 0);
  for (; end > 0; end -= 1) {
    const last = /** @type {string} */ (address[end - 1]);
    if (last === ')' && unopened > 0) unopened -= 1;
    else if (!'.,;:!?\'"]*_~'.includes(last)) break;
  }
  return end;
}

/** @param {string} char */
function isSpace(char) {
  return /\s/.test(char);
}

/** @param {string} char */
function isWord(char) {
  return /[\p{L}\p{N}]/u.test(char);
}
