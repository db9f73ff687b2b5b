/**
 * What stands between and around lines: days, the new ones' line, whose posts stand together. Worked out for a page at a
 * time, from its lines and the one before it.
 *
 * @typedef {import('./timeline.js').Line} Line
 * @typedef {import('./timeline.js').PostLine} PostLine
 * @typedef {{ kind: 'day', key: string, time: number } | { kind: 'new', key: string }
 *   | { kind: 'post', key: string, line: PostLine, isLead: boolean }
 *   | { kind: 'note', key: string, lines: Exclude<Line, PostLine>[] }} Row
 */

/** Posts of one person within this time stand together under one name. */
const TOGETHER_MS = 5 * 60_000;

/** So many comings and goings in a row are one note. */
const NOTE_LINES_MAX = 50;

/**
 * @param {readonly Line[]} lines @param {Line | null} before @param {number | null} marker @param {boolean} isStart of the log
 * @returns {Row[]}
 */
export function rowsOf(lines, before, marker, isStart) {
  /** @type {Row[]} */
  const rows = [];
  let previous = before;
  for (const line of lines) {
    const isNewDay = previous === null || dayOf(previous.time) !== dayOf(line.time);
    const isMarked = marker !== null && line.seq > marker && (previous ? previous.seq <= marker : isStart);
    if (isNewDay) rows.push({ kind: 'day', key: `d${line.seq}`, time: line.time });
    if (isMarked) rows.push({ kind: 'new', key: `n${line.seq}` });
    if (line.kind === 'post') {
      const isLead = isNewDay || isMarked || previous === null || !standsUnder(previous, line);
      rows.push({ kind: 'post', key: `p${line.seq}`, line, isLead });
    } else {
      note(rows, line);
    }
    previous = line;
  }
  return rows;
}

/** @param {Line} previous @param {PostLine} line */
function standsUnder(previous, line) {
  return previous.kind === 'post' && previous.from === line.from && line.time - previous.time < TOGETHER_MS
    && line.reply_to === undefined;
}

/** @param {Row[]} rows @param {Exclude<Line, PostLine>} line */
function note(rows, line) {
  const last = rows.at(-1);
  const together = (/** @type {Line} */ one) => one.kind === 'join' || one.kind === 'leave';
  if (last?.kind === 'note' && together(line) && last.lines.every(together) && last.lines.length < NOTE_LINES_MAX) {
    rows[rows.length - 1] = { ...last, lines: [...last.lines, line] };
  } else {
    rows.push({ kind: 'note', key: `p${line.seq}`, lines: [line] });
  }
}

/** A number for each day, in the time zone of who reads. @param {number} time */
function dayOf(time) {
  const date = new Date(time);
  return date.getFullYear() * 512 + date.getMonth() * 32 + date.getDate();
}
