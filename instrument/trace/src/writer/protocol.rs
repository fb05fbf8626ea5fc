//! The words of a chunk's header by which its owner and readers understand each other.
//!
//! Generic over the atomics, so that the same code runs on the mapped file and under loom, which tries all interleavings and all the
//! reorderings that the memory model allows (`tests/loom.sh`).
//!
//! | owner | reader |
//! | --- | --- |
//! | claim = 0; release fence; everything else of the header | claim; acquire fence |
//! | claim = n (release) | sealed; acquire fence; committed; acquire fence |
//! | records, then committed (release), again and again | records up to committed |
//! | sealed (release) | acquire fence; claim again: another one means that the records may be anybody's |
//!
//! The fence after `claim` keeps a reader from taking the last owner's length for the next one's. The fence after `claim = 0` is what makes that last look worth anything: a reader that has seen anything of the next owner sees
//! at least the 0 there (Boehm, Can Seqlocks Get Along With Programming Language Memory Models?, MSPC 2012).

use std::sync::atomic::Ordering;

/// The atomics of a header.
pub trait Atomics {
    /// 32 bits.
    type U32;
    /// 64 bits.
    type U64;
    /// As [`AtomicU32::store`](std::sync::atomic::AtomicU32::store).
    fn store32(to: &Self::U32, value: u32, order: Ordering);
    /// As [`AtomicU64::store`](std::sync::atomic::AtomicU64::store).
    fn store64(to: &Self::U64, value: u64, order: Ordering);
    /// As [`std::sync::atomic::fence`].
    fn fence(order: Ordering);
}

/// The part of a chunk's header that changes while it is in use.
pub struct Header<'a, A: Atomics> {
    /// What is in it.
    pub kind: &'a A::U32,
    /// Nothing more will be written.
    pub sealed: &'a A::U32,
    /// Number of its claim; 0 while it changes hands.
    pub claim: &'a A::U64,
    /// Bytes that readers may look at.
    pub committed: &'a A::U32,
}

impl<A: Atomics> Header<'_, A> {
    /// Empties the chunk for a new owner; `rest` fills in what else the header says.
    #[inline]
    pub fn begin(&self, kind: u32, claim: u64, rest: impl FnOnce()) {
        A::store64(self.claim, 0, Ordering::Relaxed);
        A::fence(Ordering::Release);
        A::store32(self.committed, 0, Ordering::Relaxed);
        A::store32(self.sealed, 0, Ordering::Relaxed);
        A::store32(self.kind, kind.to_le(), Ordering::Relaxed);
        rest();
        A::store64(self.claim, claim.to_le(), Ordering::Release);
    }

    /// Publishes what was written up to `bytes`.
    #[inline]
    pub fn commit(&self, bytes: u32) {
        A::store32(self.committed, bytes.to_le(), Ordering::Release);
    }

    /// Says that nothing more will be written.
    #[inline]
    pub fn seal(&self) {
        A::store32(self.sealed, 1u32.to_le(), Ordering::Release);
    }
}
