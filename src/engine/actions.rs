//! What a service wants done, recorded while it is called and applied after it has returned.
//!
//! Owns the order in which things were asked for, and the numbering of audiences. It never touches a connection: so a
//! callback can ask for anything about any connection, its own included, and nothing it holds changes under it.

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use super::ids::{AudienceId, ConnId};
use crate::http::Response;
use crate::ws::{CloseCode, Frame, Message};

/// The list of what a [`Service`](super::Service) wants done. Applied in order when its callback returns.
///
/// Whatever is asked for a connection that has gone, or that has begun to close, is dropped without a word: its
/// [`on_close`](super::Service::on_close) tells of it.
#[derive(Debug)]
pub struct Actions {
    pub(super) recorded: Vec<Action>,
    pub(super) now: Instant,
    pub(super) wall: SystemTime,
    audiences: u32,
    free_audiences: Vec<AudienceId>,
}

#[derive(Debug)]
pub(super) enum Action {
    Send(ConnId, Frame),
    Publish(AudienceId, Publication),
    Join(AudienceId, ConnId),
    Leave(AudienceId, ConnId),
    CloseAudience(AudienceId),
    Close(ConnId, CloseCode, Cow<'static, str>),
    Respond(ConnId, Response),
    TellFigures,
    Drain { over: Duration, seed: u64 },
}

/// A frame for the members of an audience.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) frame: Frame,
    /// All but this one.
    pub(super) except: Option<ConnId>,
    /// Left out where much is queued already.
    pub(super) is_whisper: bool,
}

impl Actions {
    pub(super) fn new(now: Instant) -> Self {
        let wall = SystemTime::now();
        Self { recorded: Vec::new(), now, wall, audiences: 0, free_audiences: Vec::new() }
    }

    /// When this turn of the loop began.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The time of day when this turn began. It may jump; waits are for [`now`](Self::now).
    pub fn wall(&self) -> SystemTime {
        self.wall
    }

    /// Sends a message to one connection, after all that it was sent or published before.
    pub fn send(&mut self, id: ConnId, message: Message<'_>) {
        self.send_frame(id, Frame::message(&message));
    }

    /// Sends a frame that is encoded already: one frame can go to many connections without a copy.
    pub fn send_frame(&mut self, id: ConnId, frame: Frame) {
        self.recorded.push(Action::Send(id, frame));
    }

    /// A new audience without members.
    pub fn open_audience(&mut self) -> AudienceId {
        self.free_audiences.pop().unwrap_or_else(|| {
            self.audiences += 1;
            AudienceId(self.audiences - 1)
        })
    }

    /// Ends an audience; its members stay connected. What was published to it before still reaches them.
    pub fn close_audience(&mut self, audience: AudienceId) {
        self.recorded.push(Action::CloseAudience(audience));
    }

    /// Makes an open connection a member of an audience, from what is published after this on. Twice is once.
    pub fn join(&mut self, audience: AudienceId, id: ConnId) {
        self.recorded.push(Action::Join(audience, id));
    }

    /// Ends a membership. A connection that closes leaves all its audiences by itself.
    pub fn leave(&mut self, audience: AudienceId, id: ConnId) {
        self.recorded.push(Action::Leave(audience, id));
    }

    /// Sends a message to every member of an audience: one action and one encoded frame, however many they are. All
    /// that a turn publishes to an audience reaches a member in one send, in order; what it publishes to another may come
    /// before it or behind it, whichever was recorded first.
    pub fn publish(&mut self, audience: AudienceId, message: Message<'_>) {
        self.publish_frame(audience, Frame::message(&message), None);
    }

    /// Like [`publish`](Self::publish), to all members but one.
    pub fn publish_except(&mut self, audience: AudienceId, message: Message<'_>, except: ConnId) {
        self.publish_frame(audience, Frame::message(&message), Some(except));
    }

    /// Publishes a frame that is encoded already.
    pub fn publish_frame(&mut self, audience: AudienceId, frame: Frame, except: Option<ConnId>) {
        let publication = Publication { frame, except, is_whisper: false };
        self.recorded.push(Action::Publish(audience, publication));
    }

    /// Publishes what is worth hearing now or never: members who have not taken what was sent before, 64 KiB of it, are
    /// left out.
    pub fn whisper_frame(&mut self, audience: AudienceId, frame: Frame, except: Option<ConnId>) {
        let publication = Publication { frame, except, is_whisper: true };
        self.recorded.push(Action::Publish(audience, publication));
    }

    /// Starts the closing handshake with this code and reason (RFC 6455 §7.1.2), after all that was sent before. The
    /// connection gets nothing more, and its messages are no longer handed on.
    pub fn close(&mut self, id: ConnId, code: CloseCode, reason: impl Into<Cow<'static, str>>) {
        self.recorded.push(Action::Close(id, code, reason.into()));
    }

    /// Answers the request that [`on_request`](super::Service::on_request) left open with
    /// [`Reply::Later`](super::Reply::Later).
    pub fn respond(&mut self, id: ConnId, response: Response) {
        self.recorded.push(Action::Respond(id, response));
    }

    /// Has [`Service::on_figures`](super::Service::on_figures) called with what the engine counts, before what is recorded
    /// after this is applied.
    pub fn ask_figures(&mut self) {
        self.recorded.push(Action::TellFigures);
    }

    /// Closes every connection at once, and lets [`Engine::run`](super::Engine::run) return when the last has gone or has
    /// had twice the time that a closing handshake may take.
    pub fn drain(&mut self) {
        self.drain_over(Duration::ZERO, 0);
    }

    /// Like [`drain`](Self::drain), but each WebSocket connection is closed at a moment of its own within this time, so that
    /// not all of them come back at once. `seed` decides which moment; a random one makes it unforeseeable. Until all are
    /// told, requests are still answered, handshakes with 503. Those who listen on a socket that is
    /// [shared](super::Engine::share) wait for whoever accepts from it next.
    pub fn drain_over(&mut self, over: Duration, seed: u64) {
        self.recorded.push(Action::Drain { over, seed });
    }

    pub(super) fn free_audience(&mut self, audience: AudienceId) {
        self.free_audiences.push(audience);
    }
}
