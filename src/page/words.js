/**
 * What the page says, in the language of who reads. A language is a file of `words/` that is fetched by who reads it; to add
 * one is to write one, and to name it here.
 *
 * What a person typed and that becomes part of a sentence is isolated in it (Unicode TR #9, FSI and PDI) if it could run
 * from right to left, so that it turns nothing else around.
 *
 * @typedef {keyof typeof en} Word
 * @typedef {string | { one?: string, few?: string, many?: string, other: string }} Phrase in the plural forms of `{n}`
 */

import { recall } from './storage.js';
import { words as en } from './words/en.js';

/** The languages, by what they call themselves. */
export const languages = { en: 'English', de: 'Deutsch' };

const wanted = [recall('language') ?? '', ...navigator.languages].map((tag) => tag.split('-')[0] ?? '');
export const language = wanted.find((tag) => Object.hasOwn(languages, tag)) ?? 'en';
/** Times and numbers are written as this person writes them, if that is the page's language. */
const locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;

/** @type {Record<Word, Phrase>} */
const words = language === 'en' ? en : (await import(`./words/${language}.js`)).words;
const plural = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(locale);

/** @param {Word} word @param {Record<string, string | number>} [values] */
export function t(word, values = {}) {
  const phrase = words[word];
  const form = typeof phrase === 'string' ? phrase : phrase[formOf(values.n)] ?? phrase.other;
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === 'number' ? numbers.format(value) : isolated(value ?? '');
  });
}

/** @param {string | number | undefined} n @returns {'one' | 'few' | 'many' | 'other'} */
function formOf(n) {
  return /** @type {any} */ (plural.select(Number(n)));
}

/** @param {string} word that may not be one of ours @returns {string | null} */
export function translated(word) {
  return Object.hasOwn(words, word) ? t(/** @type {Word} */ (word)) : null;
}

/** A name or title that can stand in a line with others. @param {string} text */
export function isolated(text) {
  const calm = text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u.test(calm) ? `\u2068${calm}\u2069` : calm;
}

/** @param {number} n */
export const number = (n) => numbers.format(n);

/** @param {string[]} names */
export const listed = (names) => new Intl.ListFormat(locale).format(names.map(isolated));

const clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' });
const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const oldDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const shortDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

const DAY_MS = 86_400_000;

/** @param {number} time */
export const clockTime = (time) => clock.format(time);

/** @param {number} time */
export const exactTime = (time) => exact.format(time);

/** How many midnights ago. @param {number} time @param {number} now */
function daysAgo(time, now) {
  const midnight = (/** @type {number} */ at) => new Date(at).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(time)) / DAY_MS);
}

/** “Today”, “Monday, 2 March”. @param {number} time @param {number} [now] */
export function dayName(time, now = Date.now()) {
  const days = daysAgo(time, now);
  if (days < 2 && days >= 0) return capital(relative.format(-days, 'day'));
  return (days < 300 ? longDay : oldDay).format(time);
}

/** As short as it can be: “14:05”, “Mon”, “2 Mar”. @param {number} time @param {number} [now] */
export function shortTime(time, now = Date.now()) {
  const days = daysAgo(time, now);
  return (days <= 0 ? clock : days < 7 ? weekday : shortDay).format(time);
}

/** “5 minutes ago”. @param {number} time @param {number} [now] */
export function ago(time, now = Date.now()) {
  const minutes = Math.max(0, Math.round((now - time) / 60_000));
  if (minutes < 1) return t('justNow');
  if (minutes < 60) return relative.format(-minutes, 'minute');
  if (minutes < 24 * 60) return relative.format(-Math.round(minutes / 60), 'hour');
  return relative.format(-Math.round(minutes / 1440), 'day');
}

/** “10 seconds”. @param {number} ms */
export function duration(ms) {
  const [n, unit] = ms < 60_000 ? [ms / 1000, 'second'] : ms < 3_600_000 ? [ms / 60_000, 'minute']
    : ms < DAY_MS ? [ms / 3_600_000, 'hour'] : [ms / DAY_MS, 'day'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(Math.ceil(n));
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}
