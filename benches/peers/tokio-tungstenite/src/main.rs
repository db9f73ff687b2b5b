//! Everybody in a room hears everything: the relay that a tokio-tungstenite user would write.
//!
//! One task and one bounded queue for each connection. A message is shared, not copied; what waits in a queue is written
//! together and flushed once. A member whose queue is full is let go.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// Members by room and number.
type Rooms = Arc<Mutex<HashMap<String, HashMap<u64, mpsc::Sender<Message>>>>>;

/// A queue takes memory only as it fills.
const QUEUE_MESSAGES_MAX: usize = 8192;
const READ_BUFFER_BYTES: usize = 4096;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);

    let rooms = Rooms::default();
    for id in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let rooms = Arc::clone(&rooms);
        // However a connection ends, it is over.
        tokio::spawn(async move { serve(id, stream, &rooms).await.ok() });
    }
    Ok(())
}

async fn serve(id: u64, stream: TcpStream, rooms: &Rooms) -> Result<(), Error> {
    let mut path = String::new();
    #[allow(clippy::result_large_err)] // the library's own type
    let callback = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let mut socket = accept_hdr_async_with_config(stream, callback, Some(config)).await?;

    if path == "/echo" {
        return echo(&mut socket).await;
    }
    let (queue, queued) = mpsc::channel(QUEUE_MESSAGES_MAX);
    rooms.lock().unwrap().entry(path.clone()).or_default().insert(id, queue);
    let result = attend(&mut socket, &path, queued, rooms).await;
    leave(id, &path, rooms);
    result
}

async fn echo(socket: &mut WebSocketStream<TcpStream>) -> Result<(), Error> {
    while let Some(message) = socket.next().await.transpose()? {
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// Reads what this member says and writes what all say, until it goes or is let go.
async fn attend(
    socket: &mut WebSocketStream<TcpStream>,
    path: &str,
    mut queued: mpsc::Receiver<Message>,
    rooms: &Rooms,
) -> Result<(), Error> {
    loop {
        tokio::select! {
            message = socket.next() => match message.transpose()? {
                Some(message) if message.is_text() || message.is_binary() => publish(path, &message, rooms),
                Some(_) => {}
                None => return Ok(()),
            },
            message = queued.recv() => {
                let Some(message) = message else { return Ok(()) };
                socket.feed(message).await?;
                while let Ok(message) = queued.try_recv() {
                    socket.feed(message).await?;
                }
                socket.flush().await?;
            }
        }
    }
}

fn publish(path: &str, message: &Message, rooms: &Rooms) {
    if let Some(members) = rooms.lock().unwrap().get_mut(path) {
        members.retain(|_, queue| queue.try_send(message.clone()).is_ok());
    }
}

fn leave(id: u64, path: &str, rooms: &Rooms) {
    let mut rooms = rooms.lock().unwrap();
    if let Some(members) = rooms.get_mut(path) {
        members.remove(&id);
        if members.is_empty() {
            rooms.remove(path);
        }
    }
}
