/** What a post may look like, and that it is text whatever it says. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { answered, eventually, open } from './support.mjs';

/** Whoever reads one of these as markup changes the title, asks somebody for something, or has elements it should not. */
const HOSTILE = [
  '<img src=x onerror=document.title="owned">',
  '<script>document.title="owned"</script>',
  '"><svg onload=document.title="owned">',
  '<b>bold</b> &amp; <style>body{display:none}</style>',
  '[words](javascript:document.title="owned")',
  '[https://bank.example](https://evil.example)',
  '![x](https://evil.example/x.png)',
  '[x](https://evil.example/"onmouseover="document.title=1)',
  '`</code><iframe srcdoc="<script>parent.document.title=1</script>">`',
  '> <form action=https://evil.example><button>Log in</button>',
  'javascript:alert(1) data:text/html,<script>1</script> file:///etc/passwd',
  '../../etc/passwd%00.png; DROP TABLE posts;--',
  '{{constructor.constructor("document.title=1")()}} ${document.title}',
];

describe('what one writes', () => {
  test('has its form', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await ann.say([
      'this is **bold**, _italic_, ~~struck~~ and `co<d>e`',
      '> a quote',
      '- first',
      '- second',
      '3. third',
      'see https://example.org/a_b?c=d. And [here](https://example.org/)',
      '```js',
      'const x = "<b>";',
      '```',
    ].join('\n'));
    const post = bo.post('this is bold');
    await post.waitFor();
    const said = async (/** @type {import('playwright-core').Locator} */ of) => (await of.allInnerTexts()).map((text) => text.trim());
    assert.deepEqual(await said(post.getByRole('strong')), ['bold']);
    assert.deepEqual(await said(post.getByRole('emphasis')), ['italic']);
    assert.match(await post.getByText('struck', { exact: true }).evaluate((text) => getComputedStyle(text).textDecoration), /line-through/);
    assert.deepEqual(await said(post.getByRole('code')), ['co<d>e', 'const x = "<b>";']);
    assert.deepEqual(await said(post.getByRole('blockquote')), ['a quote']);
    assert.deepEqual(await said(post.getByRole('listitem')), ['first', 'second', 'third']);
    const links = post.getByRole('link');
    assert.deepEqual(await said(links), ['https://example.org/a_b?c=d', 'here']);
    assert.equal(await links.first().getAttribute('href'), 'https://example.org/a_b?c=d');
    assert.match(await links.first().getAttribute('rel') ?? '', /noopener.*noreferrer/);
    await bo.shot('formatting');
  });

  test('is made bold and italic by keys', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.composer.pressSequentially('very good');
    for (let n = 0; n < 4; n += 1) await ann.page.keyboard.press('Shift+ArrowLeft');
    await ann.page.keyboard.press('Control+b');
    assert.equal(await ann.composer.inputValue(), 'very **good**');
    await ann.page.keyboard.press('Control+i');
    assert.equal(await ann.composer.inputValue(), 'very **_good_**');
    await ann.page.keyboard.press('Enter');
    await ann.post('very good').getByRole('strong').getByRole('emphasis').waitFor();
  });
});

