//! What a program does with its connections: the questions that the engine asks it, and what it may answer.

use std::time::Instant;

use super::actions::Actions;
use super::client::Client;
use super::ending::{Cause, Ending};
use super::figures::Figures;
use super::ids::ConnId;
use super::listener::Entrance;
use super::socket::Peer;
use crate::http::{Request, Response, Status};
use crate::ws::{CloseCode, Message};

/// What a program does with its connections. See `examples/echo.rs` for the smallest, [`Relay`](crate::relay::Relay)
/// for a useful one.
pub trait Service {
    /// A request that is not a WebSocket handshake: answer now, or [later](Reply::Later). Default: 404.
    fn on_request(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Reply {
        let _ = (caller, request, actions);
        Reply::Now(Response::error(Status::NOT_FOUND, "not_found", "There is nothing here."))
    }

    /// A valid opening handshake (RFC 6455 §4.2.1) from an admitted origin: open the connection, or refuse with a
    /// response, which closes it. Actions recorded here are applied to the connection when it is open, after the
    /// handshake's answer.
    ///
    /// # Errors
    /// The response that refuses, such as 404 for a path that is no WebSocket.
    fn on_upgrade(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response>;

    /// A whole message from an open connection. Text is valid UTF-8.
    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions);

    /// An open connection has begun to close, or is lost: nothing more comes from it or reaches it. Called once for
    /// every upgrade that was granted; it has left its audiences already.
    fn on_close(&mut self, id: ConnId, ending: Ending, actions: &mut Actions) {
        let _ = (id, ending, actions);
    }

    /// Somebody called [`Waker::wake`](super::Waker::wake) since the last turn.
    fn on_wake(&mut self, actions: &mut Actions) {
        let _ = actions;
    }

    /// When [`on_deadline`](Self::on_deadline) is to be called next, if ever. Asked for before each wait.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// The moment that [`next_deadline`](Self::next_deadline) named has come.
    fn on_deadline(&mut self, actions: &mut Actions) {
        let _ = actions;
    }

    /// All that this turn has brought has been handed over. What is recorded here goes out with the rest of the turn.
    fn on_turn_end(&mut self, actions: &mut Actions) {
        let _ = actions;
    }

    /// What [`Actions::ask_figures`] asked for.
    fn on_figures(&mut self, figures: &Figures, actions: &mut Actions) {
        let _ = (figures, actions);
    }

    /// The close code for a connection that the engine closes for a reason of its own.
    fn close_code(&self, id: ConnId, cause: Cause) -> CloseCode {
        let _ = id;
        cause.close_code()
    }
}

/// Who makes a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The connection; it keeps this id when it is upgraded.
    pub id: ConnId,
    /// The other end of its socket.
    pub peer: Peer,
    /// Who asks: the peer, or whom it names if it is a trusted proxy. The same connection of a proxy may bring requests of
    /// many.
    pub client: Client,
    /// The listening socket that it came through.
    pub entrance: Entrance,
}

/// The answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// This response.
    Now(Response),
    /// A response will be given to [`Actions::respond`], within [`Waits::response`](crate::config::Waits::response). Until
    /// then nothing more is read from the connection.
    Later,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Reply::Now(response)
    }
}

/// That a handshake is granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    /// The subprotocol chosen, among those that the client offered (RFC 6455 §4.2.2); else the handshake fails.
    pub subprotocol: Option<&'static str>,
    /// That the service knows who this is. What members have not finished is charged to a budget of their own, which no
    /// stranger can use up.
    pub member: bool,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A service that has nothing to say to anybody, whom it lets in or not.
    pub(in crate::engine) enum Admits {
        Anybody,
        Nobody,
    }

    impl Service for Admits {
        fn on_upgrade(
            &mut self,
            _: Caller,
            _: &Request<'_>,
            _: &mut Actions,
        ) -> Result<Upgrade, Response> {
            match self {
                Admits::Anybody => Ok(Upgrade::default()),
                Admits::Nobody => Err(Response::text(Status::NOT_FOUND, "nobody")),
            }
        }

        fn on_message(&mut self, _: ConnId, _: Message<'_>, _: &mut Actions) {}
    }
}
