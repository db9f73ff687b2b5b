//! Tokens: what somebody shows to be known again.
//!
//! Owns their two forms. An account's token, `a_…`, is 256 random bits; its SHA-256 is kept, so that who reads the data file
//! cannot log in, and to find the hash is to have the token: no comparison leaks anything. A guest's, `g_…`, is kept by
//! nobody but the guest: it says who and until when, under a code that only this server can make (HMAC-SHA256, RFC 2104).
//!
//! Both are of the characters that a cookie, a header, and a subprotocol can carry as they stand.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::chance;
use crate::chat::{Author, Name, PersonId, UnixMs};

/// What somebody claims by a token. A guest's claim is proven; an account's is, if its digest is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Account(TokenDigest),
    Guest(Author),
}

impl Claim {
    /// `None` for what is no token, was not made here, or is past its time.
    pub(super) fn parse(token: &str, key: &GuestKey, now: UnixMs) -> Option<Self> {
        match token.split_at_checked(PREFIX_BYTES)? {
            ("a_", text) => AccountToken::digest_of(text).map(Self::Account),
            ("g_", text) => key.open(text, now).map(Self::Guest),
            _ => None,
        }
    }
}

/// A token for an account, to be given to its holder and then forgotten.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct AccountToken(Box<str>);

impl AccountToken {
    /// From 256 random bits.
    pub(super) fn new(random: [u8; 32]) -> Self {
        Self(format!("a_{}", URL_SAFE_NO_PAD.encode(random)).into())
    }

    /// As it is sent.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is kept.
    pub(super) fn digest(&self) -> TokenDigest {
        Self::digest_of(&self.0[PREFIX_BYTES..]).expect("made of 32 bytes")
    }

    fn digest_of(text: &str) -> Option<TokenDigest> {
        let mut random = [0; 32];
        // Exactly 32 bytes, and one text for them only: the decoder refuses stray bits at the end.
        let bytes = URL_SAFE_NO_PAD.decode_slice(text, &mut random).ok()?;
        (bytes == random.len()).then(|| TokenDigest(Sha256::digest(random).into()))
    }
}

/// Never the token: what is shown may be logged.
impl fmt::Debug for AccountToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountToken(…)")
    }
}

/// The SHA-256 of an account's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest(pub(super) [u8; 32]);

/// Makes guests' tokens, and knows them again.
pub(super) struct GuestKey(Hmac<Sha256>);

impl GuestKey {
    /// From the store's secret: with the same one, tokens outlive a restart.
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("a key of any length will do"))
    }

    /// A token that brings this guest back, for [`GUEST_TOKEN_MS`].
    pub(super) fn mint(&self, guest: &Author, now: UnixMs) -> String {
        let until = now.0.saturating_add(GUEST_TOKEN_MS);
        let name = guest.name.as_str().as_bytes();
        let said = [&guest.id.0.to_be_bytes()[..], &until.to_be_bytes()[..], name].concat();
        let code = self.code(&said).finalize().into_bytes();
        format!("g_{}", URL_SAFE_NO_PAD.encode([&said[..], &code[..CODE_BYTES]].concat()))
    }

    /// Who the guest is, if this key made the token and its time is not over.
    fn open(&self, text: &str, now: UnixMs) -> Option<Author> {
        if text.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (said, code) = bytes.split_at_checked(bytes.len().checked_sub(CODE_BYTES)?)?;
        self.code(said).verify_truncated_left(code).ok()?;
        let (id, rest) = said.split_first_chunk()?;
        let (until, name) = rest.split_first_chunk()?;
        if UnixMs(u64::from_be_bytes(*until)) <= now {
            return None;
        }
        // Parsed anew: the rules for names may be stricter than when it was made.
        let name = Name::parse(str::from_utf8(name).ok()?).ok()?;
        let id = PersonId(u64::from_be_bytes(*id));
        id.is_guest().then_some(Author { id, name })
    }

    /// The code over what a token says; over its kind as well, so that no other use of the secret can be taken for it.
    fn code(&self, said: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(b"g_").chain_update(said)
    }
}

impl fmt::Debug for GuestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestKey(…)")
    }
}

/// A guest who was never here before, of this name.
pub(super) fn new_guest(name: Name) -> Author {
    Author { id: PersonId::guest(chance::bits64()), name }
}

