/** That one is at home: by day and night, on a phone, by keyboard alone, in one's language. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PHONE, eventually, open } from './support.mjs';

/** @param {import('./person.mjs').Person} person @param {import('playwright-core').Locator} what */
async function hasFocus(person, what) {
  await eventually(async () => assert.ok(await what.evaluate((one) => one === document.activeElement),
    `the focus is on ${await person.page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))}`));
}

describe('light and dark', () => {
  test('follow the system, or what one says, and that is remembered', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann', { settings: { colorScheme: 'dark' } });
    const isDark = () => ann.page.evaluate(() => {
      const pixel = Object.assign(document.createElement('canvas').getContext('2d') ?? {}, { fillStyle: getComputedStyle(document.body).backgroundColor });
      pixel.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0] = pixel.getImageData(0, 0, 1, 1).data;
      return r + g + b < 380;
    });
    assert.equal(await isDark(), true);
    await ann.say('good night');
    await ann.post('good night').waitFor();
    await ann.shot('dark');
    const settings = await ann.settings();
    await settings.getByLabel('Appearance').selectOption({ label: 'Light' });
    await eventually(async () => assert.equal(await isDark(), false));
    await ann.page.reload();
    await ann.isIn();
    assert.equal(await isDark(), false);
    await (await ann.settings()).getByLabel('Appearance').selectOption({ label: 'As the system' });
    await ann.page.emulateMedia({ colorScheme: 'light' });
    assert.equal(await isDark(), false);
    await ann.page.emulateMedia({ colorScheme: 'dark' });
    await eventually(async () => assert.equal(await isDark(), true));
  });
});

describe('a phone', () => {
  test('shows the rooms or a room, each whole, and nothing to be pushed sideways', async (t) => {
    const house = await open(t);
    const bo = await house.account('bo');
    const ann = await house.account('ann', { settings: PHONE });
    await bo.makeOpenRoom('a-room-with-a-name-of-32-letters');
    await bo.goTo('lobby');
    await bo.say(`${'w'.repeat(300)} https://example.org/${'p'.repeat(300)}`);
    await bo.say('`' + 'c'.repeat(300) + '`');
    await ann.post('cccc').waitFor();
    assert.equal(await ann.rooms.isVisible(), false);
    await ann.fitsItsWindow();
    await ann.shot('phone-room');
    await ann.details();
    await ann.fitsItsWindow();
    await ann.shot('phone-details');
    await ann.page.getByRole('complementary').getByRole('button', { name: 'Close' }).tap();
    await ann.page.getByRole('link', { name: 'All rooms' }).tap();
    await ann.rooms.waitFor();
    assert.equal(await ann.log.isVisible(), false);
    await ann.fitsItsWindow();
    await ann.shot('phone-rooms');
    await ann.room('lobby').tap();
    await ann.log.waitFor();
  });

  test('has Enter for a new line, and a button to send', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann', { settings: PHONE });
    await ann.composer.tap();
    await ann.page.keyboard.type('one');
    await ann.page.keyboard.press('Enter');
    await ann.page.keyboard.type('two');
    await ann.page.getByRole('button', { name: 'Send' }).tap();
    await ann.sees(/one\ntwo/, ['one\ntwo']);
  });

  test('has all that a wide screen has: settings, dialogs, a window of 320 pixels', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann', { settings: { ...PHONE, viewport: { width: 320, height: 560 } } });
    await ann.page.getByRole('link', { name: 'All rooms' }).tap();
    const settings = await ann.settings();
    await ann.fitsItsWindow();
    await settings.getByRole('button', { name: 'Keyboard shortcuts' }).tap();
    await ann.fitsItsWindow();
    await ann.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByRole('button', { name: 'Close' }).tap();
    await settings.getByRole('button', { name: 'Close' }).tap();
    await ann.begin('New group');
    await ann.fitsItsWindow();
  });
});

