//! Byte layout of a `.lks` file. Everything is little-endian.
//!
//! ```text
//! offset 0              file header, HEADER_SIZE bytes
//! HEADER_SIZE + i*CHUNK chunk i: chunk header (64 bytes), then records
//! ```
//!
//! A chunk holds definitions, definitions of locks alone (in a flight recorder), or events. Records are sequences of 8-byte words; the lowest byte of the first
//! word is the record's kind, whose two top bits give its length, so that readers can skip kinds they do not know:
//!
//! | top bits | length |
//! | --- | --- |
//! | `00` | 1 word |
//! | `01` | 2 words |
//! | `10` | 4 words |
//! | `11` | in words, in the upper half of the first word |
//!
//! Event chunks are a sequence of *sections*: a `SECTION` record names the thread, its running number among that
//! thread's sections and the time; the events of that thread follow until `SECTION_END`, the next `SECTION`, or the end
//! of a sealed chunk. Threads that end hand their chunk on, so short-lived threads do not cost a chunk each.
//!
//! Most events are one word: `kind:8 | operand:24 | ticks since the thread's previous event:32`. An acquisition names a
//! slot of the section's dictionary, which a `DEFINE_SLOT` record filled with lock, site and mode, and the low 16 bits of
//! the lock's count; the writer defines the slot anew when the count moved on by 65536 or more since the slot's last
//! use, so the reader always knows the whole count. A release names its lock.
//!
//! Most locks are released before their thread does anything else. Then the release is not appended but changes the
//! acquisition, by one store, into a `PAIR`, which says both. So the last word of a chunk that is being written may still change, once, if it is an
//! `ACQUIRED`; all others stand. A repeated pair of acquisition and release costs 8 bytes, or 16 with something in between; a
//! lock, site and mode that the section has not had yet 16 more.
//!
//! Ticks are even. A recorder with a coarse clock reads it for some events only; the others have the time of the last event of their
//! thread that has one, and a `PAIR` that was not timed has a hold of 0.
//!
//! Only acquisitions are counted. That is enough for an exact order: an acquisition with count n follows the one with
//! n - 1, and follows every release that it needs (an exclusive one: all), since a release is committed before the lock
//! is really released.
//!
//! Objects that are not locks (channels, semaphores, barriers, condition variables, atomics) count all their events: what gives
//! something before it is done, what takes it afterwards. So an event with count n simply follows the one with n - 1.

/// First bytes of every trace.
pub const MAGIC: [u8; 8] = *b"LOCKSCOP";
/// Readers refuse another major version.
pub const VERSION_MAJOR: u16 = 2;
/// Readers accept any minor version and skip what they do not know.
pub const VERSION_MINOR: u16 = 0;
/// Bytes before the first chunk.
pub const HEADER_SIZE: usize = 64 << 10;
/// Bytes of a chunk, its header included.
pub const CHUNK_SIZE: usize = 64 << 10;
/// Bytes of a chunk's header.
pub const CHUNK_HEADER_SIZE: usize = 64;
/// Slots of a section's dictionary.
pub const SLOTS: usize = 1024;
/// Locks with smaller ids have a one-word release.
pub const SHORT_LOCKS: u32 = 1 << 24;

