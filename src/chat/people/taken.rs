//! Names that are taken.
//!
//! A name is taken with all that looks like it (see [`Name::skeletons`]): by a person, as a name or as a second name, by a
//! registration that is under way, or by the server, for good.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::chat::few::give_back;
use crate::chat::keys::PersonKey;
use crate::chat::name::{Name, Skeleton, reserved};
use crate::chat::person::PersonId;

/// Names, by what they look like.
#[derive(Debug)]
pub(super) struct TakenNames(HashMap<Fingerprint, Holder>);

/// By whom a name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Person(PersonKey),
    /// Somebody whose registration is under way; a guest who had the name before.
    Newcomer(Option<PersonId>),
    /// The server, whose names are nobody's.
    Server,
}

/// A skeleton as a 64-bit hash, a third of the memory. That two of a million names have one by chance is as likely as one
/// in 40 million, and then somebody is told to choose another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Fingerprint(u64);

impl TakenNames {
    /// What nobody can have is taken from the beginning.
    pub(super) fn new() -> Self {
        let reserved = reserved().flat_map(|name| prints(&name));
        Self(reserved.map(|print| (print, Holder::Server)).collect())
    }

    pub(super) fn is_free(&self, name: &Name) -> bool {
        prints(name).iter().all(|print| !self.0.contains_key(print))
    }

    /// True if nobody else has it.
    pub(super) fn is_free_for(&self, person: PersonKey, name: &Name) -> bool {
        let own = Holder::Person(person);
        prints(name).iter().all(|print| self.0.get(print).is_none_or(|holder| *holder == own))
    }

    /// Keeps a name that nobody else has for a newcomer.
    pub(super) fn reserve(&mut self, name: &Name, guest: Option<PersonId>) {
        self.0.extend(prints(name).map(|print| (print, Holder::Newcomer(guest))));
    }

    /// The guest for whom a name is kept.
    pub(super) fn reserved_for(&self, name: &Name) -> Option<PersonId> {
        match self.0.get(&prints(name)[0]) {
            Some(Holder::Newcomer(guest)) => *guest,
            Some(Holder::Person(_) | Holder::Server) | None => None,
        }
    }

    /// Gives back what was kept for a newcomer.
    pub(super) fn release(&mut self, name: &Name) {
        let guest = self.reserved_for(name);
        self.free(name, Holder::Newcomer(guest));
    }

    /// Takes a name for a person, as far as nobody else has it.
    pub(super) fn take(&mut self, name: &Name, person: PersonKey) {
        for print in prints(name) {
            self.0.entry(print).or_insert(Holder::Person(person));
        }
    }

    /// Gives back what a person has taken.
    pub(super) fn give_up(&mut self, name: &Name, person: PersonKey) {
        self.free(name, Holder::Person(person));
        give_back(&mut self.0);
    }

    fn free(&mut self, name: &Name, by: Holder) {
        for print in prints(name) {
            if self.0.get(&print) == Some(&by) {
                self.0.remove(&print);
            }
        }
    }
}

impl From<&Skeleton> for Fingerprint {
    fn from(skeleton: &Skeleton) -> Self {
        let mut hasher = DefaultHasher::new();
        skeleton.hash(&mut hasher);
        Self(hasher.finish())
    }
}

fn prints(name: &Name) -> [Fingerprint; 2] {
    name.skeletons().each_ref().map(Fingerprint::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_taken_name_is_not_free() {
        let [bill, like_bill, bo] = ["bill", "Bi11", "bo"].map(Name::stored);
        let mut taken = TakenNames::new();
        taken.take(&bill, PersonKey(1));
        assert!(!taken.is_free(&like_bill) && taken.is_free(&bo));
        assert!(taken.is_free_for(PersonKey(1), &like_bill));
        assert!(!taken.is_free_for(PersonKey(2), &like_bill));
        taken.give_up(&bill, PersonKey(2));
        taken.release(&bill);
        assert!(!taken.is_free(&bill), "whoever has it gives it up");
        taken.give_up(&bill, PersonKey(1));
        assert!(taken.is_free(&like_bill));
    }

    #[test]
    fn what_looks_like_the_server_is_nobodys() {
        let taken = TakenNames::new();
        for name in ["all", "System", "WSRELAY", "a11", "AII"] {
            assert!(!taken.is_free(&Name::stored(name)), "{name}");
        }
        assert!(taken.is_free(&Name::stored("ally")));
    }

    #[test]
    fn a_name_is_kept_for_one_newcomer() {
        let mut taken = TakenNames::new();
        let [bo, like_bo] = ["bo", "Bo"].map(Name::stored);
        taken.reserve(&bo, Some(PersonId(7)));
        assert!(!taken.is_free(&like_bo));
        assert_eq!(taken.reserved_for(&bo), Some(PersonId(7)));
        taken.release(&bo);
        assert!(taken.is_free(&like_bo));
        assert_eq!(taken.reserved_for(&bo), None);
    }
}
