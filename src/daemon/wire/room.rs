//! Rooms, as one person sees them.

use super::json::Object;
use crate::chat::{Role, RoomKind, RoomSummary};

/// A room's summary.
pub(super) fn summary_fields(summary: &RoomSummary, o: &mut Object<'_>) {
    o.text("room", summary.room.as_str());
    o.word("kind", kind(summary.kind));
    o.text("name", &summary.name);
    o.text("epoch", summary.epoch.as_str());
    o.whole("seq", summary.seq.0);
    o.moment_if("at", summary.at);
    o.word("role", role(summary.role));
    o.flag_if("read_only", summary.mode.read_only);
    if summary.mode.slow_ms > 0 {
        o.whole("slow_ms", summary.mode.slow_ms);
    }
    o.whole("read", summary.read.0);
    o.whole("unread", summary.left.posts);
    o.whole("mentions", summary.left.mentions);
}

pub(super) fn kind(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Lobby => "lobby",
        RoomKind::Open => "open",
        RoomKind::Group => "group",
        RoomKind::Direct => "direct",
        RoomKind::Invite => "invite",
    }
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}
