//! Histograms of durations.

use crate::Nanos;

/// Durations in powers of two: bucket n holds durations of n significant bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// How many durations of each number of bits, 0 to 64.
    pub buckets: [u64; 65],
    /// How many durations.
    pub count: u64,
    /// Their sum; saturates.
    pub total: Nanos,
    /// The longest.
    pub max: Nanos,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: [0; 65], count: 0, total: Nanos(0), max: Nanos(0) }
    }
}

impl Histogram {
    /// Adds a duration.
    pub fn add(&mut self, duration: Nanos) {
        self.buckets[64 - duration.0.leading_zeros() as usize] += 1;
        self.count += 1;
        self.total.0 = self.total.0.saturating_add(duration.0);
        self.max = self.max.max(duration);
    }

    /// Adds all durations of another.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.total.0 = self.total.0.saturating_add(other.total.0);
        self.max = self.max.max(other.max);
    }

    /// A duration that at least `percent` percent of all do not exceed: the upper end of its power of two, and never
    /// more than the longest. 0 when there are none.
    pub fn percentile(&self, percent: u64) -> Nanos {
        let rank = (u128::from(self.count) * u128::from(percent.min(100))).div_ceil(100).max(1);
        let mut seen = 0;
        for (bits, &count) in self.buckets.iter().enumerate() {
            seen += u128::from(count);
            if seen >= rank {
                let upper = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
                return Nanos(upper).min(self.max);
            }
        }
        Nanos(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_upper_bounds() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(99), Nanos(0));
        for duration in [0, 1, 2, 3, 900, 1000] {
            histogram.add(Nanos(duration));
        }
        let check = |percent, expected| assert_eq!(histogram.percentile(percent), Nanos(expected), "p{percent}");
        check(0, 0);
        check(16, 0);
        check(17, 1);
        check(50, 3);
        check(90, 1000);
        check(100, 1000);
        assert_eq!((histogram.count, histogram.total, histogram.max), (6, Nanos(1906), Nanos(1000)));
    }

    #[test]
    fn extremes_are_counted() {
        let mut histogram = Histogram::default();
        histogram.add(Nanos(u64::MAX));
        histogram.add(Nanos(u64::MAX));
        assert_eq!(histogram.percentile(50), Nanos(u64::MAX));
        assert_eq!(histogram.total, Nanos(u64::MAX));
        let mut both = Histogram::default();
        both.merge(&histogram);
        assert_eq!(both, histogram);
    }
}
