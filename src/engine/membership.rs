//! Which audiences a connection is in, and at which place in each: a connection's half of what `audience.rs` keeps.

use super::ids::AudienceId;

/// The audiences that a connection is in: in most programs one, so that one takes no allocation.
#[derive(Debug, Default)]
pub(super) enum Memberships {
    #[default]
    None,
    One(Membership),
    #[expect(clippy::box_collection, reason = "keeps the others at two words")]
    Many(Box<Vec<Membership>>),
}

/// That a connection is at `position` among the members of `audience`'s lane for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    pub(super) audience: AudienceId,
    pub(super) position: u32,
}

impl Memberships {
    pub(super) fn as_slice(&self) -> &[Membership] {
        match self {
            Memberships::None => &[],
            Memberships::One(one) => std::slice::from_ref(one),
            Memberships::Many(many) => many,
        }
    }

    pub(super) fn position_in(&self, audience: AudienceId) -> Option<u32> {
        let found = self.as_slice().iter().find(|membership| membership.audience == audience);
        found.map(|membership| membership.position)
    }

    pub(super) fn first(&self) -> Option<AudienceId> {
        self.as_slice().first().map(|membership| membership.audience)
    }

    pub(super) fn add(&mut self, new: Membership) {
        match self {
            Memberships::None => *self = Memberships::One(new),
            Memberships::One(one) => *self = Memberships::Many(Box::new(vec![*one, new])),
            Memberships::Many(many) => many.push(new),
        }
    }

    pub(super) fn remove(&mut self, audience: AudienceId) {
        match self {
            Memberships::Many(many) => {
                many.retain(|membership| membership.audience != audience);
                if let [last] = many[..] {
                    *self = Memberships::One(last);
                }
            }
            _ => *self = Memberships::None,
        }
    }

    pub(super) fn move_to(&mut self, audience: AudienceId, position: u32) {
        let all = match self {
            Memberships::None => &mut [],
            Memberships::One(one) => std::slice::from_mut(one),
            Memberships::Many(many) => many.as_mut_slice(),
        };
        let found = all.iter_mut().find(|membership| membership.audience == audience);
        found.expect("a member's connection names its audience").position = position;
    }
}
