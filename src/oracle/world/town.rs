//! What everybody in the world has heard of: people, rooms, words.
//!
//! A client acts upon hearsay as well, so that rooms are asked for by those who may not know of them.

use std::collections::{BTreeMap, BTreeSet};

use super::dice::Dice;
use super::rows::Rows;
use crate::chat::{Name, PersonId};

/// The people, and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct Town {
    pub(crate) personas: Vec<Persona>,
    /// Rooms that there were, by what clients call them.
    pub(crate) rooms: Vec<String>,
    /// Those of them that are in memory only, and forget what is too much.
    pub(crate) invites: BTreeSet<String>,
    /// What was posted: by whom, where and under which key.
    pub(crate) posted: BTreeMap<Posting, Posted>,
    /// Whether people go on and on.
    is_wordy: bool,
    /// Whether people see to who is who rather than talk.
    pub(crate) is_political: bool,
}

/// Somebody with one device or more.
#[derive(Clone, Debug)]
pub(crate) struct Persona {
    pub(crate) name: Name,
    /// An account has none until it is registered.
    pub(crate) id: Option<PersonId>,
    pub(crate) is_deleted: bool,
    /// Is there, and does nothing.
    pub(crate) is_idle: bool,
}

/// By whom, in which room, under which key.
pub(crate) type Posting = (String, String, String);

/// What a client sent, and what it was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Posted {
    pub(crate) body: String,
    pub(crate) reply_to: Option<u64>,
    pub(crate) seq: Option<u64>,
    /// Its author was a guest then and is an account now, to whom its key is new.
    pub(crate) by_guest: bool,
}

impl Town {
    /// Up to five accounts and three guests, and in one of many towns a crowd besides.
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let (accounts, guests) = (dice.between(1, 5), dice.between(0, 3));
        let accounts = ACCOUNTS.iter().zip(0..accounts).map(|(name, _)| Persona::new(name, None));
        let mut personas: Vec<_> = accounts.collect();
        for (name, _) in GUESTS.iter().zip(0..guests) {
            personas.push(Persona::new(name, Some(PersonId::guest(dice.next()))));
        }
        // About as many as from which on people are counted and not named.
        let crowd = if dice.one_in(60) { dice.between(190, 204) } else { 0 };
        for no in 0..crowd {
            let guest = Persona::new(&format!("crowd{no}"), Some(PersonId::guest(dice.next())));
            personas.push(Persona { is_idle: true, ..guest });
        }
        let rooms = ["lobby", "den", "attic"].map(str::to_owned).to_vec();
        let (is_wordy, is_political) = (dice.one_in(12), dice.one_in(3));
        Self { personas, rooms, is_wordy, is_political, ..Self::default() }
    }

    /// A room was heard of.
    pub(crate) fn gossip(&mut self, room: &str) {
        if !self.rooms.iter().any(|known| known == room) {
            self.rooms.push(room.to_owned());
        }
    }

    /// Somebody has an account now. Answers with the guest that they were, if they were one.
    pub(crate) fn is_registered(&mut self, name: &Name, id: PersonId) -> Option<PersonId> {
        let persona = self.personas.iter_mut().find(|persona| persona.name == *name)?;
        let guest = persona.id.replace(id).filter(|before| before.is_guest())?;
        let own = self.posted.iter_mut().filter(|((author, ..), _)| author == name.as_str());
        own.for_each(|(_, posted)| posted.by_guest = true);
        Some(guest)
    }

    pub(crate) fn is_deleted(&mut self, id: PersonId) {
        if let Some(persona) = self.personas.iter_mut().find(|persona| persona.id == Some(id)) {
            persona.is_deleted = true;
        }
    }

    pub(crate) fn name_of(&self, id: PersonId) -> Option<&str> {
        let persona = self.personas.iter().find(|persona| persona.id == Some(id));
        persona.map(|persona| persona.name.as_str())
    }

    pub(crate) fn restart(&mut self, rows: &Rows) {
        rows.deleted().for_each(|id| self.is_deleted(id));
    }

    pub(crate) fn somebody(&self, dice: &mut Dice) -> String {
        let active = self.personas.iter().filter(|persona| !persona.is_idle).collect::<Vec<_>>();
        dice.pick(&active).map_or_else(String::new, |persona| persona.name.to_string())
    }

    pub(crate) fn some_room(&self, dice: &mut Dice) -> String {
        dice.pick(&self.rooms).cloned().unwrap_or_default()
    }

    /// A few words, or very many.
    pub(crate) fn some_text(&self, dice: &mut Dice) -> String {
        let words = self.some_words(dice);
        match self.is_wordy && dice.per_cent(40) {
            // As long as a post can be, and of characters of four bytes.
            true => format!("{words} {}", "🛶".repeat(3_900)),
            false => words,
        }
    }

    /// A few words, somebody's name among them now and then.
    pub(crate) fn some_words(&self, dice: &mut Dice) -> String {
        let mut words = vec![dice.pick(WORDS).copied().unwrap_or_default().to_owned()];
        for _ in 0..dice.below(3) {
            words.push(match dice.per_cent(25) {
                true => format!("@{}", self.somebody(dice)),
                false => dice.pick(WORDS).copied().unwrap_or_default().to_owned(),
            });
        }
        words.join(" ")
    }
}

impl Persona {
    fn new(name: &str, id: Option<PersonId>) -> Self {
        Self { name: Name::stored(name), id, is_deleted: false, is_idle: false }
    }
}

const ACCOUNTS: &[&str] = &["ana", "bo", "cy", "dora", "emil"];
const GUESTS: &[&str] = &["gus", "hedy", "ivo"];
/// A quote, a line's end and characters of several bytes keep JSON busy.
pub(crate) const WORDS: &[&str] =
    &["tea", "rain", "\"ship\"", "sun\n", "fjord", "жук", "👍🏽", "oak", "\\", "lantern", "7"];
pub(crate) const EMOJI: &[&str] = &["👍", "❤️", "🎉"];
