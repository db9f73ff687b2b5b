/**
 * What the daemon serves is what the sources say: the same programs, though without comments, and with short names for what
 * no other file sees. A parser and the type checker say so, which know the language better than the daemon does.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';

import { startDaemon } from '../daemon.mjs';

const PAGE = fileURLToPath(new URL('../../src/page/', import.meta.url));
const TSC = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));

/** Types alone: nothing loads it. */
const NOT_SERVED = 'client/types.js';

/** By path, what is written and what is served. @type {Map<string, { written: string, served: string }>} */
const files = new Map();

before(async () => {
  const daemon = await startDaemon();
  for (const path of await readdir(PAGE, { recursive: true })) {
    if (!/\.(js|css)$/.test(path) || path === NOT_SERVED) continue;
    const answer = await fetch(daemon.http(`/${path}`));
    assert.equal(answer.status, 200, path);
    files.set(path, { written: await readFile(join(PAGE, path), 'utf8'), served: await answer.text() });
  }
  await daemon.stop();
});

const scripts = () => [...files].filter(([path]) => path.endsWith('.js'));

/** What others call it. */
const isOutside = (node, name) => (['key', 'property'].includes(name) && !node.computed) || ['imported', 'exported'].includes(name);

const isDeclaration = (node) => node?.type === 'VariableDeclaration';

/**
 * All that a parser reads, in order: each node's kind, and what it says. How a name is declared may change, and whether it is
 * said twice; and declarations that follow one another are one.
 */
function* said(node, key = '') {
  if (Array.isArray(node)) {
    for (const [at, one] of node.entries()) yield* isDeclaration(one) && isDeclaration(node[at - 1]) ? said(one.declarations, 'declarations') : said(one, key);
  }
  else if (node instanceof RegExp || typeof node !== 'object' || node === null) yield { key, text: String(node) };
  // `!0` is true, and `!1` false.
  else if (node.type === 'UnaryExpression' && node.operator === '!' && [0, 1].includes(node.argument.value)) {
    yield* said({ type: 'Literal', value: !node.argument.value, raw: '' }, key);
  } else {
    yield { key: 'type', text: node.type ?? '' };
    for (const [name, value] of Object.entries(node)) {
      if (['type', 'start', 'end', 'raw', 'shorthand'].includes(name) || (isDeclaration(node) && name === 'kind')) continue;
      if (isOutside(node, name) && value?.type === 'Identifier') yield { key: 'outside', text: value.name };
      else yield* said(value, node.type === 'Identifier' && name === 'name' ? 'identifier' : name);
    }
  }
}

const read = (text) => [...said(parse(text, { ecmaVersion: 'latest', sourceType: 'module' }))];

describe('a script is served', () => {
  test('as the program that it is', () => {
    for (const [path, { written, served }] of scripts()) {
      const [was, is] = [read(written), read(served)];
      /** @type {Map<string, string>} */
      const names = new Map();
      for (const [at, { key, text }] of was.entries()) {
        assert.equal(is[at]?.key, key, `${path}: ${text}`);
        const name = is[at]?.text;
        if (key !== 'identifier') assert.equal(name, text, `${path}: ${key}`);
        else assert.equal(names.set(text, names.get(text) ?? name).get(text), name, `${path}: ${text} has one name`);
      }
      assert.equal(is.length, was.length, path);
      assert.equal(new Set(names.values()).size, names.size, `${path}: no two names are one`);
    }
  });

  test('with every name declared where it is used', async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'wsrelay-'));
    t.after(() => rm(place, { recursive: true }));
    for (const [path, { served }] of scripts()) {
      await mkdir(dirname(join(place, path)), { recursive: true });
      await writeFile(join(place, path), served);
    }
    const options = ['--allowJs', '--checkJs', '--noEmit', '--target', 'esnext', '--module', 'esnext', '--lib', 'esnext,dom,dom.iterable', '--types', ''];
    const paths = scripts().map(([path]) => join(place, path));
    const found = await new Promise((done) => {
      execFile(process.execPath, [TSC, '--strict', 'false', '--ignoreConfig', ...options, ...paths], (_, stdout) => done(stdout));
    });
    assert.match(found, /error TS/, 'without its comments the checker finds the types wanting');
    assert.deepEqual(found.split('\n').filter((line) => /Cannot find name|No value exists in scope|has no exported member/.test(line)), []);
  });
});

test('what is served has nothing that is for people', () => {
  for (const [path, { written, served }] of files) {
    assert.ok(served.length < written.length, path);
    assert.doesNotMatch(served, /\n./, path);
  }
});
