//! Argon2id (RFC 9106): a password to its hash and back to yes or no.
//!
//! Owns the cost of a hash. The form is a PHC string, which carries its own cost, so that the cost can be raised later: a hash
//! of another cost is renewed when its password is next typed.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};

use super::text::Password;
use crate::daemon::chance;

/// A password's hash, as a PHC string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Phc(Arc<str>);

impl Phc {
    /// As the store kept it.
    pub(in crate::daemon) fn stored(text: Arc<str>) -> Self {
        Self(text)
    }

    /// As it is stored.
    pub(in crate::daemon) fn text(&self) -> &Arc<str> {
        &self.0
    }
}

/// Hashes at one cost.
#[derive(Debug)]
pub(super) struct Argon {
    argon2: Argon2<'static>,
    decoy: Phc,
}

/// What a password is to a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Match,
    /// A match, of another cost than today's.
    DatedMatch,
    Mismatch,
    /// There was no memory, or the hash is none that this program made.
    Failed,
}

impl Argon {
    pub(super) fn new(params: Params) -> Self {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = decoy(argon2.params());
        Self { argon2, decoy }
    }

    /// `None` when there is no memory.
    pub(super) fn hash(&self, password: &Password) -> Option<Phc> {
        let salt: [u8; 16] = chance::bytes();
        let hash = self.argon2.hash_password_with_salt(password.as_bytes(), &salt);
        hash.ok().map(|hash| Phc(hash.to_string().into()))
    }

    /// Whether the password is the one of this hash; of nobody's (`None`) never, at the same cost.
    pub(super) fn verify(&self, password: &Password, phc: Option<&Phc>) -> Verdict {
        let verdict = self.verdict(password, phc.unwrap_or(&self.decoy));
        if phc.is_none() { Verdict::Mismatch } else { verdict }
    }

    fn verdict(&self, password: &Password, phc: &Phc) -> Verdict {
        let Ok(hash) = PasswordHash::new(phc.text()) else { return Verdict::Failed };
        let Ok(params) = Params::try_from(&hash) else { return Verdict::Failed };
        if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
            return Verdict::Failed;
        }
        match self.argon2.verify_password(password.as_bytes(), &hash) {
            Ok(()) if self.is_current(&hash, &params) => Verdict::Match,
            Ok(()) => Verdict::DatedMatch,
            Err(argon2::password_hash::Error::PasswordInvalid) => Verdict::Mismatch,
            Err(_) => Verdict::Failed,
        }
    }

    fn is_current(&self, hash: &PasswordHash, params: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        hash.algorithm == argon2::ARGON2ID_IDENT
            && hash.version == Some(Version::V0x13.into())
            && cost(params) == cost(self.argon2.params())
    }
}

/// A hash that no password has, as far as anybody knows: random where a hash would be.
fn decoy(params: &Params) -> Phc {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let salt = STANDARD_NO_PAD.encode(chance::bytes::<16>());
    let hash = STANDARD_NO_PAD.encode(chance::bytes::<32>());
    let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
    Phc(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}").into())
}

/// What a hash costs: 19 MiB, twice over, in one lane; the least that OWASP's Password Storage Cheat Sheet recommends. On
/// a core of a small server that is 17 ms. RFC 9106's second choice, 64 MiB three times over, was measured at 120 ms: then
/// eight log-ins a second would keep one core of two busy, and whoever floods the log-in would decide who gets in. Guessing
/// at a running server is held back by the throttles; the cost is for who has stolen the file, and can be raised any time.
pub(super) fn params() -> Params {
    Params::new(19 * 1024, 2, 1, None).expect("within the limits of Argon2")
}

/// The highest cost that a stored hash may ask for: more is damage, and would let it take memory at will.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 8;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The least cost there is: for tests about something else.
    pub(in crate::daemon::passwords) fn cheap() -> Params {
        Params::new(8, 1, 1, None).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::typed(text).unwrap()
    }

    #[test]
    fn a_password_matches_its_own_hash_alone() {
        let argon = Argon::new(cheap());
        let phc = argon.hash(&password("correct horse")).unwrap();
        assert!(phc.text().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{phc:?}");
        assert_eq!(argon.verify(&password("correct horse"), Some(&phc)), Verdict::Match);
        assert_eq!(argon.verify(&password("correct hors3"), Some(&phc)), Verdict::Mismatch);
        let again = argon.hash(&password("correct horse")).unwrap();
        assert_ne!(again, phc, "each has its own salt");
    }

    #[test]
    fn nobodys_password_is_verified_at_the_same_cost_and_never_matches() {
        let argon = Argon::new(params());
        assert_eq!(argon.verify(&password("correct horse"), None), Verdict::Mismatch);
        let hash = PasswordHash::new(argon.decoy.text()).unwrap();
        assert!(argon.is_current(&hash, &Params::try_from(&hash).unwrap()));
        let real = argon.hash(&password("correct horse")).unwrap();
        assert_eq!(real.text().len(), argon.decoy.text().len());
    }

    #[test]
    fn a_hash_of_another_cost_is_dated() {
        let old = Argon::new(cheap()).hash(&password("correct horse")).unwrap();
        let argon = Argon::new(Params::new(16, 1, 1, None).unwrap());
        assert_eq!(argon.verify(&password("correct horse"), Some(&old)), Verdict::DatedMatch);
        assert_eq!(argon.verify(&password("wrong horse"), Some(&old)), Verdict::Mismatch);
    }

    #[test]
    fn a_damaged_hash_fails_and_takes_no_memory() {
        let argon = Argon::new(cheap());
        let tail = "c2FsdHNhbHRzYWx0c2FsdA$c2FsdHNhbHRzYWx0c2FsdA";
        for text in [
            "",
            "x",
            "$argon2id$v=19$m=8,t=1,p=1",
            &format!("$argon2id$v=19$m=4294967295,t=1,p=1${tail}"),
            &format!("$argon2id$v=19$m=8,t=4294967295,p=1${tail}"),
            &format!("$scrypt$v=19$m=8,t=1,p=1${tail}"),
        ] {
            let verdict = argon.verify(&password("correct horse"), Some(&Phc::stored(text.into())));
            assert!(matches!(verdict, Verdict::Failed | Verdict::Mismatch), "{text}");
        }
    }

    /// From the reference implementation's own tests (phc-winner-argon2, `test.c`).
    #[test]
    fn the_reference_implementations_hash_is_known() {
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ\
                   $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let argon = Argon::new(params());
        assert_eq!(
            argon.verify(&password("password"), Some(&Phc::stored(phc.into()))),
            Verdict::DatedMatch
        );
    }
}
