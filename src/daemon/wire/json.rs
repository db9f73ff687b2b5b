//! How values are written as JSON (RFC 8259): objects field by field, straight into the text.
//!
//! No tree is built. What a closure writes stands between its object's braces, so braces always match; commas and quotes
//! are written here alone.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::chat::UnixMs;

/// An object that is being written: each method adds a field.
#[derive(Debug)]
pub(super) struct Object<'a> {
    out: &'a mut String,
}

/// Writes an object with the fields that `write` adds.
pub(super) fn object(out: &mut String, write: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    write(&mut Object { out });
    out.push('}');
}

impl Object<'_> {
    /// A field that is text: anything at all.
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        string(text, self.out);
    }

    /// A field that is one of the protocol's own words, which need no escapes.
    pub(super) fn word(&mut self, name: &'static str, word: &'static str) {
        self.name(name);
        self.out.push('"');
        self.out.push_str(word);
        self.out.push('"');
    }

    /// A field that is a whole number.
    pub(super) fn whole(&mut self, name: &'static str, whole: impl Into<u64>) {
        self.name(name);
        number(whole.into(), self.out);
    }

    /// A field that is a count of something in memory.
    pub(super) fn count(&mut self, name: &'static str, count: usize) {
        self.whole(name, u64::try_from(count).expect("no memory holds 2^64 of anything"));
    }

    /// A field that is a whole number in quotes, since it may be too large for JavaScript's numbers.
    pub(super) fn digits(&mut self, name: &'static str, whole: u64) {
        self.name(name);
        self.out.push('"');
        number(whole, self.out);
        self.out.push('"');
    }

    /// A field that is true or false.
    pub(super) fn flag(&mut self, name: &'static str, flag: bool) {
        self.name(name);
        self.out.push_str(if flag { "true" } else { "false" });
    }

    /// A field that stands there, and is true, only if it is.
    pub(super) fn flag_if(&mut self, name: &'static str, flag: bool) {
        if flag {
            self.flag(name, true);
        }
    }

    /// A field that is a moment: RFC 3339, in UTC, to the millisecond.
    pub(super) fn moment(&mut self, name: &'static str, at: UnixMs) {
        self.name(name);
        self.out.push('"');
        moment(at, self.out);
        self.out.push('"');
    }

    /// A field that stands there if there is such a moment.
    pub(super) fn moment_if(&mut self, name: &'static str, at: Option<UnixMs>) {
        if let Some(at) = at {
            self.moment(name, at);
        }
    }

    /// A field that is an object.
    pub(super) fn object(&mut self, name: &'static str, write: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        object(self.out, write);
    }

    /// A field that is a list of objects.
    pub(super) fn objects<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Object<'_>),
    ) {
        self.list(name, items, |item, out| object(out, |object| write(item, object)));
    }

    /// A field that is a list of texts.
    pub(super) fn texts<'t>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = &'t str>,
    ) {
        self.list(name, items, string);
    }

    fn list<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut String),
    ) {
        self.name(name);
        self.out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(item, self.out);
        }
        self.out.push(']');
    }

    fn name(&mut self, name: &'static str) {
        // Only an object's beginning ends with a brace: each value before another field ends otherwise.
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }
}

/// Writes any text as a string (RFC 8259 §7). Everything that may stand there as it is does: U+2028 and U+2029 as well,
/// which JavaScript allows in strings since 2019.
fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(needs_escape) {
        out.push_str(&rest[..at]);
        escape(rest.as_bytes()[at], out);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// True for what MUST be escaped: quote, backslash and controls.
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\t' => out.push_str("\\t"),
        b'\r' => out.push_str("\\r"),
        control => write!(out, "\\u{control:04x}").expect("text takes whatever is written"),
    }
}

fn number(whole: u64, out: &mut String) {
    write!(out, "{whole}").expect("text takes whatever is written");
}

/// What lies beyond the year 9999 is its end.
pub(super) fn moment(at: UnixMs, out: &mut String) {
    let at = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = Offset::UTC.to_datetime(at.unwrap_or(Timestamp::MAX));
    let digits = |place: i16, value: i16, out: &mut String| {
        let mut place = place;
        while place > 0 {
            out.push(char::from(b'0' + u8::try_from(value / place % 10).expect("one digit")));
            place /= 10;
        }
    };
    digits(1000, at.year(), out);
    out.push('-');
    digits(10, at.month().into(), out);
    out.push('-');
    digits(10, at.day().into(), out);
    out.push('T');
    digits(10, at.hour().into(), out);
    out.push(':');
    digits(10, at.minute().into(), out);
    out.push(':');
    digits(10, at.second().into(), out);
    out.push('.');
    digits(100, at.millisecond(), out);
    out.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::bytes_sent;

    fn written(text: &str) -> String {
        let mut out = String::new();
        string(text, &mut out);
        out
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        for (text, expected) in [
            ("", r#""""#),
            ("hi", r#""hi""#),
            ("\"", r#""\"""#),
            ("a\\b\"c", r#""a\\b\"c""#),
            ("\n\r\t", r#""\n\r\t""#),
            ("\0\u{8}\u{1f}", r#""\u0000\u0008\u001f""#),
            ("</é\u{7f}\u{2028}\u{2029}\u{e000}😀>", "\"</é\u{7f}\u{2028}\u{2029}\u{e000}😀>\""),
        ] {
            assert_eq!(written(text), expected, "{text:?}");
        }
    }

    #[test]
    fn any_text_comes_back() {
        let rare = ['\u{2028}', '\u{2029}', '\u{e000}', '\u{fffd}', '\u{ffff}', char::MAX];
        for c in ('\0'..'\u{1000}').chain(rare) {
            // Wherever in a text it stands.
            let text = [String::from(c), format!("a{c}"), format!("{c}\"b"), format!("é{c}é")];
            for text in text {
                let written = written(&text);
                assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
                assert_eq!(written.len(), bytes_sent(&text) + 2, "in quotes");
            }
        }
    }

    #[test]
    fn moments_are_as_jiff_prints_them() {
        let last = 253_402_207_200_000;
        let odd = [0, 1, 999, 1_000, 951_782_400_000, 1_795_226_808_123, last - 1, last];
        for ms in odd.into_iter().chain((0..last).step_by(123_456_789_012)) {
            let expected = format!("{:.3}", Timestamp::from_millisecond(ms).unwrap());
            let mut out = String::new();
            moment(UnixMs(ms.unsigned_abs()), &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn what_lies_beyond_the_calendar_is_its_end() {
        for ms in [253_402_207_200_001, 1 << 63, u64::MAX] {
            let mut out = String::new();
            moment(UnixMs(ms), &mut out);
            assert_eq!(out, "9999-12-30T22:00:00.999Z");
        }
    }

    #[test]
    fn braces_and_commas_match() {
        let mut out = String::from("before ");
        object(&mut out, |o| {
            o.object("empty", |_| {});
            o.objects("none", [0; 0], |_, _| {});
            o.text("brace", "{");
            o.objects("each", [1_u64, 2], |n, o| o.whole("n", n));
            o.texts("texts", ["{", ""]);
            o.digits("id", u64::MAX);
            o.flag_if("no", false);
            o.flag("off", false);
        });
        assert_eq!(
            out,
            r#"before {"empty":{},"none":[],"brace":"{","each":[{"n":1},{"n":2}],"texts":["{",""],"id":"18446744073709551615","off":false}"#
        );
    }
}
