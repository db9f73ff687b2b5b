/** What one says, answers, changes and takes back, and how others make of it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { delay, eventually, open } from './support.mjs';

describe('a post', () => {
  test('is heard by all who are in the room, and by nobody else', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.guest('bo');
    const cy = await house.guest('cy');
    await ann.makeOpenRoom('garden');
    await ann.goTo('lobby');
    await ann.say('good morning');
    await bo.say('and to you');
    for (const one of [ann, bo, cy]) await one.sees(/good morning|and to you/, ['good morning', 'and to you']);
    await ann.goTo('garden');
    assert.equal(await ann.post('good morning').count(), 0);
  });

  test('goes by Enter, has lines by Shift and Enter, and leaves the field empty for the next', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.composer.click();
    await ann.page.keyboard.type('one');
    await ann.page.keyboard.press('Shift+Enter');
    await ann.page.keyboard.type('two');
    assert.equal(await ann.composer.inputValue(), 'one\ntwo');
    await ann.page.keyboard.press('Enter');
    await ann.sees(/one\ntwo/, ['one\ntwo']);
    assert.equal(await ann.composer.inputValue(), '');
    await ann.page.keyboard.type('and on');
    await ann.page.getByRole('button', { name: 'Send' }).click();
    await ann.hears('ann', 'and on');
  });

  test('says when, in short, and exactly when one points at it', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.say('now');
    const time = ann.post('now').getByRole('time');
    assert.match(await time.innerText(), /^\d{1,2}:\d\d/);
    assert.match(await time.getAttribute('title') ?? '', /20\d\d.*:\d\d:\d\d/);
    await ann.log.getByRole('heading', { name: 'Today' }).waitFor();
  });

  test('is answered beside what it answers, which is one click away', async (t) => {
    const house = await open(t, ['--post-rate', '0']);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await bo.say('who has the key?');
    for (let n = 1; n <= 30; n += 1) await bo.say(`and so on ${n}`);
    await ann.post('and so on 30').waitFor();
    await ann.post('who has the key?').scrollIntoViewIfNeeded();
    await ann.tool('who has the key?', 'Reply');
    await ann.page.getByText('Replying to').waitFor();
    await ann.composer.fill('I have');
    await ann.composer.press('Enter');
    const answer = bo.post('I have');
    const question = bo.log.getByRole('article').first();
    // And again, after one has gone on reading.
    for (let n = 0; n < 2; n += 1) {
      await answer.getByRole('button', { name: /who has the key\?/ }).click();
      await eventually(async () => assert.ok(await bo.isInView(question)));
      assert.ok(await question.evaluate((post) => post === document.activeElement));
      await answer.scrollIntoViewIfNeeded();
      await eventually(async () => assert.ok(!(await bo.isInView(question))));
    }
  });

  test('is changed by who wrote it, and says so', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await ann.say('teh end');
    await bo.hears('ann', 'teh end');
    await ann.composer.press('ArrowUp');
    await ann.page.getByText('Editing').waitFor();
    assert.equal(await ann.composer.inputValue(), 'teh end');
    await ann.composer.fill('the end');
    await ann.composer.press('Enter');
    await bo.post(/the end\s*\(edited\)/).waitFor();
    assert.equal(await ann.composer.inputValue(), '');
    await bo.post('the end').hover();
    assert.equal(await bo.post('the end').getByRole('button', { name: 'Edit' }).count(), 0);

    await ann.tool('the end', 'Edit');
    await ann.composer.fill('something else');
    await ann.composer.press('Escape');
    await ann.page.getByText('Editing').waitFor({ state: 'hidden' });
    assert.equal(await ann.composer.inputValue(), '');
    assert.equal(await ann.posts(/something else/).then((all) => all.length), 0);
  });

  test('that is changed leaves alone what one has begun elsewhere', async (t) => {
    const house = await open(t);
    const line = delay(/"type":"edit"/);
    const ann = await house.account('ann', { prepare: line.prepare });
    await ann.say('question');
    await ann.hears('ann', 'question');
    await ann.makeOpenRoom('garden');
    await ann.say('teh end');
    await ann.hears('ann', 'teh end');
    // There is nothing to change before the post has its place.
    await eventually(async () => {
      await ann.composer.press('ArrowUp');
      assert.ok(await ann.page.getByText('Editing').isVisible());
    });
    await ann.composer.fill('the end');
    await ann.composer.press('Enter');
    await line.holds(1);
    await ann.goTo('lobby');
    await ann.tool('question', 'Reply');
    await ann.page.getByText('Replying to').waitFor();
    line.release();
    await ann.room('garden').getByText('the end').waitFor();
    await ann.say('answer');
    await ann.post('answer').getByRole('button', { name: /question/ }).waitFor();
    await ann.goTo('garden');
    await ann.post('the end').waitFor();
    assert.equal(await ann.page.getByText('Editing').isVisible(), false);
  });

  test('is taken back by who wrote it, which leaves its place', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await ann.say('a secret');
    await bo.hears('ann', 'a secret');
    await bo.tool('a secret', 'Reply');
    await bo.say('is it?');
    await ann.hears('bo', 'is it?');
    await ann.menu(/^(?!.*is it).*a secret/s, 'Delete');
    await ann.dialog.filter({ hasText: 'Delete this post?' }).waitFor();
    await ann.confirm('Delete');
    for (const one of [ann, bo]) {
      await one.hears('ann', 'This post was deleted.');
      await eventually(async () => assert.doesNotMatch(await one.log.innerText(), /a secret/));
    }
    await bo.page.reload();
    await bo.hears('ann', 'This post was deleted.');
    assert.doesNotMatch(await bo.page.getByRole('main').innerText(), /a secret/);
  });

  test('that is too long is not sent, and the page says by how much', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await ann.composer.fill('x'.repeat(3_990));
    await ann.page.getByText('10 characters left').waitFor();
    await ann.composer.fill('x'.repeat(4_002));
    await ann.page.getByText('2 characters too many').waitFor();
    await ann.composer.press('Enter');
    await ann.composer.fill('x'.repeat(4_000));
    await ann.composer.press('Enter');
    await ann.post('x'.repeat(4_000)).waitFor();
    assert.equal(await ann.log.getByRole('article').count(), 1);
  });
});

describe('others', () => {
  test('react, and take it back', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await ann.say('there is cake');
    const by = (/** @type {import('./person.mjs').Person} */ one, /** @type {RegExp} */ names) => one.post('there is cake').getByTitle(names);
    await bo.tool('there is cake', 'React with 👍');
    await by(ann, /^👍 by bo$/).click();
    const both = by(bo, /^👍 by (ann and bo|bo and ann)$/);
    assert.equal(await both.getAttribute('aria-pressed'), 'true');
    assert.match(await both.innerText(), /2/);
    await bo.tool('there is cake', 'React');
    await bo.page.getByRole('group', { name: 'Choose an emoji' }).getByRole('button', { name: '🎂' }).click();
    await by(ann, /^🎂 by bo$/).waitFor();
    await both.click();
    await by(ann, /^👍 by ann$/).click();
    await eventually(async () => assert.equal(await by(bo, /^👍/).count(), 0));
  });

  test('are called by name, which a few letters complete', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await house.guest('bertram');
    await house.guest('bertha');
    const offered = ann.page.getByRole('listbox', { name: 'Mention' });
    await ann.composer.pressSequentially('hello @ber');
    await eventually(async () => assert.deepEqual((await offered.getByRole('option').allInnerTexts()).length, 2));
    await ann.page.keyboard.press('ArrowDown');
    assert.match(await offered.getByRole('option', { selected: true }).innerText(), /bertram/);
    await ann.page.keyboard.press('Enter');
    assert.equal(await ann.composer.inputValue(), 'hello @bertram ');
    await ann.page.keyboard.type('and @berth');
    await offered.getByRole('option').filter({ hasText: 'bertha' }).click();
    await ann.page.keyboard.type('!');
    await ann.page.keyboard.press('Enter');
    await ann.hears('ann', 'hello @bertram and @bertha !');
  });

  test('are not called by who goes elsewhere in the text', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    await house.guest('bertram');
    const offered = ann.page.getByRole('listbox', { name: 'Mention' });
    /** @type {[string, number][]} the key that moves the cursor, and how often */
    const ways = [['ArrowLeft', 1], ['ArrowLeft', 3], ['Home', 1], ['Shift+ArrowLeft', 1]];
    for (const [key, times] of ways) {
      await ann.composer.fill('');
      await ann.composer.pressSequentially('@be');
      await offered.waitFor();
      for (let n = 0; n < times; n += 1) await ann.page.keyboard.press(key);
      await offered.waitFor({ state: 'hidden' });
    }
    await ann.composer.fill('');
    await ann.composer.pressSequentially('hi @be');
    await offered.waitFor();
    // In one go: the key comes before the browser has told that the cursor is elsewhere.
    await ann.composer.evaluate((field) => {
      /** @type {HTMLTextAreaElement} */ (field).setSelectionRange(0, 0);
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    });
    await ann.hears('ann', 'hi @be');
  });

  test('are seen to type, and to stop', async (t) => {
    const house = await open(t);
    const ann = await house.guest('ann');
    const bo = await house.guest('bo');
    await bo.composer.pressSequentially('well');
    await ann.page.getByText('bo is typing …').waitFor();
    await bo.composer.fill('');
    await ann.page.getByText('bo is typing …').waitFor({ state: 'hidden' });
    await ann.composer.pressSequentially('well then');
    await bo.page.getByText('ann is typing …').waitFor();
    await ann.composer.press('Enter');
    await bo.hears('ann', 'well then');
    await bo.page.getByText('ann is typing …').waitFor({ state: 'hidden' });
  });

  test('are known to have received and read it', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await ann.makeGroup('friends', 'bo');
    await bo.room('friends').waitFor();
    await ann.say('anybody?');
    await ann.post('anybody?').getByText('Delivered').waitFor();
    await ann.menu('anybody?', 'Who has read it');
    await ann.dialog.getByText(/Delivered: bo/).waitFor();
    await ann.dialog.getByText(/Read: nobody/).waitFor();
    await ann.dialog.getByRole('button', { name: 'Close' }).click();
    await bo.goTo('friends');
    await ann.post('anybody?').getByText('Read by bo').waitFor();
  });

  test('find what was pinned', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    await ann.say('the door code is 4711');
    await ann.menu('the door code', 'Pin');
    await bo.post('the door code').getByText('Pinned').waitFor();
    const details = await bo.details();
    await details.getByRole('link', { name: /the door code is 4711/ }).click();
    await eventually(async () => assert.match(bo.page.url(), /#\/room\/lobby\/\d+$/));
    await ann.menu('the door code', 'Unpin');
    await details.getByRole('link', { name: /the door code/ }).waitFor({ state: 'hidden' });
  });
});
