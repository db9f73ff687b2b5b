/** A small choice of emoji. Browsers and systems bring the others. */

import { t } from '../words.js';
import { h } from './dom.js';
import { float } from './menu.js';

const EMOJI = [...new Intl.Segmenter().segment('👍👎❤️😂😊🙂😉😍🤗🤔😐🙄😮😴😢😭😡🤯😱🥳😎😇🙏👏🙌💪👋🤝✌️👌🤷🤦👀🧠💯🔥✨🎉🎂🎁🏆⭐☀️🌧️🌈🌱☕🍕🍺🚀💡🐛🔧🔒⚠️✅❌❓❗➕⏳📌')]
  .map(({ segment }) => segment);
const COLUMNS = 8;

/** @param {HTMLElement} anchor @param {(emoji: string) => void} chosen */
export function openEmoji(anchor, chosen) {
  const buttons = EMOJI.map((emoji) => h('button', { onclick: () => { picker.hidePopover(); chosen(emoji); } }, emoji));
  const picker = h('div.menu.emoji', { role: 'group', 'aria-label': t('chooseEmoji'), popover: 'auto' }, ...buttons);
  picker.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    buttons[buttons.findIndex((one) => one === document.activeElement) + step]?.focus();
  });
  float(picker, anchor);
  buttons[0]?.focus();
}