/// How long a guest's token brings the guest back.
pub(super) const GUEST_TOKEN_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// `a_` or `g_`.
const PREFIX_BYTES: usize = 2;
/// The first half of the code: 128 bits (RFC 2104 §5).
const CODE_BYTES: usize = 16;
/// Two numbers, a name of 32 characters and the code, in base64.
const TOKEN_CHARS_MAX: usize = (8 + 8 + 32 * 4 + CODE_BYTES).div_ceil(3) * 4;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_800_000_000_000);

    fn key() -> GuestKey {
        GuestKey::new(&[7; 32])
    }

    fn ann() -> Author {
        Author { id: PersonId::guest(5), name: Name::stored("ann") }
    }

    #[test]
    fn an_account_token_is_known_by_its_digest() {
        let token = AccountToken::new([0; 32]);
        assert_eq!(token.as_str(), "a_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(token.digest().0[..4], [0x66, 0x68, 0x7a, 0xad], "SHA-256 of 32 zeros");
        assert_eq!(Claim::parse(token.as_str(), &key(), NOW), Some(Claim::Account(token.digest())));
        assert_ne!(AccountToken::new([1; 32]).digest(), token.digest());
    }

    #[test]
    fn what_is_no_token_is_no_claim() {
        let right = AccountToken::new([0; 32]);
        let right = right.as_str();
        for text in [
            "",
            "a",
            "a_",
            "g_",
            "b_AAAA",
            "ä_AAAA",
            "A_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            &right[..44],
            &format!("{right}A"),
            &format!("{right}="),
            &format!("{}B", &right[..44]), // another text for the same bytes
            &format!(" {right}"),
            &format!("{}+", &right[..44]),
            &format!("g_{}", "A".repeat(100_000)),
        ] {
            assert_eq!(Claim::parse(text, &key(), NOW), None, "{text:.60?}");
        }
    }

    #[test]
    fn a_guest_comes_back_with_the_token_until_its_time() {
        let zhuk = Author { id: PersonId::guest(u64::MAX), name: Name::stored("жук") };
        for guest in [ann(), zhuk] {
            let token = key().mint(&guest, NOW);
            let open = |at: u64| Claim::parse(&token, &key(), UnixMs(at));
            assert_eq!(open(NOW.0), Some(Claim::Guest(guest.clone())));
            assert_eq!(open(NOW.0 + GUEST_TOKEN_MS - 1), Some(Claim::Guest(guest.clone())));
            assert_eq!(open(NOW.0 + GUEST_TOKEN_MS), None);
        }
    }

    #[test]
    fn a_guest_of_the_longest_name_fits() {
        let name = Name::stored(&"山".repeat(32));
        assert!(Name::parse(name.as_str()).is_ok());
        let guest = Author { id: PersonId::guest(0), name };
        let token = key().mint(&guest, NOW);
        assert_eq!(Claim::parse(&token, &key(), NOW), Some(Claim::Guest(guest)));
        assert!(token.len() <= 2 + TOKEN_CHARS_MAX, "{}", token.len());
    }

    /// Computed with another program: tokens that are out there stay good.
    #[test]
    fn a_guest_token_is_what_it_has_always_been() {
        assert_eq!(key().mint(&ann(), UnixMs(0)), GUEST_VECTOR);
    }
    const GUEST_VECTOR: &str = "g_gAAAAAAAAAUAAAAAmn7IAGFubtsZh94UrQP0dGyMiVE6N_U";

    #[test]
    fn no_change_to_a_guest_token_goes_unnoticed() {
        let token = key().mint(&ann(), NOW);
        for at in 0..token.len() {
            for by in [b'A', b'B', b'_', b'-'] {
                let mut bytes = token.clone().into_bytes();
                if std::mem::replace(&mut bytes[at], by) != by {
                    let forged = String::from_utf8(bytes).unwrap();
                    assert_eq!(Claim::parse(&forged, &key(), NOW), None, "at {at}");
                }
            }
            assert_eq!(Claim::parse(&token[..at], &key(), NOW), None, "cut at {at}");
        }
    }

    #[test]
    fn another_servers_guest_is_a_stranger() {
        let token = GuestKey::new(&[8; 32]).mint(&ann(), NOW);
        assert_eq!(Claim::parse(&token, &key(), NOW), None);
    }

    #[test]
    fn no_account_and_no_false_name_comes_by_a_guest_token() {
        let account = Author { id: PersonId(5), ..ann() };
        assert_eq!(Claim::parse(&key().mint(&account, NOW), &key(), NOW), None);
        let system = Author { name: Name::stored("system"), ..ann() };
        assert_eq!(Claim::parse(&key().mint(&system, NOW), &key(), NOW), None);
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?} {:?}", AccountToken::new([0; 32]), key());
        assert_eq!(shown, "AccountToken(…) GuestKey(…)");
    }
}
