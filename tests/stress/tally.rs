//! The child's own account of what it did, in a second mapped file, written after each operation has returned.
//!
//! One log per slot: a length, stored last, then entries. Like the trace it survives `kill -9`, but it shares no code
//! with it, so one checks the other.

use std::{
    fs::OpenOptions,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use memmap2::{MmapOptions, MmapRaw};

/// Logs in a tally.
pub const SLOTS: usize = 12;
/// Entries that a log has room for.
const CAPACITY: usize = 1 << 20;
const SLOT_BYTES: usize = (1 + CAPACITY) * 8;

/// What an entry says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Did {
    Lock,
    TryLock,
    Read,
    TryRead,
    Upgradable,
    Upgrade,
    /// From any mode to shared.
    Downgrade,
    Release,
    TryFailed,
    CondWait,
    Reacquire,
    CondWake,
    Spawn,
    Start,
    Exit,
    Joined,
}

const ALL: [Did; 16] = [
    Did::Lock,
    Did::TryLock,
    Did::Read,
    Did::TryRead,
    Did::Upgradable,
    Did::Upgrade,
    Did::Downgrade,
    Did::Release,
    Did::TryFailed,
    Did::CondWait,
    Did::Reacquire,
    Did::CondWake,
    Did::Spawn,
    Did::Start,
    Did::Exit,
    Did::Joined,
];

/// One operation that has returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub did: Did,
    /// Number of the lock.
    pub lock: u8,
    /// Number of the short-lived thread that did it, or that was spawned or joined.
    pub thread: u16,
    /// How often the lock had been held exclusively, this time included, as counted under the lock itself.
    pub truth: u32,
}

/// A mapped tally.
pub struct Tally {
    map: MmapRaw,
}

impl Tally {
    pub fn open(path: &Path) -> Self {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.expect("the folder is ours");
        let bytes = SLOTS * SLOT_BYTES;
        file.set_len(bytes as u64).expect("a sparse file");
        Self { map: MmapOptions::new().len(bytes).map_raw(&file).expect("a mapping") }
    }

    fn word(&self, slot: usize, index: usize) -> &AtomicU64 {
        assert!(slot < SLOTS && index <= CAPACITY);
        // SAFETY: inside the mapping by the assertion, aligned, and accessed as an atomic only.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().add(slot * SLOT_BYTES + index * 8).cast()) }
    }

    /// Appends to a log; one thread at a time. False when it is full.
    pub fn push(&self, slot: usize, entry: Entry) -> bool {
        let length = self.word(slot, 0);
        let index = length.load(Ordering::Relaxed) as usize;
        if index == CAPACITY {
            return false;
        }
        let word = entry.did as u64
            | u64::from(entry.lock) << 8
            | u64::from(entry.thread) << 16
            | u64::from(entry.truth) << 32;
        self.word(slot, index + 1).store(word, Ordering::Relaxed);
        length.store(index as u64 + 1, Ordering::Release);
        true
    }

    /// Entries in all logs.
    pub fn total(&self) -> u64 {
        (0..SLOTS).map(|slot| self.word(slot, 0).load(Ordering::Acquire)).sum()
    }

    /// A log.
    pub fn entries(&self, slot: usize) -> Vec<Entry> {
        let length = self.word(slot, 0).load(Ordering::Acquire) as usize;
        let entry = |index| {
            let word = self.word(slot, index).load(Ordering::Relaxed);
            Entry {
                did: ALL[word as u8 as usize],
                lock: (word >> 8) as u8,
                thread: (word >> 16) as u16,
                truth: (word >> 32) as u32,
            }
        };
        (1..=length).map(entry).collect()
    }
}
