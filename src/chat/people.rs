//! Everybody who is known: accounts, deleted ones too, and the guests of the last while.
//!
//! Owns persons, and by what they are found. The names of deleted accounts stay taken; a guest's is free when the guest is
//! forgotten.
//!
//! Invariants: a [`PersonKey`] is an account's for good, and a guest's until it is forgotten, which is when nothing is left
//! that names it: no session, no room, no timer. What waits for the log names persons by [`PersonId`] instead.

mod taken;

use std::collections::{BTreeSet, HashMap};
use std::ops::{Index, IndexMut};

use self::taken::TakenNames;
use super::effect::RoomKey;
use super::event::User;
use super::few::{Few, give_back};
use super::keys::{PersonKey, SessionKey};
use super::log::RestoredPerson;
use super::name::{Name, fold};
use super::now::UnixMs;
use super::person::{Author, PersonId, Profile};
use super::rate::Bucket;
use super::slots::Slots;

/// An account or a guest.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) author: Author,
    /// `None`: nothing out of the ordinary.
    profile: Option<Box<Profile>>,
    pub(super) whereabouts: Whereabouts,
    /// When last present; 0: never, or not known.
    last_seen: UnixMs,
    pub(super) sessions: Few<SessionKey>,
    /// The rooms that this person is a member of, but not the lobby, where everybody is.
    pub(super) rooms: Few<RoomKey>,
    /// What is left of the rate of entries.
    pub(super) entries: Bucket,
    /// Has joined a room, or said or done something: there is a place to come back to.
    pub(super) took_part: bool,
}

/// Whether a person is present. Moments are on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// With a session.
    Here,
    /// Without a session since then, and still counted as present: a reload, a tunnel, a changed network.
    Lingering { since_ms: u64 },
    /// Not present. A guest is forgotten then; of an account it says nothing.
    Away { forget_at_ms: u64 },
    /// Nowhere, for good: the account is deleted.
    Deleted,
}

/// Everybody.
#[derive(Debug)]
pub(super) struct People {
    slots: Slots<Person>,
    by_id: HashMap<PersonId, PersonKey>,
    /// Whom one can name, in the order of their names, whatever the case.
    by_name: Vec<PersonKey>,
    taken: TakenNames,
    present: BTreeSet<PersonKey>,
    guests: usize,
    /// The first account of all, deleted or not.
    first: Option<PersonId>,
}

impl Person {
    pub(super) fn is_present(&self) -> bool {
        matches!(self.whereabouts, Whereabouts::Here | Whereabouts::Lingering { .. })
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.whereabouts == Whereabouts::Deleted
    }

    /// When an account was last present, if it is not and has been.
    pub(super) fn last_seen(&self) -> Option<UnixMs> {
        let is_told = !self.is_present() && !self.is_guest() && self.last_seen > UnixMs(0);
        is_told.then_some(self.last_seen)
    }

    /// When an account was last seen, whether it still counts as present or not.
    pub(super) fn seen_until(&self, now: UnixMs) -> UnixMs {
        if self.whereabouts == Whereabouts::Here { now } else { self.last_seen }
    }

    /// Takes note that they are seen for the last time for now.
    pub(super) fn seen(&mut self, at: UnixMs) {
        self.last_seen = at;
    }

    pub(super) fn is_guest(&self) -> bool {
        self.author.id.is_guest()
    }

    pub(super) fn profile(&self) -> Profile {
        self.profile.as_deref().cloned().unwrap_or_default()
    }

    pub(super) fn user(&self) -> User {
        User { id: self.author.id, name: self.author.name.clone(), profile: self.profile() }
    }

    fn names(&self) -> impl Iterator<Item = &Name> {
        let display = self.profile.as_ref().and_then(|profile| profile.display.as_ref());
        std::iter::once(&self.author.name).chain(display)
    }
}

impl People {
    pub(super) fn restore(people: Vec<RestoredPerson>) -> Self {
        let mut all = Self {
            slots: Slots::new(),
            by_id: HashMap::with_capacity(people.len()),
            by_name: Vec::new(),
            taken: TakenNames::new(),
            present: BTreeSet::new(),
            guests: 0,
            first: None,
        };
        let mut names = Vec::with_capacity(people.len());
        for person in people {
            let folded = (!person.deleted).then(|| fold(person.author.name.as_str()));
            let key = all.insert(person.author, person.profile);
            all[key].last_seen = person.last_seen.unwrap_or_default();
            if person.deleted {
                all[key].whereabouts = Whereabouts::Deleted;
            }
            names.extend(folded.map(|folded| (folded, key)));
        }
        names.sort_unstable();
        all.by_name = names.into_iter().map(|(_, key)| key).collect();
        all
    }

    pub(super) fn find(&self, id: PersonId) -> Option<PersonKey> {
        self.by_id.get(&id).copied()
    }

    /// Unless deleted.
    pub(super) fn find_living(&self, id: PersonId) -> Option<PersonKey> {
        self.find(id).filter(|key| !self[*key].is_deleted())
    }

