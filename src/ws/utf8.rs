//! UTF-8 that comes in pieces (RFC 6455 §8.1).
//!
//! A message that is whole is checked by the standard library at once, elsewhere. Here is what a
//! message in pieces needs: each piece is checked when it comes and appended to a `String`, so that
//! no byte is ever checked twice and the finished message is text without another look at it. Only
//! the bytes of a character that has begun and not ended, three at most, wait for the next piece.
//!
//! Invariant: after `Ok`, the waiting bytes are a proper prefix of a well-formed character. Hence a
//! piece fails if and only if it holds the first byte that no UTF-8 could have there.

use super::work;

/// The bytes of a character that has begun and not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begun {
    bytes: [u8; 4],
    len: u8,
}

/// The piece holds a byte that cannot be where it is, or the text ends within a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8;

impl Begun {
    /// Appends the characters that `piece` finishes to `text`.
    pub(crate) fn push(&mut self, piece: &[u8], text: &mut String) -> Result<(), NotUtf8> {
        let piece = self.finish_character(piece, text)?;
        let (whole, begun) = piece.split_at(last_boundary(piece));
        work::add(whole.len());
        text.push_str(str::from_utf8(whole).map_err(|_| NotUtf8)?);
        begun.iter().try_for_each(|&byte| self.push_byte(byte, text))
    }

    /// How many bytes wait.
    pub(crate) fn len(self) -> usize {
        self.len.into()
    }

    /// To be asked at the end of the text.
    pub(crate) fn finish(self) -> Result<(), NotUtf8> {
        if self.len == 0 { Ok(()) } else { Err(NotUtf8) }
    }

    /// Takes from the front of `piece` what the begun character lacks.
    fn finish_character<'a>(
        &mut self,
        mut piece: &'a [u8],
        text: &mut String,
    ) -> Result<&'a [u8], NotUtf8> {
        while self.len > 0
            && let Some((&byte, rest)) = piece.split_first()
        {
            self.push_byte(byte, text)?;
            piece = rest;
        }
        Ok(piece)
    }

    fn push_byte(&mut self, byte: u8, text: &mut String) -> Result<(), NotUtf8> {
        self.bytes[self.len()] = byte;
        self.len += 1;
        work::add(self.len());
        match str::from_utf8(&self.bytes[..self.len()]) {
            Ok(character) => {
                text.push_str(character);
                self.len = 0;
                Ok(())
            }
            // With no `error_len`, all it lacks is more bytes.
            Err(error) if error.error_len().is_none() => Ok(()),
            Err(_) => Err(NotUtf8),
        }
    }
}

/// Where the last character of `bytes` begins if it needs more bytes than there are, else the end.
///
/// It looks at lead bytes and lengths alone: whether the bytes are UTF-8 is found out by whoever
/// checks the two parts.
fn last_boundary(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    for (at, &byte) in bytes.iter().enumerate().skip(tail).rev() {
        let width = match byte {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if at + width > bytes.len() { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `pieces`, and says how many bytes were taken before the one that failed.
    fn read(pieces: &[&[u8]]) -> Result<String, usize> {
        let (mut begun, mut text, mut taken) = (Begun::default(), String::new(), 0);
        for piece in pieces {
            begun.push(piece, &mut text).map_err(|NotUtf8| taken)?;
            taken += piece.len();
        }
        begun.finish().map_err(|NotUtf8| taken)?;
        Ok(text)
    }

    #[test]
    fn text_survives_every_cut() {
        let text = "a é € 😀 \u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\u{d7ff}\u{e000}";
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(read(&pieces).as_deref(), Ok(text), "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn fails_at_the_first_bad_byte() {
        let rows: [(&[u8], usize); 10] = [
            (b"a\x80", 1),            // a continuation without a character
            (b"\xc0\xaf", 0),         // overlong, in two bytes
            (b"\xe0\x9f\xbf", 1),     // overlong, in three
            (b"\xf0\x8f\xbf\xbf", 1), // overlong, in four
            (b"\xed\xa0\x80", 1),     // a surrogate
            (b"\xf4\x90\x80\x80", 1), // past U+10FFFF
            (b"\xf5", 0),             // never a lead byte
            (b"\xe2\x82\x41", 2),     // a character broken off by another
            (b"\xce\xba\xe1\xbd", 4), // the end within a character
            (b"\xf0\x9f\x98\xf0", 3), // a lead byte where a continuation must be
        ];
        for (bytes, good) in rows {
            let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(&bytewise), Err(good), "{bytes:x?}");
            assert!(read(&[bytes]).is_err(), "{bytes:x?}");
        }
    }
}
