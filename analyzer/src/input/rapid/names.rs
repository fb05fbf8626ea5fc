//! Names and what they stand for. Nearly all names are a few letters with a number, and fit into the key itself.

use rustc_hash::FxHashMap;

/// Ids by name.
#[derive(Debug)]
pub(super) struct Names<T> {
    short: FxHashMap<(u64, u64), T>,
    long: FxHashMap<Box<[u8]>, T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Names { short: FxHashMap::default(), long: FxHashMap::default() }
    }
}

impl<T: Copy> Names<T> {
    /// What the name stands for.
    #[inline]
    pub(super) fn get(&self, name: &[u8]) -> Option<T> {
        match key(name) {
            Some(key) => self.short.get(&key).copied(),
            None => self.long.get(name).copied(),
        }
    }

    /// From now on the name stands for that.
    pub(super) fn insert(&mut self, name: &[u8], id: T) {
        match key(name) {
            Some(key) => self.short.insert(key, id),
            None => self.long.insert(name.into(), id),
        };
    }
}

/// A name of at most 15 bytes in two words, as no other name is.
#[inline]
fn key(name: &[u8]) -> Option<(u64, u64)> {
    let word = |bytes: &[u8]| {
        // Two halves that may overlap, so that nothing has to be copied byte by byte.
        let half = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => half(first) | half(last) << 32,
            _ => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        }
    };
    let length = (name.len() as u64) << 56;
    match name.first_chunk::<8>() {
        None => Some((word(name), length)),
        // The rest is at most seven bytes; its words of four to seven say which by their length.
        Some(first) if name.len() < 16 => {
            let rest = &name[8..];
            let rest = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
            Some((u64::from_le_bytes(*first), rest | length))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let mut names = Names::default();
        let mut all: Vec<Vec<u8>> = (0..40).map(|length| vec![b'a'; length]).collect();
        all.extend((0..3000).map(|number| format!("V{number}").into_bytes()));
        all.extend((0..3000).map(|number| format!("org.name.L{number}").into_bytes()));
        all.extend((1..20).map(|length| [vec![b'a'; length], vec![0]].concat()));
        all.extend([&b"abcd"[..], b"abc", b"dcba", b"abcdabcd", b"abcdefg", b"abcddefg", b"\0a"].map(<[u8]>::to_vec));
        for (id, name) in all.iter().enumerate() {
            assert_eq!(names.get(name), None, "{name:?}");
            names.insert(name, id);
        }
        for (id, name) in all.iter().enumerate() {
            assert_eq!(names.get(name), Some(id), "{name:?}");
        }
    }
}
