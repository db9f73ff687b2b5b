//! What a password may be.
//!
//! Passwords are prepared as RFC 8265 §4.2 has it (the OpaqueString profile), so that one typed on two keyboards is one:
//! spaces of every script become the ASCII space, and the text takes Unicode's form NFC. Case and width stay as they are.
//! Control characters are refused. We depart from it in one point: characters that our table of Unicode does not know are
//! let through, since a newer keyboard may.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::chat::Name;

/// A password, prepared for comparison. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::daemon) struct Password(Box<str>);

/// The rule that a password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) enum PasswordFault {
    /// Fewer bytes than [`BYTES_MIN`].
    TooShort,
    /// More bytes than [`BYTES_MAX`].
    TooLong,
    /// It has a control character.
    Control,
    /// It is the account's name.
    IsName,
}

impl PasswordFault {
    /// The rule, for people.
    pub(in crate::daemon) fn message(self) -> &'static str {
        match self {
            PasswordFault::TooShort => "A password has at least 8 characters.",
            PasswordFault::TooLong => "A password has at most 1024 bytes.",
            PasswordFault::Control => "A password has no control characters.",
            PasswordFault::IsName => "A password is not the name.",
        }
    }
}

impl Password {
    /// One that somebody chooses for the account of this name.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(in crate::daemon) fn choose(text: &str, name: &Name) -> Result<Self, PasswordFault> {
        let password = Self::typed(text)?;
        match password.0.to_lowercase() == name.as_str().to_lowercase() {
            true => Err(PasswordFault::IsName),
            false => Ok(password),
        }
    }

    /// One that somebody types as theirs.
    ///
    /// # Errors
    /// The rule that it breaks; it is then nobody's.
    pub(in crate::daemon) fn typed(text: &str) -> Result<Self, PasswordFault> {
        if text.len() > BYTES_MAX {
            return Err(PasswordFault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordFault::Control);
        }
        let prepared: String = text.chars().map(ascii_space).nfc().collect();
        match prepared.len() {
            ..BYTES_MIN => Err(PasswordFault::TooShort),
            BYTES_MIN..=BYTES_MAX => Ok(Self(prepared.into())),
            _ => Err(PasswordFault::TooLong),
        }
    }

    /// What is hashed.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// As it was typed, but for how it was prepared. For who hands it on.
    pub(in crate::daemon) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// RFC 8265 §4.2.2: "any instances of non-ASCII space MUST be mapped to SPACE (U+0020)": those of the category Zs.
fn ascii_space(c: char) -> char {
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        c => c,
    }
}

/// Bytes of a password: what NIST SP 800-63B §3.1.1 asks for at the least, counted in bytes.
pub(in crate::daemon) const BYTES_MIN: usize = 8;
/// Longer than any phrase that somebody types, short enough to cost nothing beside the hash.
pub(in crate::daemon) const BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_alike_is_one_password() {
        let same = |a, b| Password::typed(a).unwrap() == Password::typed(b).unwrap();
        assert!(same("caf\u{e9} noir", "cafe\u{301} noir"));
        assert!(same("one\u{a0}two\u{3000}three", "one two three"));
        assert!(!same("Correct horse", "correct horse"), "case counts");
        assert!(!same("１２３４５６７８", "12345678"), "width counts");
        assert!(!same("12345678 ", "12345678"), "spaces count");
    }

    #[test]
    fn a_password_has_8_to_1024_bytes_of_any_script() {
        for (text, expected) in [
            (String::new(), Err(PasswordFault::TooShort)),
            ("1234567".to_owned(), Err(PasswordFault::TooShort)),
            ("12345678".to_owned(), Ok(())),
            ("пароль".to_owned(), Ok(())),
            ("👍👍".to_owned(), Ok(())),
            ("a".repeat(1024), Ok(())),
            ("a".repeat(1025), Err(PasswordFault::TooLong)),
            ("\u{fb2c}".repeat(341), Err(PasswordFault::TooLong)), // grows in NFC
            ("12345\u{a0}".to_owned(), Err(PasswordFault::TooShort)), // shrinks
            ("1234567\n".to_owned(), Err(PasswordFault::Control)),
            ("12345678\0".to_owned(), Err(PasswordFault::Control)),
        ] {
            assert_eq!(Password::typed(&text).map(|_| ()), expected, "{text:.20?}");
        }
    }

    #[test]
    fn a_name_is_no_password() {
        let name = Name::stored("Annabella");
        assert_eq!(Password::choose("annaBELLA", &name), Err(PasswordFault::IsName));
        assert!(Password::choose("annabella1", &name).is_ok());
    }

    #[test]
    fn a_password_does_not_show() {
        assert_eq!(format!("{:?}", Password::typed("correct horse")), "Ok(Password(…))");
    }
}
