//! Where the daemon's randomness comes from: the system's generator, good enough for keys. Asked for by the edges only; what
//! is pure is handed its share.

/// So many random bytes.
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's generator is seeded before programs start");
    bytes
}

/// 64 random bits.
pub(super) fn bits64() -> u64 {
    u64::from_le_bytes(bytes())
}

/// 128 random bits.
pub(super) fn bits128() -> u128 {
    u128::from_le_bytes(bytes())
}
