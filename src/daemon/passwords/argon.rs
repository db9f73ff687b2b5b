//! Argon2id (RFC 9106): a password to its hash, and back to yes or no.
//!
//! Owns the cost of a hash, and the memory in which hashes are made, one after the other. The form is a PHC string, which
//! carries its own cost, so that the cost can be raised later: a hash of another cost is renewed when its password is next
//! typed.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordHash, Version};

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

    fn new(params: &Params, salt: &[u8; 16], output: Output) -> Self {
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: params.try_into().expect("three numbers"),
            salt: Some(Salt::new(salt).expect("of the recommended length")),
            hash: Some(output),
        };
        Self(hash.to_string().into())
    }
}

/// Hashes at one cost.
pub(super) struct Argon {
    params: Params,
    decoy: Phc,
    memory: Memory,
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
        let output = Output::new(&chance::bytes::<32>()).expect("of the default length");
        let decoy = Phc::new(&params, &chance::bytes(), output);
        Self { params, decoy, memory: Memory::default() }
    }

    /// `None` when there is no memory.
    pub(super) fn hash(&mut self, password: &Password) -> Option<Phc> {
        let salt = chance::bytes();
        let output = self.memory.hash(password, &salt, &self.params)?;
        Some(Phc::new(&self.params, &salt, output))
    }

    /// Whether the password is the one of this hash; of nobody's (`None`) never, at the same cost.
    pub(super) fn verify(&mut self, password: &Password, phc: Option<&Phc>) -> Verdict {
        let phc = phc.unwrap_or(&self.decoy);
        let Ok(hash) = PasswordHash::new(phc.text()) else { return Verdict::Failed };
        let (Some(salt), Some(expected)) = (&hash.salt, hash.hash) else { return Verdict::Failed };
        let Some(params) = affordable(&hash) else { return Verdict::Failed };
        let Some(output) = self.memory.hash(password, salt, &params) else {
            return Verdict::Failed;
        };
        // In constant time: that is how outputs compare.
        match (output == expected, self.is_current(&params)) {
            (true, true) => Verdict::Match,
            (true, false) => Verdict::DatedMatch,
            (false, _) => Verdict::Mismatch,
        }
    }

    /// Gives back the memory that the last hash took.
    pub(super) fn give_back_memory(&mut self) {
        self.memory = Memory::default();
    }

    fn is_current(&self, params: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        cost(params) == cost(&self.params)
    }
}

/// Argon2's blocks. Kept from one hash to the next: to have new ones from the kernel takes as long as to fill them, and an
/// allocator that is handed them back and asked for them anew, a hundred times over, holds ten times as much in the end.
#[derive(Default)]
struct Memory(Vec<Block>);

impl Memory {
    fn hash(&mut self, password: &Password, salt: &[u8], params: &Params) -> Option<Output> {
        let blocks = params.block_count();
        if self.0.len() < blocks {
            self.0.try_reserve_exact(blocks.max(MAPPED_BLOCKS) - self.0.len()).ok()?;
            self.0.resize(blocks, Block::default());
        }
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let mut bytes = [0; Output::MAX_LENGTH];
        let output = &mut bytes[..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let memory = &mut self.0[..blocks];
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, memory).ok()?;
        Output::new(output).ok()
    }
}

/// The cost of a stored hash, unless it is more than this program ever asked for: that is damage, and not to be paid.
fn affordable(hash: &PasswordHash) -> Option<Params> {
    let is_argon2id = hash.algorithm == ARGON2ID_IDENT;
    let is_current = hash.version == Some(Version::V0x13.into());
    let params = Params::try_from(hash).ok().filter(|_| is_argon2id && is_current)?;
    let fits = params.m_cost() <= MEMORY_KIB_MAX
        && params.t_cost() <= PASSES_MAX
        && params.p_cost() <= LANES_MAX;
    fits.then_some(params)
}

/// What a hash costs: 19 MiB, twice over, in one lane; the least that OWASP's Password Storage Cheat Sheet recommends. On
/// a core of a small server that was measured as 13 ms. RFC 9106's second choice, 64 MiB three times over, takes 95 ms: then
/// ten log-ins a second would keep one core of two busy, and whoever floods the log-in would decide who gets in. Guessing at
/// a running server is held back by the throttles; the cost is for who has stolen the file, and can be raised at any time.
pub(super) fn params() -> Params {
    Params::new(19 * 1024, 2, 1, None).expect("within the limits of Argon2")
}

