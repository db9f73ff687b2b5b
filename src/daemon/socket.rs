//! The chat's socket, `GET /ws`: who comes in, what they say, and that they go.
//!
//! Owns the opening handshake's part that is the chat's: subprotocol and credentials. Who shows none, or good ones, has a
//! session. Who cannot be let in is told so over the open socket, because a page's script cannot read a failed
//! handshake: an error, and then a close code that says whether to come back.

use super::accounts::LogIn;
use super::api::{Identity, Unknown};
use super::close_code::{self, Stop};
use super::live::Live;
use super::{chance, cookies, wire};
use crate::chat::{Author, Name, SessionId};
use crate::engine::{Actions, Caller, Cause, ConnId, Upgrade};
use crate::http::{Request, Response, Status};
use crate::ws::{CloseCode, Message, Offer, Refusal};

/// The path.
pub(super) const PATH: &str = "/ws";

/// The subprotocol (RFC 6455 §1.9).
const SUBPROTOCOL: &str = "wsrelay.v1";
/// A token is offered as a subprotocol with this before it, since a page's script can add nothing else to a handshake.
/// It is never chosen.
const BEARER: &str = "bearer.";

/// Somebody who is let in.
struct Visitor {
    person: Author,
    log_in: Option<LogIn>,
}

/// A request for the path that is no handshake.
pub(super) fn not_upgraded() -> Response {
    Response::from(&Refusal::Upgrade)
}

/// A handshake: opens the connection, and either a session on it or the door.
///
/// # Errors
/// 400 to a client that speaks subprotocols, but not this one.
pub(super) fn upgrade(
    live: &mut Live,
    caller: Caller,
    request: &Request<'_>,
    actions: &mut Actions,
) -> Result<Upgrade, Response> {
    let offer = Offer::parse(request).map_err(|refusal| Response::from(&refusal))?;
    let speaks = offer.subprotocols().any(|name| name == SUBPROTOCOL);
    if !speaks && offer.subprotocols().next().is_some() {
        let says = "The subprotocol here is wsrelay.v1.";
        return Err(Response::error(Status::BAD_REQUEST, "bad_subprotocol", says));
    }
    let bearer = offer.subprotocols().find_map(|name| name.strip_prefix(BEARER));
    let token = bearer.or_else(|| cookies::session(&request.headers));
    let session = SessionId(caller.id.to_bits());
    let entered = who(live, caller, token, request, actions).and_then(|visitor| {
        let person = visitor.person.id;
        let token = person.is_guest().then(|| live.guest_token(&visitor.person, actions));
        live.connect(session, person, token, actions).map_err(Stop::Refused)?;
        Ok(visitor)
    });
    let member = matches!(&entered, Ok(visitor) if visitor.log_in.is_some());
    match entered {
        Ok(visitor) => {
            live.seats.take(caller.id, visitor.log_in);
            visitor.log_in.into_iter().for_each(|log_in| live.api.came(log_in));
        }
        Err(stop) => show_the_door(live, caller.id, stop, actions),
    }
    Ok(Upgrade { subprotocol: speaks.then_some(SUBPROTOCOL), member })
}

/// What a session said.
pub(super) fn on_message(live: &mut Live, id: ConnId, message: Message<'_>, actions: &mut Actions) {
    let decoded = match message {
        Message::Text(text) => wire::decode(text, &live.limits, &mut chance::bits128),
        Message::Binary(_) => Err(wire::Fault::binary()),
    };
    match decoded {
        Ok(command) => live.tell(actions, |chat, now, effects| {
            chat.apply(SessionId(id.to_bits()), command, now, effects);
        }),
        Err(fault) => on_fault(live, id, fault, actions),
    }
}

/// A session said what is no command. That counts like one: who says too much of it is answered as who commands too much.
fn on_fault(live: &mut Live, id: ConnId, mut fault: wire::Fault, actions: &mut Actions) {
    let counted = live.tell(actions, |chat, now, _| chat.misheard(SessionId(id.to_bits()), now));
    match (counted, fault.id) {
        (Ok(()), _) => {}
        (Err(refusal), Some(_)) => fault.rule = refusal.into(),
        (Err(_), None) => return,
    }
    live.counts.misspoken(fault.rule.code());
    live.send_text(id, actions, |out| wire::encode_fault(&fault, out));
}

/// A connection has gone. Does nothing if it had no session.
pub(super) fn on_close(live: &mut Live, id: ConnId, actions: &mut Actions) {
    let Some(log_in) = live.seats.leave(id) else { return };
    live.tell(actions, |chat, now, effects| {
        chat.disconnect(SessionId(id.to_bits()), now, effects);
    });
    if let Some(log_in) = log_in {
        live.tell_api(actions, |api, turn| api.went(log_in, turn));
    }
}

/// What a session is closed with when the engine closes it.
pub(super) fn close_code(cause: Cause) -> CloseCode {
    close_code::of_cause(cause)
}

fn who(
    live: &mut Live,
    caller: Caller,
    token: Option<&str>,
    request: &Request<'_>,
    actions: &mut Actions,
) -> Result<Visitor, Stop> {
    if let Some(token) = token {
        let identity = live.tell_api(actions, |api, turn| api.who_is(token, turn));
        return match identity {
            Ok(Identity::Account(log_in, person)) => Ok(Visitor { person, log_in: Some(log_in) }),
            Ok(Identity::Guest(person)) => Ok(Visitor { person, log_in: None }),
            Err(Unknown::BadToken) => Err(Stop::BadToken),
            Err(Unknown::Guest(refusal)) => Err(Stop::Refused(refusal)),
        };
    }
    let name = match request.target.query_value("nick") {
        Some(nick) => Some(Name::parse(&nick).map_err(|_| Stop::BadNick)?),
        None => None,
    };
    let person = live.tell_api(actions, |api, turn| match name {
        Some(name) => api.new_guest(name, turn),
        None => api.nameless_guest(caller.client.port, turn),
    });
    Ok(Visitor { person: person.map_err(Stop::Refused)?, log_in: None })
}

fn show_the_door(live: &mut Live, id: ConnId, stop: Stop, actions: &mut Actions) {
    let (code, message) = stop.code_and_message();
    live.send_text(id, actions, |out| wire::encode_error(code, message, stop.after_ms(), out));
    let (close_code, reason) = stop.close_code();
    actions.close(id, close_code, reason);
}
