/** One's own things: how one is shown, where one is logged in, the password, and the end of it all. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PASSWORD } from './person.mjs';
import { answered, eventually, open } from './support.mjs';

describe('a profile', () => {
  test('is a display name and a colour, seen by others at once', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await ann.say('hello');
    await bo.hears('ann', 'hello');
    const settings = await ann.settings();
    await settings.getByLabel('Display name').fill('Ann of Kent');
    await settings.getByLabel('Colour').fill('200');
    await settings.getByRole('button', { name: 'Save' }).click();
    await settings.getByRole('button', { name: 'Close' }).click();
    await bo.hears('Ann of Kent', 'hello');
    await ann.isCalled('Ann of Kent');
    await bo.composer.pressSequentially('@ann of');
    await bo.composer.fill('');
    await bo.composer.pressSequentially('@ken');
    await ann.page.reload();
    await ann.hears('Ann of Kent', 'hello');
  });
});

describe('sessions', () => {
  test('are listed, and ended from another machine', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const laptop = await house.visitor({ hash: '#/room/lobby', mayComplain: answered(401) });
    await laptop.logIn('ann');
    await laptop.isAt('lobby');
    const settings = await ann.settings();
    await settings.getByText('this one').waitFor();
    await settings.getByRole('button', { name: 'End', exact: true }).click();
    await laptop.page.getByText('You are logged out. Who are you?').waitFor();
    await eventually(async () => assert.equal(await settings.getByRole('button', { name: 'End', exact: true }).count(), 0));
    await laptop.page.reload();
    await laptop.page.getByLabel('Your name').waitFor();
    await settings.getByRole('button', { name: 'Close' }).click();
    await ann.say('only I am left');
    await ann.hears('ann', 'only I am left');
  });

  test('all end but one when the password changes', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ hash: '#/room/lobby', mayComplain: answered(403) });
    await ann.register('ann');
    const laptop = await house.visitor({ hash: '#/room/lobby', mayComplain: answered(401) });
    await laptop.logIn('ann');
    await laptop.isAt('lobby');
    await (await ann.settings()).getByRole('button', { name: 'Change password' }).click();
    const dialog = ann.page.getByRole('dialog', { name: 'Change password' });
    await dialog.getByLabel('Present password').fill('not this one');
    await dialog.getByLabel('New password').fill('quite another one');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').filter({ hasText: /password/ }).waitFor();
    await dialog.getByLabel('Present password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await laptop.page.getByText('You are logged out. Who are you?').waitFor();
    await laptop.logIn('ann');
    await laptop.page.getByRole('alert').filter({ hasText: /password/ }).waitFor();
    await laptop.page.getByLabel('Password').fill('quite another one');
    await laptop.page.keyboard.press('Enter');
    await laptop.isAt('lobby');
  });
});

describe('an account that is deleted', () => {
  test('is gone, what was said stays, and the name is nobody else\'s', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ hash: '#/room/lobby', mayComplain: answered(409) });
    await ann.register('ann');
    const bo = await house.account('bo');
    await ann.say('goodbye');
    await bo.hears('ann', 'goodbye');
    await (await ann.settings()).getByRole('button', { name: 'Delete account' }).click();
    const dialog = ann.page.getByRole('dialog', { name: 'Delete your account?' });
    await dialog.getByLabel('Password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Delete account' }).click();
    await ann.page.getByText('Your account is deleted.').waitFor();
    await bo.post('goodbye').waitFor();
    await ann.page.getByLabel('Your name').fill('ann');
    await ann.page.keyboard.press('Enter');
    await ann.page.getByRole('alert').filter({ hasText: /name/i }).waitFor();
  });
});
