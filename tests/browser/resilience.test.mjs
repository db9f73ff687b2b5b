/** What becomes of a conversation when the server, the network or the page goes: it is all there, once, in one order. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { GONE, HOST, RECONNECT_MS, cable, comesBack, eventually, open } from './support.mjs';

/** A daemon that keeps what it is told, through kills too. @param {import('node:test').TestContext} t @param {string[]} [flags] */
async function lasting(t, flags = []) {
  const directory = await mkdtemp(join(tmpdir(), 'wsrelay-'));
  const house = await open(t, ['--data', join(directory, 'chat.db'), ...flags]);
  t.after(() => rm(directory, { recursive: true }));
  return house;
}

describe('a server that is killed in mid-conversation', () => {
  test('loses nothing, says nothing twice, and keeps the order', async (t) => {
    const house = await lasting(t, ['--post-rate', '0']);
    const ann = await house.account('ann', { mayComplain: GONE });
    const bo = await house.account('bo', { mayComplain: GONE });
    const said = (/** @type {string} */ who) => Array.from({ length: 12 }, (_, n) => `${who} says ${n + 1}.`);
    const [byAnn, byBo] = [said('ann'), said('bo')];
    for (let n = 0; n < 12; n += 1) {
      // Not one of them is waited for: some are on their way when it happens.
      await Promise.all([ann.say(byAnn[n] ?? ''), bo.say(byBo[n] ?? '')]);
      if (n === 3 || n === 8) await house.kill();
      if (n === 5 || n === 10) await house.restart();
    }
    await comesBack(ann);
    await comesBack(bo);
    const pattern = /(ann|bo) says \d+\./;
    await eventually(async () => assert.equal((await ann.posts(pattern)).length, 24), RECONNECT_MS);
    const order = await ann.posts(pattern);
    assert.deepEqual(order.filter((text) => text.startsWith('ann')), byAnn);
    assert.deepEqual(order.filter((text) => text.startsWith('bo')), byBo);
    await bo.sees(pattern, order);
    await bo.page.reload();
    await bo.sees(pattern, order);
    await ann.say('is everything there?');
    await bo.hears('ann', 'is everything there?');
  });

  test('is waited for, as one can see, and asked again at once by "now"', async (t) => {
    const house = await lasting(t);
    const ann = await house.account('ann', { mayComplain: GONE });
    await ann.say('before');
    await ann.hears('ann', 'before');
    await house.kill();
    const lost = ann.page.getByRole('status').filter({ hasText: 'Reconnecting' });
    await lost.waitFor();
    await ann.say('meanwhile');
    await ann.post('meanwhile').getByText('Waiting to be sent').waitFor();
    await ann.page.getByText(/^in \d+ s$/).waitFor({ timeout: RECONNECT_MS });
    await ann.shot('reconnecting');
    await house.restart();
    await comesBack(ann);
    await ann.post('meanwhile').getByText('Sent').waitFor();
    assert.ok(await ann.composer.evaluate((field) => field === document.activeElement));
  });

  test('finds a guest to be the same guest', async (t) => {
    const house = await lasting(t);
    const ann = await house.guest('ann', { mayComplain: GONE });
    const bo = await house.guest('bo', { mayComplain: GONE });
    await ann.say('one');
    await bo.hears('ann', 'one');
    await house.kill();
    await house.restart();
    await comesBack(ann);
    await comesBack(bo);
    await ann.say('two');
    await bo.sees(/one|two/, ['one', 'two']);
    await ann.tool('one', 'Edit');
    await ann.composer.fill('one and a half');
    await ann.composer.press('Enter');
    await bo.post('one and a half').waitFor();
  });
});

