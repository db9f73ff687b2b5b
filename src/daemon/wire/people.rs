//! People, as others see them.

use super::json::Object;
use super::room::role;
use crate::chat::{Member, Profile, Seq, User};

/// A person. The id is text: JavaScript's numbers do not hold it.
pub(super) fn user_fields(user: &User, o: &mut Object<'_>) {
    o.digits("id", user.id.0);
    o.text("name", user.name.as_str());
    o.flag("guest", user.id.is_guest());
    profile_fields(&user.profile, o);
}

/// A person in a room. What is not known, or not told, is not there.
pub(super) fn member_fields(member: &Member, o: &mut Object<'_>) {
    o.text("name", member.user.name.as_str());
    o.digits("id", member.user.id.0);
    o.flag_if("guest", member.user.id.is_guest());
    profile_fields(&member.user.profile, o);
    o.word("role", role(member.role));
    o.flag("online", member.online);
    o.moment_if("last_seen", member.last_seen);
    seq_field("received", member.received, o);
    seq_field("read", member.read, o);
    o.moment_if("muted_until", member.muted_until);
}

fn profile_fields(profile: &Profile, o: &mut Object<'_>) {
    if let Some(display) = &profile.display {
        o.text("display", display.as_str());
    }
    if let Some(hue) = profile.hue {
        o.whole("hue", hue);
    }
}

fn seq_field(name: &'static str, seq: Seq, o: &mut Object<'_>) {
    if seq > Seq::START {
        o.whole(name, seq.0);
    }
}
