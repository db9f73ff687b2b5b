//! WebSocket, both roles, without I/O: RFC 6455 and permessage-deflate (RFC 7692).
//!
//! Bytes and values go in, values and bytes come out. Nothing here knows a socket, a clock, a log
//! or a random number: a server, a client, a test and a fuzz target use it in the same way.
//!
//! # The life of a connection
//!
//! 1. [`handshake`] reads the opening handshake out of an HTTP request and answers it, with what
//!    [`extension`] agrees on and [`origin`] admits (§4).
//! 2. [`Connection::next_event`] turns received bytes into [`Event`]s (§5, §6.2), and [`Frame`]s are
//!    what one sends (§6.1).
//! 3. [`Connection::close`] starts the closing handshake, or answers it (§7). A peer that breaks a
//!    rule is a [`Fault`], which says with what to close.
//!
//! # How the parts fit
//!
//! ```text
//!     bytes ──▶ header ──▶ mask ──▶ ┌ whole and plain ───────────────────┐──▶ Event
//!              (§5.2)     (§5.3)    └ assembler (§5.4) ─▶ utf8 (§8.1), ──┘
//!                                                         deflate
//!                    every rule broken ──▶ error ──▶ close code (§7.4)
//! ```
//!
//! [`Connection`] is one endpoint and owns only what is unfinished of its own; [`Codec`] is what all
//! connections of a process share, because only one is being read at a time. A frame whole in the
//! input costs no copy and no allocation. However the input is cut, events and faults are the same,
//! the time is linear, and memory follows the bytes received, never the bytes promised.

mod assembler;
mod close;
mod codec;
mod connection;
#[cfg(feature = "deflate")]
pub(crate) mod deflate;
mod error;
pub mod extension;
mod frame;
pub mod handshake;
pub mod header;
pub mod mask;
pub mod origin;
pub(crate) mod utf8;
mod work;

pub use close::{CloseCode, CloseReason};
pub use codec::{Codec, Limits};
pub use connection::{Connection, Event, Message, Role, State};
pub use error::Fault;
pub use extension::Deflate;
pub use frame::Frame;
pub use handshake::{Offer, Refusal, is_upgrade};
pub use header::Opcode;
pub use origin::{Allowed, Origins};
