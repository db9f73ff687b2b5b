//! What people and open rooms are called, and when two names are too alike.
//!
//! A name is compared by its *skeleton* (UTS #39 §4), of the case-folded name: names that a reader would confuse have
//! one skeleton, and only one of them can be taken. What would make skeletons unreliable is refused outright: characters
//! that UTS #39 §3 does not allow in identifiers, invisible ones among them, and scripts mixed as no language mixes
//! them (UTS #39 §5).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript, skeleton};

/// A name: 1–32 characters, letters and digits of one language's scripts, and `_`, `.` and `-` after the first. Kept in
/// the case in which it was chosen, in Unicode's form NFC.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// What a name looks like to a reader: names with one skeleton are too alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Skeleton(Box<str>);

/// The rule that a name breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// It has no character.
    Empty,
    /// It has more than [`NAME_CHARS_MAX`].
    TooLong,
    /// It has one that no name has, or one in a place where it cannot be.
    Character,
    /// It mixes scripts that no language mixes.
    Scripts,
    /// It is kept for the server.
    Reserved,
}

impl NameFault {
    /// The rule, for people.
    pub fn message(self) -> &'static str {
        match self {
            NameFault::Empty => "A name has at least one character.",
            NameFault::TooLong => "A name has at most 32 characters.",
            NameFault::Character => {
                "A name has letters and digits, and _ . - after the first; no spaces, no signs."
            }
            NameFault::Scripts => {
                "A name is of one script: letters that look alike must not be mixed."
            }
            NameFault::Reserved => "That name is kept for the server.",
        }
    }
}

impl Name {
    /// A name as somebody typed it.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let name = normal(text, is_name_char)?;
        match RESERVED.contains(&fold(&name).as_str()) {
            true => Err(NameFault::Reserved),
            false => Ok(Self(name.into())),
        }
    }

    /// A second name to be shown beside the first: spaces are allowed between words.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse_display(text: &str) -> Result<Self, NameFault> {
        let words: Vec<_> = text.split_whitespace().collect();
        let name = normal(&words.join(" "), |c| c == ' ' || is_name_char(c))?;
        Ok(Self(name.into()))
    }

    /// As a store kept it, or as this program made it.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How it stands in order beside another name, which is [folded](fold) already: as lists are sorted, whatever the case.
    pub(super) fn cmp_folded(&self, folded: &str) -> Ordering {
        match self.0.is_ascii() {
            true => self.0.bytes().map(|b| b.to_ascii_lowercase()).cmp(folded.bytes()),
            false => fold(&self.0).as_str().cmp(folded),
        }
    }

    /// True if it begins with what is [folded](fold) already, whatever the case.
    pub(super) fn begins_with(&self, folded: &str) -> bool {
        let ascii_begins = |text: &[u8]| {
            text.get(..folded.len()).is_some_and(|t| t.eq_ignore_ascii_case(folded.as_bytes()))
        };
        match self.0.is_ascii() {
            true => ascii_begins(self.0.as_bytes()),
            false => fold(&self.0).starts_with(folded),
        }
    }

    /// Its text, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// What it looks like, its case apart and as it stands: who has either may be confused with it. The first is unique
    /// by itself among names that differ in more than case.
    pub fn skeletons(&self) -> [Skeleton; 2] {
        [Skeleton::of(&self.0), Skeleton::as_seen(&self.0)]
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Skeleton {
    /// What a text looks like in small letters; one that is no name is like none.
    pub fn of(text: &str) -> Self {
        Self::as_seen(&fold(text))
    }

    /// What a text looks like as it stands: a capital `I` like an `l`.
    pub fn as_seen(text: &str) -> Self {
        let alike: String = skeleton(text).collect();
        Self(fold(&alike).into())
    }

    /// As it is compared and stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An open room's name: a [`Name`], case folded, and once more a name after that. (`İ` is one character, and two in small
/// letters.)
pub(super) fn folded(text: &str) -> Result<String, NameFault> {
    let name = fold(&normal(text, is_name_char)?);
    match name.is_ascii() || normal(&name, is_name_char)? == name {
        true => Ok(name),
        false => Err(NameFault::Character),
    }
}

/// Names that nobody can have, and nothing that looks like one.
pub(super) fn reserved() -> impl Iterator<Item = Name> {
    RESERVED.iter().map(|name| Name::stored(name))
}

fn normal(text: &str, allowed: impl Fn(char) -> bool) -> Result<String, NameFault> {
    // Four bytes a character, and as many again for what composes into one.
    if text.len() > NAME_CHARS_MAX * 8 {
        return Err(NameFault::TooLong);
    }
    // What is ASCII is in every normal form and of one script. Nearly every room's id is, and is read with each post.
    let is_ascii = text.is_ascii();
    let name: String = if is_ascii { text.to_owned() } else { text.nfc().collect() };
    let Some(first) = name.chars().next() else { return Err(NameFault::Empty) };
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(NameFault::TooLong);
    }
    let begins_well = first.is_alphanumeric() || first == '_';
    if !begins_well || !name.chars().all(allowed) {
        return Err(NameFault::Character);
    }
    match is_ascii || name.is_single_script() {
        true => Ok(name),
        false => Err(NameFault::Scripts),
    }
}

pub(super) fn is_name_char(c: char) -> bool {
    match c {
        '_' | '.' | '-' => true,
        // UTS #39 allows `'` and `:` as well; in a chat they end a name.
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        _ => c.identifier_allowed(),
    }
}

/// Compatibility forms and case gone (UAX #15, Unicode §3.13; lower case stands in for case folding, which differs from
/// it where skeletons are alike anyway).
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).nfc().collect()
}

