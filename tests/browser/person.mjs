/**
 * Somebody at the page, who finds things by what they are and what they are called, as a person or a screen reader would.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { eventually } from './support.mjs';

export const PASSWORD = 'correct horse';

export class Person {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
    this.context = page.context();
    this.log = page.getByRole('log', { name: 'Posts' });
    this.composer = page.getByRole('textbox', { name: /^Write to / });
    this.rooms = page.getByRole('navigation', { name: 'Rooms' });
    this.settingsButton = this.rooms.getByRole('button', { name: /^Settings/ });
    this.toasts = page.getByRole('status');
    this.dialog = page.getByRole('dialog');
  }

  // Who one is.

  /** @param {string} name of a guest */
  async enterAs(name) {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.keyboard.press('Enter');
    await this.isIn();
  }

  /** @param {string} name */
  async register(name) {
    await this.page.getByRole('button', { name: 'Create an account' }).click();
    await this.#credentials(name, PASSWORD);
    await this.isIn();
  }

  /** @param {string} name @param {string} [password] */
  async logIn(name, password = PASSWORD) {
    await this.page.getByRole('button', { name: 'Log in' }).click();
    await this.#credentials(name, password);
  }

  /** @param {string} name @param {string} password */
  async #credentials(name, password) {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByLabel('Password').fill(password);
    await this.page.keyboard.press('Enter');
  }

  /** In the chat, that is: no more at its door. */
  isIn() {
    return this.settingsButton.or(this.log).first().waitFor();
  }

  /** What one is called, as the page says it. */
  async isCalled(/** @type {string} */ name) {
    await this.settingsButton.getByText(name, { exact: true }).waitFor();
  }

  /** The same person, in the same browser. */
  async anotherTab() {
    const page = await this.context.newPage();
    await page.goto(this.page.url());
    const tab = new Person(page);
    await tab.isIn();
    return tab;
  }

  async settings() {
    await this.settingsButton.click();
    return this.page.getByRole('dialog', { name: 'Settings' });
  }

  // Rooms.

  /** Its place in the list. @param {string} name */
  room(name) {
    return this.rooms.getByRole('link').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** @param {string} name */
  async goTo(name) {
    await this.room(name).click();
    await this.isAt(name);
  }

  /** @param {string} name */
  async isAt(name) {
    await this.page.getByRole('main').getByRole('heading', { level: 1, name, exact: true }).waitFor();
    await this.log.waitFor();
  }

  /** From the menu of what can be begun. @param {string} what */
  async begin(what) {
    await this.page.getByRole('button', { name: 'New room or chat' }).click();
    await this.page.getByRole('menuitem', { name: what }).click();
    return this.page.getByRole('dialog', { name: what });
  }

  /** @param {string} name */
  async makeOpenRoom(name) {
    const dialog = await this.begin('Open rooms');
    await dialog.getByLabel('Name of a new room').fill(name);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await this.isAt(name);
  }

  /** @param {string} title @param {string} member @param {{ shown?: string }} [as] what the member has chosen to be called */
  async makeGroup(title, member, { shown = member } = {}) {
    const dialog = await this.begin('New group');
    await dialog.getByLabel('Title').fill(title);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await this.choose(this.page.getByRole('dialog', { name: 'Add people' }), member, shown);
    await this.isAt(title);
  }

  /** To the group in which one is. @param {string} member */
  async add(member) {
    const details = await this.details();
    await details.getByRole('button', { name: 'Add people' }).click();
    await this.choose(this.page.getByRole('dialog', { name: 'Add people' }), member);
    await details.getByRole('button', { name: 'Close' }).click();
  }

  /** @param {string} title @returns {Promise<string>} its link */
  async makeInviteRoom(title) {
    const dialog = await this.begin('New invite room');
    await dialog.getByLabel('Title').fill(title);
    await dialog.getByRole('button', { name: 'Create' }).click();
    const shown = this.page.getByRole('dialog', { name: 'Link' });
    const link = await shown.getByRole('textbox', { name: 'Link' }).inputValue();
    await shown.getByRole('button', { name: 'Close' }).click();
    await this.isAt(title);
    return link;
  }

  /** @param {string} name */
  async writeTo(name) {
    await this.choose(await this.begin('Write to somebody'), name);
    await this.isAt(name);
  }

  /** @param {import('playwright-core').Locator} dialog @param {string} name @param {string} [shown] */
  async choose(dialog, name, shown = name) {
    await dialog.getByRole('searchbox', { name: 'Name' }).fill(name);
    await dialog.getByRole('button').filter({ hasText: shown }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  async details() {
    await this.page.getByRole('button', { name: 'Details' }).click();
    return this.page.getByRole('complementary', { name: 'Details' });
  }

  /** What is done about a member, from the details. @param {string} name @param {string} item */
  async member(name, item) {
    await this.page.getByRole('button', { name: `Actions for ${name}` }).click();
    await this.page.getByRole('menuitem', { name: item, exact: true }).click();
  }

  // Posts.

  /** @param {string | RegExp} text */
  post(text) {
    return this.log.getByRole('article').filter({ hasText: text });
  }

  /** @param {string} text */
  async say(text) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** @param {string} from @param {string} text */
  async hears(from, text) {
    await this.log.getByRole('article', { name: new RegExp(`^${from}, `) }).filter({ hasText: text }).waitFor();
  }

  /** From the tools beside a post. @param {string} text @param {string} tool */
  async tool(text, tool) {
    await this.post(text).hover();
    await this.post(text).getByRole('toolbar').getByRole('button', { name: tool, exact: true }).click();
  }

  /** From the menu of a post. @param {string} text @param {string} item */
  async menu(text, item) {
    await this.tool(text, 'More');
    await this.page.getByRole('menuitem', { name: item }).click();
  }

  /** Confirms what the page asks. @param {string} verb */
  async confirm(verb) {
    await this.dialog.getByRole('button', { name: verb, exact: true }).click();
    await this.dialog.waitFor({ state: 'hidden' });
  }

  /** What the page tells in passing. @param {string | RegExp} text */
  async isTold(text) {
    await this.toasts.filter({ hasText: text }).waitFor();
  }

  /** What of all posts fits, from top to bottom. @param {RegExp} pattern */
  async posts(pattern) {
    // What is out of sight has no inner text: the browser has not laid it out.
    const texts = await this.log.getByRole('article').allTextContents();
    return texts.flatMap((text) => pattern.exec(text)?.[0] ?? []);
  }

  /** Just these, in this order. @param {RegExp} pattern @param {string[]} expected */
  async sees(pattern, expected) {
    await eventually(async () => assert.deepEqual(await this.posts(pattern), expected));
  }

  /** Whether some of it is inside of what one sees of the posts. @param {import('playwright-core').Locator} of */
  async isInView(of) {
    const [log, box] = [await this.log.boundingBox(), await of.boundingBox()];
    return log !== null && box !== null && box.y + box.height > log.y && box.y < log.y + log.height;
  }

  // The page.

  /** The page fills its window, and only parts of it scroll. */
  async fitsItsWindow() {
    const { width, height, window } = await this.page.evaluate(() => {
      const { scrollWidth: width, scrollHeight: height, clientWidth, clientHeight } = document.documentElement;
      return { width, height, window: [clientWidth, clientHeight] };
    });
    assert.ok(width <= (window[0] ?? 0) && height <= (window[1] ?? 0), `the page is ${width} by ${height} in a window of ${window}`);
  }

  /** @param {string} name of a picture */
  async shot(name) {
    const place = process.env.SCREENSHOTS;
    if (place) await this.page.screenshot({ path: join(place, `${name}.png`), animations: 'disabled' });
  }
}
