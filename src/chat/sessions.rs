//! Who is connected.
//!
//! Owns sessions: whose each is, which rooms it is attached to, and how much it may still ask for. It never knows what a
//! connection is made of.
//!
//! Invariant: a session is in its person's list, and counted in each room that it is attached to, exactly as long as it is
//! here. One that is told to close stays until its connection has gone; it asks for nothing more and is attached to
//! nothing new.

use std::collections::HashMap;
use std::ops::{Index, IndexMut};

use super::effect::{RoomKey, SessionId};
use super::few::{Few, give_back};
use super::joins::Joins;
use super::keys::{PersonKey, SessionKey};
use super::people::Person;
use super::rate::Bucket;
use super::slots::Slots;

/// One connection of a person.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) person: PersonKey,
    /// The rooms whose publications it is sent.
    pub(super) attached: Few<RoomKey>,
    /// Its joins that are under way; `None` if none is.
    pub(super) joins: Option<Box<Joins>>,
    /// What is left of the rate of commands.
    pub(super) commands: Bucket,
    /// Requests that wait for the log, joins apart.
    pub(super) waiting: u16,
    /// It was told to close.
    pub(super) is_closing: bool,
}

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    slots: Slots<Session>,
    by_id: HashMap<SessionId, SessionKey>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self { slots: Slots::new(), by_id: HashMap::new() }
    }

    pub(super) fn insert(&mut self, id: SessionId, person: PersonKey) -> SessionKey {
        let key = SessionKey(self.slots.insert(Session {
            id,
            person,
            attached: Few::None,
            joins: None,
            commands: Bucket::default(),
            waiting: 0,
            is_closing: false,
        }));
        self.by_id.insert(id, key);
        key
    }

    pub(super) fn remove(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.slots.remove(key.0)?;
        self.by_id.remove(&session.id);
        give_back(&mut self.by_id);
        Some(session)
    }

    pub(super) fn find(&self, id: SessionId) -> Option<SessionKey> {
        self.by_id.get(&id).copied()
    }

    /// A session that can still be told something.
    pub(super) fn open(&self, key: SessionKey) -> Option<&Session> {
        self.slots.find(key.0).filter(|session| !session.is_closing)
    }

    /// Those of a person's sessions that can still be told something.
    pub(super) fn of(&self, person: &Person) -> impl Iterator<Item = &Session> {
        person.sessions.iter().filter_map(|key| self.open(key))
    }

    /// Like [`open`](Self::open), to change it.
    pub(super) fn open_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.slots.find_mut(key.0).filter(|session| !session.is_closing)
    }

    /// Takes note that a request waits for the log, or waits no longer. Nothing if the session has gone.
    pub(super) fn wait(&mut self, key: SessionKey, more: i16) {
        if let Some(session) = self.slots.find_mut(key.0) {
            session.waiting = session.waiting.saturating_add_signed(more);
        }
    }
}

impl Index<SessionKey> for Sessions {
    type Output = Session;

    fn index(&self, key: SessionKey) -> &Session {
        self.slots.find(key.0).expect("a session is listed only while it is here")
    }
}

impl IndexMut<SessionKey> for Sessions {
    fn index_mut(&mut self, key: SessionKey) -> &mut Session {
        self.slots.find_mut(key.0).expect("a session is listed only while it is here")
    }
}
