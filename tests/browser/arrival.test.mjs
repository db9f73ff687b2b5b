/** How people come in, as whom, and that they remain so. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PASSWORD } from './person.mjs';
import { answered, cable, comesBack, eventually, open } from './support.mjs';

/** Of the two rooms that ann is in, and of what she looked for. @param {import('./person.mjs').Person} person */
async function hasNothingOf(person) {
  await person.room('lobby').waitFor();
  assert.equal(await person.room('secret').count() + await person.room('rust').count(), 0);
  assert.equal(await person.log.getByText('between us').count(), 0);
  assert.doesNotMatch(await person.page.evaluate(() => location.hash), /~/);
  for (const field of await person.page.getByRole('searchbox').all()) assert.equal(await field.inputValue(), '');
}

/** Ann is in two rooms of which bea, who has an account too, knows nothing. @param {import('./support.mjs').House} house */
async function annWithSecrets(house) {
  const bea = await house.account('bea');
  await bea.page.close();
  const ann = await house.account('ann');
  await ann.makeOpenRoom('rust');
  return { ann, link: await ann.makeInviteRoom('secret') };
}

describe('a guest', () => {
  test('is in with one field', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ hash: '#/room/lobby' });
    await ann.page.getByRole('heading', { name: 'Come in and talk' }).waitFor();
    assert.equal(await ann.page.getByRole('textbox').count(), 1);
    await ann.shot('first-visit');
    await ann.page.keyboard.type('ann');
    await ann.page.keyboard.press('Enter');
    await ann.isAt('lobby');
    await ann.isCalled('ann');
    await ann.say('is anybody here?');
    await ann.hears('ann', 'is anybody here?');
  });

  test('is the same one after a reload, and in another tab', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await ann.page.reload();
    await ann.isCalled('ann');
    const tab = await ann.anotherTab();
    await tab.isCalled('ann');
    await tab.say('from the other tab');
    await ann.hears('ann', 'from the other tab');
    await ann.say('from the first');
    await bo.hears('ann', 'from the first');
    await bo.hears('ann', 'from the other tab');
  });

  test('who says no name is given one', async (t) => {
    const house = await open(t);
    const somebody = await house.visitor({ hash: '#/room/lobby' });
    await somebody.page.getByRole('button', { name: 'Enter' }).click();
    await somebody.isIn();
    await somebody.settingsButton.getByText(/^guest-/).waitFor();
  });

  test('cannot take the name of somebody who is here', async (t) => {
    const house = await open(t);
    await house.account('ann');
    const other = await house.visitor({ mayComplain: answered(409) });
    await other.page.getByLabel('Your name').fill('Ann');
    await other.page.keyboard.press('Enter');
    await other.page.getByRole('alert').filter({ hasText: /name/i }).waitFor();
    await other.enterAs('bea');
    await other.isCalled('bea');
  });
});

