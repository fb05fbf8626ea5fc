//! Appends to a trace file from many threads: no lock, no system call and no allocation per event.
//!
//! The file is mapped shared, so that everything committed survives the process, also `kill -9`.
//! Disk space is reserved with `fallocate` before any byte of it is touched: a full disk stops the
//! recording, and is never a SIGBUS. Nor is a file that somebody cuts off, see `cut_off`.
//!
//! Invariants, and who upholds them:
//! - a chunk is written by its owner only: each is handed out once, under the pool's lock;
//! - a reader looks at committed bytes only: owners store `COMMITTED` with release ordering after the bytes;
//! - a thread's next section begins after its previous one is marked as ended (`SECTION_END` or `SEALED`), so a reader that
//!   sees the next one knows whether it has all of the previous one: [`ThreadWriter`] does so in that order;
//! - a definition is committed before the first event that names it: the caller defines first.

mod ahead;
mod chunk;
mod cut_off;
mod defs;
mod file;
mod lock_defs;
mod pool;
mod protocol;
mod thread;

use std::{
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use memmap2::MmapRaw;

use self::{ahead::Helper, chunk::Chunk, pool::Pool};
pub use self::{
    defs::DefinitionWriter,
    thread::{CondEvent, Environment, HeldAtStart, MemoryEvent, ObjectEvent, ThreadWriter},
};
use crate::format::{CHUNK_SIZE, HEADER_SIZE, header};

/// How to record.
#[derive(Clone, Debug)]
pub struct Options {
    /// Upper limit of the file in bytes; when it is reached the oldest events are overwritten. At least 1 MiB, at
    /// most 16 GiB; `None` is 16 GiB, at which recording stops.
    pub size: Option<u64>,
    /// Executable and command line, for the header.
    pub executable: PathBuf,
    /// Arguments, the program's name first.
    pub command: Vec<String>,
    /// Reads the clock for one pair of acquisition and release in 16 and for what takes long, instead of for every event.
    pub coarse: bool,
    /// Number of the `lockscope run` that the process was started by, 0 for none: runs at the same time record into one folder.
    pub run: u64,
}

/// Address space that is set aside; only what is reserved on disk is ever touched.
const MAX_BYTES: u64 = 16 << 30;
const MIN_BYTES: u64 = 1 << 20;

/// A trace being written. Shared by all threads of the process.
#[derive(Debug)]
pub struct TraceWriter {
    // Dropped before what it watches.
    _watch: cut_off::Watch,
    map: MmapRaw,
    path: PathBuf,
    flight_recorder: bool,
    coarse: bool,
    pool: Mutex<Pool>,
    helper: Helper,
    // Has an address of its own, for the handler of signals.
    stopped: Box<AtomicU32>,
}

impl TraceWriter {
    /// Creates the file exclusively, for its owner only, and writes its header.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when there is such a file or link; whatever the system says about creating, reserving 128 KiB,
    /// or mapping it.
    pub fn create(path: &Path, options: &Options) -> io::Result<Self> {
        let file = file::create(path)?;
        let bytes = options.size.unwrap_or(MAX_BYTES).clamp(MIN_BYTES, MAX_BYTES);
        let limit = ((bytes as usize - HEADER_SIZE) / CHUNK_SIZE) as u32;
        let opened = file::reserve(&file, 0, (HEADER_SIZE + CHUNK_SIZE) as u64)
            .and_then(|()| file::map(&file, HEADER_SIZE + limit as usize * CHUNK_SIZE));
        let (map, mapped) = opened.inspect_err(|_| {
            // Nobody has written to it: an empty file would only confuse.
            let _ = std::fs::remove_file(path);
        })?;
        let limit = limit.min(((mapped - HEADER_SIZE) / CHUNK_SIZE) as u32);
        let stopped = Box::new(AtomicU32::new(0));
        // SAFETY: all three are the new value's, which drops the watch first.
        let watch = unsafe { cut_off::Watch::new(map.as_mut_ptr(), map.len(), file.as_raw_fd(), &raw const *stopped) };
        let writer = Self {
            _watch: watch,
            map,
            path: path.to_path_buf(),
            flight_recorder: options.size.is_some(),
            coarse: options.coarse,
            pool: Mutex::new(Pool::new(file, limit)),
            helper: Helper::default(),
            stopped,
        };
        file::write_header(&writer, options);
        Ok(writer)
    }

    /// Bytes that the file may have for chunks.
    fn size(&self) -> u64 {
        (self.map.len() - HEADER_SIZE) as u64
    }

    /// Where the trace is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether only some events are timed; see [`Options::coarse`].
    pub fn is_coarse(&self) -> bool {
        self.coarse
    }

    /// Whether an error stopped the recording.
    #[inline]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) != 0
    }

    /// The error that stopped the recording, if one did.
    pub fn stopped(&self) -> Option<io::Error> {
        match self.stopped.load(Ordering::Relaxed) {
            0 => None,
            errno => Some(io::Error::from_raw_os_error(errno as i32)),
        }
    }

    /// Stops the recording for good, for instance when the disk is full. The first reason stays.
    pub fn stop(&self, reason: &io::Error) {
        let errno = reason.raw_os_error().unwrap_or(libc::EIO) as u32;
        if self.stopped.compare_exchange(0, errno, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.u32_at(header::STOPPED).store(errno.to_le(), Ordering::Release);
        }
        // Its work is done; who stops may have the pool. The fence is for one that is about to sleep: see `ahead`.
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.helper_sleeps() {
            self.wake();
        }
    }

    /// Marks the trace as ended in an orderly way. Threads may still append afterwards.
    pub fn close(&self) {
        self.u32_at(header::CLOSED).store(1u32.to_le(), Ordering::Release);
    }

    /// Counts events that could not be recorded.
    pub fn count_lost(&self, events: u64) {
        self.u64_at(header::LOST).fetch_add(events, Ordering::Relaxed);
    }

    /// Takes a chunk for definitions of this kind, [`DEFINITIONS`](crate::format::chunk::DEFINITIONS) or
    /// [`LOCKS`](crate::format::chunk::LOCKS): a new one, else in a flight recorder the one with the oldest events, as long as a quarter of the file
    /// is left for those.
    ///
    /// # Errors
    ///
    /// When the disk is full, the limit is reached, or recording has stopped; recording is stopped then.
    fn claim_definitions(&self, kind: u32) -> io::Result<Chunk> {
        let mut pool = self.pool();
        self.look_at_file(&pool)?;
        let used = pool.used;
        let index = match self.extend(&mut pool) {
            Ok(index) => index,
            Err(error) => {
                let may_take = self.flight_recorder && !self.is_stopped() && pool.definitions < pool.limit * 3 / 4;
                match may_take.then(|| pool.sealed.pop(self, used)).flatten() {
                    Some(oldest) => {
                        self.count_overwritten(oldest);
                        oldest
                    }
                    None => {
                        self.stop(&error);
                        return Err(error);
                    }
                }
            }
        };
        pool.definitions += 1;
        self.chunk(index).populate();
        Ok(self.hand_out(index, kind))
    }

    /// Takes a chunk for definitions of locks that has been one before.
    ///
    /// # Errors
    ///
    /// When the recording has stopped.
    fn reuse_for_locks(&self, index: u32) -> io::Result<Chunk> {
        let pool = self.pool();
        self.look_at_file(&pool)?;
        Ok(self.hand_out(index, crate::format::chunk::LOCKS))
    }

    /// How often a chunk was claimed.
    fn claims(&self) -> u64 {
        u64::from(u32::from_le(self.u32_at(header::CLAIMS).load(Ordering::Relaxed)))
    }

    /// The claim of the chunk with the oldest events, once older ones were overwritten, else 0.
    fn window(&self) -> u64 {
        let pool = self.pool();
        if self.u64_at(header::OVERWRITTEN).load(Ordering::Relaxed) == 0 {
            return 0;
        }
        pool.sealed.first().map_or(0, |index| self.chunk(index).claim())
    }

    /// Whether the oldest events are overwritten when the file is full.
    pub fn is_flight_recorder(&self) -> bool {
        self.flight_recorder
    }

    /// Takes a chunk for events: one that an ended thread left, a new one, or in a flight recorder the oldest.
    ///
    /// # Errors
    ///
    /// As for definitions.
    fn claim_events(&self) -> io::Result<Chunk> {
        let mut pool = self.pool();
        if let Some(stopped) = self.stopped() {
            return Err(stopped);
        }
        self.look_at_file(&pool)?;
        let used = pool.used;
        if let Some(index) = pool.open.pop(self, used) {
            return Ok(self.chunk(index));
        }
        let (index, is_ready) = match self.take_ready(&mut pool) {
            Some(index) => (index, true),
            None => self.take_new(&mut pool)?,
        };
        if !is_ready {
            self.chunk(index).populate();
        }
        let chunk = self.hand_out(index, crate::format::chunk::EVENTS);
        let wakes = self.is_to_wake(&pool);
        drop(pool);
        if wakes {
            self.wake();
        }
        Ok(chunk)
    }

    /// Takes a chunk that the helper has not made ready: a new one, or in a flight recorder the oldest, which is in memory.
    fn take_new(&self, pool: &mut Pool) -> io::Result<(u32, bool)> {
        let extended =
            if self.is_full(pool) { Err(io::Error::from_raw_os_error(libc::EFBIG)) } else { self.extend(pool) };
        let used = pool.used;
        match extended {
            Ok(index) => Ok((index, false)),
            Err(error) => match self.flight_recorder.then(|| pool.sealed.pop(self, used)).flatten() {
                Some(oldest) => {
                    self.count_overwritten(oldest);
                    Ok((oldest, true))
                }
                None => {
                    self.stop(&error);
                    Err(error)
                }
            },
        }
    }

    /// Whether a flight recorder has to use the oldest chunks again. An eighth of it stays free for definitions.
    fn is_full(&self, pool: &Pool) -> bool {
        self.flight_recorder && pool.used >= pool.limit - pool.limit / 8
    }

    /// Counts the events of a chunk that is used again. About 10 µs.
    fn count_overwritten(&self, index: u32) {
        let events = self.chunk(index).count_events();
        self.u64_at(header::OVERWRITTEN).fetch_add(events, Ordering::Relaxed);
    }

    /// Stops the recording when the file was deleted or cut off: what is written from then on, nobody would find.
    fn look_at_file(&self, pool: &Pool) -> io::Result<()> {
        let expected = HEADER_SIZE + pool.reserved as usize * CHUNK_SIZE;
        file::look(&pool.file, expected as u64).inspect_err(|error| self.stop(error))
    }

    /// Takes back a chunk that is full.
    fn seal(&self, chunk: &Chunk) {
        chunk.seal();
        self.pool().sealed.push(self, chunk.index());
    }

    /// Takes back a chunk with room left, for the next thread.
    fn give_back(&self, chunk: &Chunk) {
        self.pool().open.push(self, chunk.index());
    }

    fn extend(&self, pool: &mut Pool) -> io::Result<u32> {
        if let Some(stopped) = self.stopped() {
            return Err(stopped);
        }
        if pool.used >= pool.limit {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        if pool.used == pool.reserved {
            let step = pool.step();
            let start = HEADER_SIZE + pool.reserved as usize * CHUNK_SIZE;
            file::reserve(&pool.file, start as u64, (step as usize * CHUNK_SIZE) as u64)?;
            pool.reserved += step;
        }
        pool.used += 1;
        self.u32_at(header::CHUNKS).store(pool.used.to_le(), Ordering::Release);
        Ok(pool.used - 1)
    }

    fn hand_out(&self, index: u32, kind: u32) -> Chunk {
        let chunk = self.chunk(index);
        // Serialised by the pool's lock, which both callers hold.
        let claim = u32::from_le(self.u32_at(header::CLAIMS).load(Ordering::Relaxed)) + 1;
        chunk.begin(kind, u64::from(claim));
        self.u32_at(header::CLAIMS).store(claim.to_le(), Ordering::Release);
        chunk
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // The pool's fields are consistent at every point where code in its lock could panic (none does).
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chunk(&self, index: u32) -> Chunk {
        // SAFETY: indexes come from `extend`, which keeps them below `limit`, what is mapped.
        unsafe { Chunk::new(self.map.as_mut_ptr().add(HEADER_SIZE + index as usize * CHUNK_SIZE), index) }
    }

    fn u32_at(&self, offset: usize) -> &AtomicU32 {
        debug_assert!(offset + 4 <= HEADER_SIZE && offset.is_multiple_of(4));
        // SAFETY: inside the mapped header, aligned, and only accessed as an atomic from here on.
        unsafe { AtomicU32::from_ptr(self.map.as_mut_ptr().add(offset).cast()) }
    }

    fn u64_at(&self, offset: usize) -> &AtomicU64 {
        debug_assert!(offset + 8 <= HEADER_SIZE && offset.is_multiple_of(8));
        // SAFETY: as in `u32_at`.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().add(offset).cast()) }
    }
}
