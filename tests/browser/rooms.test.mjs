/** Rooms of every kind: how they come to be, who is in them, and how one finds them. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { eventually, open } from './support.mjs';

/** A server whose answers about who is called how can be held back. */
function holdAnswers() {
  let isHeld = false;
  /** By request, what is looked for. */
  const queries = new Map();
  const held = /** @type {{ query: string, send: () => void }[]} */ ([]);
  return {
    /** @param {import('playwright-core').BrowserContext} context */
    prepare: (context) => context.routeWebSocket(/\/ws$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => {
        const { id, type, query = '' } = JSON.parse(String(text));
        if (type === 'users') queries.set(id, query);
        server.send(text);
      });
      server.onMessage((text) => {
        const query = queries.get(JSON.parse(String(text)).id);
        if (!isHeld || query === undefined) socket.send(text);
        else held.push({ query, send: () => socket.send(text) });
      });
    }),
    hold() { isHeld = true; },
    holds: (/** @type {string} */ query) => eventually(() => assert.ok(held.some((answer) => answer.query === query))),
    /** What was asked last is answered first. */
    release() {
      isHeld = false;
      for (const answer of held.splice(0).reverse()) answer.send();
    },
  };
}

/** Ann is about to add somebody to her group, in which aaron and zoe are not. @param {import('node:test').TestContext} t */
async function toAdd(t) {
  const house = await open(t);
  const answers = holdAnswers();
  const ann = await house.account('ann', { prepare: answers.prepare });
  for (const name of ['aaron', 'bea', 'zoe']) await house.account(name);
  await ann.makeGroup('family', 'bea');
  const details = await ann.details();
  await details.getByRole('button', { name: 'Add people' }).click();
  const dialog = ann.page.getByRole('dialog', { name: 'Add people' });
  const name = dialog.getByRole('searchbox', { name: 'Name' });
  await dialog.getByRole('button', { name: 'aaron' }).waitFor();
  return { answers, ann, dialog, name };
}

describe('an open room', () => {
  test('is made by one and joined by others', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await ann.makeOpenRoom('music');
    await ann.say('what are you listening to?');
    const dialog = await bo.begin('Open rooms');
    await dialog.getByRole('button', { name: '# music' }).click();
    await bo.isAt('music');
    await bo.hears('ann', 'what are you listening to?');
    await bo.say('the rain');
    await ann.hears('bo', 'the rain');
    await ann.log.getByText('bo joined').waitFor();
    await ann.page.getByText('2 here · 2 members').waitFor();
  });

  test('is entered from its address too, by guests as well', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    await ann.makeOpenRoom('music');
    const guest = await house.visitor({ hash: '#/room/music' });
    await guest.enterAs('gus');
    await guest.page.getByRole('heading', { name: 'Join #music?' }).waitFor();
    await guest.shot('join');
    await guest.page.getByRole('button', { name: 'Join' }).click();
    await guest.isAt('music');
    await guest.say('hello');
    await ann.hears('gus', 'hello');
  });

  test('is found by a part of its name, and left again', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await ann.makeOpenRoom('gardening');
    await bo.rooms.getByRole('searchbox').fill('arden');
    await bo.rooms.getByRole('region', { name: 'Rooms to join' }).getByRole('button', { name: '# gardening' }).click();
    await bo.isAt('gardening');
    const details = await bo.details();
    await details.getByRole('button', { name: 'Leave room' }).click();
    await bo.confirm('Leave room');
    await bo.room('gardening').waitFor({ state: 'hidden' });
    await ann.log.getByText('bo left').waitFor();
  });

  test('needs an account to be made', async (t) => {
    const house = await open(t);
    const guest = await house.guest('gus');
    const dialog = await guest.begin('Open rooms');
    await dialog.getByText('To begin one needs an account').waitFor();
    assert.equal(await dialog.getByRole('textbox').count(), 0);
  });

  test('has a name that the page explains when it is refused', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const dialog = await ann.begin('Open rooms');
    for (const name of ['no spaces', 'lobby', 'slash/ed']) {
      await dialog.getByLabel('Name of a new room').fill(name);
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByRole('alert').filter({ hasText: /./ }).waitFor();
    }
  });
});

