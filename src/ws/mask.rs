//! Masking (RFC 6455 §5.3): the payload XORed with a key of four bytes, over and over.
//!
//! The compiler turns a loop over fixed-size chunks into vector instructions, so the whole of it is
//! to lay the key out over one chunk and to walk the payload chunk by chunk: 32 bytes for the bulk,
//! 8 for most of what is left, single bytes for the rest. No alignment is needed and none is sought:
//! unaligned vector loads cost nothing on the machines this runs on. The naive loop is its twin in
//! the tests.

/// Masks or unmasks `payload` in place: the two are the same. Returns the key for the byte after
/// the last, so that a payload may come in any number of pieces.
///
/// ```
/// use wsrelay::ws::mask;
///
/// let mut payload = *b"Hello";
/// let key = mask::apply(&mut payload[..3], [0x37, 0xfa, 0x21, 0x3d]);
/// mask::apply(&mut payload[3..], key);
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[inline]
pub fn apply(payload: &mut [u8], key: [u8; 4]) -> [u8; 4] {
    let mut next = key;
    next.rotate_left(payload.len() % key.len());

    let wide: [u8; 32] = std::array::from_fn(|i| key[i % key.len()]);
    let (chunks, rest) = payload.as_chunks_mut::<32>();
    for chunk in chunks {
        for (byte, key) in chunk.iter_mut().zip(&wide) {
            *byte ^= key;
        }
    }
    let word = u64::from_ne_bytes(std::array::from_fn(|i| wide[i]));
    let (words, rest) = rest.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(&wide) {
        *byte ^= key;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(payload: &mut [u8], key: [u8; 4], phase: usize) {
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[(phase + i) % 4];
        }
    }

    #[test]
    fn equals_its_naive_twin_at_every_length_offset_and_phase() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let plain: Vec<u8> = (0..200u8).collect();
        for start in 0..9 {
            for end in start..plain.len() {
                for cut in [start, (start + end) / 2, end] {
                    let mut fast = plain.clone();
                    let next = apply(&mut fast[start..cut], key);
                    apply(&mut fast[cut..end], next);
                    let mut slow = plain.clone();
                    naive(&mut slow[start..end], key, 0);
                    assert_eq!(fast, slow, "{start}..{cut}..{end}");
                }
            }
        }
    }

    #[test]
    fn twice_is_not_at_all() {
        let mut payload = *b"masked twice";
        apply(&mut payload, [1, 2, 3, 4]);
        apply(&mut payload, [1, 2, 3, 4]);
        assert_eq!(&payload, b"masked twice");
    }
}
