/** What the React example makes of what the client tells, in the world of the client's own tests. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeChatStore } from '../../examples/react/src/stores.js';
import { makeWorld, post } from '../page/client/world.mjs';

const LOG = { room: 'lobby', epoch: 'e1', first: 1, recovered: true };
const summary = (seq, unread) => ({ ...LOG, kind: 'lobby', name: 'lobby', seq, role: 'member', read: 10, unread, mentions: 0 });

describe('unread posts', () => {
  /** Ann is told of all up to 10. */
  function open() {
    const world = makeWorld();
    const store = makeChatStore(world.chat);
    const socket = world.connect({ rooms: [summary(10, 0)] });
    socket.say({ type: 'joined', ...LOG, seq: 10 });
    return { world, socket, unread: () => store.value().rooms[0].unread };
  }

  test('are counted as they come, and read by who posts', () => {
    const { socket, unread } = open();
    socket.say(post(11), post(12), post(13, { kind: 'join' }));
    assert.equal(unread(), 2);
    socket.say(post(14, { from: 'ann' }));
    assert.equal(unread(), 0);
  });

  test('that were missed are counted once', async () => {
    const { world, unread } = open();
    const next = await world.again({ rooms: [summary(13, 3)] });
    next.say({ type: 'joined', ...LOG, seq: 13 }, post(11), post(12), post(13));
    assert.equal(unread(), 3);
    next.say(post(14));
    assert.equal(unread(), 4);
  });
});