describe('markup', () => {
  test('in posts is text', async (t) => {
    const house = await open(t, ['--post-rate', '0']);
    const ann = await house.guest('ann');
    const eve = await house.program('eve');
    await eve.join('lobby');
    await eve.post('lobby', ...HOSTILE);
    await ann.post('DROP TABLE').waitFor();
    await eventually(async () => assert.equal(await ann.log.getByRole('article').count(), HOSTILE.length));
    await isHarmless(ann);
    for (const link of await ann.log.getByRole('link').all()) assert.match(await link.getAttribute('href') ?? '', /^https:\/\/evil\.example\/[\w%.:=]*$/);
    for (const text of ['<img src=x onerror=document.title="owned">', '[https://bank.example](https://evil.example)']) {
      assert.equal(await ann.post(text).count(), 1, text);
    }
  });

  test('in titles is text, everywhere they are shown', async (t) => {
    const house = await open(t);
    const title = '<img src=x onerror=document.title="owned">';
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await ann.makeGroup(title, 'bo');
    await ann.details();
    await bo.goTo(title);
    await bo.say('hello');
    await ann.hears('bo', 'hello');
    assert.equal(await ann.page.title(), `${title} · wsrelay`);
    await isHarmless(ann);
    await isHarmless(bo);
  });

  test('in what a room is called is text, however one says it', async (t) => {
    const house = await open(t);
    const eve = await house.account('eve');
    const [first = '', ...others] = [...HOSTILE.slice(0, 3), '\u202e\u2066 \u200f.exe', '../../etc/passwd%00.png', 'w'.repeat(65_536)];
    /** A title that is taken closes the window, and one that is not says why. @param {string} name @param {string} text */
    const tryTitle = async (name, text) => {
      const dialog = eve.page.getByRole('dialog', { name, exact: true });
      await dialog.getByLabel('Title').click();
      await eve.page.keyboard.press('Control+a');
      await eve.page.keyboard.insertText(text);
      await eve.page.keyboard.press('Enter');
      const isRefused = dialog.getByRole('alert').filter({ hasText: /./ });
      await eventually(async () => assert.ok(await isRefused.isVisible() || !await dialog.isVisible()));
      await isHarmless(eve);
      await eve.fitsItsWindow();
      if (await dialog.isVisible()) await dialog.getByRole('button', { name: 'Close' }).click();
    };
    await eve.begin('New group');
    await tryTitle('New group', first);
    const add = eve.page.getByRole('dialog', { name: 'Add people' });
    for (const text of [first, ...others]) {
      await add.getByRole('searchbox', { name: 'Name' }).click();
      await eve.page.keyboard.press('Control+a');
      await eve.page.keyboard.insertText(text);
      await add.getByText('Nobody').waitFor();
      await isHarmless(eve);
    }
    await add.getByRole('button', { name: 'Close' }).click();
    const details = await eve.details();
    for (const text of others) {
      await details.getByRole('button', { name: 'Rename' }).click();
      await tryTitle('Rename', text);
    }
    await details.getByRole('button', { name: 'Close' }).click();
    for (const text of [first, ...others]) {
      await eve.begin('New invite room');
      await tryTitle('New invite room', text);
      await eve.page.keyboard.press('Escape');
    }
  });

  test('in names is refused', async (t) => {
    const house = await open(t);
    const eve = await house.visitor({ mayComplain: answered(400) });
    for (const name of ['<b>eve</b>', 'eve\u202e', 'e ve']) {
      await eve.page.getByLabel('Your name').fill(name);
      await eve.page.keyboard.press('Enter');
      await eve.page.getByRole('alert').filter({ hasText: /./ }).waitFor();
    }
    await eve.register('eve');
    const settings = await eve.settings();
    await settings.getByLabel('Display name').fill('<b onclick=x>eve</b>');
    await settings.getByRole('button', { name: 'Save' }).click();
    await settings.getByRole('alert').filter({ hasText: /./ }).waitFor();
    await isHarmless(eve);
  });

  test('in every field there is, and 64 kB of it, does no harm', async (t) => {
    const house = await open(t);
    const eve = await house.visitor({ hash: '#/room/lobby', mayComplain: answered(4) });
    /** Into each field that is there, as if it were pasted; and with Enter. @param {import('playwright-core').Locator} place */
    const tryAll = async (place) => {
      const fields = place.locator('input:not([type=checkbox], [type=range], [readonly]), textarea');
      for (const text of [HOSTILE[0] ?? '', '../../../etc/passwd%00.png', '\u202e\u2066 \u200f.exe', 'w'.repeat(65_536)]) {
        for (const field of await fields.all()) {
          await field.click();
          await eve.page.keyboard.press('Control+a');
          await eve.page.keyboard.insertText(text);
        }
        await fields.last().press('Enter');
        await isHarmless(eve);
        await eve.fitsItsWindow();
      }
    };
    for (const way of ['Log in', 'Create an account', 'Come in as a guest']) {
      await eve.page.getByRole('button', { name: way }).click();
      await tryAll(eve.page.getByRole('main'));
    }
    await eve.page.reload();
    await eve.register('eve');
    const tryDialog = async (/** @type {string} */ name) => {
      const dialog = eve.page.getByRole('dialog', { name });
      await tryAll(dialog);
      await dialog.getByRole('button', { name: 'Close' }).click();
    };
    await eve.settings();
    await tryDialog('Settings');
    await eve.settings();
    await eve.page.getByRole('button', { name: 'Change password' }).click();
    await tryDialog('Change password');
    await eve.page.getByRole('dialog', { name: 'Settings' }).getByRole('button', { name: 'Close' }).click();
    await tryAll(await eve.begin('Open rooms'));
    // As much of the last word as a name may have is one.
    await eve.isAt('w'.repeat(32));
    await eve.begin('Write to somebody');
    await tryDialog('Write to somebody');
    await tryAll(eve.rooms);
    await eve.page.keyboard.press('Control+Shift+F');
    await tryAll(eve.page.getByRole('complementary', { name: 'Search' }));
    await tryAll(eve.page.getByRole('main'));
    assert.equal(await eve.page.evaluate(() => document.documentElement.dataset.link), 'connected');
  });

  test('in the address, the filter and the search is text', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ hash: `#/room/${encodeURIComponent('<img src=x onerror=document.title="owned">')}` });
    await ann.enterAs('ann');
    await ann.page.getByRole('heading', { name: '<img src=x' }).waitFor();
    await ann.rooms.getByRole('searchbox').fill('<script>document.title="owned"</script>');
    await isHarmless(ann);
    await ann.rooms.getByRole('searchbox').press('Escape');
    await ann.goTo('lobby');
    await ann.say('a <i>word</i> to be found');
    await ann.page.getByRole('button', { name: 'Search' }).click();
    await ann.page.getByRole('searchbox', { name: 'Search' }).fill('word');
    await ann.page.getByRole('complementary', { name: 'Search' }).getByRole('link', { name: 'a <i>word</i> to be found' }).waitFor();
    await isHarmless(ann);
  });
});

