import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isEmojiOnly, parse, plain } from '../../src/page/model/format.js';

/** A tree as short text: what it is in brackets. */
function shown(text, mentions) {
  return parse(text, mentions).map(block).join(' ');
}

function block(node) {
  switch (node.kind) {
    case 'paragraph': return inline(node.inline);
    case 'code': return `pre(${node.text})`;
    case 'quote': return `quote(${node.blocks.map(block).join(' ')})`;
    case 'list': return `list(${node.items.map((item) => `${item.number ?? '-'} ${inline(item.inline)}`).join(', ')})`;
  }
}

const SIGNS = { bold: 'b', italic: 'i', struck: 's' };

function inline(pieces) {
  return pieces.map((piece) => {
    if (typeof piece === 'string') return piece;
    switch (piece.kind) {
      case 'code': return `code(${piece.text})`;
      case 'link': return piece.text === piece.href ? `<${piece.href}>` : `<${piece.text}|${piece.href}>`;
      case 'mention': return `at(${piece.name}|${piece.text})`;
      default: return `${SIGNS[piece.kind]}(${inline(piece.inline)})`;
    }
  }).join('');
}

/** What one reads of a tree. */
function read(node) {
  if (typeof node === 'string') return node;
  const inner = node.blocks ?? node.inline ?? node.items;
  return inner ? inner.map(read).join('') : node.text;
}

