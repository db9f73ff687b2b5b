//! What REST requests carry and are answered with, as JSON. Decoding checks shapes and types; what a name or a password may be is
//! for those to say who own them.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Deserializer;

use super::json::{Object, object};
use super::people::user_fields;
use crate::chat::{UnixMs, User};

/// A name and the password for it.
#[derive(Debug, Deserialize)]
pub(in crate::daemon) struct Credentials<'a> {
    #[serde(borrow)]
    pub(in crate::daemon) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(in crate::daemon) password: Cow<'a, str>,
}

/// Another password in the place of the old.
#[derive(Debug, Deserialize)]
pub(in crate::daemon) struct PasswordChange<'a> {
    #[serde(borrow)]
    pub(in crate::daemon) old: Cow<'a, str>,
    #[serde(borrow)]
    pub(in crate::daemon) new: Cow<'a, str>,
}

/// The password once more.
#[derive(Debug, Deserialize)]
pub(in crate::daemon) struct Confirmation<'a> {
    #[serde(borrow)]
    pub(in crate::daemon) password: Cow<'a, str>,
}

/// What is to be different in a profile.
#[derive(Debug, Deserialize)]
pub(in crate::daemon) struct ProfileChange<'a> {
    #[serde(borrow, default)]
    pub(in crate::daemon) display: Change<Cow<'a, str>>,
    #[serde(default)]
    pub(in crate::daemon) hue: Change<u16>,
}

/// What is to become of one field: absent, `null`, or a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::daemon) enum Change<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

/// A room to begin.
#[derive(Debug, Deserialize)]
pub(in crate::daemon) struct RoomToBegin<'a> {
    pub(in crate::daemon) kind: KindToBegin,
    #[serde(borrow, default)]
    pub(in crate::daemon) name: Option<Cow<'a, str>>,
}

/// The kinds of room that can be begun by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::daemon) enum KindToBegin {
    Open,
    Group,
    Invite,
}

/// A guest to be.
#[derive(Debug, Default, Deserialize)]
pub(in crate::daemon) struct GuestToBe<'a> {
    #[serde(borrow, default)]
    pub(in crate::daemon) name: Option<Cow<'a, str>>,
}

/// One log-in in the list of one's log-ins.
#[derive(Debug)]
pub(in crate::daemon) struct ListedSession<'a> {
    pub(in crate::daemon) id: u64,
    pub(in crate::daemon) created: UnixMs,
    pub(in crate::daemon) last_used: UnixMs,
    pub(in crate::daemon) label: &'a str,
    pub(in crate::daemon) current: bool,
}

/// That a body is not what its route takes; for whoever wrote the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct BadBody(pub(in crate::daemon) String);

/// Reads a body. Fields that it does not know are ignored.
pub(in crate::daemon) fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BadBody> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(BadBody("The body is to be a JSON object.".to_owned()));
    }
    serde_json::from_slice(body).map_err(|e| BadBody(format!("The body does not fit: {e}.")))
}

/// `{"user":{…}}`.
pub(in crate::daemon) fn user(user: &User) -> String {
    body(|o| o.object("user", |o| user_fields(user, o)))
}

/// `{"user":{…},"token":"…"}`.
pub(in crate::daemon) fn user_and_token(user: &User, token: &str) -> String {
    body(|o| {
        o.object("user", |o| user_fields(user, o));
        o.text("token", token);
    })
}

/// `{"room":"…"}`.
pub(in crate::daemon) fn room(id: &str) -> String {
    body(|o| o.text("room", id))
}

/// `{"sessions":[…]}`.
pub(in crate::daemon) fn sessions<'a>(all: impl Iterator<Item = ListedSession<'a>>) -> String {
    body(|o| o.objects("sessions", all, session_fields))
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    /// Called only for a field that is there.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(from)?;
        Ok(value.map_or(Change::Clear, Change::Set))
    }
}

