//! Canaries: one promise each that is broken on purpose, so that it is seen that the world would notice.

use super::disk;
use crate::chat::log::{Restored, RestoredMember};
use crate::chat::{Role, RoomKind, UnixMs};

/// A promise that the world around the real code breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The disk says that it has what it has not: what was acknowledged last goes with the power.
    AcknowledgesBeforeCommit,
    /// The disk does not find a post by its key: who sends it again has posted twice.
    AnswersRepeatsAsNew,
    /// The disk keeps no mentions.
    ForgetsMentions,
    /// The disk keeps nothing of what stands against those who have gone from a room.
    ForgetsLapses,
    /// A reader leaves one entry out of what it has read.
    DropsOneOfAReplay,
    /// Who is put out of a room is still sent what happens there.
    KeepsSendingToTheRemoved,
    /// An answer is lost on its way to the network.
    LosesAnswers,
    /// What is sent is sent twice now and then.
    SendsTwice,
    /// When the process starts, somebody is a member of every group who is not.
    RestoresAStranger,
    /// The comings and goings of people are not told.
    HidesPresence,
}

impl Flaw {
    /// Every canary.
    pub const ALL: [Self; 10] = [
        Self::AcknowledgesBeforeCommit,
        Self::AnswersRepeatsAsNew,
        Self::ForgetsMentions,
        Self::ForgetsLapses,
        Self::DropsOneOfAReplay,
        Self::KeepsSendingToTheRemoved,
        Self::LosesAnswers,
        Self::SendsTwice,
        Self::RestoresAStranger,
        Self::HidesPresence,
    ];

    /// The disk's part of it.
    pub(super) fn of_disk(self) -> Option<disk::Flaw> {
        match self {
            Self::AcknowledgesBeforeCommit => Some(disk::Flaw::Unsynced),
            Self::AnswersRepeatsAsNew => Some(disk::Flaw::ForgetsKeys),
            Self::ForgetsMentions => Some(disk::Flaw::ForgetsMentions),
            Self::ForgetsLapses => Some(disk::Flaw::ForgetsLapses),
            _ => None,
        }
    }
}

/// Makes the first account a member of every group.
pub(super) fn add_stranger(restored: &mut Restored) {
    let Some(stranger) = restored.people.first().map(|person| person.author.id) else { return };
    for room in restored.rooms.iter_mut().filter(|room| room.kind == RoomKind::Group) {
        if room.members.iter().all(|member| member.person != stranger) {
            room.members.push(RestoredMember {
                person: stranger,
                role: Role::Member,
                muted_until: UnixMs(0),
                received: room.seq,
                read: room.seq,
                posts_read: room.posts,
                mentions: 0,
            });
        }
    }
}