describe('an account', () => {
  test('is made of a name and a password, and stays logged in', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    await ann.isCalled('ann');
    await ann.page.reload();
    await ann.isCalled('ann');
    await ann.say('still me');
    await ann.hears('ann', 'still me');
  });

  test('is left by logging out, and come back to by its password alone', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ hash: '#/room/lobby', mayComplain: answered(401) });
    await ann.register('ann');
    await (await ann.settings()).getByRole('button', { name: 'Log out' }).click();
    await ann.page.getByRole('heading', { name: 'Log in' }).waitFor();
    await ann.page.reload();
    await ann.logIn('ann', 'not the password');
    await ann.page.getByRole('alert').filter({ hasText: /password/ }).waitFor();
    await ann.page.getByLabel('Password').fill(PASSWORD);
    await ann.page.keyboard.press('Enter');
    await ann.isCalled('ann');
  });

  test('stays logged in where logging out fails, and the page says so', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann', { mayComplain: answered(503) });
    const refusal = { status: 503, json: { error: { code: 'unavailable', message: 'The disk is full.' } } };
    await ann.page.route('**/api/logout', (route) => route.fulfill(refusal), { times: 1 });
    await (await ann.settings()).getByRole('button', { name: 'Log out' }).click();
    await ann.isTold('The disk is full.');
    await ann.say('still me');
    await ann.hears('ann', 'still me');
    await (await ann.settings()).getByRole('button', { name: 'Log out' }).click();
    await ann.page.getByRole('heading', { name: 'Log in' }).waitFor();
  });

  test('shares nothing with the next person at the same page', async (t) => {
    const house = await open(t);
    const { ann, link } = await annWithSecrets(house);
    await ann.say('between us');
    await ann.hears('ann', 'between us');
    await ann.page.getByRole('button', { name: 'Search' }).click();
    await ann.page.getByRole('complementary').getByRole('searchbox').fill('between');
    await ann.goTo('lobby');
    await ann.composer.fill('half a love letter');
    await ann.goTo('secret');
    await (await ann.settings()).getByRole('button', { name: 'Log out' }).click();
    await ann.page.getByRole('heading', { name: 'Log in' }).waitFor();
    await ann.logIn('bea');
    await ann.isCalled('bea');
    await hasNothingOf(ann);
    await ann.page.goto(house.address('#/room/lobby'));
    assert.equal(await ann.composer.inputValue(), '');
    const again = await house.visitor({ hash: new URL(link).hash });
    await again.logIn('ann');
    await again.isAt('secret');
    await again.hears('ann', 'between us');
    assert.equal(await again.log.getByText('bea').count(), 0);
  });

  test('shares nothing with the next person where the log-in was ended from elsewhere', async (t) => {
    const house = await open(t);
    const { ann, link } = await annWithSecrets(house);
    const line = cable();
    const laptop = await house.visitor({ hash: new URL(link).hash, mayComplain: answered(401), prepare: line.prepare });
    await laptop.logIn('ann');
    await laptop.isAt('secret');
    await laptop.composer.fill('half a love letter');
    await laptop.settings();
    await (await ann.settings()).getByRole('button', { name: 'End', exact: true }).click();
    await laptop.page.getByText('You are logged out. Who are you?').waitFor();
    assert.equal(await laptop.page.getByRole('dialog').count(), 0);
    await line.cut();
    await laptop.logIn('bea');
    await laptop.page.getByText('Reconnecting').waitFor();
    assert.equal(await laptop.page.getByRole('link', { name: 'secret' }).count(), 0);
    line.mend();
    await comesBack(laptop);
    await laptop.isCalled('bea');
    await hasNothingOf(laptop);
    await laptop.goTo('lobby');
    assert.equal(await laptop.composer.inputValue(), '');
  });

  test('shares nothing with the next person where one had been asked who one is, and was the same', async (t) => {
    const house = await open(t);
    const { ann } = await annWithSecrets(house);
    const bo = await house.guest('bo');
    const line = cable();
    const laptop = await house.visitor({ hash: '#/room/lobby', mayComplain: answered(401), prepare: line.prepare });
    await laptop.logIn('ann');
    await laptop.isAt('lobby');
    await bo.say('good evening');
    await laptop.hears('bo', 'good evening');
    await (await ann.settings()).getByRole('button', { name: 'End', exact: true }).click();
    await laptop.page.getByText('You are logged out. Who are you?').waitFor();
    assert.equal(await laptop.page.locator('#announcer p').count(), 0);
    await laptop.logIn('ann');
    await laptop.isAt('lobby');
    await laptop.goTo('secret');
    const tab = await laptop.anotherTab();
    await line.cut();
    await laptop.page.getByText('Reconnecting').waitFor();
    await (await tab.settings()).getByRole('button', { name: 'Log out' }).click();
    await tab.page.getByRole('heading', { name: 'Log in' }).waitFor();
    await tab.logIn('bea');
    await tab.page.getByLabel('Password').waitFor({ state: 'hidden' });
    line.mend();
    await comesBack(laptop);
    await laptop.isCalled('bea');
    await hasNothingOf(laptop);
  });

  test('of somebody else is not forgotten by a tab that slept when its own was ended', async (t) => {
    const house = await open(t);
    const { ann } = await annWithSecrets(house);
    let isFirst = true;
    const asleep = /** @type {(() => void)[]} */ ([]);
    const laptop = await house.visitor({
      hash: '#/room/lobby',
      mayComplain: answered(401),
      prepare: (context) => context.routeWebSocket(/\/ws$/, (socket) => {
        const server = socket.connectToServer();
        if (isFirst) server.onClose((code = 1005) => asleep.push(() => socket.close({ code })));
        isFirst = false;
      }),
    });
    await laptop.logIn('ann');
    await laptop.isAt('lobby');
    const tab = await laptop.anotherTab();
    await (await ann.settings()).getByRole('button', { name: 'End', exact: true }).click();
    const asks = (/** @type {import('./person.mjs').Person} */ { page }) => page.getByText('You are logged out. Who are you?');
    await asks(tab).waitFor();
    await tab.logIn('bea');
    await tab.isCalled('bea');
    await eventually(() => (asleep.pop() ?? assert.fail('it was not ended'))());
    await asks(laptop).waitFor();
    await tab.page.reload();
    await tab.isCalled('bea');
  });

  test('whose log-in is gone is asked for, where guests are not let in too', async (t) => {
    const house = await open(t, ['--guests', 'off']);
    const ann = await house.account('ann');
    await ann.context.clearCookies();
    await ann.page.reload();
    await ann.page.getByText('You are logged out. Who are you?').waitFor();
    await ann.logIn('ann');
    await ann.isCalled('ann');
    const gus = await house.visitor({ mayComplain: answered(403) });
    await gus.page.getByLabel('Your name').fill('gus');
    await gus.page.keyboard.press('Enter');
    await gus.page.getByText('Guests are not admitted here.').waitFor();
    await gus.register('gus');
    await gus.isCalled('gus');
  });

  test('has rules, and the page says which one was broken', async (t) => {
    const house = await open(t);
    await house.account('ann');
    const other = await house.visitor({ mayComplain: answered(409) });
    await other.page.getByRole('button', { name: 'Create an account' }).click();
    const [name, password] = [other.page.getByLabel('Your name'), other.page.getByLabel('Password')];
    const isRefused = (/** @type {RegExp} */ why) => other.page.getByRole('alert').filter({ hasText: why }).waitFor();
    await name.fill('ANN');
    await password.fill(PASSWORD);
    await password.press('Enter');
    await isRefused(/name/i);
    await name.fill('bo');
    await password.press('Enter');
    await other.isCalled('bo');
  });

  test('keeps a guest\'s name, rooms and place', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await ann.makeInviteRoom('tea');
    await ann.goTo('lobby');
    await ann.say('as a guest');
    await bo.hears('ann', 'as a guest');
    const settings = await ann.settings();
    await settings.getByLabel('Password').fill(PASSWORD);
    await settings.getByRole('button', { name: 'Keep my name' }).click();
    await ann.isTold('The name is yours now.');
    await ann.settingsButton.getByText('@ann', { exact: true }).waitFor();
    await ann.isAt('lobby');
    await ann.room('tea').waitFor();
    await ann.say('as myself');
    await bo.sees(/as a guest|as myself/, ['as a guest', 'as myself']);
    const laptop = await house.visitor({ hash: '#/room/lobby' });
    await laptop.logIn('ann');
    await laptop.isCalled('@ann');
  });

  test('a guest who wants one makes one', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await (await ann.settings()).getByRole('button', { name: 'Stop being this guest' }).click();
    await ann.register('ann-b');
    await ann.isCalled('ann-b');
  });
});