fn session_fields(session: ListedSession<'_>, o: &mut Object<'_>) {
    o.digits("id", session.id);
    o.moment("created", session.created);
    o.moment("last_used", session.last_used);
    o.text("label", session.label);
    o.flag("current", session.current);
}

fn body(write: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    object(&mut out, write);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Name, PersonId, Profile};

    #[test]
    fn what_fits_is_read_and_what_does_not_is_said() {
        let read = decode::<Credentials<'_>>(br#"{"name":"ann","password":"\u00e9","x":[]}"#);
        let read = read.unwrap();
        assert_eq!((&*read.name, &*read.password), ("ann", "é"));
        for (body, says) in [
            (&b""[..], "object"),
            (b"{", "EOF"),
            (b"{}", "name"),
            (br#"["ann","secret"]"#, "object"),
            (b"null", "object"),
            (br#"{"name":"ann"}"#, "password"),
            (br#"{"name":1,"password":""}"#, "integer"),
            (br#"{"name":"a","name":"b","password":""}"#, "duplicate"),
            (br#"{"name":"ann","password":""} x"#, "trailing"),
            (b"{\"name\":\"\xff\",\"password\":\"\"}", "unicode"),
            (br#"{"name":"\ud800","password":""}"#, "escape"),
        ] {
            let Err(BadBody(said)) = decode::<Credentials<'_>>(body) else { panic!("{body:?}") };
            let body = body.escape_ascii();
            assert!(said.to_lowercase().contains(&says.to_lowercase()), "{body}: {said}");
        }
    }

    #[test]
    fn a_body_nested_without_end_is_refused() {
        let body = [b"{\"x\":".to_vec(), b"[".repeat(60_000)].concat();
        assert!(decode::<Confirmation<'_>>(&body).is_err());
    }

    #[test]
    fn a_field_is_kept_cleared_or_set() {
        let display = |body: &'static str| {
            decode::<ProfileChange<'_>>(body.as_bytes()).map(|change| change.display)
        };
        assert_eq!(display("{}"), Ok(Change::Keep));
        assert_eq!(display(r#"{"display":null}"#), Ok(Change::Clear));
        assert_eq!(display(r#"{"display":"Ann"}"#), Ok(Change::Set("Ann".into())));
        assert!(display(r#"{"hue":-1}"#).is_err() && display(r#"{"hue":1.5}"#).is_err());
    }

    #[test]
    fn rooms_have_kinds() {
        let kind = |body: &'static str| decode::<RoomToBegin<'_>>(body.as_bytes()).map(|r| r.kind);
        assert_eq!(kind(r#"{"kind":"invite"}"#), Ok(KindToBegin::Invite));
        assert!(kind(r#"{"kind":"direct"}"#).is_err());
        assert!(kind(r#"{"name":"x"}"#).is_err());
    }

    #[test]
    fn answers_are_as_the_protocol_has_them() {
        let profile = Profile { display: Some(Name::stored("Ann \"A\"")), hue: Some(7) };
        let ann = User { id: PersonId(1), name: Name::stored("ann"), profile };
        assert_eq!(
            user(&ann),
            r#"{"user":{"id":"1","name":"ann","guest":false,"display":"Ann \"A\"","hue":7}}"#
        );
        let bo = PersonId::guest(1);
        let bo = User { id: bo, name: Name::stored("bo"), profile: Profile::default() };
        assert_eq!(
            user_and_token(&bo, "g_x"),
            r#"{"user":{"id":"9223372036854775809","name":"bo","guest":true},"token":"g_x"}"#
        );
        let (created, last_used) = (UnixMs(0), UnixMs(1_800_000_000_123));
        let one = ListedSession { id: 3, created, last_used, label: "x", current: true };
        assert_eq!(
            sessions([one].into_iter()),
            "{\"sessions\":[{\"id\":\"3\",\"created\":\"1970-01-01T00:00:00.000Z\",\
             \"last_used\":\"2027-01-15T08:00:00.123Z\",\"label\":\"x\",\"current\":true}]}"
        );
    }
}
