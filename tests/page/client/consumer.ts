// A program in TypeScript, as somebody may write it over the client's declarations. It is compiled, never run.

import { ChatError, createClient } from './client.js';
import type { Client, Entry, OutboxPost, PostEntry } from './client.js';

const chat: Client = createClient({ url: 'http://127.0.0.1:8080', nick: 'ann' });

const off: () => void = chat.on('entry', (entry) => {
  if (entry.kind === 'post') console.log(entry.from, entry.body ?? 'deleted', entry.reactions?.[0]?.users.length);
  else if (entry.kind === 'role') console.log(entry.user, entry.role);
});
chat.on('state', (state) => {
  if (state.phase === 'waiting') console.log(state.until - Date.now());
  if (state.phase === 'stopped') console.log(state.code, state.reason);
});
chat.on('gap', async ({ room, missed }) => {
  const { entries, changes } = await chat.history(room, { limit: 50 });
  for (const change of changes) console.log(missed ?? 'all', change.post);
  const posts: PostEntry[] = entries.filter((entry: Entry): entry is PostEntry => entry.kind === 'post');
  console.log(posts.length);
});

const { user, limits } = await chat.connect();
const { epoch, seq } = await chat.join('lobby', { since: chat.cursor('lobby') });
try {
  const { key, sent } = chat.post('lobby', 'x'.repeat(limits.post_chars), { reply_to: seq });
  const waiting: OutboxPost | undefined = chat.outbox('lobby').find((post) => post.key === key);
  console.log(user.name, epoch, waiting?.until, (await sent).at);
} catch (error) {
  if (error instanceof ChatError && error.retry) console.log(error.code, error.after_ms);
}
const present = chat.present('lobby');
console.log(present && 'names' in present ? present.names : present?.count, chat.typists('lobby'));
const { hits } = await chat.search('tea', { room: 'lobby' });
const { members } = await chat.members('lobby');
const { summary } = await chat.create('invite');
console.log(hits[0]?.entry.seq, members[0]?.last_seen, summary.kind);
off();

// @ts-expect-error there is no such event
chat.on('message', () => {});
// @ts-expect-error a room is needed
chat.post('hi');
// @ts-expect-error rooms of this kind are begun otherwise
chat.create('direct');
// @ts-expect-error an entry that is a join has no body
chat.on('entry', (entry) => { if (entry.kind === 'join') console.log(entry.body); });