describe('an invitation', () => {
  test('leads into its room with one field, and the address stays out of reach of the server', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const link = await ann.makeInviteRoom('tea');
    await ann.say('do come in');
    assert.match(link, /#\/room\/~/);

    const bo = await house.visitor({ hash: new URL(link).hash });
    await bo.page.getByRole('heading', { name: 'You are invited' }).waitFor();
    await bo.shot('invited');
    assert.equal(await bo.page.getByRole('textbox').count(), 1);
    await bo.enterAs('bo');
    await bo.isAt('tea');
    await bo.hears('ann', 'do come in');
    await bo.say('thank you');
    await ann.hears('bo', 'thank you');
  });

  test('that nobody knows says so', async (t) => {
    const house = await open(t);
    const ann = await house.visitor({ hash: '#/room/~nothing-of-that-kind' });
    await ann.enterAs('ann');
    await ann.page.getByRole('heading', { name: 'You cannot enter this room' }).waitFor();
    await ann.page.getByRole('link', { name: 'Go to the lobby' }).click();
    await ann.isAt('lobby');
  });

  test('is taken up by somebody who is logged in without a word', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.account('bo');
    const link = await ann.makeInviteRoom('tea');
    await bo.page.goto(link);
    await bo.isAt('tea');
    await bo.say('here I am');
    await ann.hears('bo', 'here I am');
  });
});
