//! A generator of numbers that is the same everywhere.

/// Xorshift, 64 bits (Marsaglia, Xorshift RNGs, 2003).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed that is not 0.
    pub fn new(seed: u64) -> Self {
        Random(seed.max(1))
    }

    /// A number below `n`, not 0; near enough to evenly spread for `n` up to 2^32.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) * n) >> 32
    }
}
