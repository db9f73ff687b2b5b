import { useEffect, useRef, useState } from 'react';

import { ChatProvider, useChat, useRoom } from './chat.jsx';

export function App() {
  const [nick, setNick] = useState(() => sessionStorage.getItem('nick'));
  if (nick === null) {
    const enter = (name) => {
      sessionStorage.setItem('nick', name);
      setNick(name);
    };
    return <Door onEnter={enter} />;
  }
  return <ChatProvider options={{ nick }}><House /></ChatProvider>;
}

function Door({ onEnter }) {
  const enter = (event) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get('nick').trim();
    if (name !== '') onEnter(name);
  };
  return (
    <form className="door" onSubmit={enter}>
      <label>Your name <input name="nick" maxLength={32} autoFocus required /></label>
      <button>Come in</button>
    </form>
  );
}

function House() {
  const { rooms } = useChat();
  const [room, setRoom] = useState('lobby');
  // A room that we are no longer in is not looked at either.
  useEffect(() => {
    if (rooms.length > 0 && !rooms.some((summary) => summary.room === room)) setRoom('lobby');
  }, [rooms, room]);
  return (
    <div className="house">
      <nav aria-label="Rooms">
        <Status />
        <ul>
          {rooms.map((summary) => (
            <li key={summary.room}>
              <button aria-current={summary.room === room} onClick={() => setRoom(summary.room)}>
                {summary.name}
                {summary.unread > 0 && <span className="unread">{summary.unread}</span>}
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <Room key={room} room={room} />
    </div>
  );
}

function Status() {
  const { chat, state, user } = useChat();
  const said = {
    offline: 'Offline', connecting: 'Connecting', connected: user?.name, waiting: 'Reconnecting', stopped: state.reason,
  }[state.phase];
  const canTry = state.phase === 'waiting' || state.phase === 'stopped';
  return (
    <p className="status" role="status" data-phase={state.phase}>
      {said} {canTry && <button onClick={chat.reconnectNow}>Now</button>}
    </p>
  );
}

function Room({ room }) {
  const { chat, user } = useChat();
  const { lines, pending, hasMore, typists, present, error, loadEarlier, post, typing, read } = useRoom(room);
  const end = useRef(null);
  const last = lines.at(-1)?.seq;

  useEffect(() => {
    end.current.scrollIntoView({ block: 'end' });
    if (last !== undefined && !document.hidden) read(last);
  }, [last, pending.length]);

  return (
    <main>
      <header>
        <h1>{room}</h1>
        {present && <p>{'names' in present ? present.names.join(', ') : `${present.count} present`}</p>}
      </header>
      <div className="log" role="log">
        {error !== null && <p role="alert">{error}</p>}
        {hasMore && <button onClick={loadEarlier}>Earlier</button>}
        <ol>
          {lines.map((line) => <Line key={line.seq} line={line} isOwn={line.from === user?.name} />)}
          {pending.map((waiting) => <Waiting key={waiting.key} post={waiting} chat={chat} />)}
        </ol>
        <p className="typing">{typists.length > 0 && `${typists.join(', ')} writing …`}</p>
        <div ref={end} />
      </div>
      <Composer onPost={post} onTyping={typing} />
    </main>
  );
}

function Line({ line, isOwn }) {
  if (line.kind !== 'post') return <li className="notice">{line.from}: {line.kind}</li>;
  const time = new Date(line.at).toLocaleTimeString([], { timeStyle: 'short' });
  return (
    <li className={isOwn ? 'own' : undefined}>
      <b>{line.from}</b> <time dateTime={line.at}>{time}</time>
      <p dir="auto">{line.deleted ? <i>deleted</i> : line.body}</p>
      {line.reactions?.map(({ emoji, users }) => (
        <span key={emoji} title={users.join(', ')}>{emoji} {users.length}</span>
      ))}
    </li>
  );
}

function Waiting({ post, chat }) {
  return (
    <li className={`own ${post.state}`}>
      <p dir="auto">{post.body}</p>
      {post.state === 'failed' && (
        <p role="alert">
          {post.error.message} <button onClick={() => chat.retry(post.key)}>Again</button>{' '}
          <button onClick={() => chat.discard(post.key)}>Discard</button>
        </p>
      )}
    </li>
  );
}

function Composer({ onPost, onTyping }) {
  const [text, setText] = useState('');
  const send = (event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    onPost(text);
    setText('');
  };
  const write = ({ target }) => {
    setText(target.value);
    onTyping();
  };
  return (
    <form onSubmit={send}>
      <input value={text} onChange={write} aria-label="Post" placeholder="Say something" autoFocus />
      <button>Send</button>
    </form>
  );
}
