//! How a number changed over time, in bounded memory.

use lockscope_trace::Nanos;

/// Columns that are kept. More would not fit any screen.
const MAX_BUCKETS: usize = 512;

/// The greatest value of each of some hundred equal stretches of time, from the beginning.
///
/// Memory is bounded: when there are too many stretches, neighbours are joined and all become twice as long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buckets {
    /// Length of a stretch.
    width: u64,
    greatest: Vec<u32>,
    last: u32,
}

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets { width: 1, greatest: Vec::new(), last: 0 }
    }
}

impl Buckets {
    /// From `time` on, the value is `value`.
    pub fn add(&mut self, time: Nanos, value: u32) {
        while time.0 / self.width >= MAX_BUCKETS as u64 {
            self.width *= 2;
            self.greatest = self.greatest.chunks(2).map(|pair| pair.iter().copied().max().unwrap_or(0)).collect();
        }
        let bucket = (time.0 / self.width) as usize;
        // The value in between is the one from before.
        while self.greatest.len() <= bucket {
            self.greatest.push(self.last);
        }
        self.greatest[bucket] = self.greatest[bucket].max(value);
        self.last = value;
    }

    /// Greatest values of `n` equal parts of the time up to `end`.
    pub fn columns(&self, n: usize, end: Nanos) -> Vec<u32> {
        // The end itself is the last moment that counts.
        let end = end.0.saturating_add(1);
        let value = |from: u64, to: u64| {
            let (first, last) = ((from / self.width) as usize, (to / self.width) as usize);
            let inside = self.greatest.get(first..=last.min(self.greatest.len().saturating_sub(1)));
            inside.and_then(|inside| inside.iter().max().copied()).unwrap_or(self.last)
        };
        let at = |column: usize| (u128::from(end) * column as u128 / n as u128) as u64;
        (0..n).map(|column| value(at(column), at(column + 1).saturating_sub(1).max(at(column)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_keep_the_greatest_value_of_their_time() {
        let mut buckets = Buckets::default();
        for (time, value) in [(0, 0), (10, 2), (20, 0), (40, 1)] {
            buckets.add(Nanos(time), value);
        }
        assert_eq!(buckets.columns(4, Nanos(39)), [0, 2, 2, 0]);
        assert_eq!(buckets.columns(4, Nanos(40)).last(), Some(&1), "what happens at the end counts");
        assert_eq!(buckets.columns(8, Nanos(79)), [0, 2, 2, 0, 1, 1, 1, 1], "the last value goes on");
        assert!(buckets.columns(0, Nanos(80)).is_empty());
    }

    #[test]
    fn buckets_stay_few() {
        let mut buckets = Buckets::default();
        for time in 0..100_000_u64 {
            buckets.add(Nanos(time * 1_000_003), u32::from(time == 50_000));
        }
        assert!(buckets.greatest.len() <= MAX_BUCKETS);
        let columns = buckets.columns(10, Nanos(100_000 * 1_000_003));
        // A stretch that two columns share counts for both.
        assert!((1..=2).contains(&columns.iter().sum::<u32>()), "{columns:?}");
        buckets.add(Nanos(u64::MAX), 1);
    }
}
