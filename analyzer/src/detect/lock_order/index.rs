//! Finds records by a hash: a table of numbers, eight bytes for each place, so that a look is one look at memory.

/// Numbers of records by their hashes. What records are, and which of equal hashes is meant, only the owner knows.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// A tag of the hash, and the number plus 1; 0 where there is none. A power of two of them, at most three quarters in use.
    places: Vec<u64>,
    count: usize,
}

impl Index {
    /// The number for which `is_it`, among those of that hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.places.len().checked_sub(1)?;
        let tag = tag(hash);
        let mut at = start(tag) & mask;
        loop {
            let place = self.places[at];
            if place == 0 {
                return None;
            }
            let number = place as u32 - 1;
            if place >> 32 == tag >> 32 && is_it(number) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// Looks at where a hash would be, to have it near; the result means nothing.
    #[inline]
    pub(super) fn touch(&self, hash: u64) -> u64 {
        let Some(mask) = self.places.len().checked_sub(1) else { return 0 };
        self.places[start(tag(hash)) & mask]
    }

    /// Adds a number, below `u32::MAX`, that is not there.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if (self.count + 1) * 4 > self.places.len() * 3 {
            let places = vec![0; (self.places.len() * 2).max(64)];
            for place in std::mem::replace(&mut self.places, places).into_iter().filter(|&place| place != 0) {
                self.put(place);
            }
        }
        self.put(tag(hash) | u64::from(number + 1));
        self.count += 1;
    }

    fn put(&mut self, place: u64) {
        let mask = self.places.len() - 1;
        let mut at = start(place) & mask;
        while self.places[at] != 0 {
            at = (at + 1) & mask;
        }
        self.places[at] = place;
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.places.capacity() * size_of::<u64>()) as u64
    }
}

/// What of a hash is kept: all of its bits in the upper half.
#[inline]
fn tag(hash: u64) -> u64 {
    (hash ^ hash << 32) & !u64::from(u32::MAX)
}

/// Where to look first: by the upper half alone, so that it is known from the place.
#[inline]
fn start(tag: u64) -> usize {
    // Whatever differs in any of its bits is to differ in those that the mask leaves.
    ((tag >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inserted_is_found() {
        let mut index = Index::default();
        // Few hashes for many, so that equal ones are told apart by their numbers.
        let hash = |number: u32| u64::from(number % 1000).wrapping_mul(0x1234_5678_9abc_def1) << 20;
        for number in 0..5000 {
            assert_eq!(index.find(hash(number), |other| other == number), None);
            index.insert(hash(number), number);
        }
        for number in 0..5000 {
            assert_eq!(index.find(hash(number), |other| other == number), Some(number));
        }
        assert_eq!(index.find(hash(1), |_| false), None);
        assert_eq!(Index::default().find(0, |_| true), None);
    }
}
