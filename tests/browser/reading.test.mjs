/** What is new, what was before, and how one finds a thing again. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { RECONNECT_MS, cable, comesBack, delay, eventually, open } from './support.mjs';

const FLOOD = ['--post-rate', '0', '--command-rate', '0'];
const lines = (/** @type {number} */ from, /** @type {number} */ to) => Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}.`);

/**
 * An open room with many posts of a program.
 *
 * @param {import('./support.mjs').House} house @param {number} count @param {Parameters<import('./support.mjs').House['account']>[1]} [visit]
 */
async function library(house, count, visit) {
  const owner = await house.account('owner', visit);
  await owner.makeOpenRoom('library');
  const robot = await house.program('robot');
  await robot.join('library');
  await robot.post('library', ...lines(1, 1));
  // Or the others would be new, and more than a screen of them, when the room is first shown.
  await owner.post('line 1.').waitFor();
  await robot.post('library', ...lines(2, count));
  return { owner, robot };
}

/**
 * Somebody comes to the library: a guest, of whose coming the log knows nothing; or an account.
 *
 * @param {import('./support.mjs').House} house @param {string} name @param {'enterAs' | 'register'} [how]
 */
async function reader(house, name, how = 'enterAs') {
  const person = await house.visitor({ hash: '#/room/library' });
  await person[how](name);
  await person.page.getByRole('button', { name: 'Join' }).click();
  await person.isAt('library');
  return person;
}

/** Whether the last post is at the bottom, in sight. @param {import('./person.mjs').Person} person @param {string} last */
async function isAtPresent(person, last) {
  await eventually(async () => {
    assert.ok(await person.isInView(person.post(last)));
    assert.ok(await person.log.evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop < 2));
  });
}

/** Turns the wheel until something is in sight. @param {import('./person.mjs').Person} person @param {number} by @param {import('playwright-core').Locator} what */
async function wheel(person, by, what) {
  await person.log.hover();
  await eventually(async () => {
    await person.page.mouse.wheel(0, by);
    assert.ok(await what.count() > 0 && await person.isInView(what));
  }, 60_000);
}

describe('what is new', () => {
  test('is counted in the list, mentions apart, until it is read', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.guest('bo');
    await ann.makeOpenRoom('elsewhere');
    await bo.say('one');
    await bo.say('two');
    await ann.rooms.getByRole('link', { name: /lobby.*2 unread/s }).waitFor();
    await eventually(async () => assert.equal(await ann.page.title(), '• elsewhere · wsrelay'));
    await bo.say('@ann?');
    await ann.rooms.getByRole('link', { name: /lobby.*@1.*3 unread/s }).waitFor();
    await eventually(async () => assert.equal(await ann.page.title(), '(1) elsewhere · wsrelay'));
    const icon = () => ann.page.evaluate(() => document.querySelector('link[rel=icon]')?.getAttribute('href'));
    assert.equal(await icon(), 'favicon-news.svg');
    await ann.goTo('lobby');
    await ann.rooms.getByRole('link', { name: /unread/ }).waitFor({ state: 'hidden' });
    await eventually(async () => assert.equal(await ann.page.title(), 'lobby · wsrelay'));
    assert.equal(await icon(), 'favicon.svg');
    await ann.page.reload();
    await ann.isAt('lobby');
    await ann.rooms.getByRole('link', { name: /unread/ }).waitFor({ state: 'hidden' });
    await eventually(async () => assert.equal(await ann.page.title(), 'lobby · wsrelay'));
  });

  test('is counted from a chat\'s first post on, however late the page is let in', async (t) => {
    const house = await open(t);
    const line = delay(/"type":"join"/);
    const ann = await house.account('ann', { prepare: line.prepare });
    const bo = await house.account('bo');
    await bo.writeTo('ann');
    await bo.say('psst');
    await bo.post('psst').getByText('Sent', { exact: true }).waitFor();
    await line.holds(1);
    line.release();
    await ann.rooms.getByRole('link', { name: /bo.*psst.*1 unread/s }).waitFor();
  });

  test('is known to be read on another machine', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.account('bo');
    const phone = await house.visitor({ hash: '#/' });
    await phone.logIn('ann');
    await phone.isIn();
    await ann.makeOpenRoom('elsewhere');
    await bo.say('hello');
    for (const one of [ann, phone]) await one.rooms.getByRole('link', { name: /lobby.*1 unread/s }).waitFor();
    await ann.goTo('lobby');
    await phone.rooms.getByRole('link', { name: /1 unread/ }).waitFor({ state: 'hidden' });
  });

  test('begins below a line, and the line stays where it was', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    const bo = await house.guest('bo');
    await bo.say('old');
    await ann.hears('bo', 'old');
    await ann.makeOpenRoom('elsewhere');
    await bo.say('new one');
    await bo.say('new two');
    await ann.rooms.getByRole('link', { name: /2 unread/ }).waitFor();
    await ann.goTo('lobby');
    const mark = ann.log.getByText('New since you left');
    await mark.waitFor();
    const rows = await ann.log.innerText();
    assert.match(rows, /old[^]*New since you left[^]*new one[^]*new two/i);
    await bo.say('newer');
    await ann.hears('bo', 'newer');
    assert.equal(await mark.count(), 1);
    await ann.composer.press('Escape');
    await mark.waitFor({ state: 'hidden' });
  });

  test('of more than the page loads at once begins where it begins, and is not told as read', async (t) => {
    const house = await open(t, FLOOD);
    const { owner, robot } = await library(house, 100);
    await isAtPresent(owner, 'line 100.');
    await owner.goTo('lobby');
    const bo = await reader(house, 'bo', 'register');
    await robot.post('library', ...lines(101, 400));
    await owner.rooms.getByRole('link', { name: /library.*300 unread/s }).waitFor();
    await owner.page.reload();
    await owner.isAt('lobby');
    await owner.goTo('library');
    const mark = owner.log.getByText('New since you left');
    await eventually(async () => assert.ok(await owner.isInView(mark)));
    // What is new begins with somebody's coming.
    await owner.log.getByText('bo joined').waitFor();
    assert.ok(await owner.isInView(owner.post('line 101.')));
    await owner.rooms.getByRole('link', { name: /library.*300 unread/s }).waitFor();
    await wheel(owner, 900, owner.post('line 300.'));
    await owner.rooms.getByRole('link', { name: /library.*300 unread/s }).waitFor();
    await owner.page.getByRole('button', { name: '300 new posts', exact: true }).click();
    await isAtPresent(owner, 'line 400.');
    await owner.rooms.getByRole('link', { name: /unread/ }).waitFor({ state: 'hidden' });
    await isAtPresent(bo, 'line 400.');
  });

  test('of more than a screen begins where it begins, and is jumped over at will', async (t) => {
    const house = await open(t, FLOOD);
    const { owner, robot } = await library(house, 20);
    await owner.goTo('lobby');
    await robot.post('library', ...lines(21, 100));
    await owner.rooms.getByRole('link', { name: /library.*80 unread/s }).waitFor();
    await owner.goTo('library');
    await eventually(async () => assert.ok(await owner.isInView(owner.log.getByText('New since you left'))));
    assert.ok(await owner.isInView(owner.post('line 21.')));
    const above = owner.page.getByRole('button', { name: '80 new posts above' });
    // Once: who comes to the end has read all.
    await owner.log.hover();
    await owner.page.mouse.wheel(0, 600);
    await above.click();
    await eventually(async () => assert.ok(await owner.isInView(owner.post('line 21.'))));
    await owner.rooms.getByRole('link', { name: /library.*80 unread/s }).waitFor();
    await owner.page.getByRole('button', { name: '80 new posts', exact: true }).click();
    await isAtPresent(owner, 'line 100.');
    await owner.rooms.getByRole('link', { name: /unread/ }).waitFor({ state: 'hidden' });
  });
});

describe('what was missed', () => {
  /** The owner of the library, who has read all of it, and is known to have. @param {import('./support.mjs').House} house @param {Parameters<typeof library>[2]} [visit] */
  async function atItsEnd(house, visit) {
    const all = await library(house, 100, visit);
    await isAtPresent(all.owner, 'line 100.');
    await hasRead(all, 'line 100.');
    return all;
  }

  /** As far as others know. @param {Awaited<ReturnType<typeof library>>} all @param {string} last */
  async function hasRead({ owner, robot }, last) {
    const seq = Number(await owner.post(last).getAttribute('data-seq'));
    await eventually(async () => {
      const { members } = await robot.ask('members', { room: 'library' });
      assert.equal(members.find((/** @type {any} */ { name }) => name === 'owner').read, seq);
    });
  }

  /** Stands at the first new line, and has read no further. @param {Awaited<ReturnType<typeof library>>} all @param {string} count */
  async function beginsWhereItBegins(all, count) {
    const { owner } = all;
    await owner.page.getByRole('button', { name: `${count} new posts`, exact: true }).waitFor();
    await eventually(async () => {
      assert.ok(await owner.isInView(owner.log.getByText('New since you left')));
      assert.ok(await owner.isInView(owner.post('line 101.')));
    });
    await hasRead(all, 'line 100.');
  }

  /** @param {Awaited<ReturnType<typeof library>>} all @param {string} count @param {string} last */
  async function jumpsToTheEnd(all, count, last) {
    await all.owner.page.getByRole('button', { name: `${count} new posts`, exact: true }).click();
    await isAtPresent(all.owner, last);
    await hasRead(all, last);
  }

  /** The tab is not the one in sight, or is again. @param {import('./person.mjs').Person} person @param {boolean} on */
  const turnsAway = (person, on) => person.page.evaluate((isAway) => {
    Object.defineProperty(document, 'hidden', { value: isAway, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, on);

  /** Lines are posted while the owner has no connection. @param {Awaited<ReturnType<typeof library>>} all @param {ReturnType<typeof cable>} line @param {string[]} posted */
  async function misses({ owner, robot }, line, posted) {
    await line.cut();
    await owner.page.getByText('Reconnecting').waitFor();
    await robot.post('library', ...posted);
    line.mend();
    await comesBack(owner);
  }

  test('while the connection was lost is not told as read before one has come to it', async (t) => {
    const house = await open(t, FLOOD);
    const line = cable();
    const all = await atItsEnd(house, { prepare: line.prepare });
    await misses(all, line, lines(101, 400));
    await beginsWhereItBegins(all, '300');
    await jumpsToTheEnd(all, '300', 'line 400.');
    await all.robot.post('library', ...lines(401, 440));
    await isAtPresent(all.owner, 'line 440.');
    await hasRead(all, 'line 440.');
  });

  test('for too long begins where it begins too', async (t) => {
    const house = await open(t, FLOOD);
    const line = cable();
    const all = await atItsEnd(house, { prepare: line.prepare });
    await misses(all, line, lines(101, 1_400));
    await beginsWhereItBegins(all, '1,300');
    await jumpsToTheEnd(all, '1,300', 'line 1400.');
  });

  test('in a tab that nobody saw is still to be read', async (t) => {
    const house = await open(t, FLOOD);
    const line = cable();
    const all = await atItsEnd(house, { prepare: line.prepare });
    await turnsAway(all.owner, true);
    await all.robot.post('library', ...lines(101, 250));
    await all.owner.post('line 250.').waitFor();
    await misses(all, line, lines(251, 400));
    await all.owner.post('line 400.').waitFor();
    await turnsAway(all.owner, false);
    await beginsWhereItBegins(all, '300');
    await jumpsToTheEnd(all, '300', 'line 400.');
  });

  test('is not told as read between two frames of the page', async (t) => {
    const house = await open(t, FLOOD);
    const line = cable(/"line (10[4-9]|1[1-9]\d|[2-4]\d\d)\."/);
    const all = await atItsEnd(house, { prepare: line.prepare });
    const { page } = all.owner;
    await line.cut();
    await page.getByText('Reconnecting').waitFor();
    await all.robot.post('library', ...lines(101, 400));
    line.mend();
    await line.holds(297);
    await all.owner.post('line 103.').waitFor();
    const frames = await page.evaluateHandle(async () => {
      const held = /** @type {FrameRequestCallback[]} */ ([]);
      const { requestAnimationFrame } = window;
      window.requestAnimationFrame = (does) => held.push(does);
      const draw = () => { for (const does of held.splice(0)) does(0); };
      const goOn = () => {
        window.requestAnimationFrame = requestAnimationFrame;
        draw();
      };
      // Those that were asked for before come, and what follows from them.
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      while (held.length > 0) draw();
      return { draw, goOn };
    });
    // Read aloud as they come, whether or not they are drawn.
    const hears = (/** @type {string} */ text) => page.locator('#announcer').getByText(text).waitFor({ state: 'attached' });
    line.release(1);
    await hears('line 104.');
    await frames.evaluate(({ draw }) => draw());
    line.release();
    await hears('line 400.');
    await all.owner.log.dispatchEvent('scroll');
    await frames.evaluate(({ goOn }) => goOn());
    await beginsWhereItBegins(all, '300');
  });

  test('if it is nothing leaves one at the end, in a window that has not the focus too', async (t) => {
    const house = await open(t, FLOOD);
    const line = cable();
    const all = await atItsEnd(house, { prepare: line.prepare });
    await all.owner.page.evaluate(() => {
      document.hasFocus = () => false;
      dispatchEvent(new Event('blur'));
    });
    await all.robot.post('library', ...lines(101, 200));
    await isAtPresent(all.owner, 'line 200.');
    await misses(all, line, []);
    await all.robot.post('library', 'line 201.');
    await isAtPresent(all.owner, 'line 201.');
    await hasRead(all, 'line 100.');
  });

  test('for too long leaves one at the post to which a link led, and at what one writes', async (t) => {
    const house = await open(t, FLOOD);
    const line = cable();
    const { owner, robot } = await atItsEnd(house, { prepare: line.prepare });
    const post = owner.post('line 50.');
    await owner.page.goto(house.address(`#/room/library/${await post.getAttribute('data-seq')}`));
    await eventually(async () => assert.ok(await owner.isInView(post)));
    const row = await post.elementHandle() ?? assert.fail('the post has no row');
    await line.cut();
    await owner.page.getByText('Reconnecting').waitFor();
    await owner.composer.fill('half a word');
    await robot.post('library', ...lines(101, 1_400));
    line.mend();
    await eventually(async () => assert.ok(!await row.evaluate((one) => one.isConnected), 'it is read anew'), RECONNECT_MS);
    await eventually(async () => assert.ok(await owner.isInView(post)));
    assert.ok(await owner.composer.evaluate((field) => field === document.activeElement));
  });

  /** The owner with another machine, at the lobby. @param {import('./support.mjs').House} house @param {ReturnType<typeof delay>} late */
  async function onAnother(house, late) {
    const { owner, robot } = await atItsEnd(house);
    await owner.page.close();
    const again = await house.visitor({ hash: '#/room/lobby', prepare: late.prepare });
    await again.logIn('owner');
    await again.isAt('lobby');
    return { owner: again, robot };
  }

  test('is passed over by who writes before it is there', async (t) => {
    const house = await open(t, FLOOD);
    const late = delay(/"type":"history".*"library".*"limit":40/);
    const { owner, robot } = await onAnother(house, late);
    await robot.post('library', ...lines(101, 400));
    await owner.rooms.getByRole('link', { name: /library.*300 unread/s }).waitFor();
    await owner.goTo('library');
    await late.holds(2);
    await owner.say('my own words');
    await eventually(async () => {
      late.release();
      assert.ok(await owner.isInView(owner.post('my own words')));
    });
    await isAtPresent(owner, 'my own words');
  });

  test('is passed over by who writes, though the last of it comes before that is said', async (t) => {
    const house = await open(t, FLOOD);
    const late = delay(/"type":"post"|"type":"history".*"library".*"limit":40/);
    const { owner, robot } = await onAnother(house, late);
    await robot.post('library', ...lines(101, 140));
    await owner.rooms.getByRole('link', { name: /library.*40 unread/s }).waitFor();
    await owner.goTo('library');
    await late.holds(2);
    await owner.say('my own words');
    await owner.post('line 140.').waitFor();
    await isAtPresent(owner, 'my own words');
    late.release();
    await owner.post('my own words').getByText('Sent', { exact: true }).waitFor();
    await isAtPresent(owner, 'my own words');
  });

  test('is not lost by lines that come late', async (t) => {
    const house = await open(t, FLOOD);
    const late = delay(/"type":"history".*"library".*"limit":60/);
    const all = await onAnother(house, late);
    const { owner, robot } = all;
    await owner.goTo('library');
    await late.holds(1);
    await owner.goTo('lobby');
    await robot.post('library', ...lines(101, 400));
    await owner.rooms.getByRole('link', { name: /library.*300 unread/s }).waitFor();
    await owner.goTo('library');
    await beginsWhereItBegins(all, '300');
    late.release();
    await owner.page.getByRole('button', { name: 'Details' }).click();
    await beginsWhereItBegins(all, '300');
  });
});

