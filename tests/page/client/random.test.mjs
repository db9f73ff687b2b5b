/**
 * Tabs and people against a model of the server, over a network that delays, drops, repeats, swaps and breaks off;
 * with refusals, reloads and a server that restarts. Whatever happens, what a page was told is the log: in order,
 * nothing twice, and nothing missing but what was told to be missing. And each post is in the log exactly once, in
 * the order of its writing.
 *
 * WSRELAY_SEEDS=n tries so many seeds, WSRELAY_SEED=n that one; a failure names its own.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeClock, makeStorage, makeWorld, seeded } from './world.mjs';

const { WSRELAY_SEED, WSRELAY_SEEDS = '30' } = process.env;
const ALL_SEEDS = Array.from({ length: Number(WSRELAY_SEEDS) }, (_, place) => place + 1);
const SEEDS = WSRELAY_SEED ? [Number(WSRELAY_SEED)] : ALL_SEEDS;
const ROOMS = ['lobby', 'rust', '~invite'];
const REPLAY_MAX = 25;
const UNREST_MS = 90_000;
/** Longer than every wait of a client: back-off, timeouts, another tab's post. */
const CALM_MS = 240_000;

/** A log for each room. What is asked is answered at once; it is the network that takes time. */
function makeServer(random) {
  const rooms = new Map(ROOMS.map((room) => [room, { epoch: 'e1', entries: [], keys: new Map() }]));
  const sessions = new Set();
  const state = { epochs: 1, isCalm: false };
  const maybe = (chance) => !state.isCalm && random() < chance;

  function append(room, fields) {
    const log = rooms.get(room);
    const entry = { type: 'entry', room, seq: log.entries.length + 1, at: '2026-11-21T02:06:48.123Z', ...fields };
    log.entries.push(entry);
    for (const session of sessions) if (session.rooms.has(room)) session.give(entry);
    return entry;
  }

  function attach(session, { room, since }) {
    if (maybe(0.1)) return { error: { code: 'unavailable', message: 'later', retry: true, after_ms: 300 }, replay: [] };
    const { epoch, entries } = rooms.get(room);
    const answer = { room, epoch, seq: entries.length, first: 1 };
    session.rooms.add(room);
    if (!since) return { answer, replay: [] };
    const missed = entries.length - since.seq;
    const reason = since.epoch !== epoch ? 'epoch' : missed < 0 ? 'ahead' : missed > REPLAY_MAX ? 'too_many' : null;
    if (reason) return { answer: { ...answer, recovered: false, reason }, replay: [] };
    return { answer: { ...answer, recovered: true }, replay: entries.slice(since.seq) };
  }

  function post(session, { room, key, body }) {
    const { keys } = rooms.get(room);
    const author = `${session.user.name} ${key}`;
    if (!session.rooms.has(room)) return { code: 'not_member', message: 'join first', retry: false };
    if (maybe(0.1)) return { code: 'rate', message: 'slowly', retry: true, after_ms: 200 };
    const before = keys.get(author);
    if (before) {
      assert.equal(before.body, body);
      return { room, seq: before.seq, at: before.at, dup: true };
    }
    const entry = append(room, { kind: 'post', from: session.user.name, key, body });
    keys.set(author, entry);
    return { room, seq: entry.seq, at: entry.at };
  }

  return {
    state,
    rooms,
    append,
    open(user, give) {
      const session = { user, rooms: new Set(), give };
      sessions.add(session);
      give({ type: 'welcome', user, limits: { resume_rooms: 2 }, ping_ms: 25_000, rooms: [] });
      return session;
    },
    close: (session) => { sessions.delete(session); },
    /** The room's log is lost, and another begins. */
    renew(room) {
      state.epochs += 1;
      rooms.set(room, { epoch: `e${state.epochs}`, entries: [], keys: new Map() });
    },
    take(session, frame) {
      const { type, id } = frame;
      if (type === 'ping') session.give({ type: 'pong' });
      if (type === 'detach') session.rooms.delete(frame.room);
      if (type === 'join') {
        const { answer, error, replay } = attach(session, frame);
        session.give(error ? { type: 'error', id, ...error } : { type: 'ok', id, ...answer });
        for (const entry of replay) session.give(entry);
      } else if (type === 'resume') {
        for (const asked of frame.rooms) {
          const { answer, error, replay } = attach(session, asked);
          session.give(error ? { type: 'joined', room: asked.room, error } : { type: 'joined', ...answer });
          for (const entry of replay) session.give(entry);
        }
        session.give({ type: 'ok', id });
      } else if (type === 'post') {
        const { code, ...answer } = post(session, frame);
        session.give(code ? { type: 'error', id, code, ...answer } : { type: 'ok', id, ...answer });
      } else if (id !== undefined) session.give({ type: 'ok', id });
    },
  };
}

