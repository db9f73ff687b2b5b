/** What a screen reader and people with other eyes get: axe-core on every screen, in light and dark; and what is read aloud. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { before, describe, test } from 'node:test';

import { GONE, PHONE, cable, comesBack, eventually, open } from './support.mjs';

/** @type {string} */
let axe;

before(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});

/** In light and in dark. @param {import('./person.mjs').Person} person @param {string} screen */
async function isAccessible({ page }, screen) {
  await page.evaluate(axe);
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const violations = await page.evaluate(async () => {
      const found = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
      return found.violations.flatMap((/** @type {any} */ { id, nodes }) => (
        nodes.map((/** @type {any} */ { html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)));
    });
    assert.deepEqual(violations, [], `${screen}, ${colorScheme}`);
  }
}

/** A room with everything in it. @param {import('./support.mjs').House} house */
async function busyRoom(house, settings = {}) {
  const ann = await house.account('ann', { settings });
  const bo = await house.account('bo');
  const gus = await house.guest('gus');
  await ann.say('Shall we **meet** at _seven_? See `door.md` and https://example.org/plan\n> as last time\n- bread\n- wine\n```\ncode();\n```');
  await bo.hears('ann', 'Shall we meet');
  await ann.menu('Shall we meet', 'Pin');
  await bo.post('Pinned').waitFor();
  await bo.tool('Shall we meet', 'React with 👍');
  await bo.tool('Shall we meet', 'Reply');
  await bo.say('yes, @ann and @gus');
  await gus.say('a slip');
  await gus.menu('a slip', 'Delete');
  await gus.confirm('Delete');
  await ann.say('then at seven');
  await ann.composer.press('ArrowUp');
  await ann.composer.fill('then at seven sharp');
  await ann.composer.press('Enter');
  await ann.post('edited').waitFor();
  return { ann, bo, gus };
}

describe('without violations are', () => {
  test('the ways in', async (t) => {
    const house = await open(t);
    const ann = await house.visitor();
    await isAccessible(ann, 'guest');
    await ann.page.getByRole('button', { name: 'Log in' }).click();
    await isAccessible(ann, 'log in');
    await ann.page.getByRole('button', { name: 'Create an account' }).click();
    await isAccessible(ann, 'register');
    await ann.page.getByRole('button', { name: 'Come in as a guest' }).click();
    await ann.enterAs('ann');
    await isAccessible(ann, 'no room');
    const bo = await house.visitor({ hash: '#/room/~nothing-of-that-kind' });
    await isAccessible(bo, 'invited');
    await bo.enterAs('bo');
    await bo.page.getByRole('heading', { name: 'You cannot enter this room' }).waitFor();
    await isAccessible(bo, 'refused');
  });

  test('a busy room, its tools, its panels', async (t) => {
    const house = await open(t);
    const { ann } = await busyRoom(house);
    await ann.post('yes, @ann').hover();
    await isAccessible(ann, 'a busy room');
    await ann.shot('busy-room');
    await ann.tool('yes, @ann', 'More');
    await isAccessible(ann, 'the menu of a post');
    await ann.page.keyboard.press('Escape');
    await ann.tool('yes, @ann', 'React');
    await isAccessible(ann, 'the emoji');
    await ann.page.keyboard.press('Escape');
    await ann.tool('yes, @ann', 'Reply');
    await ann.composer.pressSequentially('@b');
    await ann.page.getByRole('listbox').waitFor();
    await isAccessible(ann, 'a reply and the completion');
    await ann.composer.fill('');
    await ann.details();
    await isAccessible(ann, 'details');
    await ann.page.getByRole('button', { name: 'Search' }).click();
    await ann.page.getByRole('searchbox', { name: 'Search' }).fill('seven');
    await ann.page.getByRole('complementary').getByRole('link').first().waitFor();
    await isAccessible(ann, 'search');
  });

  test('the dialogs', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    await house.account('bo');
    const close = () => ann.page.getByRole('dialog').last().getByRole('button', { name: 'Close' }).click();
    const settings = await ann.settings();
    await settings.getByText('this one').waitFor();
    await isAccessible(ann, 'settings');
    await settings.getByRole('button', { name: 'Change password' }).click();
    await isAccessible(ann, 'change password');
    await close();
    await settings.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    await isAccessible(ann, 'shortcuts');
    await close();
    await close();
    for (const what of ['Open rooms', 'New group', 'New invite room', 'Write to somebody']) {
      await ann.begin(what);
      await isAccessible(ann, what);
      await close();
    }
    await ann.makeGroup('friends', 'bo');
    await ann.details();
    await isAccessible(ann, 'group settings');
    await ann.member('bo', 'Ban');
    await isAccessible(ann, 'a confirmation');
    await ann.confirm('Ban');
    await ann.page.getByRole('button', { name: 'Banned people' }).click();
    await ann.dialog.getByRole('button', { name: 'Lift the ban' }).waitFor();
    await isAccessible(ann, 'who is banned');
    await ann.shot('banned');
    const gus = await house.guest('gus');
    await gus.settings();
    await isAccessible(gus, 'a guest\'s settings');
  });

  test('a phone', async (t) => {
    const house = await open(t);
    const { ann } = await busyRoom(house, { ...PHONE, hasTouch: false, isMobile: false });
    await isAccessible(ann, 'a room on a phone');
    await ann.shot('phone');
    await ann.page.getByRole('link', { name: 'All rooms' }).click();
    await isAccessible(ann, 'the rooms on a phone');
  });

  test('a lost connection, and what waits', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann', { mayComplain: GONE });
    await house.kill();
    await ann.page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();
    await ann.say('hello?');
    await ann.post('hello?').getByText('Waiting to be sent').waitFor();
    await isAccessible(ann, 'reconnecting');
    await house.restart();
  });
});

