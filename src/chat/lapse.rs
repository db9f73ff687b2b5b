//! What outlasts a membership.
//!
//! Whoever leaves a room, or is put out, gives up what they may do there. What stands against them stays behind: that they
//! were a reader, and until when they are muted. Who comes back finds it again, or to leave and to join would be the end of
//! every mute. It is known by [`PersonId`], as a ban is, for a guest who is forgotten may come back too.
//!
//! Invariants: there is a lapse for nobody who is a member; what is over goes when the next is kept. So there are no more than
//! moderators have made.

use std::collections::BTreeMap;

use super::now::UnixMs;
use super::person::PersonId;
use super::role::Role;

/// What stands against somebody who is in a room no longer, should they come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// As what they come back by themselves: [`Role::Reader`] or [`Role::Member`].
    pub role: Role,
    /// Until when they may not post; 0: they may.
    pub muted_until: UnixMs,
}

impl Lapse {
    /// What is left of a membership that ends at this moment, if anything is.
    pub fn of(role: Role, muted_until: UnixMs, at: UnixMs) -> Option<Self> {
        Some(Self { role: role.min(Role::Member), muted_until }).filter(|lapse| !lapse.is_over(at))
    }

    /// True if nothing stands against them any more.
    pub fn is_over(&self, at: UnixMs) -> bool {
        self.role != Role::Reader && self.muted_until <= at
    }
}

impl Default for Lapse {
    /// That of somebody who was never there.
    fn default() -> Self {
        Self { role: Role::Member, muted_until: UnixMs(0) }
    }
}

/// Lapses by person.
#[derive(Debug, Default)]
pub(super) struct Lapses(BTreeMap<PersonId, Lapse>);

impl Lapses {
    pub(super) fn has(&self, person: PersonId) -> bool {
        self.0.contains_key(&person)
    }

    /// As what somebody comes back by themselves.
    pub(super) fn role_of(&self, person: PersonId) -> Role {
        self.0.get(&person).copied().unwrap_or_default().role
    }

    /// Takes note of what stands against somebody from this moment on, instead of what did; and looks through the others.
    ///
    /// Those of accounts are the store's too, which looks through them whenever it keeps one, and knows none of guests: so
    /// that both have the same, a guest's is no reason to forget an account's.
    pub(super) fn keep(&mut self, person: PersonId, lapse: Option<Lapse>, at: UnixMs) {
        let Some(lapse) = lapse else {
            self.0.remove(&person);
            return;
        };
        let is_kin = |other: PersonId| other.is_guest() == person.is_guest();
        self.0.retain(|other, lapse| !(is_kin(*other) && lapse.is_over(at)));
        self.0.insert(person, lapse);
    }

    /// Who comes back takes it along.
    pub(super) fn take(&mut self, person: PersonId) -> Option<Lapse> {
        self.0.remove(&person)
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (PersonId, Lapse)> {
        self.0.iter().map(|(person, lapse)| (*person, *lapse))
    }
}

impl FromIterator<(PersonId, Lapse)> for Lapses {
    fn from_iter<I: IntoIterator<Item = (PersonId, Lapse)>>(lapses: I) -> Self {
        Self(lapses.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: UnixMs = UnixMs(0);

    #[test]
    fn what_one_may_do_is_given_up_and_what_one_may_not_stays() {
        let now = UnixMs(100);
        for role in [Role::Member, Role::Admin, Role::Owner] {
            assert_eq!(Lapse::of(role, NEVER, now), None);
            assert_eq!(Lapse::of(role, UnixMs(100), now), None, "over at that moment");
            let muted_until = UnixMs(101);
            let muted = Some(Lapse { role: Role::Member, muted_until });
            assert_eq!(Lapse::of(role, muted_until, now), muted);
        }
        let reader = Some(Lapse { role: Role::Reader, muted_until: NEVER });
        assert_eq!(Lapse::of(Role::Reader, NEVER, now), reader);
    }

    #[test]
    fn what_is_over_is_forgotten_when_another_goes() {
        let guest = PersonId::guest(1);
        let (mut lapses, now) = (Lapses::default(), UnixMs(100));
        let muted = |until| Lapse::of(Role::Member, UnixMs(until), now);
        lapses.keep(PersonId(1), muted(150), now);
        lapses.keep(PersonId(2), Lapse::of(Role::Reader, NEVER, now), now);
        lapses.keep(PersonId(3), muted(900), now);
        lapses.keep(guest, muted(150), now);
        let left = |lapses: &Lapses| lapses.iter().map(|(person, _)| person).collect::<Vec<_>>();
        lapses.keep(PersonId(4), muted(900), UnixMs(150));
        assert_eq!(left(&lapses), [PersonId(2), PersonId(3), PersonId(4), guest]);
        let another = PersonId::guest(3);
        lapses.keep(another, muted(9_000), UnixMs(900));
        assert_eq!(left(&lapses), [PersonId(2), PersonId(3), PersonId(4), another]);
        lapses.keep(PersonId(2), None, now);
        assert_eq!(lapses.role_of(PersonId(2)), Role::Member);
        assert_eq!(lapses.take(PersonId(3)), muted(900));
        assert_eq!(lapses.take(PersonId(3)), None);
    }
}