/// Characters of a name. Long enough for most people's full names, short enough for a line of a phone.
pub const NAME_CHARS_MAX: usize = 32;

/// Names that would look like the server speaking, or like a mention of many.
const RESERVED: &[&str] = &["all", "channel", "everyone", "here", "server", "system", "wsrelay"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_scripts_are_names() {
        for name in
            ["ann", "Bo", "J.-P", "жук", "山田", "José", "_x_", "ひとみ", "a1", "नमस्ते", "o2"]
        {
            assert_eq!(Name::parse(name).map(|n| n.to_string()), Ok(name.to_owned()), "{name}");
        }
        assert_eq!(Name::parse("Jose\u{301}").unwrap().as_str(), "José");
    }

    #[test]
    fn what_could_deceive_is_no_name() {
        for (name, fault) in [
            ("", NameFault::Empty),
            (&"a".repeat(33), NameFault::TooLong),
            ("a b", NameFault::Character),
            ("-a", NameFault::Character),
            (".a", NameFault::Character),
            ("a\u{200b}nn", NameFault::Character),
            ("a\u{202e}nn", NameFault::Character),
            ("ann\u{00ad}", NameFault::Character),
            ("~ann", NameFault::Character),
            ("@ann", NameFault::Character),
            ("a\nb", NameFault::Character),
            ("аnn", NameFault::Scripts), // a Cyrillic а
            ("o'neil", NameFault::Character),
            ("a:b", NameFault::Character),
            ("System", NameFault::Reserved),
            ("wsrelay", NameFault::Reserved),
        ] {
            assert_eq!(Name::parse(name), Err(fault), "{name:?}");
        }
    }

    #[test]
    fn ascii_is_as_unicode_has_it() {
        for c in '\0'..='\x7f' {
            let text = format!("a{c}B");
            assert_eq!(text.nfc().collect::<String>(), text);
            assert!(!is_name_char(c) || text.is_single_script(), "{text:?}");
            let folded: String = text.nfkc().flat_map(char::to_lowercase).nfc().collect();
            assert_eq!(fold(&text), folded);
        }
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        let alike = |a, b| {
            let [a, b] = [a, b].map(|name| Name::stored(name).skeletons());
            a.iter().any(|skeleton| b.contains(skeleton))
        };
        for (a, b) in [
            ("ann", "Ann"),
            ("bill", "bi11"),
            ("bill", "biII"),
            ("bill", "BILL"),
            ("соса", "coca"),
            ("rn", "m"),
        ] {
            assert!(alike(a, b), "{a} {b}");
        }
        for (a, b) in
            [("ann", "anna"), ("jose", "josé"), ("a.b", "ab"), ("a_b", "a-b"), ("mail", "mall")]
        {
            assert!(!alike(a, b), "{a} {b}");
        }
    }

    #[test]
    fn display_names_have_words() {
        assert_eq!(Name::parse_display("  Ann   of  Kent ").unwrap().as_str(), "Ann of Kent");
        assert_eq!(Name::parse_display(" "), Err(NameFault::Empty));
        assert_eq!(Name::parse_display("Ann\u{2028}"), Ok(Name::stored("Ann")));
    }

    #[test]
    fn names_are_sorted_and_found_in_any_case() {
        let mut names = ["bo", "Ann", "жук", "ann-b", "Жак"].map(Name::stored);
        names.sort_by(|a, b| a.cmp_folded(&fold(b.as_str())));
        assert_eq!(names.each_ref().map(Name::as_str), ["Ann", "ann-b", "bo", "Жак", "жук"]);
        assert!(
            names[0].begins_with("an") && names[3].begins_with("жа") && names[2].begins_with("")
        );
        assert!(!names[0].begins_with("anne") && !names[3].begins_with("жу"));
    }
}