describe('whatever one writes', () => {
  test('stays in its place: words without an end, and marks that turn the direction', async (t) => {
    const house = await open(t, ['--post-rate', '0']);
    const ann = await house.guest('ann', { settings: { viewport: { width: 360, height: 640 } } });
    const eve = await house.program('eve');
    await eve.join('lobby');
    await eve.post('lobby', 'w'.repeat(4_000), `\`\`\`\n${'c'.repeat(3_000)}\n\`\`\``, `https://example.org/${'p'.repeat(2_000)}`,
      'שלום \u202eabc\u202c \u2067x\u2069', '\u202e\u202e\u202e reversed', 'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢'.repeat(20), 'last');
    await ann.post('last').waitFor();
    await ann.fitsItsWindow();
    assert.equal(await ann.log.evaluate((log) => log.scrollWidth <= log.clientWidth), true);
    for (const name of await ann.log.getByRole('article').getByRole('time').all()) assert.match(await name.innerText(), /^\d{1,2}:\d\d/);
    await ann.shot('long-words-phone');
  });

  test('that could be mistaken for the page\'s own words is a post of who wrote it', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const eve = await house.program('eve');
    await eve.join('lobby');
    await eve.post('lobby', 'ann made eve: Owner');
    await ann.hears('eve', 'ann made eve: Owner');
  });
});

/** @param {import('./person.mjs').Person} person */
async function isHarmless({ page }) {
  const foreign = await page.evaluate(() => [...document.querySelectorAll('script, style, iframe, object, embed, img, form[action], [onerror], [onload], [onclick], a[href^="javascript:" i]')]
    .filter((one) => !one.matches('head > script[src="main.js"], .card > img[src="favicon.svg"]')).map((one) => one.outerHTML));
  assert.deepEqual(foreign, []);
  assert.doesNotMatch(await page.title(), /^(owned|1)$/);
}