/// Offsets in the file header.
pub mod header {
    /// u16, u16.
    pub const VERSION: usize = 8;
    /// u32.
    pub const HEADER_BYTES: usize = 12;
    /// u32.
    pub const CHUNK_BYTES: usize = 16;
    /// u32.
    pub const PID: usize = 20;
    /// u32, see `CLOCK_*`.
    pub const CLOCK: usize = 24;
    /// u32, 0 when every event is timed, else the nanoseconds by which the time of one that is not may be too early at most, as
    /// long as the recorder gets its turn.
    pub const COARSE: usize = 28;
    /// u64 ticks when the trace began.
    pub const START_TICKS: usize = 32;
    /// u64, CLOCK_MONOTONIC in ns at the same moment.
    pub const START_MONOTONIC: usize = 40;
    /// u64, ns since the Unix epoch at the same moment.
    pub const START_UNIX: usize = 48;
    /// u64, first estimate; better ones come from later pairs.
    pub const TICKS_PER_SECOND: usize = 56;
    /// u64, start time of the process in clock ticks since boot (field 22 of /proc/PID/stat).
    pub const PROCESS_START: usize = 64;
    /// 16 bytes, identity of the boot.
    pub const BOOT_ID: usize = 72;
    /// u32, chunks claimed so far; atomic.
    pub const CHUNKS: usize = 128;
    /// u32, 1 after an orderly end; atomic.
    pub const CLOSED: usize = 132;
    /// u32, how often a chunk was claimed, also by reuse; atomic.
    pub const CLAIMS: usize = 136;
    /// u32, errno that stopped the recording, 0 while it runs; atomic.
    pub const STOPPED: usize = 140;
    /// u64, events that could not be recorded; atomic.
    pub const LOST: usize = 144;
    /// u64, events overwritten by the flight recorder; atomic.
    pub const OVERWRITTEN: usize = 152;
    /// u64, the `lockscope run` that the process was started by, 0 for none or unknown.
    pub const RUN: usize = 160;
    /// u32 length and bytes of the executable's path, then u32 number of arguments, each u32 length and bytes.
    pub const STRINGS: usize = 512;
}

/// Times are nanoseconds of CLOCK_MONOTONIC.
pub const CLOCK_MONOTONIC: u32 = 0;
/// Times are ticks of an invariant time stamp counter.
pub const CLOCK_TSC: u32 = 1;

/// Offsets in a chunk header.
pub mod chunk {
    /// u32: 0 free, then `EVENTS` or `DEFINITIONS`.
    pub const KIND: usize = 0;
    /// u32, 1 when nothing more will be written; atomic, stored before the thread's next section begins.
    pub const SEALED: usize = 4;
    /// u64, number of this claim from 1, 0 while the chunk changes hands; atomic.
    pub const CLAIM: usize = 8;
    /// u64 ticks at the claim.
    pub const TICKS: usize = 24;
    /// u64 CLOCK_MONOTONIC in ns at the claim.
    pub const MONOTONIC: usize = 32;
    /// u32, bytes of records that readers may look at; atomic, stored last with release ordering.
    pub const COMMITTED: usize = 40;
    /// u32, the writer's own: the next chunk in one of its lists + 1.
    pub const NEXT: usize = 48;

    /// Value of `KIND`: events.
    pub const EVENTS: u32 = 1;
    /// Value of `KIND`: definitions.
    pub const DEFINITIONS: u32 = 2;
    /// Value of `KIND`: definitions of locks in a flight recorder, which may be claimed anew when these are gone. The same lock may be defined
    /// in several, and in any order.
    pub const LOCKS: u32 = 3;
}

/// Kinds of records.
pub mod kind {
    /// One word; the two low bits are the top bits of the slot, then `slot:8 | count:16 | dt:32`.
    pub const ACQUIRED: u8 = 0x00;
    /// One word: `lock:24 | dt:32`. The access is added to the kind, so this is 0x04 to 0x07, or 0x0b.
    pub const RELEASED: u8 = 0x04;
    /// One word: `dt`.
    pub const START: u8 = 0x08;
    /// One word: `dt`.
    pub const EXIT: u8 = 0x09;
    /// One word.
    pub const SECTION_END: u8 = 0x0a;
    /// One word: `slot:16 | access:8 | dt:32`: a release of the lock in a slot.
    pub const RELEASED_SLOT: u8 = 0x0c;
    /// One word, from here to `PAIR_LAST`: an acquisition and its release; see [`Pair`](super::Pair).
    pub const PAIR: u8 = 0x20;
    /// The last one.
    pub const PAIR_LAST: u8 = 0x3f;