describe('history', () => {
  test('is read back to its beginning, and on to the present', async (t) => {
    const house = await open(t, FLOOD);
    await library(house, 300);
    const ann = await reader(house, 'ann');
    await isAtPresent(ann, 'line 300.');
    await wheel(ann, -900, ann.post('line 1.'));
    await ann.log.getByText('This is where the room begins.').waitFor();
    await ann.sees(/line \d+\./, lines(1, 300));
    await ann.page.getByRole('button', { name: 'Jump to the present' }).click();
    await isAtPresent(ann, 'line 300.');
  });

  test('that comes in above leaves what one reads where it is', async (t) => {
    const house = await open(t, FLOOD);
    await library(house, 300);
    const ann = await reader(house, 'ann');
    await isAtPresent(ann, 'line 300.');
    const before = (await ann.posts(/line \d+\./)).length;
    await ann.log.evaluate((log) => { log.scrollTop = 400; });
    // The rows come in the frame after this one at the earliest, so this is where it was.
    const read = ann.log.getByRole('article').filter({ hasText: `line ${300 - before + 12}.` });
    const { y } = await read.boundingBox() ?? assert.fail('the post has no place');
    await eventually(async () => assert.ok((await ann.posts(/line \d+\./)).length > before));
    await eventually(async () => assert.ok(Math.abs((await read.boundingBox())?.y - y) < 3));
  });

  test('that comes in above its very beginning leaves it where it is too', async (t) => {
    const house = await open(t, FLOOD);
    await library(house, 600);
    const ann = await reader(house, 'ann');
    await isAtPresent(ann, 'line 600.');
    const first = await ann.log.evaluate((log) => {
      log.scrollTop = 0;
      const row = /** @type {HTMLElement} */ (log.querySelector('article'));
      return { seq: row.dataset.seq, y: row.getBoundingClientRect().y };
    });
    const row = ann.page.locator(`article[data-seq="${first.seq}"]`);
    await eventually(async () => assert.notEqual(await ann.log.getByRole('article').first().getAttribute('data-seq'), first.seq));
    // What stands above it is a button, then a word, then lines: there is nothing to scroll by for the first of these.
    await eventually(async () => assert.ok(Math.abs((await row.boundingBox())?.y - first.y) < 20));
    await ann.log.getByText('This is where the room begins.').waitFor({ state: 'detached' });
  });

  test('stays where it is when somebody in it is called something else', async (t) => {
    const house = await open(t, FLOOD);
    const { owner, robot } = await library(house, 1);
    const bo = await reader(house, 'bo', 'register');
    await owner.log.getByText('bo joined').waitFor();
    await robot.post('library', ...lines(2, 100));
    await isAtPresent(owner, 'line 100.');
    await wheel(owner, -600, owner.post('line 1.'));
    const y = await owner.log.getByText('bo joined').evaluate((note) => {
      note.scrollIntoView({ block: 'start' });
      return note.getBoundingClientRect().y;
    });
    const settings = await bo.settings();
    await settings.getByLabel('Display name').fill('Robert');
    await settings.getByRole('button', { name: 'Save' }).click();
    const note = owner.log.getByText('Robert joined');
    await note.waitFor();
    assert.ok(Math.abs(((await note.boundingBox())?.y ?? 0) - y) < 3);
  });

  test('that one is reading is not pushed away by what is said meanwhile', async (t) => {
    const house = await open(t, FLOOD);
    const { robot } = await library(house, 100);
    const ann = await reader(house, 'ann');
    await isAtPresent(ann, 'line 100.');
    await wheel(ann, -600, ann.post('line 60.'));
    await eventually(async () => assert.ok(await ann.page.getByRole('button', { name: 'Jump to the present' }).isVisible()));
    const { y } = await ann.post('line 60.').boundingBox() ?? assert.fail('the post has no place');
    await robot.post('library', ...lines(101, 105));
    const toNew = ann.page.getByRole('button', { name: '5 new posts' });
    await toNew.waitFor();
    assert.ok(Math.abs(((await ann.post('line 60.').boundingBox())?.y ?? 0) - y) < 3);
    await ann.shot('scrolled-up');
    await toNew.click();
    await isAtPresent(ann, 'line 105.');
    await toNew.waitFor({ state: 'hidden' });
  });

  test('is left by who writes', async (t) => {
    const house = await open(t, FLOOD);
    const { owner } = await library(house, 100);
    await isAtPresent(owner, 'line 100.');
    await wheel(owner, -600, owner.post('line 60.'));
    await owner.page.getByRole('button', { name: 'Jump to the present' }).waitFor();
    await owner.say('my own words');
    await isAtPresent(owner, 'my own words');
  });

  test('says at its beginning what is no longer kept', async (t) => {
    const house = await open(t, FLOOD);
    const ann = await house.guest('ann');
    const room = new URL(await ann.makeInviteRoom('crowd')).hash;
    const robot = await house.program('robot');
    await robot.join(room.replace('#/room/', ''));
    await robot.post(room.replace('#/room/', ''), ...lines(1, 1_100));
    const bo = await house.visitor({ hash: room });
    await bo.enterAs('bo');
    await bo.isAt('crowd');
    await bo.post('line 1100.').waitFor();
    await wheel(bo, -4_000, bo.log.getByText(/^\d+ earlier entries are no longer kept\.$/));
  });
});