/** Puts a socket on a network: each direction keeps its order, but for what `maybe` does to entries. */
function wireUp(socket, user, server, clock, random) {
  const maybe = (chance) => !server.state.isCalm && random() < chance;
  const lag = () => Math.floor(random() * 120);
  let arrivesAt = 0;
  let reachesAt = 0;
  let session = null;
  let held = null;

  const deliver = (frame) => {
    arrivesAt = Math.max(arrivesAt, clock.now() + lag());
    clock.setTimeout(() => socket.say(frame), arrivesAt - clock.now());
  };
  const give = (frame) => {
    if (frame.type === 'entry') {
      if (maybe(0.02)) return;
      if (maybe(0.05)) deliver(frame);
      if (held === null && maybe(0.03)) {
        held = frame;
        return;
      }
    }
    deliver(frame);
    if (held) deliver(held);
    held = null;
  };
  socket.answer = (frame) => {
    reachesAt = Math.max(reachesAt, clock.now() + lag());
    // What was sent may still arrive after its connection is gone: the server stores it, and nobody hears.
    const reach = () => { if (session && (socket.isOpen || random() < 0.5)) server.take(session, frame); };
    clock.setTimeout(reach, reachesAt - clock.now());
  };
  socket.hangUp = (code) => {
    socket.end(code);
    if (session) server.close(session);
  };
  clock.setTimeout(() => {
    if (maybe(0.2)) socket.hangUp(1006);
    else if (socket.isOpen) session = server.open(user, give);
  }, lag());
}

/** A page: it remembers what it was told, and what it was told to be missing. */
function makePage(server) {
  const rooms = new Map(ROOMS.map((room) => [room, { cursor: null, log: [], gaps: 0 }]));
  return {
    rooms,
    listen(chat) {
      chat.on('joined', ({ room, epoch, seq }) => {
        const page = rooms.get(room);
        if (page.cursor) return;
        page.cursor = { epoch, seq };
        page.log = Array(seq).fill('before');
      });
      chat.on('entry', ({ room, seq, body }) => {
        const { cursor, log } = rooms.get(room);
        assert.equal(seq, cursor.seq + 1, `entry ${seq} of ${room} after ${cursor.seq}`);
        cursor.seq = seq;
        log.push(body);
      });
      chat.on('gap', ({ room, seq, missed }) => {
        const page = rooms.get(room);
        page.gaps += 1;
        if (missed === null) page.log = Array(seq).fill('before');
        else page.log.push(...Array(missed).fill('missed'));
        assert.equal(page.log.length, seq);
        page.cursor = chat.cursor(room);
      });
    },
    /** It has all that the log has, each in its place, but for what came before or was told to be missing. */
    check(room) {
      const { cursor, log } = rooms.get(room);
      const { epoch, entries } = server.rooms.get(room);
      assert.deepEqual(cursor, { epoch, seq: entries.length }, `${room}: the page is not where the log is`);
      const isHad = (place) => log[place] !== 'before' && log[place] !== 'missed';
      const expected = entries.map(({ body }, place) => (isHad(place) ? body : log[place]));
      assert.deepEqual(log, expected, `${room}: the page is not as the log`);
    },
  };
}