    /// Two words: absolute ticks; the time of the events that follow counts from here.
    pub const TIME: u8 = 0x40;
    /// Two words: `mode and how:8 | slot:16 | count:32`, `lock:32 | site:32`.
    pub const DEFINE_SLOT: u8 = 0x41;
    /// Two words: `mode and how:8 | - | dt:32`, `lock:32 | site:32`; also the next two.
    pub const WAIT: u8 = 0x42;
    /// As `WAIT`.
    pub const TRY_FAILED: u8 = 0x43;
    /// As `WAIT`.
    pub const TIMED_OUT: u8 = 0x44;
    /// Two words: `access:2 | mode + 1:5 | access:1 | - | dt:32`, `lock:32 | owner:32`; mode 0 is not said,
    /// the access is of three bits, the highest one apart.
    pub const RELEASED_WIDE: u8 = 0x45;
    /// Two words: `dt`, `lock:32 | site:32`.
    pub const POISONED: u8 = 0x46;
    /// Two words: `dt`, `lock:32`.
    pub const DESTROYED: u8 = 0x47;
    /// Two words: `dt`, `child:32 | site:32`; also the next two.
    pub const SPAWN: u8 = 0x48;
    /// As `SPAWN`.
    pub const JOIN_WAIT: u8 = 0x49;
    /// As `SPAWN`.
    pub const JOINED: u8 = 0x4a;
    /// Two words: `dt`, `code:32 | text:32`.
    pub const FINDING: u8 = 0x4c;
    /// Two words: `dt`, `text:32 | site:32`.
    pub const MARK: u8 = 0x4d;
    /// Two words: `dt`, count.
    pub const DROPPED: u8 = 0x4e;
    /// Two words: the stack of the next event.
    pub const STACK: u8 = 0x4f;
    /// Two words: `dt`, `name:32 | site:32`.
    pub const REGION_BEGIN: u8 = 0x50;
    /// As `REGION_BEGIN`, without a name.
    pub const REGION_END: u8 = 0x51;
    /// Two words: `dt`, `variable:32 | site:32`; also the next one.
    pub const READ: u8 = 0x52;
    /// As `READ`.
    pub const WRITE: u8 = 0x53;

    /// Four words: `section:32` above, `thread:32 | os id:32`, absolute ticks, -.
    pub const SECTION: u8 = 0x80;
    /// Four words: `mode:8`, `lock:32 | site:32`, ticks of the acquisition, permits of a semaphore or 0: held when the section began.
    pub const HELD: u8 = 0x81;
    /// Four words: `limited:8 | - | dt:32`, `condvar:32 | mutex:32`, `site:32 | count:32`, -.
    pub const COND_WAIT: u8 = 0x82;
    /// Four words: `timed out:8 | - | dt:32`, as `COND_WAIT`.
    pub const COND_WAKE: u8 = 0x83;
    /// Four words: `act:8 | detail:16 | dt:32`, `object or thread:32 | site:32`, `count:32 | a:32`, `b`; see [`act`](super::act).
    pub const OBJECT: u8 = 0x84;
    /// Four words: `act:8 | order:16 | dt:32`, `variable:32 | site:32`, `count:32 | -`, modification; see [`memory`](super::memory).
    pub const MEMORY: u8 = 0x85;

    /// Definition: `id:32 | bytes:32`, bytes.
    pub const STRING: u8 = 0xc0;
    /// Definition: `id:32 | file:32`, `line:32 | column:32`.
    pub const SITE: u8 = 0xc1;
    /// Definition: `id:32 | type:32`, `name:32 | site:32`, `rank + 1:32 | lock kind:32`.
    pub const LOCK: u8 = 0xc2;
    /// Definition: `id:32 | parent + 1:32`, `name:32 | os id:32`.
    pub const THREAD: u8 = 0xc3;
    /// Definition: `id:32 | frames:32`, addresses.
    pub const STACK_DEF: u8 = 0xc4;
    /// Definition: start, end, offset, `path:32`.
    pub const MODULE: u8 = 0xc5;
    /// Definition: `lock:32 | -`, capacity: of the object that was defined before.
    pub const CAPACITY: u8 = 0xc6;
    /// Definition: `id:32 | type:32`, `- | site:32`: a memory location.
    pub const VAR: u8 = 0xc7;
    /// Definition: `lock:32 | -`: the site of the lock that was defined before is that of its first use.
    pub const FIRST_USE: u8 = 0xc8;
}

