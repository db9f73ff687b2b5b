//! What a member may do in a room.

/// A member's role, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads and does nothing else.
    Reader,
    /// Reads, posts and reacts.
    Member,
    /// Moderates as well: members and readers, their posts, the room's mode and title.
    Admin,
    /// Everything, admins included. A room with members never loses its last owner.
    Owner,
}