const VECTORS = [
  // emphasis
  ['**bold**', 'b(bold)'],
  ['*italic* and _italic_', 'i(italic) and i(italic)'],
  ['~~gone~~', 's(gone)'],
  ['**bold _and italic_**', 'b(bold i(and italic))'],
  ['***both***', 'b(i(both))'],
  ['*__init__*', 'i(__init__)'],
  ['这是**粗体**字', '这是b(粗体)字'],
  ['**a** **b**', 'b(a) b(b)'],
  ['**two\nlines**', 'b(two\nlines)'],
  // what is no emphasis
  ['2 * 3 * 4', '2 * 3 * 4'],
  ['2*3*4', '2*3*4'],
  ['snake_case_name', 'snake_case_name'],
  ['**open', '**open'],
  ['open**', 'open**'],
  ['** spaced **', '** spaced **'],
  ['****', '****'],
  ['*****five*****', '*****five*****'],
  ['a ~ b ~ c', 'a ~ b ~ c'],
  ['¯\\_(ツ)_/¯', '¯\\_(ツ)_/¯'],
  ['\\*not\\*', '\\*not\\*'],
  // nested and crossing markers
  ['**a _b** c_', 'b(a _b) c_'],
  ['_a **b_ c**', 'i(a **b) c**'],
  ['**a *b ~~c** d', 'b(a *b ~~c) d'],
  ['~~**_x_**~~', 's(b(i(x)))'],
  ['**a **b** c**', 'b(a **b) c**'],
  // code
  ['`a`', 'code(a)'],
  ['`**a**`', 'code(**a**)'],
  ['**`a`**', 'b(code(a))'],
  ['`open', '`open'],
  ['`a\nb`', '`a\nb`'],
  ['``', '``'],
  ['```\nx\n  y\n```', 'pre(x\n  y)'],
  ['```js\nlet a;\n```\nafter', 'pre(let a;) after'],
  ['```one line```', 'pre(one line)'],
  ['```\nnever ended', 'pre(never ended)'],
  ['```let a = 1;\nlet b;\n```', 'pre(let a = 1;\nlet b;)'],
  ['before\n```\n**x**\n```', 'before pre(**x**)'],
  // links
  ['https://a.example/b', '<https://a.example/b>'],
  ['see https://a.example/b.', 'see <https://a.example/b>.'],
  ['(https://a.example/b)', '(<https://a.example/b>)'],
  ['https://a.example/b_(c)', '<https://a.example/b_(c)>'],
  ['https://a.example/b_(c)).', '<https://a.example/b_(c)>).'],
  ['https://a.example, and', '<https://a.example|https://a.example/>, and'],
  ['*https://a.example/*', 'i(<https://a.example/>)'],
  ['HTTPS://A.EXAMPLE/b', '<HTTPS://A.EXAMPLE/b|https://a.example/b>'],
  ['[words](https://a.example/)', '<words|https://a.example/>'],
  ['[**words**](https://a.example/)', '<**words**|https://a.example/>'],
  ['xhttps://a.example/', 'xhttps://a.example/'],
  ['https://', 'https://'],
  ['http://)', 'http://)'],
  // addresses that are none, or deceive
  ['javascript:alert(1)', 'javascript:alert(1)'],
  ['[x](javascript:alert(1))', '[x](javascript:alert(1))'],
  ['[x](JAVASCRIPT:alert(1))', '[x](JAVASCRIPT:alert(1))'],
  ['[x](data:text/html,<script>1</script>)', '[x](data:text/html,<script>1</script>)'],
  ['[x](vbscript:x) [y](file:///etc/passwd)', '[x](vbscript:x) [y](file:///etc/passwd)'],
  ['[x]( https://a.example)', '[x]( <https://a.example|https://a.example/>)'],
  ['[x](//a.example)', '[x](//a.example)'],
  ['[https://bank.example](https://evil.example)', '[https://bank.example](https://evil.example)'],
  ['[www.bank.example](https://evil.example)', '[www.bank.example](https://evil.example)'],
  ['[x](https://a.example" onclick="1)', '[x](<https://a.example|https://a.example/>" onclick="1)'],
  ['https://a.example/"onmouseover="x', '<https://a.example/>"onmouseover="x'],
  ['http://[::1', 'http://[::1'],
  // mentions: only those that the server found
  ['hi @bo', 'hi at(Bo|@bo)', ['Bo']],
  ['@bo.', 'at(Bo|@bo).', ['Bo']],
  ['@bo-', 'at(Bo|@bo)-', ['Bo']],
  ['@j.-p', 'at(j.-p|@j.-p)', ['j.-p']],
  ['@bo and @eve', 'at(bo|@bo) and @eve', ['bo']],
  ['bo@bo.example', 'bo@bo.example', ['bo.example']],
  ['@bob', '@bob', ['bo']],
  ['**@bo**', 'b(at(bo|@bo))', ['bo']],
  ['`@bo`', 'code(@bo)', ['bo']],
  ['@жук!', 'at(жук|@жук)!', ['жук']],
  ['@__proto__ @constructor', '@__proto__ @constructor', ['bo']],
  // quotes and lists
  ['> a\n> b', 'quote(a\nb)'],
  ['>a', 'quote(a)'],
  ['> a\n\nb', 'quote(a) b'],
  ['> - x\n> - y', 'quote(list(- x, - y))'],
  ['> ```\n> x\n> ```', 'quote(pre(x))'],
  ['>> a', 'quote(quote(a))'],
  ['>>>> a', 'quote(quote(quote(> a)))'],
  ['a > b', 'a > b'],
  ['- a\n- b', 'list(- a, - b)'],
  ['* a\n* b', 'list(- a, - b)'],
  ['• a', 'list(- a)'],
  ['1. a\n2. b', 'list(1 a, 2 b)'],
  ['3) a\n7) b', 'list(3 a, 7 b)'],
  ['- **a**', 'list(- b(a))'],
  ['-a', '-a'],
  ['1.5 is more', '1.5 is more'],
  ['- ', '- '],
  // paragraphs
  ['a\nb', 'a\nb'],
  ['a\r\nb\rc', 'a\nb\nc'],
  ['a\n\n\nb', 'a b'],
  ['\n\na', 'a'],
  ['', ''],
  ['   ', ''],
  // markup is text
  ['<b>x</b> & &amp; <script>alert(1)</script>', '<b>x</b> & &amp; <script>alert(1)</script>'],
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['\u202eevil\u2066', '\u202eevil\u2066'],
  ['a\u0000b', 'a\u0000b'],
  ['\ud800 half', '\ud800 half'],
];

