//! What people write, held to its limits.

use std::sync::Arc;

/// Bytes of a text as it is sent, where quotes, backslashes and controls are written as escapes (RFC 8259 §7): a text of
/// nothing but controls is six times as long there.
pub fn bytes_sent(text: &str) -> usize {
    let added = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        ..b' ' => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(added).sum::<usize>()
}

/// The text of a post, as written: 1 to `chars_max` characters, at least one of them visible. Never interpreted here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body(Arc<str>);

impl Body {
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str, chars_max: usize) -> Result<Self, BodyFault> {
        if !text.chars().any(can_be_seen) {
            return Err(BodyFault::Empty);
        }
        // A character has at most four bytes: counting is for those alone that could be too long.
        if text.len() > chars_max && text.chars().count() > chars_max {
            return Err(BodyFault::TooLong { chars_max });
        }
        Ok(Self(text.into()))
    }

    /// As a store kept it.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// Nothing in it can be seen.
    Empty,
    /// More characters than the room takes.
    TooLong {
        /// How many it takes.
        chars_max: usize,
    },
}

/// False for blanks, controls, and what has no shape of its own: characters of Unicode's property
/// Default_Ignorable_Code_Point (Unicode Standard, 5.21), and the blank pattern of Braille.
fn can_be_seen(c: char) -> bool {
    let has_no_shape = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    !(c.is_whitespace() || c.is_control() || has_no_shape)
}

/// What makes a post idempotent: chosen by the client, unique for its author in a room. 1–64 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PostKey(Arc<str>);

impl PostKey {
    /// `None` if the text is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let is_key = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        is_key.then(|| Self(text.into()))
    }

    /// As the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A reaction: up to 16 characters and 64 bytes that are no letters, white space or controls; in practice one emoji.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Emoji(Arc<str>);

impl Emoji {
    /// `None` if the text is no reaction. A keycap (`1️⃣`) may begin with a digit; nothing else in ASCII is one.
    pub fn parse(text: &str) -> Option<Self> {
        let chars = text.chars().count();
        let keycap =
            chars > 1 && text.starts_with(|c: char| c.is_ascii_digit() || c == '#' || c == '*');
        let rest = if keycap { &text[1..] } else { text };
        let allowed =
            |c: char| !c.is_ascii() && !c.is_alphabetic() && !c.is_whitespace() && !c.is_control();
        let is_emoji = (1..=16).contains(&chars) && text.len() <= 64 && rest.chars().all(allowed);
        is_emoji.then(|| Self(text.into()))
    }

    /// As a store kept it.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_has_something_to_see() {
        for nothing in
            ["", " ", "\n\t", "\u{200b}", "\u{2060}\u{fe0f} ", "\u{3164}", "\u{2800}\u{ad}"]
        {
            assert_eq!(Body::parse(nothing, 10), Err(BodyFault::Empty), "{nothing:?}");
        }
        for something in [".", "\u{200b}a", "❤\u{fe0f}", " 👩\u{200d}💻", "ᅟᅠᄀ"] {
            assert_eq!(Body::parse(something, 10).unwrap().as_str(), something);
        }
    }
}