describe('a keyboard', () => {
  test('goes from room to room, and finds one by its name', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    for (const name of ['first', 'second']) await ann.makeOpenRoom(name);
    await ann.page.keyboard.press('Alt+ArrowDown');
    await ann.isAt('first');
    await ann.page.keyboard.press('Alt+ArrowUp');
    await ann.isAt('second');
    await ann.page.keyboard.press('Control+k');
    await hasFocus(ann, ann.rooms.getByRole('searchbox'));
    await ann.page.keyboard.type('lob');
    await ann.page.keyboard.press('Enter');
    await ann.isAt('lobby');
    await hasFocus(ann, ann.composer);
    await ann.page.keyboard.press('Control+Shift+F');
    await hasFocus(ann, ann.page.getByRole('searchbox', { name: 'Search' }));
    await ann.page.keyboard.press('Escape');
    await ann.page.getByRole('complementary').waitFor({ state: 'hidden' });
    await hasFocus(ann, ann.composer);
  });

  test('has a page of its shortcuts, which holds the focus and gives it back', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.composer.focus();
    await ann.page.keyboard.press('Control+/');
    const dialog = ann.page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    for (const key of ['Ctrl K', 'Alt ↑ ↓', 'Ctrl /']) await dialog.getByText(key, { exact: true }).waitFor();
    for (let n = 0; n < 4; n += 1) {
      await ann.page.keyboard.press('Tab');
      assert.ok(await ann.page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest('dialog')));
    }
    await ann.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await hasFocus(ann, ann.composer);
  });

  test('reaches everything, in the order in which one reads', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.say('first');
    await ann.say('last');
    await ann.post('last').waitFor();
    // What is not sent yet is another story (resilience).
    const isKept = () => ann.page.evaluate(() => Object.values(localStorage).some((kept) => kept.includes(':"last"')));
    await eventually(async () => assert.ok(!(await isKept())));
    await ann.page.reload();
    await ann.post('last').waitFor();
    const stops = [
      ann.page.getByRole('button', { name: 'New room or chat' }), ann.rooms.getByRole('searchbox'), ann.room('lobby'), ann.settingsButton,
      ann.page.getByRole('button', { name: 'Search' }), ann.page.getByRole('button', { name: 'Details' }), ann.log, ann.composer,
    ];
    await stops[0]?.focus();
    for (const stop of stops.slice(1)) {
      await ann.page.keyboard.press('Tab');
      await hasFocus(ann, stop);
    }
    await ann.page.keyboard.press('Shift+Tab');
    await ann.page.keyboard.press('ArrowUp');
    await hasFocus(ann, ann.post('last'));
    await ann.page.keyboard.press('ArrowUp');
    await hasFocus(ann, ann.post('first'));
    await ann.page.keyboard.press('Tab');
    await ann.page.keyboard.press('Enter');
    await ann.post('first').getByTitle('👍 by ann').waitFor();
  });

  test('opens menus, and walks in them', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const add = ann.page.getByRole('button', { name: 'New room or chat' });
    await add.focus();
    await ann.page.keyboard.press('Enter');
    const items = ann.page.getByRole('menuitem');
    await hasFocus(ann, items.first());
    await ann.page.keyboard.press('ArrowDown');
    await hasFocus(ann, items.nth(1));
    await ann.page.keyboard.press('ArrowUp');
    await ann.page.keyboard.press('ArrowUp');
    await hasFocus(ann, items.last());
    await ann.page.keyboard.press('Escape');
    await items.first().waitFor({ state: 'hidden' });
    await hasFocus(ann, add);
  });

  test('leaves to an input method what is the input method\'s', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const details = await ann.details();
    await ann.composer.fill('かな');
    // The second is Safari's, of the key that ends the word.
    for (const sign of [{ isComposing: true }, { keyCode: 229 }]) {
      for (const key of ['Enter', 'Escape']) await ann.composer.dispatchEvent('keydown', { key, ...sign });
    }
    assert.equal(await ann.composer.inputValue(), 'かな');
    assert.ok(await details.isVisible());
    await ann.composer.press('Enter');
    await ann.hears('ann', 'かな');
    await ann.composer.press('Escape');
    await details.waitFor({ state: 'hidden' });
  });

  test('stays where it is while others talk, and while one reacts', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await bo.say('there is cake');
    await bo.tool('there is cake', 'React with 👍');
    const search = ann.page.getByRole('button', { name: 'Search' });
    await search.focus();
    await bo.say('and tea');
    await ann.hears('bo', 'and tea');
    await hasFocus(ann, search);
    const thumb = (/** @type {RegExp} */ by) => ann.post('there is cake').getByTitle(by);
    await thumb(/^👍 by bo$/).focus();
    await ann.page.keyboard.press('Enter');
    await thumb(/^👍 by bo and ann$/).waitFor();
    await hasFocus(ann, thumb(/^👍 by bo and ann$/));
    await bo.post('there is cake').getByTitle(/^👍/).click();
    await thumb(/^👍 by ann$/).waitFor();
    await ann.page.keyboard.press('Enter');
    await thumb(/^👍/).waitFor({ state: 'detached' });
    await hasFocus(ann, ann.post('there is cake'));
  });

  test('keeps its place in the details of a room, and what is open there', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await ann.makeGroup('friends', 'bo');
    await bo.goTo('friends');
    const details = await ann.details();
    const slow = details.getByLabel('Slow mode');
    // The list of choices is the browser's, and open for as long as this is the same element.
    const isSame = await slow.evaluateHandle((one) => () => one.isConnected);
    for (const name of ['Add people', 'Leave room']) {
      const button = details.getByRole('button', { name });
      await button.focus();
      await bo.say(`while on ${name}`);
      await ann.hears('bo', `while on ${name}`);
      await hasFocus(ann, button);
    }
    await details.getByRole('button', { name: 'Add people' }).focus();
    await bo.context.close();
    await details.getByRole('listitem').filter({ hasText: 'bo' }).getByText(/last seen/).waitFor();
    await hasFocus(ann, details.getByRole('button', { name: 'Add people' }));
    assert.ok(await isSame.evaluate((is) => is()));
    await slow.selectOption({ label: '30 seconds' });
    await ann.log.getByText(/slow/i).waitFor();
    await details.getByRole('button', { name: 'Close' }).click();
    await ann.details();
    await details.getByRole('button', { name: 'Actions for bo' }).waitFor();
  });

  test('closes what is on top with Escape, and only that', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.say('hello');
    const details = await ann.details();
    await ann.tool('hello', 'More');
    await ann.page.keyboard.press('Escape');
    await ann.page.getByRole('menu').waitFor({ state: 'hidden' });
    assert.ok(await details.isVisible());
    await ann.page.keyboard.press('Escape');
    await details.waitFor({ state: 'hidden' });
    await hasFocus(ann, ann.composer);
  });
});