describe('a group', () => {
  test('has the members that were added, and roles', async (t) => {
    const house = await open(t);
    const [ann, bo, cy] = [await house.account('ann'), await house.account('bo'), await house.account('cy')];
    await ann.makeGroup('family', 'bo');
    await bo.goTo('family');
    await bo.say('dinner at seven');
    await ann.hears('bo', 'dinner at seven');
    assert.equal(await cy.room('family').count(), 0);

    const details = await ann.details();
    await ann.member('bo', 'Make Admin');
    await ann.log.getByText('ann made bo: Admin').waitFor();
    await details.getByRole('listitem').filter({ hasText: 'bo' }).getByText('Admin').waitFor();
    await ann.shot('group-settings');
    await bo.add('cy');
    await cy.goTo('family');
    await cy.hears('bo', 'dinner at seven');
    await ann.log.getByText('bo added cy').waitFor();
    await ann.member('cy', 'Make Reader');
    await cy.page.getByRole('textbox', { name: 'You can read here, but not post' }).waitFor();
    assert.ok(await cy.page.getByRole('textbox', { name: 'You can read here, but not post' }).isDisabled());
  });

  test('is renamed for all', async (t) => {
    const house = await open(t);
    const [ann, bo] = [await house.account('ann'), await house.account('bo')];
    await ann.makeGroup('family', 'bo');
    await bo.goTo('family');
    const details = await ann.details();
    await details.getByRole('button', { name: 'Rename' }).click();
    await ann.dialog.getByLabel('Title').fill('The whole family');
    await ann.confirm('Save');
    await bo.isAt('The whole family');
    await bo.room('The whole family').waitFor();
  });

  test('is joined by who is named, not by who was found before the answer came', async (t) => {
    const { answers, ann, dialog, name } = await toAdd(t);
    answers.hold();
    await name.fill('z');
    await answers.holds('z');
    await name.fill('zoe');
    await name.press('Enter');
    await answers.holds('zoe');
    answers.release();
    await ann.log.getByText('ann added zoe').waitFor();
    await dialog.waitFor({ state: 'hidden' });
  });

  test('is joined by nobody whose name is still being composed, or not wanted any more', async (t) => {
    const { answers, ann, dialog, name } = await toAdd(t);
    for (const sign of [{ isComposing: true }, { keyCode: 229 }]) await name.dispatchEvent('keydown', { key: 'Enter', ...sign });
    answers.hold();
    await name.fill('zoe');
    await name.press('Enter');
    await answers.holds('zoe');
    await dialog.getByRole('button', { name: 'Close' }).click();
    answers.release();
    await ann.say('just us');
    await ann.hears('ann', 'just us');
    assert.equal(await ann.log.getByText('ann added').count(), 1);
  });

  test('does not exist for others', async (t) => {
    const house = await open(t);
    const [ann, bo, cy] = [await house.account('ann'), await house.account('bo'), await house.account('cy')];
    await ann.makeGroup('family', 'bo');
    await ann.say('among ourselves');
    await cy.page.goto(ann.page.url());
    await cy.page.getByRole('heading', { name: 'You cannot enter this room' }).waitFor();
    assert.doesNotMatch(await cy.page.locator('body').innerText(), /family|among/);
    await bo.goTo('family');
    await bo.hears('ann', 'among ourselves');
  });
});

