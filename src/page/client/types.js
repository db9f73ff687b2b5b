/**
 * The types of the chat: what the server sends, and what a program is given. Types alone: nothing loads this file, and
 * it need not be served. PROTOCOL.md says what the words mean. Fields that are not known here are let through.
 */

/** @typedef {import('./wire.js').ChatError} ChatError */

/**
 * @typedef {{ epoch: string, seq: number }} Cursor all of a room's log up to and including `seq`
 * @typedef {'lobby' | 'open' | 'group' | 'direct' | 'invite'} RoomKind
 * @typedef {'reader' | 'member' | 'admin' | 'owner'} Role
 * @typedef {{ id: string, name: string, guest: boolean, display?: string, hue?: number }} User
 * @typedef {{ room: string, kind: RoomKind, name: string, epoch: string, seq: number, at?: string, role: Role,
 *   read_only?: true, slow_ms?: number, read: number, unread: number, mentions: number }} Summary
 * @typedef {Omit<User, 'guest'> & { guest?: boolean, role: Role, online: boolean, last_seen?: string,
 *   received?: number, read?: number, muted_until?: string }} Member
 * @typedef {Record<'post_chars' | 'entries_per_second' | 'commands_per_second' | 'history_lines' | 'replay_entries'
 *   | 'members_page' | 'resume_rooms' | 'message_bytes' | 'search_chars' | 'title_chars' | 'name_chars' | 'mentions',
 *   number>} Limits
 * @typedef {{ user: User, token?: string, limits: Limits, ping_ms: number, rooms: Summary[] }} Welcome
 * @typedef {{ room: string, epoch: string, seq: number, first: number, recovered?: boolean, reason?: string }} Joined
 */

/**
 * @typedef {{ room: string, seq: number, from: string, guest?: true, at: string }} Signed
 * @typedef {Signed & { kind: 'post', key?: string, body?: string, reply_to?: number, mentions?: string[],
 *   edited?: string, pinned?: true, deleted?: true, reactions?: { emoji: string, users: string[] }[] }} PostEntry
 *   Without a body if it was deleted.
 * @typedef {Signed & ({ kind: 'edit', post: number, body?: string } | { kind: 'delete', post: number }
 *   | { kind: 'react', post: number, emoji: string, on: boolean }
 *   | { kind: 'pin', post: number, on: boolean })} ChangeEntry
 *   What makes another thing of a post. To apply one twice is to apply it once.
 * @typedef {Signed & ({ kind: 'created', room_kind: RoomKind, name?: string, members: { name: string, role: Role }[] }
 *   | { kind: 'join' } | { kind: 'leave' } | { kind: 'add', user: string, role: Role }
 *   | { kind: 'remove', user: string } | { kind: 'role', user: string, role: Role } | { kind: 'rename', name: string }
 *   | { kind: 'ban', user: string, on: boolean } | { kind: 'mute', user: string, until?: string }
 *   | { kind: 'mode', read_only: boolean, slow_ms: number })} RoomEntry
 * @typedef {PostEntry | ChangeEntry | RoomEntry} Entry
 */

/**
 * @typedef {{ room: string, online: string[] } | { room: string, count: number }
 *   | { room: string, user: string, online: boolean, last_seen?: string }} Presence
 * @typedef {{ room: string, from: string, on: boolean }} Typing
 * @typedef {{ room: string, from: string, seq: number, unread?: number, mentions?: number }} Reached
 *   How far somebody has received or read; the last two to oneself.
 * @typedef {{ room: string, reason: 'left' | 'removed' | 'banned' | 'gone' }} Out
 * @typedef {{ room: string, seq: number, at: string }} Stored
 * @typedef {{ entries: Entry[], more: boolean, as_of: number, changes: ChangeEntry[] }} Page
 *   `changes` came after `as_of`.
 * @typedef {{ room: string, entry: PostEntry, snippet: string }} Hit what matched is between U+E000 and U+E001
 * @typedef {{ type: string, [field: string]: any }} Frame
 */

/**
 * @typedef {{ phase: 'offline' } | { phase: 'connecting', attempt: number } | { phase: 'connected' }
 *   | { phase: 'waiting', until: number, attempt: number }
 *   | { phase: 'stopped', code: number, reason: string }} LinkState
 *   `until` is in milliseconds since 1970; `attempt` counts the tries that failed since a connection held; `code` is
 *   1000 for our own close, 0 for an address or a token that no socket takes.
 * @typedef {{ room: string, reason: string, first: number, seq: number, missed: number | null }} Gap
 *   `missed` entries, up to `seq`; null: it is another log. The log still has what is from `first` on.
 * @typedef {{ names: string[] } | { count: number }} Present names in small rooms, a count in large ones
 * @typedef {{ seq: number, at: string, dup?: true }} Receipt where a post is in its room's log
 * @typedef {{ key: string, room: string, body: string, reply_to?: number, at: number,
 *   state: 'waiting' | 'sent' | 'failed' | 'discarded', until?: number, error?: { code: string, message: string },
 *   seq?: number, kept: boolean }} OutboxPost
 *   A snapshot. `at`: when it was written; `until`: not sent before (both in milliseconds since 1970); `kept`: it is in
 *   storage.
 */

/**
 * @typedef {{ token?: string | undefined, nick?: string | undefined }} Identity
 * @typedef {{ url?: string, token?: string, nick?: string, storage?: import('./host.js').Shelf | null,
 *   receipts?: boolean, WebSocket?: new (url: string, protocols: string[]) => any,
 *   clock?: import('./host.js').GivenClock, random?: () => number, newKey?: () => string,
 *   locks?: import('./host.js').Locks | null, network?: import('./host.js').Network }} Options
 *
 *   - `url`: the server, `http(s)://host/`, or its socket, `ws(s)://host/ws`. Without it `ws` beside the page.
 *   - `token` of an account or a guest; or `nick`, to be a guest of that name, the same one after a reload; or neither,
 *     to be who the cookie says.
 *   - `storage`: where unsent posts and a guest's token are kept. Without it `localStorage` in a browser, else memory;
 *     null: memory.
 *   - `receipts`: false to keep from the others how far one has received. (How far one has read only `read` tells.)
 *   - `WebSocket`: for Node 20, the one of `ws`. The rest is for tests.
 */

/**
 * @typedef {{ state: LinkState, welcome: Welcome, joined: Joined, entry: Entry, gap: Gap,
 *   detached: { room: string, error: ChatError }, room: Summary, out: Out, presence: Presence, typing: Typing,
 *   received: Reached, read: Reached, profile: { user: User }, post: OutboxPost, error: ChatError }} Events
 *
 *   - `state`: the connection's, at each change.
 *   - `welcome`: at each connection. Rooms that are joined in its listener go into the one `resume`.
 *   - `joined`: at each attachment to a room, the first and later ones, before what was missed.
 *   - `entry`: what happened in a room that is followed. Each once, in order, missed ones and live ones.
 *   - `gap`: what came after the last entry and up to `seq` was not and will not be told: `history` has it, or nobody.
 *     If `missed` is null, it is another log: throw away what you have of the room.
 *   - `detached`: the server lets us follow a room no longer; or we are somebody else now, who is not in it.
 *   - `typing`: `on: false` comes by itself too, after a silence and with the post.
 *   - `post`: a post in the outbox has changed. `sent` and `discarded` ones are no longer in it.
 *   - `error`: what the server says without being asked.
 */

export {};
