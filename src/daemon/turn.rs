//! What the accounts and the API before them are handed in one call, and what they want done.

use super::accounts::outcome::AccountTicket;
use super::accounts::sessions::LogIn;
use super::control::{Outcome, ReplyTo};
use super::passwords::Job;
use crate::chat::{self, Chat, Now};
use crate::engine::ConnId;
use crate::http::Response;
use crate::store::AccountWrite;

/// What one call works with: the time, the chat, and the lists of what is to be done.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    /// When it happens.
    pub(super) now: Now,
    /// Who is who, and what they may do in rooms.
    pub(super) chat: &'a mut Chat,
    /// What the chat wants done.
    pub(super) chat_effects: &'a mut Vec<chat::Effect>,
    /// What else is to be done.
    pub(super) effects: &'a mut Vec<Effect>,
}

/// What is to be done; in this order.
#[derive(Debug)]
pub(super) enum Effect {
    /// Answer the request that this connection waits with.
    Respond(ConnId, Response),
    /// Hash or verify, and give [`Api::hashed`](super::api::Api::hashed) the result; `Busy` if it is not taken on.
    Hash(AccountTicket, Job),
    /// Write, and give [`Api::stored`](super::api::Api::stored) the outcome; `Failed` if it is not taken on.
    Write(AccountTicket, AccountWrite),
    /// Tell an operator what became of an order.
    Report(ReplyTo, Outcome),
    /// A log-in has ended: close its sockets, with 4501.
    LoggedOut(LogIn),
}