/// The most that a stored hash may ask for: RFC 9106's second choice, and passes to spare.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 8;
const LANES_MAX: u32 = 4;

/// Room is made for at least so many blocks of 1 KiB, although fewer are ever touched: memory over 32 MiB, and no less, glibc
/// always takes from the kernel by itself, and gives back at once.
const MAPPED_BLOCKS: usize = 33 * 1024;

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
        let mut argon = Argon::new(cheap());
        let phc = argon.hash(&password("correct horse")).unwrap();
        assert!(phc.text().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{phc:?}");
        assert_eq!(argon.verify(&password("correct horse"), Some(&phc)), Verdict::Match);
        assert_eq!(argon.verify(&password("correct hors3"), Some(&phc)), Verdict::Mismatch);
        let again = argon.hash(&password("correct horse")).unwrap();
        assert_ne!(again, phc, "each has its own salt");
    }

    #[test]
    fn nobodys_password_is_verified_at_the_same_cost_and_never_matches() {
        let mut argon = Argon::new(params());
        assert_eq!(argon.verify(&password("correct horse"), None), Verdict::Mismatch);
        let hash = PasswordHash::new(argon.decoy.text()).unwrap();
        assert!(affordable(&hash).is_some_and(|params| argon.is_current(&params)));
        let real = argon.hash(&password("correct horse")).unwrap();
        assert_eq!(real.text().len(), argon.decoy.text().len());
    }

    #[test]
    fn a_hash_of_another_cost_is_dated() {
        let old = Argon::new(cheap()).hash(&password("correct horse")).unwrap();
        let mut argon = Argon::new(Params::new(16, 1, 1, None).unwrap());
        assert_eq!(argon.verify(&password("correct horse"), Some(&old)), Verdict::DatedMatch);
        assert_eq!(argon.verify(&password("wrong horse"), Some(&old)), Verdict::Mismatch);
    }

    #[test]
    fn a_damaged_hash_fails_and_takes_no_memory() {
        let mut argon = Argon::new(cheap());
        let tail = "c2FsdHNhbHRzYWx0c2FsdA$c2FsdHNhbHRzYWx0c2FsdA";
        for text in [
            "",
            "x",
            "$argon2id$v=19$m=8,t=1,p=1",
            "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA",
            &format!("$argon2id$v=19$m=4294967295,t=1,p=1${tail}"),
            &format!("$argon2id$v=19$m=8,t=4294967295,p=1${tail}"),
            &format!("$argon2id$v=19$m=65536,t=1,p=8192${tail}"),
            &format!("$argon2i$v=19$m=8,t=1,p=1${tail}"),
            &format!("$argon2id$v=16$m=8,t=1,p=1${tail}"),
            &format!("$scrypt$v=19$m=8,t=1,p=1${tail}"),
        ] {
            let verdict = argon.verify(&password("correct horse"), Some(&Phc::stored(text.into())));
            assert_eq!(verdict, Verdict::Failed, "{text}");
        }
        assert!(argon.memory.0.is_empty());
    }

    #[test]
    fn memory_is_used_again_and_nothing_in_it_matters() {
        let mut argon = Argon::new(cheap());
        let phc = argon.hash(&password("correct horse")).unwrap();
        argon.hash(&password("battery staple")).unwrap();
        assert_eq!(argon.memory.0.len(), 8);
        assert_eq!(argon.verify(&password("correct horse"), Some(&phc)), Verdict::Match);
        argon.give_back_memory();
        assert_eq!(argon.memory.0.capacity(), 0);
        assert_eq!(argon.verify(&password("correct horse"), Some(&phc)), Verdict::Match);
    }

    /// From the reference implementation's own tests (phc-winner-argon2, `test.c`).
    #[test]
    fn the_reference_implementations_hash_is_known() {
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ\
                   $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut argon = Argon::new(params());
        assert_eq!(
            argon.verify(&password("password"), Some(&Phc::stored(phc.into()))),
            Verdict::DatedMatch
        );
    }
}