    /// An account or guest by the exact name, in any case.
    pub(super) fn named(&self, name: &str) -> Option<PersonKey> {
        let folded = fold(name);
        let at = self.place_of(&folded);
        let key = *self.by_name.get(at)?;
        self[key].author.name.cmp_folded(&folded).is_eq().then_some(key)
    }

    /// Those who come after a name in the order of names.
    pub(super) fn after(&self, name: Option<&Name>) -> impl Iterator<Item = PersonKey> {
        let begin = name.map_or(0, |name| {
            let folded = fold(name.as_str());
            self.by_name.partition_point(|key| self[*key].author.name.cmp_folded(&folded).is_le())
        });
        self.by_name[begin..].iter().copied()
    }

    /// Those whose names begin so, in any case.
    pub(super) fn beginning(&self, beginning: &str) -> impl Iterator<Item = PersonKey> {
        let folded = fold(beginning);
        let begin = self.place_of(&folded);
        let matching = self.by_name[begin..].iter().copied();
        matching.take_while(move |key| self[*key].author.name.begins_with(&folded))
    }

    /// Keeps a name for a registration; false if it is not free, not even for the guest who wants it.
    pub(super) fn reserve(&mut self, name: &Name, guest: Option<PersonId>) -> bool {
        let guest =
            guest.filter(|guest| guest.is_guest()).and_then(|guest| self.find_living(guest));
        let is_free = match guest {
            Some(guest) => self.taken.is_free_for(guest, name),
            None => self.taken.is_free(name),
        };
        // Who registers under another name goes on as the guest, under the own one.
        let holder = guest.filter(|_| !self.taken.is_free(name));
        if is_free {
            self.taken.reserve(name, holder.map(|guest| self[guest].author.id));
        }
        is_free
    }

    /// Gives a name back for which there will be no account; to the guest who had it, if there was one.
    pub(super) fn release(&mut self, name: &Name) {
        let guest = self.reserved_for(name);
        self.taken.release(name);
        if let Some(guest) = guest {
            self.take_names_of(guest);
        }
    }

    /// The guest who had a name before it was reserved.
    pub(super) fn reserved_for(&self, name: &Name) -> Option<PersonKey> {
        self.taken.reserved_for(name).and_then(|guest| self.find_living(guest))
    }

    pub(super) fn is_free(&self, name: &Name) -> bool {
        self.taken.is_free(name)
    }

    /// Adds an account, or a guest, under a name that is free or was reserved for it.
    pub(super) fn add(&mut self, author: Author) -> PersonKey {
        self.taken.release(&author.name);
        let folded = fold(author.name.as_str());
        let key = self.insert(author, Profile::default());
        self.by_name.insert(self.place_of(&folded), key);
        key
    }

    /// Forgets a guest; the name is free.
    pub(super) fn forget(&mut self, key: PersonKey) {
        self.unlist(key);
        let Some(person) = self.slots.remove_at(key.0) else { return };
        person.names().for_each(|name| self.taken.give_up(name, key));
        self.by_id.remove(&person.author.id);
        give_back(&mut self.by_id);
        self.guests -= 1;
    }

    /// Marks an account as deleted: nobody can name it any more, nor take its name.
    pub(super) fn delete(&mut self, key: PersonKey) {
        self.unlist(key);
        self.set_profile(key, Profile::default());
        self.set_whereabouts(key, Whereabouts::Deleted);
    }

    /// Shows a person otherwise; false, and nothing done, if the second name is another than before and looks like somebody
    /// else's. The one that a person has may be from before it was reserved.
    pub(super) fn set_profile(&mut self, key: PersonKey, profile: Profile) -> bool {
        let before = self[key].profile.as_ref().and_then(|profile| profile.display.as_ref());
        let display = profile.display.as_ref().filter(|display| before != Some(display));
        if !display.is_none_or(|name| self.taken.is_free_for(key, name)) {
            return false;
        }
        let is_ordinary = profile == Profile::default();
        let old =
            std::mem::replace(&mut self[key].profile, (!is_ordinary).then(|| Box::new(profile)));
        if let Some(display) = old.and_then(|old| old.display) {
            self.taken.give_up(&display, key);
        }
        self.take_names_of(key);
        true
    }

    pub(super) fn guests(&self) -> usize {
        self.guests
    }

    /// How many one can name.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// True of the account that was registered before all others.
    pub(super) fn is_first(&self, id: PersonId) -> bool {
        self.first == Some(id)
    }

    /// Those who are present, in no order that means anything, but always in the same.
    pub(super) fn present(&self) -> impl Iterator<Item = PersonKey> {
        self.present.iter().copied()
    }

    pub(super) fn present_count(&self) -> usize {
        self.present.len()
    }

    /// Takes note of where somebody is now.
    pub(super) fn set_whereabouts(&mut self, key: PersonKey, whereabouts: Whereabouts) {
        self[key].whereabouts = whereabouts;
        match self[key].is_present() {
            true => self.present.insert(key),
            false => self.present.remove(&key),
        };
    }

