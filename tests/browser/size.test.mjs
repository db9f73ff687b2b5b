/**
 * Ten thousand posts in a room, and a hundred more a second: what one does goes on at once.
 *
 * Measured by the browser itself, and told beside the test: on a quiet machine the room is there 50 ms after its posts, and
 * hardly a task takes 50. A busy machine makes any one task long, so that the bound is on all long ones together: what takes
 * time in proportion to what is there would take all of it.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, open } from './support.mjs';

const POSTS = 10_000;
const OPEN_MS_MAX = 300;
const BUSY_MAX = 0.5;

/** How far back one scrolls. */
const BACK_TO = 7_000;

const bodies = (/** @type {number} */ from, /** @type {number} */ to) => Array.from({ length: to - from + 1 }, (_, n) => (
  `post ${from + n}. with **some** form, a @name and https://example.org/${n}`));

/** Notes when history comes in, and which tasks are long. */
function watch() {
  const seen = { cameAt: 0, longMs: /** @type {number[]} */ ([]) };
  Object.assign(window, { seen });
  new PerformanceObserver((list) => seen.longMs.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  const { WebSocket } = window;
  window.WebSocket = class extends WebSocket {
    /** @param {ConstructorParameters<typeof WebSocket>} of */
    constructor(...of) {
      super(...of);
      this.addEventListener('message', ({ data }) => {
        if (/"entries":\[\{/.test(data)) seen.cameAt = performance.now();
      });
    }
  };
}

test('a room of ten thousand posts opens, scrolls and takes more without a wait', async (t) => {
  const house = await open(t, ['--post-rate', '0', '--command-rate', '0']);
  const ann = await house.account('ann', { prepare: (context) => context.addInitScript(watch) });
  await ann.makeOpenRoom('library');
  await ann.goTo('lobby');
  const robot = await house.program('robot');
  await robot.join('library');
  await robot.post('library', ...bodies(1, POSTS));
  await ann.page.reload();
  await ann.isAt('lobby');
  /** How much of the time of some work is in tasks of more than 50 ms. @param {string} what @param {() => Promise<unknown>} work */
  const isSmooth = async (what, work) => {
    await ann.page.evaluate(() => /** @type {any} */ (window).seen.longMs.splice(0));
    const began = performance.now();
    await work();
    const tookMs = performance.now() - began;
    const longMs = /** @type {number[]} */ (await ann.page.evaluate(() => /** @type {any} */ (window).seen.longMs));
    t.diagnostic(`${what}: ${tookMs.toFixed()} ms, longest task ${Math.max(0, ...longMs)} ms, ${longMs.length} of more than 50 ms`);
    assert.ok(longMs.reduce((sum, ms) => sum + ms, 0) < tookMs * BUSY_MAX, `${what}: tasks of ${longMs} ms`);
  };

  const opened = ann.page.evaluate((last) => new Promise((done) => {
    const observer = new MutationObserver(() => {
      if (!document.querySelector('[role=log]')?.textContent?.includes(last)) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - /** @type {any} */ (window).seen.cameAt)));
    });
    observer.observe(document.body, { subtree: true, childList: true });
  }), `post ${POSTS}.`);
  await ann.goTo('library');
  const openMs = /** @type {number} */ (await opened);
  t.diagnostic(`opened ${openMs.toFixed()} ms after the posts came`);
  assert.ok(openMs < OPEN_MS_MAX, `opened after ${openMs} ms`);

  await ann.log.hover();
  await isSmooth('scrolling back', () => eventually(async () => {
    await ann.page.mouse.wheel(0, -8_000);
    assert.ok(await ann.post(`post ${BACK_TO}.`).count() > 0);
  }, 60_000));

  await ann.page.getByRole('button', { name: 'Jump to the present' }).click();
  const words = 'while a hundred posts a second come in, one writes on';
  await isSmooth('300 posts in 3 s', async () => {
    const typed = ann.composer.pressSequentially(words, { delay: 40 });
    for (let tenth = 0; tenth < 30; tenth += 1) {
      const due = new Promise((done) => setTimeout(done, 100));
      await robot.post('library', ...bodies(POSTS + tenth * 10 + 1, POSTS + tenth * 10 + 10));
      await due;
    }
    await typed;
    await ann.post(`post ${POSTS + 300}.`).waitFor();
  });
  assert.equal(await ann.composer.inputValue(), words);
  assert.ok(await ann.isInView(ann.post(`post ${POSTS + 300}.`)));
});
