//! Why connections end.

use crate::ws::{CloseCode, Fault};

/// Why the engine closes a connection of its own accord; see [`Service::close_code`](super::Service::close_code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its outbox is over [`Config::outbox_bytes_max`](crate::Config::outbox_bytes_max); or all together are over [`Config::outboxes_bytes_max`](crate::Config::outboxes_bytes_max), and its own
    /// is more than an equal share of that.
    SlowReader,
    /// The engine drains.
    Drain,
}

impl Cause {
    /// What a connection is closed with, unless its service knows better.
    pub fn close_code(self) -> CloseCode {
        match self {
            Cause::SlowReader => CloseCode::TRY_AGAIN,
            Cause::Drain => CloseCode::GOING_AWAY,
        }
    }
}

/// Why a connection is no longer open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The peer began the closing handshake, with this code if it gave one.
    ByPeer(Option<CloseCode>),
    /// This side did: the service, a drain, or a limit.
    ByServer(CloseCode),
    /// The peer broke a rule of the protocol, and was told which with [`Fault::close_code`].
    Failed(Fault),
    /// The stream ended or broke without a closing handshake.
    Lost,
    /// Nothing was heard from the peer, although it was pinged.
    Silent,
}