describe('search', () => {
  test('finds all words, and jumps to where it was said', async (t) => {
    const house = await open(t, FLOOD);
    const { robot } = await library(house, 150);
    await robot.post('library', 'the **needle** is in the hay');
    await robot.post('library', ...lines(151, 400));
    const ann = await reader(house, 'ann');
    await isAtPresent(ann, 'line 400.');
    await ann.page.getByRole('button', { name: 'Search' }).click();
    const panel = ann.page.getByRole('complementary', { name: 'Search' });
    await panel.getByRole('searchbox').fill('hay needle');
    const hit = panel.getByRole('link', { name: 'the needle is in the hay' });
    await hit.waitFor();
    assert.equal(await panel.getByRole('link').count(), 1);
    assert.deepEqual(await hit.getByRole('mark').allInnerTexts(), ['needle', 'hay']);
    await ann.shot('search');
    await hit.click();
    await eventually(async () => assert.ok(await ann.isInView(ann.post('needle'))));
    assert.ok(await ann.post('needle').evaluate((post) => post === document.activeElement));
    await ann.post('line 140.').waitFor();
    await ann.post('line 160.').waitFor();
    await wheel(ann, 900, ann.post('line 400.'));
    assert.deepEqual((await ann.posts(/line \d+\./)).slice(-240), lines(161, 400));
    await hit.click();
    await eventually(async () => assert.ok(await ann.isInView(ann.post('needle')), 'and once more'));
  });

  test('is of this room, or of all, and says when there is nothing', async (t) => {
    const house = await open(t);
    const ann = await house.account('ann');
    await ann.say('a pear');
    await ann.makeOpenRoom('kitchen');
    await ann.say('an apple');
    await ann.hears('ann', 'an apple');
    await ann.page.getByRole('button', { name: 'Search' }).click();
    const panel = ann.page.getByRole('complementary', { name: 'Search' });
    await panel.getByRole('searchbox').fill('pear');
    await panel.getByText('Nothing has all these words.').waitFor();
    await panel.getByLabel('In all rooms').check();
    await panel.getByRole('link', { name: /lobby.*a pear/s }).click();
    await ann.isAt('lobby');
    await eventually(async () => assert.ok(await ann.isInView(ann.post('a pear'))));
  });
});

