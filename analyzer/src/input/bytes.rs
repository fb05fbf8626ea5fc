//! Searches for a byte, eight bytes at a time.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Where the byte is first.
#[inline]
pub(super) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let pattern = LOW * u64::from(byte);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // A byte that equals is zero here, and only the lowest zero byte is asked for, below which no borrow begins (Hacker's Delight, 6-1).
        let differs = u64::from_le_bytes(*word) ^ pattern;
        let zeros = differs.wrapping_sub(LOW) & !differs & HIGH;
        if zeros != 0 {
            return Some(index * 8 + (zeros.trailing_zeros() / 8) as usize);
        }
    }
    let start = words.len() * 8;
    rest.iter().position(|&other| other == byte).map(|index| start + index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first() {
        for length in 0..40 {
            for at in 0..=length {
                let mut bytes = vec![b'a'; length];
                bytes[at..].fill(b'\n');
                // Neighbours that differ in one bit, and the extremes.
                for (index, other) in [0x0b, 0x8a, 0x00, 0xff, 0x09].into_iter().enumerate().take(at) {
                    bytes[at - 1 - index] = other;
                }
                assert_eq!(find(&bytes, b'\n'), (at < length).then_some(at), "{bytes:?}");
            }
        }
    }
}