/// What an `OBJECT` record says was done, and what its `detail`, `a` and `b` are.
pub mod act {
    /// detail: `need | limited << 8`; a: permits.
    pub const BLOCK: u8 = 1;
    /// detail: timed out.
    pub const UNBLOCK: u8 = 2;
    /// detail: they stay with the thread; a: permits.
    pub const PERMITS_ACQUIRED: u8 = 3;
    /// a: permits; b: owner.
    pub const PERMITS_RELEASED: u8 = 4;
    /// a: permits.
    pub const PERMITS_ADDED: u8 = 5;
    /// a: permits; b: owner.
    pub const PERMITS_FORGOTTEN: u8 = 6;
    /// Nothing more.
    pub const BARRIER_ARRIVED: u8 = 7;
    /// detail: leader.
    pub const BARRIER_LEFT: u8 = 8;
    /// a: count of the latest acquisition at that time.
    pub const OBSERVED: u8 = 9;
    /// Nothing more: the count is the message's number.
    pub const SENT: u8 = 10;
    /// a: message.
    pub const RECEIVED: u8 = 11;
    /// detail: side.
    pub const HANDLE_ADDED: u8 = 12;
    /// detail: side; b: owner.
    pub const HANDLE_DROPPED: u8 = 13;
    /// detail: `all | known << 1`; a: woken.
    pub const NOTIFY: u8 = 14;
    /// detail: limited; no object.
    pub const PARK: u8 = 15;
    /// No object.
    pub const UNPARKED: u8 = 16;
    /// A thread instead of the object.
    pub const UNPARK: u8 = 17;
    /// No object.
    pub const SLEEP: u8 = 18;
    /// No object.
    pub const AWAKE: u8 = 19;
    /// a: message.
    pub const SEND_FAILED: u8 = 20;
    /// Nothing more.
    pub const DISCONNECTED: u8 = 21;
}

/// What a `MEMORY` record says was done.
pub mod memory {
    /// A plain read.
    pub const READ: u8 = 1;
    /// A plain write.
    pub const WRITE: u8 = 2;
    /// modification: the one that was read.
    pub const LOAD: u8 = 3;
    /// modification: the one that was made.
    pub const STORE: u8 = 4;
    /// modification: the one that was made; the one before was read.
    pub const UPDATE: u8 = 5;
    /// No variable.
    pub const FENCE: u8 = 6;

    /// A modification that is not known.
    pub const UNKNOWN: u64 = u64::MAX;
}

/// Length in words of the record that starts with `first`; 0 for a length that no writer makes.
#[inline]
pub fn record_words(first: u64) -> usize {
    match first as u8 >> 6 {
        3 => (first >> 32) as usize,
        // 1, 2 or 4, without a branch that no processor foresees.
        class => 1 << class,
    }
}

/// An acquisition and its release in one word, from the lowest bit:
/// `access:3 | slot, upper part:2 | 1:1 | 0:2 | slot, lower part:8 | count:8 | dt / 2:22 | hold / 2:18`.
///
/// The count is that of the slot's last use plus 255 at most; a hold of 0 was not timed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// What was done to the data, see [`code::access`].
    pub access: u8,
    /// Slot of the section's dictionary.
    pub slot: u16,
    /// The lowest eight bits of the lock's count.
    pub count: u16,
    /// Ticks from the thread's previous event to the acquisition.
    pub dt: u32,
    /// Ticks from the acquisition to the release.
    pub hold: u32,
}

impl Pair {
    /// Counts that a pair tells apart.
    pub const COUNTS: u32 = 1 << 8;
    /// `dt` is below this.
    pub const DT: u64 = 1 << 23;
    /// The hold is below this.
    pub const HOLD: u64 = 1 << 19;

    /// The pair that an `ACQUIRED` becomes by a release after `hold` ticks; `None` when it does not fit.
    #[inline(always)]
    pub fn of_acquired(acquired: u64, access: u8, hold: u64) -> Option<u64> {
        let dt = acquired >> 32;
        if dt >= Self::DT || hold >= Self::HOLD || (dt | hold) & 1 != 0 {
            return None;
        }
        // The slot's upper bits move from the kind to beside the access; its lower ones and the count's stay where they are.
        let low = u64::from(kind::PAIR | access) | (acquired & 3) << 3 | (acquired & 0xffff00);
        Some(low | (dt >> 1) << 24 | (hold >> 1) << 46)
    }

    /// What a word of this kind says.
    #[inline]
    pub fn parse(word: u64) -> Self {
        Pair {
            access: word as u8 & 7,
            slot: (word >> 8) as u16 & 0xff | (word << 5) as u16 & 0x300,
            count: (word >> 16) as u16 & (Self::COUNTS - 1) as u16,
            dt: ((word >> 24) as u32) << 1 & (Self::DT - 1) as u32,
            hold: ((word >> 46) as u32) << 1,
        }
    }

