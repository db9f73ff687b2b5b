/** What the browser shows outside of its pages: needs a whole one. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { cable, comesBack, eventually, open } from './support.mjs';

/** The browser's own, which tell when they are on the screen. @param {import('playwright-core').BrowserContext} context */
const noteShown = (context) => context.addInitScript(() => {
  const shown = /** @type {string[]} */ ([]);
  Object.assign(window, { shown });
  window.Notification = class extends Notification {
    constructor(/** @type {string} */ title, /** @type {NotificationOptions} */ options) {
      super(title, options);
      this.addEventListener('show', () => shown.push(`${title}: ${options.body}`));
      Object.assign(window, { last: this });
    }
  };
});

/** @param {import('./person.mjs').Person} person */
const shownTo = ({ page }) => page.evaluate(() => /** @type {any} */ (window).shown);

/** @param {import('./person.mjs').Person} person */
async function wantsThem(person) {
  const settings = await person.settings();
  await settings.getByLabel('Notify me of mentions and direct posts').check();
  await settings.getByRole('button', { name: 'Close' }).click();
}

describe('notifications', () => {
  test('come for mentions and direct posts while one looks elsewhere, if one asked for them', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann', { settings: { permissions: ['notifications'] }, prepare: noteShown });
    const bo = await house.account('bo');
    await bo.say('@ann are you there?');
    await ann.hears('bo', '@ann are you there?');
    await wantsThem(ann);
    await ann.makeOpenRoom('elsewhere');
    await bo.say('this is for everybody');
    await bo.say('@ann and this for you');
    await bo.writeTo('ann');
    await bo.say('psst');
    await eventually(async () => assert.deepEqual(await shownTo(ann), ['bo · lobby: @ann and this for you', 'bo · bo: psst']));
    await ann.page.evaluate(() => /** @type {any} */ (window).last.onclick());
    await ann.isAt('bo');
    await ann.hears('bo', 'psst');
  });

  test('do not come for what one reads in another tab', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann', { settings: { permissions: ['notifications'] }, prepare: noteShown });
    const bo = await house.account('bo');
    await wantsThem(ann);
    await ann.makeOpenRoom('elsewhere');
    const tab = await ann.anotherTab();
    await bo.writeTo('ann');
    await tab.goTo('bo');
    await bo.say('psst');
    await tab.hears('bo', 'psst');
    await bo.goTo('lobby');
    await bo.say('@ann and now here');
    for (const one of [ann, tab]) await eventually(async () => assert.deepEqual(await shownTo(one), ['bo · lobby: @ann and now here']));
  });

  test('do not come for what was deleted before one came back', async (t) => {
    const house = await open(t);
    const line = cable();
    const ann = await house.account('ann', {
      settings: { permissions: ['notifications'] },
      prepare: async (context) => {
        await noteShown(context);
        await line.prepare(context);
      },
    });
    const bo = await house.account('bo');
    await wantsThem(ann);
    await bo.writeTo('ann');
    await ann.room('bo').waitFor();
    await line.cut();
    await ann.page.getByText('Reconnecting').waitFor();
    await bo.say('a slip');
    await bo.menu('a slip', 'Delete');
    await bo.confirm('Delete');
    await bo.say('psst');
    await bo.post('psst').getByText('Sent').waitFor();
    line.mend();
    await comesBack(ann);
    await eventually(async () => assert.deepEqual(await shownTo(ann), ['bo · bo: psst']));
  });
});
