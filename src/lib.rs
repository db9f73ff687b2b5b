//! Rooms to talk in, in real time: a chat that loses nothing it has acknowledged, and raw WebSocket rooms, on one small event
//! loop.
//!
//! # The map
//!
//! | layer | what it owns | what it knows |
//! | --- | --- | --- |
//! | [`http`] | requests in, responses out (RFC 9112) | bytes only |
//! | [`ws`] | the WebSocket protocol (RFC 6455, RFC 7692) | `http`, for the opening handshake |
//! | [`engine`] | sockets, time, the event loop | `ws` and `http` |
//! | [`relay`] | raw rooms | `engine` |
//! | `chat` | who is in which room, what they may do, what everybody is told | nothing: no bytes, no clock, no dice |
//! | `store` | the rooms' logs in one file, threads that write and read it | `chat`'s values |
//! | `daemon` | the executable's service: routes, accounts, JSON, page, signals | all of the above |
//! | `doctor` | `wsrelay doctor`: this machine, the data file, and the way to a daemon, from outside | `ws`, `http`, and the store's file |
//! | `bench` | `wsrelay bench`: any server, measured from outside | `ws` and `http`, and nothing of the server |
//!
//! Arrows point up this table and never down. `http`, `ws` and `chat` do no I/O and know no clock: values in, values out.
//!
//! # The path of one message
//!
//! In: the engine polls, reads a ready socket into the one buffer that all connections share, and gives the bytes to that
//! connection's [`ws::Connection`], which unmasks them in place and yields a [`ws::Message`] that borrows from the buffer.
//! The [`engine::Service`] is handed the message and records what it wants in [`engine::Actions`].
//!
//! Out: a publication is encoded once, as a [`ws::Frame`]. At the end of the turn all that a turn published to one audience
//! is joined once, and each member is sent the same slice with one system call. Only what the kernel does not take is kept,
//! as a reference to that slice and an offset.
//!
//! A post goes a longer way between the two: from JSON to a command, to the chat, which decides; to the store, which
//! commits it with all else that has arrived; back to the chat, which follows the log, answers, and publishes; and to JSON,
//! once for all.
//!
//! # Embedding
//!
//! Without default features the crate is what the table's first four rows say, on mio, sha1, base64, httparse, slab and
//! log; the feature `chat` adds the next two, `deflate` compression. A relay of your own:
//!
//! ```no_run
#![doc = include_str!("../examples/relay.rs")]
//! ```
//!
//! It runs until a service calls [`engine::Actions::drain`], for instance because another thread used the engine's
//! [`engine::Waker`]. What an operator should know goes to whatever logger of `log` there is.
//!
//! Engine and relay need 64-bit Unix.
#![forbid(unsafe_code)]

#[cfg(not(all(unix, target_pointer_width = "64")))]
compile_error!("wsrelay needs a 64-bit Unix: a token holds a slot and a generation");

#[cfg(all(feature = "bench", target_os = "linux"))]
pub mod bench;
#[cfg(feature = "chat")]
pub mod chat;
mod config;
pub mod engine;
mod histogram;
pub mod http;
pub mod relay;
#[cfg(feature = "chat")]
pub mod store;
#[cfg(feature = "chat")]
mod worker;
pub mod ws;

#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod doctor;
#[cfg(feature = "oracle")]
pub mod oracle;

pub use config::{Config, Unfinished, Waits};
pub use histogram::Histogram;