    /// The release alone, as a `RELEASED_SLOT`.
    pub fn release(word: u64) -> u64 {
        let pair = Self::parse(word);
        u64::from(kind::RELEASED_SLOT)
            | u64::from(pair.slot) << 8
            | u64::from(pair.access) << 24
            | u64::from(pair.hold) << 32
    }
}

/// Two 32-bit halves as a word, `low` in the low half.
#[inline]
pub fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The two halves of a word.
#[inline]
pub fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

/// Whether a word is a [`Pair`].
#[inline]
pub fn is_pair(first: u64) -> bool {
    (kind::PAIR..=kind::PAIR_LAST).contains(&(first as u8))
}

/// Whether a word is an `ACQUIRED`.
#[inline]
pub fn is_acquired(first: u64) -> bool {
    (first as u8) < kind::RELEASED
}

/// How many events the record that starts with `first` says.
#[inline]
pub fn record_events(first: u64) -> u64 {
    match first as u8 {
        kind::PAIR..=kind::PAIR_LAST => 2,
        kind::SECTION | kind::SECTION_END | kind::HELD | kind::TIME | kind::DEFINE_SLOT | kind::STACK => 0,
        _ => 1,
    }
}

/// Numbers of modes, hows, accesses and lock kinds in the file.
pub mod code {
    use crate::{Access, How, LockKind, MemoryOrder, Mode, Need, Side};

    /// The low two bits of [`mode_how`] for an upgradable hold.
    pub const UPGRADABLE: u8 = 2;

    /// Mode and how in one byte.
    #[inline]
    pub fn mode_how(mode: Mode, how: How) -> u8 {
        let mode = match mode {
            Mode::Exclusive => 0,
            Mode::Shared => 1,
            Mode::Upgradable => 2,
        };
        let how = match how {
            How::Lock => 0,
            How::Try => 1,
            How::Timed => 2,
            How::Upgrade => 3,
            How::Downgrade => 4,
            How::CondvarReacquire => 5,
            How::Recursive => 6,
            How::RecursiveTimed => 7,
        };
        mode | how << 2
    }

    /// Inverse of [`mode_how`]; unknown numbers are read as the plainest.
    #[inline]
    pub fn parse_mode_how(byte: u8) -> (Mode, How) {
        let mode = match byte & 3 {
            1 => Mode::Shared,
            2 => Mode::Upgradable,
            _ => Mode::Exclusive,
        };
        let how = match byte >> 2 {
            1 => How::Try,
            2 => How::Timed,
            3 => How::Upgrade,
            4 => How::Downgrade,
            5 => How::CondvarReacquire,
            6 => How::Recursive,
            7 => How::RecursiveTimed,
            _ => How::Lock,
        };
        (mode, how)
    }

    /// Access as two bits.
    #[inline(always)]
    pub const fn access(access: Access) -> u8 {
        match access {
            Access::Unknown => 0,
            Access::Nothing => 1,
            Access::Read => 2,
            Access::Wrote => 3,
            Access::ReadThenWrote => 7,
        }
    }

    /// Inverse of [`access`].
    pub fn parse_access(bits: u8) -> Access {
        match bits & 7 {
            1 => Access::Nothing,
            2 => Access::Read,
            3 => Access::Wrote,
            7 => Access::ReadThenWrote,
            _ => Access::Unknown,
        }
    }

    /// Kind of lock.
    #[inline]
    pub const fn lock_kind(kind: LockKind) -> u8 {
        match kind {
            LockKind::Mutex => 1,
            LockKind::RwLock => 2,
            LockKind::Condvar => 3,
            LockKind::FairMutex => 4,
            LockKind::ReentrantMutex => 5,
            LockKind::Once => 6,
            LockKind::OnceLock => 7,
            LockKind::LazyLock => 8,
            LockKind::Barrier => 9,
            LockKind::Semaphore => 10,
            LockKind::Channel => 11,
            LockKind::Other(code) => code,
        }
    }