describe('what is pinned', () => {
  test('is listed however long ago it was said, and leads there', async (t) => {
    const house = await open(t, FLOOD);
    const owner = await house.account('owner');
    await owner.makeOpenRoom('library');
    await owner.say('the **rules** of the house');
    await owner.menu('the rules of the house', 'Pin');
    await owner.post('the rules').getByText('Pinned').waitFor();
    const robot = await house.program('robot');
    await robot.join('library');
    await robot.post('library', ...lines(1, 200));
    const ann = await reader(house, 'ann');
    await isAtPresent(ann, 'line 200.');
    const details = await ann.details();
    await details.getByRole('link', { name: 'the rules of the house' }).click();
    await eventually(async () => assert.ok(await ann.isInView(ann.post('the rules of the house'))));
    await owner.page.reload();
    await isAtPresent(owner, 'line 200.');
    await (await owner.details()).getByRole('link', { name: 'the rules of the house' }).click();
    await owner.menu('the rules of the house', 'Unpin');
    for (const one of [ann, owner]) await one.page.getByRole('complementary').getByRole('link').waitFor({ state: 'hidden' });
  });
});

describe('a link to a post', () => {
  test('leads there from anywhere', async (t) => {
    const house = await open(t, FLOOD);
    const { owner } = await library(house, 200);
    await owner.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await isAtPresent(owner, 'line 200.');
    await wheel(owner, -700, owner.post('line 100.'));
    await owner.menu('line 100.', 'Copy link');
    await owner.isTold('Copied');
    const link = await owner.page.evaluate(() => navigator.clipboard.readText());
    const bo = await reader(house, 'bo');
    await isAtPresent(bo, 'line 200.');
    await bo.page.goto(link);
    await eventually(async () => assert.ok(await bo.isInView(bo.post('line 100.'))));
    await bo.page.reload();
    await eventually(async () => assert.ok(await bo.isInView(bo.post('line 100.'))));
  });

  test('leads there from outside of its room, through the door', async (t) => {
    const house = await open(t, FLOOD);
    await library(house, 200);
    const ann = await house.visitor({ hash: '#/room/library/90' });
    await ann.enterAs('ann');
    await ann.page.getByRole('button', { name: 'Join' }).click();
    const post = ann.log.getByRole('article').and(ann.page.locator('[data-seq="90"]'));
    await eventually(async () => assert.ok(await post.evaluate((row) => row === document.activeElement)));
    assert.ok(await ann.isInView(post));
  });
});