describe('what is written while one is cut off', () => {
  test('is kept over a reload and sent once, in order', async (t) => {
    const house = await open(t);
    const line = cable();
    const ann = await house.account('ann', { prepare: line.prepare });
    const bo = await house.account('bo');
    await line.cut();
    await ann.page.getByText('Reconnecting').waitFor();
    for (const text of ['first', 'second', 'third']) await ann.say(text);
    await ann.sees(/first|second|third/, ['first', 'second', 'third']);
    await ann.composer.fill('a draft');
    await ann.page.reload();
    await ann.page.getByText('Reconnecting').waitFor();
    line.mend();
    await comesBack(ann);
    await ann.isAt('lobby');
    for (const one of [ann, bo]) await one.sees(/first|second|third/, ['first', 'second', 'third']);
    await eventually(async () => assert.equal(await ann.log.getByText('Waiting to be sent').count(), 0));
    assert.equal(await ann.composer.inputValue(), 'a draft');
    await bo.page.reload();
    await bo.sees(/first|second|third/, ['first', 'second', 'third']);
  });

  test('is one row if the log has it and its writer was not told', async (t) => {
    const house = await open(t);
    let isDeaf = false;
    let isRead = () => {};
    const read = new Promise((/** @type {(value: void) => void} */ resolve) => { isRead = resolve; });
    const ann = await house.account('ann', {
      prepare: (context) => context.routeWebSocket(/\/ws$/, (socket) => {
        const server = socket.connectToServer();
        const isSecond = isDeaf;
        socket.onMessage(async (text) => {
          const isPost = /"type":"post"/.test(String(text));
          isDeaf ||= isPost;
          // After the reload: what is in the outbox comes later than the history that has it.
          if (isSecond && isPost) await read;
          server.send(text);
        });
        server.onMessage((text) => {
          if (isSecond || !isDeaf) socket.send(text);
          if (isSecond && /"entries":.*"said"/.test(String(text))) isRead();
        });
      }),
    });
    const bo = await house.account('bo');
    await ann.say('said');
    await bo.post('said').waitFor();
    await ann.page.reload();
    await read;
    await eventually(() => ann.page.evaluate(() => {
      if (Object.values(localStorage).some((kept) => kept.includes(':"said"'))) throw new Error('it waits to be sent');
    }));
    await ann.sees(/said/, ['said']);
    await bo.say('heard');
    await ann.post('heard').waitFor();
    await ann.sees(/said|heard/, ['said', 'heard']);
  });

  test('can be thought better of', async (t) => {
    const house = await open(t);
    const line = cable();
    const ann = await house.account('ann', { prepare: line.prepare });
    const bo = await house.account('bo');
    await line.cut();
    await ann.page.getByText('Reconnecting').waitFor();
    await ann.say('in anger');
    await ann.say('in kindness');
    await ann.post('in anger').getByRole('button', { name: 'Discard' }).click();
    line.mend();
    await comesBack(ann);
    await bo.sees(/in (anger|kindness)/, ['in kindness']);
  });

  test('is sent by another tab if its own is closed', async (t) => {
    const house = await open(t);
    const line = cable();
    const ann = await house.account('ann', { prepare: line.prepare });
    const bo = await house.account('bo');
    const tab = await ann.anotherTab();
    await line.cut();
    for (const one of [ann, tab]) await one.page.getByText('Reconnecting').waitFor();
    await ann.say('from the first tab');
    await tab.post('from the first tab').waitFor();
    await tab.say('from the second tab');
    await ann.page.close();
    line.mend();
    await comesBack(tab);
    const pattern = /from the (first|second) tab/;
    await eventually(async () => assert.deepEqual((await bo.posts(pattern)).sort(), ['from the first tab', 'from the second tab']), RECONNECT_MS);
    await tab.sees(pattern, await bo.posts(pattern));
  });

  test('and is refused when it arrives, says why, and can be sent again', async (t) => {
    const house = await open(t);
    const line = cable();
    const ann = await house.account('ann');
    const bo = await house.account('bo', { prepare: line.prepare });
    await line.cut();
    await bo.page.getByText('Reconnecting').waitFor();
    await bo.say('am I late?');
    const details = await ann.details();
    await details.getByLabel('Only admins can post').check();
    await ann.log.getByText('ann lets only admins post').waitFor();
    line.mend();
    await comesBack(bo);
    await bo.post('am I late?').getByText(/^Not sent: /).waitFor();
    await bo.shot('failed');
    await details.getByLabel('Only admins can post').uncheck();
    await bo.composer.and(bo.page.locator(':enabled')).waitFor();
    await bo.post('am I late?').getByRole('button', { name: 'Send again' }).click();
    await ann.hears('bo', 'am I late?');
  });
});

describe('a network that goes', () => {
  test('is noticed, also at an address of plain http, and coming back ends it', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann', { host: HOST, mayComplain: GONE });
    const bo = await house.account('bo');
    await ann.context.setOffline(true);
    await ann.page.getByRole('status').filter({ hasText: /^Offline\./ }).waitFor();
    await ann.say('in a tunnel');
    await bo.say('are you there?');
    await ann.shot('offline');
    await ann.context.setOffline(false);
    await bo.hears('ann', 'in a tunnel');
    await ann.hears('bo', 'are you there?');
    await ann.page.getByText(/^Offline\. /).waitFor({ state: 'hidden' });
  });

  test('while another tab logs out does not come back as somebody else', async (t) => {
    const house = await open(t);
    const line = cable();
    const ann = await house.account('ann', { prepare: line.prepare });
    const tab = await ann.anotherTab();
    await line.cut();
    await ann.page.getByText('Reconnecting').waitFor();
    await (await tab.settings()).getByRole('button', { name: 'Log out' }).click();
    await tab.page.getByRole('heading', { name: 'Log in' }).waitFor();
    line.mend();
    await ann.page.getByText('You are logged out. Who are you?').waitFor({ timeout: RECONNECT_MS });
  });

  test('for too long leaves a gap, and the page says how large', async (t) => {
    const house = await open(t, ['--post-rate', '0', '--command-rate', '0']);
    const line = cable();
    const ann = await house.guest('ann', { prepare: line.prepare });
    const link = await ann.makeInviteRoom('crowd');
    const room = decodeURIComponent(new URL(link).hash.replace('#/room/', ''));
    await ann.say('back soon');
    await ann.post('back soon').getByText('Sent', { exact: true }).waitFor();
    const crowd = await house.program('crowd');
    await crowd.join(room);
    await line.cut();
    await ann.page.getByText('Reconnecting').waitFor();
    await crowd.post(room, ...Array.from({ length: 1_100 }, (_, n) => `number ${n + 1}.`));
    line.mend();
    await comesBack(ann);
    await ann.isTold(/^\d+ earlier entries are no longer kept\.$/);
    // Those that are forgotten count, until one says anew how far one had read.
    await ann.page.getByRole('button', { name: /^1,[01]00 new posts$/ }).click();
    await ann.post('number 1100.').waitFor();
  });
});