describe('read aloud', () => {
  test('is what others say in the room where one is: not what was, not one\'s own, not another room\'s', async (t) => {
    const house = await open(t);
    const bo = await house.account('bo');
    await bo.say('long ago');
    await bo.makeOpenRoom('elsewhere');
    const ann = await house.account('ann');
    await ann.page.evaluate(() => {
      const heard = /** @type {string[]} */ ([]);
      Object.assign(window, { heard });
      new MutationObserver((changes) => {
        for (const { target, addedNodes } of changes) {
          const live = (target instanceof Element ? target : target.parentElement)?.closest('[aria-live], [role=status], [role=alert], [role=log]');
          if (!live || live.getAttribute('aria-live') === 'off') continue;
          for (const node of addedNodes) heard.push(node.textContent ?? '');
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await ann.hears('bo', 'long ago');
    await bo.say('in another room');
    await bo.goTo('lobby');
    await ann.say('mine');
    await bo.hears('ann', 'mine');
    await bo.say('this is **news**');
    await ann.hears('bo', 'this is news');
    await bo.menu('this is news', 'Edit');
    await bo.composer.fill('this is no news');
    await bo.composer.press('Enter');
    await ann.post('this is no news').waitFor();
    await bo.say('the end');
    await ann.hears('bo', 'the end');
    const heard = () => ann.page.evaluate(() => /** @type {any} */ (window).heard);
    await eventually(async () => assert.deepEqual((await heard()).filter((/** @type {string} */ text) => text), ['bo: this is news', 'bo: the end']));
  });

  test('is nothing of what was deleted before one came back', async (t) => {
    const house = await open(t);
    const line = cable();
    const ann = await house.account('ann', { prepare: line.prepare });
    const bo = await house.account('bo');
    await line.cut();
    await ann.page.getByText('Reconnecting').waitFor();
    await bo.say('a slip');
    await bo.menu('a slip', 'Delete');
    await bo.confirm('Delete');
    await bo.hears('bo', 'This post was deleted.');
    await bo.say('good evening');
    await bo.hears('bo', 'good evening');
    line.mend();
    await comesBack(ann);
    await ann.hears('bo', 'good evening');
    await ann.hears('bo', 'This post was deleted.');
    assert.deepEqual(await ann.page.locator('#announcer p').allTextContents(), ['bo: good evening']);
  });

  test('is that one has lost the connection, and not its seconds', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann', { mayComplain: GONE });
    await house.kill();
    const status = ann.page.getByRole('status').filter({ hasText: 'Reconnecting' });
    await status.waitFor();
    assert.equal(await status.innerText(), 'Reconnecting');
    await ann.page.getByText(/^in \d+ s$/).waitFor({ timeout: 45_000 });
    assert.equal(await ann.page.getByText(/^in \d+ s$/).getAttribute('aria-hidden'), 'true');
    assert.equal(await status.innerText(), 'Reconnecting');
    await house.restart();
  });
});