    /// Inverse of [`lock_kind`].
    #[inline]
    pub const fn parse_lock_kind(code: u8) -> LockKind {
        match code {
            1 => LockKind::Mutex,
            2 => LockKind::RwLock,
            3 => LockKind::Condvar,
            4 => LockKind::FairMutex,
            5 => LockKind::ReentrantMutex,
            6 => LockKind::Once,
            7 => LockKind::OnceLock,
            8 => LockKind::LazyLock,
            9 => LockKind::Barrier,
            10 => LockKind::Semaphore,
            11 => LockKind::Channel,
            other => LockKind::Other(other),
        }
    }

    /// Need as a byte; the number of permits is kept apart.
    pub fn need(need: Need) -> u8 {
        match need {
            Need::Notify => 1,
            Need::Message => 2,
            Need::Room => 3,
            Need::Permits(_) => 4,
            Need::Party => 5,
            Need::Init => 6,
        }
    }

    /// Inverse of [`need`]; `None` for a need of a newer version.
    pub fn parse_need(byte: u8, permits: u32) -> Option<Need> {
        Some(match byte {
            1 => Need::Notify,
            2 => Need::Message,
            3 => Need::Room,
            4 => Need::Permits(permits),
            5 => Need::Party,
            6 => Need::Init,
            _ => return None,
        })
    }

    /// Side of a channel as a number.
    pub fn side(side: Side) -> u16 {
        match side {
            Side::Sender => 0,
            Side::Receiver => 1,
        }
    }

    /// Inverse of [`side`].
    pub fn parse_side(number: u16) -> Side {
        if number == 0 { Side::Sender } else { Side::Receiver }
    }

    /// Memory ordering as a number.
    pub fn order(order: MemoryOrder) -> u16 {
        match order {
            MemoryOrder::Relaxed => 0,
            MemoryOrder::Acquire => 1,
            MemoryOrder::Release => 2,
            MemoryOrder::AcqRel => 3,
            MemoryOrder::SeqCst => 4,
        }
    }

    /// Inverse of [`order`]; unknown numbers are read as the weakest.
    pub fn parse_order(number: u16) -> MemoryOrder {
        match number {
            1 => MemoryOrder::Acquire,
            2 => MemoryOrder::Release,
            3 => MemoryOrder::AcqRel,
            4 => MemoryOrder::SeqCst,
            _ => MemoryOrder::Relaxed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;

    fn acquired(slot: u64, count: u64, dt: u64) -> u64 {
        u64::from(kind::ACQUIRED) | slot >> 8 | (slot & 0xff) << 8 | count << 16 | dt << 32
    }

    #[test]
    fn a_pair_says_what_both_records_said() {
        let accesses = [Access::Unknown, Access::Nothing, Access::Read, Access::Wrote, Access::ReadThenWrote];
        for (access, slot, count, dt, hold) in [
            (0, 0, 0, 0, 0),
            (1, 1, 1, 2, 2),
            (2, 0x155, 0xffff, Pair::DT - 2, Pair::HOLD - 2),
            (3, 0x2aa, 0x1234, 4, 0),
            (4, SLOTS as u64 - 1, 0x00fe, 0, 6),
        ] {
            let access = accesses[access];
            let word = Pair::of_acquired(acquired(slot, count, dt), code::access(access), hold).expect("it fits");
            assert!(is_pair(word) && !is_acquired(word) && record_words(word) == 1 && record_events(word) == 2);
            let pair = Pair::parse(word);
            assert_eq!(code::parse_access(pair.access), access);
            assert_eq!((u64::from(pair.slot), u64::from(pair.dt), u64::from(pair.hold)), (slot, dt, hold));
            assert_eq!(u64::from(pair.count), count & u64::from(Pair::COUNTS - 1));
            let release = Pair::release(word);
            assert_eq!((release as u8, release >> 32), (kind::RELEASED_SLOT, hold));
            assert_eq!((release >> 8 & 0xffff, code::parse_access((release >> 24) as u8)), (slot, access));
        }
        for (dt, hold) in [(Pair::DT, 0), (0, Pair::HOLD), (1, 0), (0, 1)] {
            assert_eq!(Pair::of_acquired(acquired(1, 1, dt), 0, hold), None, "{dt} {hold}");
        }
    }
}