async function run(seed) {
  const random = seeded(seed);
  const clock = makeClock();
  const server = makeServer(random);
  const storages = new Map([['ann', makeStorage()], ['bo', makeStorage()]]);
  /** What each tab wrote, room by room. */
  const written = [];
  const tabs = [];
  let keys = 0;

  function open(name, page, own) {
    const user = { id: `id-${name}`, name, guest: false };
    const storage = storages.get(name);
    const world = makeWorld({
      clock, random, storage: storage.tab(), locks: storage.locks, newKey: () => `k${keys += 1}`, token: name,
      dialled: (socket) => wireUp(socket, user, server, clock, random),
    });
    page.listen(world.chat);
    for (const room of ROOMS) world.chat.join(room, { since: page.rooms.get(room).cursor });
    world.chat.connect();
    return { name, page, own, world };
  }

  for (const name of ['ann', 'ann', 'bo']) {
    const own = new Map(ROOMS.map((room) => [room, []]));
    written.push(own);
    tabs.push(open(name, makePage(server), own));
  }

  const actions = {
    post() {
      const tab = pick(tabs);
      const room = pick(['lobby', 'rust']);
      const body = `${tab.name} ${keys}`;
      const { key } = tab.world.chat.post(room, body);
      tab.own.get(room).push(key);
    },
    others: () => server.append(pick(ROOMS), { kind: 'post', from: 'cy', body: `cy ${keys += 1}` }),
    burst() { for (let count = 0; count < 40; count += 1) actions.others(); },
    drop: () => pick(tabs).world.socket?.hangUp(pick([1006, 4008, 1012])),
    vanish() {
      // A connection that is dead without a word.
      const { world } = pick(tabs);
      if (world.socket) Object.assign(world.socket, { say() {}, answer() {} });
    },
    restart() { for (const { world } of tabs) world.socket?.hangUp(1012); },
    renew() {
      actions.restart();
      server.renew('~invite');
    },
    network() {
      const { network } = pick(tabs).world;
      network.online = !network.online;
      network.on(network.online ? 'online' : 'offline');
    },
    reload() {
      const place = Math.floor(random() * tabs.length);
      const { name, page, own, world } = tabs[place];
      world.socket?.hangUp(1001);
      world.chat.close();
      tabs[place] = open(name, page, own);
    },
  };
  const odds = { post: 40, others: 40, burst: 1, drop: 4, vanish: 1, restart: 1, renew: 1, network: 2, reload: 2 };
  const deck = Object.entries(odds).flatMap(([name, times]) => Array(times).fill(name));
  const pick = (from) => from[Math.floor(random() * from.length)];

  for (let at = 0; at < UNREST_MS;) {
    const step = Math.floor(random() * 1500);
    await clock.pass(step);
    at += step;
    actions[pick(deck)]();
  }
  server.state.isCalm = true;
  for (const { world: { network } } of tabs) if (!network.online) { network.online = true; network.on('online'); }
  // A last entry uncovers what was dropped before it.
  await clock.pass(CALM_MS);
  for (const room of ROOMS) server.append(room, { kind: 'post', from: 'cy', body: `cy ${keys += 1}` });
  await clock.pass(CALM_MS);

  for (const { page, world } of tabs) {
    assert.equal(world.chat.state.phase, 'connected');
    assert.deepEqual(world.chat.outbox(), []);
    for (const room of ROOMS) page.check(room);
  }
  for (const { items } of storages.values()) assert.equal(items.size, 0);
  for (const room of ['lobby', 'rust']) {
    const stored = server.rooms.get(room).entries.map(({ key }) => key).filter((key) => key !== undefined);
    assert.equal(new Set(stored).size, stored.length, 'a post is in the log twice');
    assert.equal(stored.length, written.reduce((sum, own) => sum + own.get(room).length, 0), 'a post was lost');
    for (const own of written.map((tab) => tab.get(room))) {
      assert.deepEqual(stored.filter((key) => own.includes(key)), own, 'the order was lost');
    }
  }
  return tabs.flatMap(({ page }) => [...page.rooms.values()]).reduce((sum, { gaps }) => sum + gaps, 0);
}

test(`${SEEDS.length} unquiet worlds lose nothing, repeat nothing, and keep the order`, async () => {
  let gaps = 0;
  for (const seed of SEEDS) {
    try {
      gaps += await run(seed);
    } catch (error) {
      error.message = `WSRELAY_SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
  // Without any, the worlds would have been too quiet to show anything.
  if (SEEDS.length > 1) assert.ok(gaps > SEEDS.length, `${gaps} gaps`);
});