    fn insert(&mut self, author: Author, profile: Profile) -> PersonKey {
        let id = author.id;
        let is_ordinary = profile == Profile::default();
        let place = self.slots.insert(Person {
            author,
            profile: (!is_ordinary).then(|| Box::new(profile)),
            whereabouts: Whereabouts::Away { forget_at_ms: 0 },
            last_seen: UnixMs(0),
            sessions: Few::None,
            rooms: Few::None,
            entries: Bucket::default(),
            took_part: false,
        });
        let key = PersonKey(place.index);
        self.by_id.insert(id, key);
        match id.is_guest() {
            true => self.guests += 1,
            false => self.first = Some(self.first.map_or(id, |first| first.min(id))),
        }
        self.take_names_of(key);
        key
    }

    fn take_names_of(&mut self, key: PersonKey) {
        let Some(person) = self.slots.at(key.0) else { return };
        person.names().for_each(|name| self.taken.take(name, key));
    }

    fn unlist(&mut self, key: PersonKey) {
        let folded = fold(self[key].author.name.as_str());
        let at = self.place_of(&folded);
        if self.by_name.get(at) == Some(&key) {
            self.by_name.remove(at);
        }
    }

    /// The first place in the list whose name is not before this one.
    fn place_of(&self, folded: &str) -> usize {
        self.by_name.partition_point(|key| self[*key].author.name.cmp_folded(folded).is_lt())
    }
}

impl Index<PersonKey> for People {
    type Output = Person;

    fn index(&self, key: PersonKey) -> &Person {
        self.slots.at(key.0).expect("a person's key goes when nothing names it")
    }
}

impl IndexMut<PersonKey> for People {
    fn index_mut(&mut self, key: PersonKey) -> &mut Person {
        self.slots.at_mut(key.0).expect("a person's key goes when nothing names it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(names: &[&str]) -> People {
        let mut people = People::restore(Vec::new());
        for (id, name) in (1..).zip(names) {
            people.add(Author { id: PersonId(id), name: Name::stored(name) });
        }
        people
    }

    fn names(people: &People, keys: impl Iterator<Item = PersonKey>) -> Vec<String> {
        keys.map(|key| people[key].author.name.to_string()).collect()
    }

    #[test]
    fn people_are_found_by_name_in_any_case() {
        let people = people(&["bo", "Ana", "жук", "anabel", "Bob"]);
        assert_eq!(names(&people, people.named("aNA").into_iter()), ["Ana"]);
        assert_eq!(names(&people, people.named("ЖУК").into_iter()), ["жук"]);
        assert_eq!(people.named("an"), None);
        assert_eq!(names(&people, people.beginning("AN")), ["Ana", "anabel"]);
        assert_eq!(names(&people, people.beginning("")).len(), 5);
        let after = Name::stored("ana");
        assert_eq!(names(&people, people.after(Some(&after))), ["anabel", "bo", "Bob", "жук"]);
    }

    #[test]
    fn a_second_name_is_taken_too_and_given_back() {
        let mut people = people(&["ana", "bo"]);
        let [ana, bo] = ["ana", "bo"].map(|name| people.named(name).unwrap());
        let shown_as = |name: &str| Profile { display: Some(Name::stored(name)), hue: None };
        assert!(people.set_profile(ana, shown_as("Queen")));
        assert!(
            !people.set_profile(bo, shown_as("queen")) && !people.set_profile(bo, shown_as("Ana"))
        );
        assert!(!people.is_free(&Name::stored("queen")));
        assert!(people.set_profile(ana, shown_as("Ana")), "one's own name");
        assert!(people.set_profile(bo, shown_as("queen")));
        assert!(people.set_profile(ana, Profile::default()));
        assert!(!people.is_free(&Name::stored("ana")), "still the name");
    }

    #[test]
    fn a_second_name_from_before_it_was_reserved_stays_until_it_is_changed() {
        let shown_as = |name: &str, hue| Profile { display: Some(Name::stored(name)), hue };
        let author = Author { id: PersonId(1), name: Name::stored("ana") };
        let ana = RestoredPerson {
            author,
            profile: shown_as("Server", None),
            last_seen: None,
            deleted: false,
        };
        let mut people = People::restore(vec![ana]);
        let ana = people.named("ana").unwrap();
        assert!(people.set_profile(ana, shown_as("Server", Some(5))));
        assert!(!people.set_profile(ana, shown_as("server", Some(5))), "another");
        assert!(people.set_profile(ana, shown_as("Queen", Some(5))));
        assert!(!people.set_profile(ana, shown_as("Server", Some(5))), "never again");
        assert_eq!(people[ana].profile(), shown_as("Queen", Some(5)));
    }

    #[test]
    fn a_guest_is_forgotten_and_a_deleted_account_is_not() {
        let mut people = people(&["ana", "bo"]);
        let guest = Author { id: PersonId::guest(7), name: Name::stored("gus") };
        let key = people.add(guest.clone());
        people.forget(key);
        assert_eq!((people.find(guest.id), people.named("gus"), people.guests()), (None, None, 0));
        assert!(people.is_free(&guest.name));
        let ana = people.named("ana").unwrap();
        people.delete(ana);
        assert_eq!((people.named("ana"), people.find(PersonId(1))), (None, Some(ana)));
        assert!(!people.is_free(&Name::stored("ana")) && people.is_first(PersonId(1)));
    }
}
