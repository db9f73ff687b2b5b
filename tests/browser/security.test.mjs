/** What keeps a person safe when something slips through: what the page may do at all, and what it keeps where. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { open } from './support.mjs';

describe('the content security policy', () => {
  test('allows the page its own files and its own socket', async (t) => {
    const house = await open(t);
    for (const path of ['', 'main.js', 'css/base.css']) {
      const policy = (await fetch(house.address() + path)).headers.get('content-security-policy') ?? '';
      const directives = new Map(policy.split(';').map((one) => one.trim().split(/\s+/)).map(([name = '', ...values]) => [name, values]));
      assert.deepEqual(directives.get('default-src'), ['\'none\'']);
      assert.deepEqual(directives.get('script-src'), ['\'self\'']);
      assert.deepEqual(directives.get('style-src'), ['\'self\'']);
      assert.deepEqual(directives.get('connect-src'), ['\'self\'']);
      for (const name of ['base-uri', 'form-action', 'frame-ancestors']) assert.deepEqual(directives.get(name), ['\'none\''], name);
      assert.doesNotMatch(policy, /unsafe|\*|https?:|data:|blob:/);
    }
  });

  test('is no word too narrow: nothing in the page is inline', async (t) => {
    const house = await open(t);
    const html = await (await fetch(house.address())).text();
    assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:/i);
    for (const [script = ''] of html.matchAll(/<script[^>]*>[^]*?<\/script>/g)) assert.match(script, /^<script type="module" src="[\w./-]+"><\/script>$/);
  });

  test('stops a script that came in all the same, and the test would see it', async (t) => {
    const house = await open(t);
    const stopped = /** @type {string[]} */ ([]);
    const ann = await house.guest('ann', { mayComplain: /Content Security Policy|^a request to https:\/\/evil\.example/ });
    ann.page.on('console', (message) => stopped.push(message.text()));
    await ann.page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "owned"';
      const image = document.createElement('img');
      image.setAttribute('onerror', 'document.title = "owned"');
      image.src = 'https://evil.example/x.png';
      document.body.append(script, image);
    });
    await fetch(house.address());
    assert.notEqual(await ann.page.title(), 'owned');
    assert.ok(stopped.some((text) => /Content Security Policy.*script-src/s.test(text)), stopped.join('\n'));
    assert.ok(stopped.some((text) => /Content Security Policy.*img-src/s.test(text)), stopped.join('\n'));
  });

  test('lets no other page show this one inside of itself', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ mayComplain: /frame-ancestors|Content Security Policy|ERR_BLOCKED/ });
    await ann.page.route('**/around.html', (route) => route.fulfill({ contentType: 'text/html', body: `<iframe src="${house.address()}"></iframe>` }));
    await ann.page.goto(`${house.address()}around.html`);
    const [, frame] = ann.page.frames();
    assert.equal(await frame?.getByLabel('Your name').count(), 0);
  });
});

describe('who one is', () => {
  test('is known to a cookie that no script sees, and to nothing else', async (t) => {
    const house = await open(t);
    for (const ann of [await house.account('ann'), await house.guest('gus')]) {
      const cookies = await ann.context.cookies();
      assert.deepEqual(cookies.map(({ name, httpOnly, sameSite, path }) => ({ name, httpOnly, sameSite, path })),
        [{ name: 'wsrelay_session', httpOnly: true, sameSite: 'Lax', path: '/' }]);
      assert.equal(await ann.page.evaluate(() => document.cookie), '');
      const token = cookies[0]?.value ?? '';
      const kept = await ann.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
      assert.ok(!kept.includes(token.slice(2)), 'the token is in storage or in the address');
      assert.doesNotMatch(kept, /[ag]_[\w-]{20}/);
    }
  });

  test('cannot be used by another site\'s page', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const { cookie } = { cookie: (await ann.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ') };
    const answer = await fetch(`${house.address()}api/logout`, { method: 'POST', headers: { cookie, origin: 'https://evil.example' } });
    assert.equal(answer.status, 403);
    await ann.page.reload();
    await ann.isCalled('ann');
  });
});

describe('a link in a post', () => {
  test('opens apart, and does not learn where it stood', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.say('see http://elsewhere.example/page');
    const link = ann.post('see').getByRole('link');
    assert.equal(await link.getAttribute('target'), '_blank');
    for (const word of ['noopener', 'noreferrer']) assert.ok((await link.getAttribute('rel'))?.split(' ').includes(word), word);
    assert.equal((await fetch(house.address())).headers.get('referrer-policy'), 'no-referrer');
  });
});
