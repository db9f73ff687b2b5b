/** Keeping order in a room: by those whose role it is, and never by a slip of the hand. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { open } from './support.mjs';

/** A room of ann's, with bo in it. @param {import('node:test').TestContext} t */
async function garden(t) {
  const house = await open(t);
  const [ann, bo] = [await house.account('ann'), await house.account('bo')];
  await ann.makeOpenRoom('garden');
  await bo.page.goto(house.address('#/room/garden'));
  await bo.page.getByRole('button', { name: 'Join' }).click();
  await bo.isAt('garden');
  await ann.log.getByText('bo joined').waitFor();
  return { house, ann, bo };
}

describe('a person', () => {
  test('is removed, and told; and may come back', async (t) => {
    const { house, ann, bo } = await garden(t);
    await ann.details();
    await ann.member('bo', 'Remove from room');
    await ann.dialog.filter({ hasText: 'Remove bo from this room?' }).getByRole('button', { name: 'Cancel' }).click();
    await bo.say('still here');
    await ann.hears('bo', 'still here');
    await ann.member('bo', 'Remove from room');
    await ann.confirm('Remove from room');
    await bo.isTold('You were removed from garden.');
    await bo.room('garden').waitFor({ state: 'hidden' });
    await ann.log.getByText('ann removed bo').waitFor();
    assert.match(bo.page.url(), /#\/$/, 'the address does not name the room any more');
    await bo.page.goto(house.address('#/room/garden'));
    await bo.page.getByRole('button', { name: 'Join' }).click();
    await bo.isAt('garden');
  });

  test('is banned until the ban is lifted', async (t) => {
    const { house, ann, bo } = await garden(t);
    const details = await ann.details();
    await ann.member('bo', 'Ban');
    await ann.dialog.filter({ hasText: 'Ban bo from this room?' }).waitFor();
    await ann.confirm('Ban');
    await bo.isTold('You were banned from garden.');
    await bo.page.goto(house.address('#/room/garden'));
    await bo.page.reload();
    await bo.page.getByRole('button', { name: 'Join' }).click();
    await bo.isTold(/banned/i);
    assert.equal(await bo.log.isVisible(), false);
    await details.getByRole('button', { name: 'Banned people' }).click();
    await ann.dialog.getByRole('listitem').filter({ hasText: 'bo' }).getByRole('button', { name: 'Lift the ban' }).click();
    await ann.dialog.getByText('Nobody is banned here.').waitFor();
    await ann.dialog.getByRole('button', { name: 'Close' }).click();
    await ann.log.getByText('ann lifted the ban on bo').waitFor();
    await bo.page.getByRole('button', { name: 'Join' }).click();
    await bo.isAt('garden');
  });

  test('is muted for a while, and what they write waits', async (t) => {
    const { ann, bo } = await garden(t);
    const details = await ann.details();
    await ann.member('bo', 'Mute');
    await ann.dialog.getByLabel('For').selectOption({ label: '1 hour' });
    await ann.confirm('Mute');
    await bo.log.getByText('ann muted bo for 1 hour').waitFor();
    await details.getByRole('listitem').filter({ hasText: 'bo' }).getByText('muted').waitFor();
    await bo.say('hmpf');
    await bo.post('hmpf').getByText(/^Sent at/).waitFor();
    assert.equal(await ann.post('hmpf').count(), 0);
    await ann.member('bo', 'Unmute');
    await ann.hears('bo', 'hmpf');
    await bo.post('hmpf').getByText(/^Sent at/).waitFor({ state: 'hidden' });
  });
});

describe('a room', () => {
  test('is slowed down', async (t) => {
    const { ann, bo } = await garden(t);
    const details = await ann.details();
    await details.getByLabel('Slow mode').selectOption({ label: '5 seconds' });
    await bo.page.getByText('Slow mode: 5 seconds between posts', { exact: true }).waitFor();
    await bo.say('one');
    await bo.say('two');
    await bo.post('two').getByText(/^Sent at/).waitFor();
    await ann.hears('bo', 'one');
    assert.equal(await ann.post('two').count(), 0);
    await ann.hears('bo', 'two');
    await ann.say('I may');
    await ann.say('go faster');
    await bo.hears('ann', 'go faster');
  });

  test('is closed to all but its admins, and opened again', async (t) => {
    const { ann, bo } = await garden(t);
    const details = await ann.details();
    await details.getByLabel('Only admins can post').check();
    await bo.page.getByRole('textbox', { name: 'You can read here, but not post' }).waitFor();
    await ann.say('a word from the owner');
    await bo.hears('ann', 'a word from the owner');
    await details.getByLabel('Only admins can post').uncheck();
    await bo.say('thank you');
    await ann.hears('bo', 'thank you');
  });
});

describe('a post of somebody else', () => {
  test('is taken away by who may, and by nobody else', async (t) => {
    const { ann, bo } = await garden(t);
    await bo.say('buy now!');
    await ann.say('no advertising');
    await bo.tool('no advertising', 'More');
    assert.equal(await bo.page.getByRole('menuitem', { name: 'Delete' }).count(), 0);
    assert.equal(await bo.page.getByRole('menuitem', { name: 'Pin' }).count(), 0);
    await bo.page.keyboard.press('Escape');
    await ann.menu('buy now!', 'Delete');
    await ann.dialog.getByRole('button', { name: 'Cancel' }).click();
    await bo.post('buy now!').waitFor();
    await ann.menu('buy now!', 'Delete');
    await ann.confirm('Delete');
    await bo.hears('bo', 'This post was deleted.');
  });
});

describe('who is no moderator', () => {
  test('is not offered to be one', async (t) => {
    const { bo } = await garden(t);
    const details = await bo.details();
    await details.getByRole('listitem').filter({ hasText: 'ann' }).waitFor();
    assert.equal(await details.getByLabel('Slow mode').count(), 0);
    await details.getByRole('button', { name: 'Actions for ann' }).click();
    assert.deepEqual(await bo.page.getByRole('menuitem').allInnerTexts(), ['Write to ann']);
  });
});
