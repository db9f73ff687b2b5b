/**
 * One wsrelay daemon, started for a test and ended by its process id. Ready when its first line is.
 * When told to end it closes all connections at once, unless flags say otherwise.
 * The executable is $WSRELAY_BIN. Without `--data` among its flags it keeps everything in memory.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY_MS = 10_000;
const EXIT_MS = 15_000;

/**
 * @param {{ listen?: string, flags?: string[], through?: string[], env?: NodeJS.ProcessEnv }} [options]
 *   `through`: a command that becomes the daemon, which it is given behind its own arguments, such as `prlimit`.
 */
export async function startDaemon({ listen = '127.0.0.1:0', flags = [], through = [], env = {} } = {}) {
  const bin = process.env.WSRELAY_BIN;
  if (!bin) throw new Error('WSRELAY_BIN does not name the daemon');
  const place = flags.includes('--data') ? [] : ['--memory'];
  const [command, ...parameters] = [...through, bin, '--listen', listen, ...place, ...flags];
  const options = {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { WSRELAY_DRAIN_SECONDS: '0', ...process.env, ...env },
  };
  const child = spawn(command, parameters, options);
  let stderr = '';
  child.stderr.on('data', (chunk) => { stderr += chunk; });
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal);

  const firstLine = await within(READY_MS, 'first line of the daemon', Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => line),
    exited.then((status) => { throw new Error(`the daemon ended with ${status} before its first line:\n${stderr}`); }),
  ])).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  const port = Number(/^listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(firstLine)?.[1]);
  if (!port) {
    child.kill('SIGKILL');
    throw new Error(`the first line is ${JSON.stringify(firstLine)}`);
  }

  return {
    port,
    pid: child.pid,
    /** The exit status, or the signal that ended it, once it has ended. */
    exited,
    /** All that it has said on standard error. */
    stderr: () => stderr,
    /** @param {NodeJS.Signals} which */
    signal: (which) => child.kill(which),
    http: (path = '') => `http://127.0.0.1:${port}${path}`,
    ws: (path = '') => `ws://127.0.0.1:${port}${path}`,

    /** Ends it as an operator would, and insists on status 0. */
    async stop() {
      child.kill('SIGTERM');
      const status = await within(EXIT_MS, 'end of the daemon after SIGTERM', exited).catch((error) => {
        child.kill('SIGKILL');
        throw error;
      });
      if (status !== 0) throw new Error(`SIGTERM ended the daemon with ${status}:\n${stderr}`);
    },

    /** Ends it as a crash would. */
    async kill() {
      child.kill('SIGKILL');
      await within(EXIT_MS, 'end of the daemon after SIGKILL', exited);
    },
  };
}

/**
 * @template T
 * @param {number} ms @param {string} what @param {Promise<T>} promise @returns {Promise<T>}
 */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
