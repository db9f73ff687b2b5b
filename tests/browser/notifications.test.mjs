/** What the browser shows outside of its pages: needs a whole one. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { eventually, open } from './support.mjs';

describe('notifications', () => {
  test('come for mentions and direct posts while one looks elsewhere, if one asked for them', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann', {
      settings: { permissions: ['notifications'] },
      prepare: (context) => context.addInitScript(() => {
        // The browser's own, which tell when they are on the screen.
        const shown = /** @type {string[]} */ ([]);
        Object.assign(window, { shown });
        window.Notification = class extends Notification {
          constructor(/** @type {string} */ title, /** @type {NotificationOptions} */ options) {
            super(title, options);
            this.addEventListener('show', () => shown.push(`${title}: ${options.body}`));
            Object.assign(window, { last: this });
          }
        };
      }),
    });
    const bo = await house.account('bo');
    const shown = () => ann.page.evaluate(() => /** @type {any} */ (window).shown);
    await bo.say('@ann are you there?');
    await ann.hears('bo', '@ann are you there?');
    const settings = await ann.settings();
    await settings.getByLabel('Notify me of mentions and direct posts').check();
    await settings.getByRole('button', { name: 'Close' }).click();
    await ann.makeOpenRoom('elsewhere');
    await bo.say('this is for everybody');
    await bo.say('@ann and this for you');
    await bo.writeTo('ann');
    await bo.say('psst');
    await eventually(async () => assert.deepEqual(await shown(), ['bo · lobby: @ann and this for you', 'bo · bo: psst']));
    await ann.page.evaluate(() => /** @type {any} */ (window).last.onclick());
    await ann.isAt('bo');
    await ann.hears('bo', 'psst');
  });
});