describe('a direct chat', () => {
  test('is between two, who see each other come and go', async (t) => {
    const house = await open(t);
    const [ann, bo] = [await house.account('ann'), await house.account('bo')];
    await ann.writeTo('bo');
    await ann.log.getByText('Nothing has been said yet. Say hello.').or(ann.log.getByText('This is the beginning of your chat')).first().waitFor();
    await ann.page.getByRole('main').getByText('Online').waitFor();
    await ann.say('psst');
    await bo.rooms.getByRole('region', { name: 'People' }).getByRole('link', { name: /ann.*psst.*1 unread/s }).waitFor();
    await bo.goTo('ann');
    await bo.hears('ann', 'psst');
    await ann.post('psst').getByText('Read', { exact: true }).waitFor();
    await bo.say('yes?');
    await ann.hears('bo', 'yes?');
    await ann.shot('direct');
    await bo.context.close();
    await ann.page.getByRole('main').getByText(/last seen/).waitFor();
  });

  test('begins from the member list as well', async (t) => {
    const house = await open(t);
    const [ann] = [await house.account('ann'), await house.account('bo')];
    await ann.details();
    await ann.member('bo', 'Write to bo');
    await ann.isAt('bo');
    await ann.room('bo').waitFor();
  });
});

describe('an invite room', () => {
  test('has a link to be copied', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann', { settings: { permissions: ['clipboard-read', 'clipboard-write'] } });
    const link = await ann.makeInviteRoom('tea');
    const details = await ann.details();
    await details.getByRole('button', { name: 'Copy link' }).click();
    await ann.isTold('Copied');
    assert.equal(await ann.page.evaluate(() => navigator.clipboard.readText()), link);
    assert.equal(link, ann.page.url());
  });
});

describe('the list', () => {
  test('has the latest on top, with its last post', async (t) => {
    const house = await open(t);
    const [ann, bo] = [await house.account('ann'), await house.account('bo')];
    await ann.makeOpenRoom('first');
    await ann.makeOpenRoom('second');
    const order = async (/** @type {string[]} */ ...names) => eventually(async () => {
      const links = await ann.rooms.getByRole('region', { name: 'Rooms' }).getByRole('link').allInnerTexts();
      assert.deepEqual(links.map((text) => text.trim().split(/\n/)[0]), names);
    });
    await order('second', 'first', 'lobby');
    await bo.say('up I go');
    await order('lobby', 'second', 'first');
    await ann.room('lobby').getByText('bo: up I go').waitFor();
    await ann.goTo('first');
    await ann.say('and me');
    await order('first', 'lobby', 'second');
    await ann.room('first').getByText('You: and me').waitFor();
  });

  test('is as long as it has to be, in its own place', async (t) => {
    const house = await open(t);
    const bo = await house.account('bo');
    const ann = await house.account('ann', { settings: { viewport: { width: 1280, height: 600 } } });
    await bo.writeTo('ann');
    await bo.say('psst');
    for (let n = 1; n <= 10; n += 1) await ann.makeOpenRoom(`room-${n}`);
    await ann.rooms.getByRole('link', { name: /bo.*1 unread/s }).waitFor();
    await ann.fitsItsWindow();
    await ann.shot('many-rooms');
    await ann.goTo('bo');
    await ann.fitsItsWindow();
  });

  test('is filtered while one types', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    await house.account('lorenz');
    for (const name of ['garden', 'kitchen']) await ann.makeOpenRoom(name);
    const filter = ann.rooms.getByRole('searchbox', { name: 'Find a room or person' });
    await filter.fill('kit');
    await ann.room('garden').waitFor({ state: 'hidden' });
    await filter.press('Enter');
    await ann.isAt('kitchen');
    await ann.room('garden').waitFor();
    await filter.fill('lor');
    await ann.rooms.getByRole('region', { name: 'More people' }).getByRole('button', { name: 'lorenz' }).click();
    await ann.isAt('lorenz');
  });

  test('has Enter for whom one has typed, not for who was found before', async (t) => {
    const house = await open(t);
    const answers = holdAnswers();
    const ann = await house.account('ann', { prepare: answers.prepare });
    for (const name of ['bea', 'zoe']) await house.account(name);
    const filter = ann.rooms.getByRole('searchbox', { name: 'Find a room or person' });
    await filter.fill('bea');
    await ann.rooms.getByRole('button', { name: 'bea' }).waitFor();
    answers.hold();
    await filter.fill('zoe');
    await filter.press('Enter');
    await answers.holds('zoe');
    answers.release();
    await ann.isAt('zoe');
    assert.equal(await ann.room('bea').count(), 0);
  });
});