describe('a language', () => {
  test('is chosen and remembered, and numbers and plurals follow it', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await (await ann.settings()).getByLabel('Language').selectOption({ label: 'Deutsch' });
    await ann.page.getByRole('navigation', { name: 'Räume' }).waitFor();
    assert.equal(await ann.page.evaluate(() => document.documentElement.lang), 'de');
    await ann.page.getByRole('log', { name: 'Beiträge' }).waitFor();
    await ann.page.reload();
    await ann.page.getByRole('navigation', { name: 'Räume' }).waitFor();
    await ann.shot('german');
  });

  test('is that of the browser at first', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ settings: { locale: 'de-AT' } });
    await ann.page.getByLabel('Dein Name').or(ann.page.getByLabel('Ihr Name')).first().waitFor();
  });

  test('that is read from right to left stands right, among others that are not', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('דני');
    await ann.say('hello');
    await bo.say('שלום לכולם');
    await bo.say('and this is English');
    await ann.post('and this is English').waitFor();
    const directions = await ann.log.getByRole('article').getByRole('paragraph').filter({ hasText: /hello|שלום|English/ })
      .evaluateAll((all) => all.map((one) => getComputedStyle(/** @type {Element} */ (one.closest('[dir]') ?? one)).direction));
    assert.deepEqual(directions, ['ltr', 'rtl', 'ltr']);
    await ann.page.evaluate(() => { document.documentElement.dir = 'rtl'; });
    await ann.fitsItsWindow();
    const [log, rooms] = [await ann.log.boundingBox(), await ann.rooms.boundingBox()];
    assert.ok((rooms?.x ?? 0) > (log?.x ?? 0), 'the list is at the right');
    await ann.shot('right-to-left');
  });
});

describe('what one has begun', () => {
  test('to write stays with its room', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    await ann.makeOpenRoom('other');
    await ann.composer.fill('not yet done');
    await ann.goTo('lobby');
    assert.equal(await ann.composer.inputValue(), '');
    await ann.composer.fill('something else');
    await ann.room('other').getByText('Draft: not yet done').waitFor();
    await ann.goTo('other');
    await ann.room('lobby').getByText('Draft: something else').waitFor();
    await eventually(async () => assert.equal(await ann.composer.inputValue(), 'not yet done'));
    await ann.page.reload();
    await ann.isAt('other');
    await eventually(async () => assert.equal(await ann.composer.inputValue(), 'not yet done'));
    await ann.composer.press('Enter');
    await ann.hears('ann', 'not yet done');
    await ann.page.reload();
    await ann.isAt('other');
    assert.equal(await ann.composer.inputValue(), '');
  });
});

describe('who wants less motion', () => {
  test('has none', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann', { settings: { reducedMotion: 'reduce' } });
    await ann.say('still');
    await ann.post('still').waitFor();
    const moving = await ann.page.evaluate(() => document.getAnimations().filter((one) => one.playState === 'running').length);
    assert.equal(moving, 0);
  });
});