describe('the form of a post', () => {
  for (const [text, expected, mentions] of VECTORS) {
    test(JSON.stringify(text), () => assert.equal(shown(text, mentions), expected));
  }

  test('no address but http and https becomes a link, however it is written', () => {
    for (const scheme of ['javascript', 'JaVaScRiPt', 'data', 'vbscript', 'file', 'blob', 'ftp', 'about', 'view-source', 'ws']) {
      for (const text of [`${scheme}:x`, `${scheme}://x`, `[x](${scheme}:x)`, `[x](${scheme}://x)`, `<${scheme}:x>`, `\t${scheme}\n:x`]) {
        assert.doesNotMatch(JSON.stringify(parse(text)), /"href"/, text);
      }
    }
  });

  test('a link\'s address is the one that is shown or was written, as the browser reads it', () => {
    for (const text of ['https://a.example@evil.example/', 'https://ａ.example/', 'https://a.example\\@evil.example']) {
      const link = JSON.stringify(parse(text)).match(/"href":"([^"]*)"/)?.[1];
      assert.equal(link, new URL(text).href);
    }
  });
});

describe('every text', () => {
  // Without what hides some of a text: the address of a link with words, the language of a block of code.
  const alphabet = ['*', '**', '***', '_', '~~', '`', '[', ')', 'https://a.b/', '@', 'bo', ' ', '\n', '>', '> ', '- ', '1. ', '\\', 'x', '😀', 'é', '.'];

  /** Always the same numbers (an LCG of Numerical Recipes). */
  function numbers() {
    let state = 1;
    return (below) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  test('loses no word and gains none', () => {
    const next = numbers();
    for (let round = 0; round < 4_000; round += 1) {
      const text = Array.from({ length: next(24) }, () => alphabet[next(alphabet.length)]).join('');
      const letters = (one) => one.match(/\p{L}|😀/gu)?.join('') ?? '';
      assert.equal(letters(parse(text, ['bo']).map(read).join('')), letters(text), JSON.stringify(text));
    }
  });

  test('takes time in proportion to its length', () => {
    const hostile = [
      'x', '*', '**', '*a ', '**a ', '_a', '~~a', '`', '`a', '`a\n', '```', '```\n', '[', '[a](', '[a](https://', ']', '(', ')', 'https://', 'https://a.',
      'https://a)', '@', '@a', '@a.', '>', '>\n', '> >', '- ', '- a\n', '1. ', '1. a\n', '\n', ' ', '\\', '**_~~*', '*_', '***', '\u202e', '\ud83d', '😀', '-', '---', '1',
    ];
    // Processor time, so that a busy machine has its moods.
    const ms = (text) => {
      const from = process.cpuUsage();
      parse(text, ['a']);
      const { user, system } = process.cpuUsage(from);
      return (user + system) / 1_000;
    };
    for (const part of hostile) {
      const text = part.repeat(Math.ceil(50_000 / part.length));
      for (const whole of [text, `${text}x`, `**${text}**`]) {
        // Quadratic time would be minutes.
        const took = Math.min(ms(whole), ms(whole));
        assert.ok(took < 500, `${JSON.stringify(part)} took ${took} ms`);
      }
    }
  });

  test('of 10 kB in one word or line stays whole', () => {
    for (const word of ['x'.repeat(10_000), '*'.repeat(10_000), `https://a.example/${'x'.repeat(10_000)}`, '@'.repeat(10_000)]) {
      assert.equal(parse(word).map(read).join(''), word);
    }
  });
});

describe('what a post says in a line', () => {
  test('has no form', () => {
    assert.equal(plain('**Two** _things_:\n- `a`\n- https://a.example/\n> said'), 'Two things: • a • https://a.example/ said');
    assert.equal(plain('```js\nlet a;\n```'), 'let a;');
    assert.equal(plain('[words](https://a.example)'), 'words');
  });

  test('is short work for a long post', () => {
    assert.ok(plain('x'.repeat(1_000_000)).length <= 600);
  });
});

describe('emoji alone', () => {
  test('are told from text', () => {
    for (const text of ['🎉', '👍🏽', '👩‍👩‍👧', '🇩🇪', '❤️', '🎉 🎉', '😀😀😀']) assert.equal(isEmojiOnly(text), true, text);
    for (const text of ['a', '🎉!', '1', '😀'.repeat(20), '', '#️⃣x', '12']) assert.equal(isEmojiOnly(text), false, text);
  });
});
