/**
 * Raw rooms, as Node's library `ws` sees them.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';

import { startDaemon, within } from '../daemon.mjs';

const WAIT_MS = 10_000;
const MESSAGE_BYTES_MAX = 65_536;

/** @param {string} uri @param {object} [options] */
async function join(uri, options = {}) {
  const socket = new WebSocket(uri, options.protocols ?? [], { handshakeTimeout: WAIT_MS, ...options });
  // What arrives before anybody asks is kept in its order.
  const heard = [];
  const waiting = [];
  socket.on('message', (data, isBinary) => {
    const message = isBinary ? data : data.toString();
    if (waiting.length > 0) waiting.shift()(message);
    else heard.push(message);
  });
  const closed = once(socket, 'close').then(([code]) => code);
  await within(WAIT_MS, 'open connection', once(socket, 'open'));
  return {
    socket,
    hear: () => within(WAIT_MS, 'message', heard.length > 0
      ? Promise.resolve(heard.shift())
      : new Promise((resolve) => { waiting.push(resolve); })),
    closed: () => within(WAIT_MS, 'end of the connection', closed),
    async leave(code = 1000, reason = '') {
      socket.close(code, reason);
      return within(WAIT_MS, 'answer to close', closed);
    },
  };
}

/** How the server refuses: its status. */
async function refusal(uri, options = {}) {
  const socket = new WebSocket(uri, { handshakeTimeout: WAIT_MS, ...options });
  const [request, response] = await within(WAIT_MS, 'refusal', once(socket, 'unexpected-response'));
  request.destroy();
  return response.statusCode;
}

describe('a daemon', () => {
  let daemon;
  before(async () => { daemon = await startDaemon({ flags: ['--log', 'warn'] }); });
  after(() => daemon.stop());

  test('gives text as text and binary as binary, byte for byte', async () => {
    const ann = await join(daemon.ws('/relay/types'));
    const bo = await join(daemon.ws('/relay/types'), { perMessageDeflate: false });
    for (const message of ['hello', '', 'Ξένη 🎉', Buffer.alloc(0), randomBytes(MESSAGE_BYTES_MAX)]) {
      ann.socket.send(message);
      assert.deepEqual(await ann.hear(), message);
      assert.deepEqual(await bo.hear(), message);
    }
    await ann.leave();
    await bo.leave();
  });

  test('negotiates compression, and uses it both ways', async () => {
    const ann = await join(daemon.ws('/echo'), { perMessageDeflate: { threshold: 0 } });
    assert.equal(ann.socket.extensions, 'permessage-deflate');
    const text = 'the same words again and again, '.repeat(2000);
    const { bytesRead, bytesWritten } = ann.socket._socket;
    ann.socket.send(text);
    assert.equal(await ann.hear(), text);
    assert.ok(ann.socket._socket.bytesRead - bytesRead < text.length / 20);
    assert.ok(ann.socket._socket.bytesWritten - bytesWritten < text.length / 20);
    await ann.leave();
  });

  for (const [name, offer] of Object.entries({
    'a client that asks for a small server window': { serverMaxWindowBits: 9 },
    'a client that announces a small window': { clientMaxWindowBits: 9 },
    'a client that offers no context takeover': { serverNoContextTakeover: true, clientNoContextTakeover: true },
  })) {
    test(`understands ${name}`, async () => {
      const ann = await join(daemon.ws('/echo'), { perMessageDeflate: { threshold: 0, ...offer } });
      for (let size = 1; size <= 60_000; size *= 7) {
        const text = 'never the same, '.repeat(Math.ceil(size / 16)).slice(0, size);
        ann.socket.send(text);
        assert.equal(await ann.hear(), text);
      }
      await ann.leave();
    });
  }

  test('incompressible messages pass through a compressed connection', async () => {
    const ann = await join(daemon.ws('/echo'), { perMessageDeflate: { threshold: 0 } });
    for (let round = 0; round < 20; round += 1) {
      const noise = randomBytes(MESSAGE_BYTES_MAX);
      ann.socket.send(noise);
      assert.deepEqual(await ann.hear(), noise);
    }
    await ann.leave();
  });

  test('joins fragments, compressed or not', async () => {
    for (const compress of [false, true]) {
      const ann = await join(daemon.ws('/echo'), { perMessageDeflate: { threshold: 0 } });
      ann.socket.send('one, ', { fin: false, compress });
      ann.socket.send('', { fin: false, compress });
      ann.socket.send('two', { fin: true, compress });
      assert.equal(await ann.hear(), 'one, two');
      await ann.leave();
    }
  });

  test('answers pings with what they carry, between fragments too', async () => {
    const ann = await join(daemon.ws('/echo'), { perMessageDeflate: false });
    ann.socket.send('before, ', { fin: false });
    const pong = once(ann.socket, 'pong');
    ann.socket.ping('between');
    assert.equal((await within(WAIT_MS, 'pong', pong))[0].toString(), 'between');
    ann.socket.send('after', { fin: true });
    assert.equal(await ann.hear(), 'before, after');
    await ann.leave();
  });

  test('gives close codes back', async () => {
    for (const code of [1000, 1001, 3000, 4999]) {
      const ann = await join(daemon.ws('/echo'));
      assert.equal(await ann.leave(code, 'bye'), code);
    }
    const silent = await join(daemon.ws('/echo'));
    silent.socket.close();
    assert.equal(await silent.closed(), 1005);
  });

  test('takes the largest message, and closes with 1009 for one byte more', async () => {
    for (const perMessageDeflate of [false, { threshold: 0 }]) {
      const ann = await join(daemon.ws('/echo'), { perMessageDeflate });
      ann.socket.send('x'.repeat(MESSAGE_BYTES_MAX));
      assert.equal((await ann.hear()).length, MESSAGE_BYTES_MAX);
      ann.socket.send('x'.repeat(MESSAGE_BYTES_MAX + 1));
      assert.equal(await ann.closed(), 1009);
    }
  });

  test('a member that vanishes is not missed', async () => {
    const ann = await join(daemon.ws('/relay/vanish'));
    const bo = await join(daemon.ws('/relay/vanish'));
    bo.socket.terminate();
    await bo.closed();
    ann.socket.send('still here');
    assert.equal(await ann.hear(), 'still here');
    await ann.leave();
  });

  test('selects no subprotocol', async () => {
    const socket = new WebSocket(daemon.ws('/echo'), ['wsrelay.v1'], { handshakeTimeout: WAIT_MS });
    // `ws` takes that for an error, and says which.
    const [error] = await within(WAIT_MS, 'error', once(socket, 'error'));
    assert.equal(error.message, 'Server sent no subprotocol');
  });

  test('refuses what is no room, and pages of other sites', async () => {
    assert.equal(await refusal(daemon.ws('/relay/')), 404);
    assert.equal(await refusal(daemon.ws(`/relay/${'x'.repeat(65)}`)), 404);
    assert.equal(await refusal(daemon.ws('/echo'), { origin: 'http://example.com' }), 403);
    assert.equal(await refusal(daemon.ws('/echo'), { protocolVersion: 8 }), 426);
    const own = await join(daemon.ws('/echo'), { origin: daemon.http() });
    await own.leave();
  });
});

test('a daemon that is stopped closes with 1001', async () => {
  const daemon = await startDaemon();
  const ann = await join(daemon.ws('/relay/lobby'));
  const stopped = daemon.stop();
  assert.equal(await ann.closed(), 1001);
  await stopped;
});
