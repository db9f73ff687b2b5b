/** What Linux tells of a process: memory, time, descriptors, threads. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const TICK_MS = 10;

/** @param {number} pid */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return { rss: bytes('VmRSS'), anonymous: bytes('RssAnon'), peak: bytes('VmHWM') };
}

/** Time on the processor, of the process or one thread of it. @param {number} pid */
export function cpuMsOf(pid, tid = pid) {
  const stat = readFileSync(`/proc/${pid}/${tid === pid ? '' : `task/${tid}/`}stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** @param {number} pid */
export function descriptorsOf(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What each descriptor is, for whoever has to explain one too many. @param {number} pid */
export function describeDescriptors(pid) {
  const counts = new Map();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    let what = 'gone';
    try {
      what = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]/, '');
    } catch {
      // It was closed meanwhile.
    }
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ');
}

/** @param {number} pid @param {string} name the thread's, of which Linux keeps 15 characters */
export function threadOf(pid, name) {
  const task = `/proc/${pid}/task`;
  const found = readdirSync(task).find((tid) => readFileSync(`${task}/${tid}/comm`, 'utf8').trim() === name.slice(0, 15));
  if (!found) throw new Error(`no thread of ${pid} is called ${name}`);
  return Number(found);
}
