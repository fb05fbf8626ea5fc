//! The helper: a thread that makes chunks ready before anybody needs them, and keeps the coarse clock.
//!
//! A page of a file that nobody has touched costs its first writer a fault, some 10 ns for each event that fits into it; made by one call for a
//! whole chunk it is about half of that, and done by another thread it is nothing. So the helper takes chunks from the pool, has the system make
//! their pages, and puts them back as ready. It also counts the events of chunks that a flight recorder is about to use again, and tells
//! the system that a growing trace needs the pages of full chunks in this process no more: what is mapped of such a trace are the
//! chunks in use, the stock, and some that are full, 8 MiB and 64 KiB for each thread.
//!
//! Writers never wait for it. Who finds no chunk ready makes one itself, as if there were no helper, and from then on the stock is larger, up to 1 MiB.
//! Nobody calls the system to wake it but who takes a chunk and leaves too few: once in several ten thousand events.
//!
//! A process that records little has no helper: it is asked for when half of a chunk is used, and started by the runtime, where a
//! thread can be started. The child of a fork has none and records nothing.
//!
//! `bell` says whether it sleeps, and changes under the pool's lock where it is rung: so a chunk that is taken after the helper has looked for the last
//! time finds the bell set, and the wait, which compares it, does not begin. `tests/loom` explores these steps.

use std::{
    ptr,
    sync::atomic::{AtomicU32, Ordering, fence},
    time::Duration,
};

use super::{Pool, TraceWriter, file};
use crate::{
    clock,
    format::{CHUNK_SIZE, HEADER_SIZE},
};

/// Most chunks that are made ready: 1 MiB.
const MOST_READY: u32 = 16;
/// Full chunks whose pages are given back at once. In a row, so that other threads are interrupted rarely.
const BEHIND: usize = 64;
/// So many make it worth the while.
const ENOUGH_BEHIND: u32 = 32;

/// Nobody has asked for a helper.
const ABSENT: u32 = 0;
/// It should be started.
const WANTED: u32 = 1;
/// It was started, or cannot be.
const STARTED: u32 = 2;

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;

/// The helper, as others see it.
#[derive(Debug, Default)]
pub(super) struct Helper {
    state: AtomicU32,
    bell: AtomicU32,
}

impl TraceWriter {
    /// Whether a helper was asked for and not yet started. True once: the caller is to make a thread that calls [`help`](Self::help).
    #[inline]
    pub fn is_to_start_helper(&self) -> bool {
        let state = &self.helper.state;
        state.load(Ordering::Relaxed) == WANTED
            && state.compare_exchange(WANTED, STARTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Asks for a helper.
    pub(super) fn want_helper(&self) {
        let _ = self.helper.state.compare_exchange(ABSENT, WANTED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether nobody has asked for a helper.
    pub(super) fn has_no_helper(&self) -> bool {
        self.helper.state.load(Ordering::Relaxed) == ABSENT
    }

    /// Whether the helper sleeps; it holds nothing then that another thread could wait for.
    pub fn helper_sleeps(&self) -> bool {
        self.helper.bell.load(Ordering::Acquire) == ASLEEP
    }

    /// What the helper does, until the recording stops. It takes the pool's lock and calls the system, and nothing else: it does not allocate.
    pub fn help(&self) {
        let mut idle_ticks = 0;
        while !self.is_stopped() {
            self.stock_up();
            if !self.flight_recorder {
                self.leave_behind();
            }
            let limit = if self.coarse { clock::tick(&mut idle_ticks) } else { None };
            self.sleep(limit);
        }
        clock::stop_ticking();
    }

    /// Takes a chunk that is ready, and wakes the helper if too few are left. The caller wakes it when it has let go of the pool.
    pub(super) fn take_ready(&self, pool: &mut Pool) -> Option<u32> {
        let used = pool.used;
        let ready = pool.ready.pop(self, used);
        let is_helped = self.helper.state.load(Ordering::Relaxed) == STARTED;
        if ready.is_none() && is_helped {
            pool.stock = (pool.stock * 2).min(MOST_READY);
        }
        ready
    }

    /// Whether the helper has to be woken, after a chunk was taken. Says so once.
    pub(super) fn is_to_wake(&self, pool: &Pool) -> bool {
        let wanted = self.wanted_stock(pool);
        let has_work = (wanted > 0 && pool.ready.len() * 2 <= wanted)
            || (!self.flight_recorder && pool.sealed.len() >= ENOUGH_BEHIND)
            || (self.coarse && !clock::is_ticking());
        has_work && self.helper.bell.swap(AWAKE, Ordering::Relaxed) == ASLEEP
    }

    /// Wakes the helper. One system call.
    pub(super) fn wake(&self) {
        self.helper.bell.store(AWAKE, Ordering::SeqCst);
        // SAFETY: the word lives as long as `self`.
        unsafe {
            libc::syscall(libc::SYS_futex, self.helper.bell.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1);
        }
    }

    fn sleep(&self, limit: Option<Duration>) {
        {
            let pool = self.pool();
            // There is no more to do only if there was nothing to get.
            if pool.ready.len() < self.wanted_stock(&pool) && self.could_stock_up(&pool) {
                return;
            }
            self.helper.bell.store(ASLEEP, Ordering::SeqCst);
        }
        // Who stops the recording does so before it looks whether to wake the helper, with a fence in between as well, so one of both sees the other.
        fence(Ordering::SeqCst);
        if self.is_stopped() {
            self.helper.bell.store(AWAKE, Ordering::SeqCst);
            return;
        }
        let timeout = limit.map(|limit| libc::timespec {
            tv_sec: limit.as_secs() as libc::time_t,
            tv_nsec: limit.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        let flags = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the word lives as long as `self`, and the timeout until the call returns.
        unsafe {
            libc::syscall(libc::SYS_futex, self.helper.bell.as_ptr(), flags, ASLEEP, timeout);
        }
        // Before anything is locked: who sees it asleep knows that it holds nothing.
        self.helper.bell.store(AWAKE, Ordering::SeqCst);
    }

    /// How many chunks should be ready. None of a flight recorder that uses its chunks again: they are in memory, and their events are there for as long
    /// as nobody needs the room.
    fn wanted_stock(&self, pool: &Pool) -> u32 {
        if self.is_full(pool) { 0 } else { pool.stock }
    }

    fn could_stock_up(&self, pool: &Pool) -> bool {
        pool.used < pool.reserved
    }

    /// Makes chunks ready until there are enough, or no more can be had.
    fn stock_up(&self) {
        loop {
            let mut pool = self.pool();
            if pool.ready.len() >= self.wanted_stock(&pool) || self.is_stopped() {
                return;
            }
            let index = if pool.used < pool.reserved {
                let Ok(index) = self.extend(&mut pool) else { return };
                drop(pool);
                self.chunk(index).populate();
                index
            } else {
                // Without the lock, since it takes long; a writer that comes meanwhile does the same for itself, which does no harm.
                if !self.reserve_ahead(pool) {
                    return;
                }
                continue;
            };
            self.pool().ready.push(self, index);
        }
    }

    fn reserve_ahead(&self, pool: std::sync::MutexGuard<'_, Pool>) -> bool {
        // A file that was cut off must not be made longer as if nothing had happened.
        if self.look_at_file(&pool).is_err() {
            return false;
        }
        let (from, step) = (pool.reserved, pool.step());
        let Ok(file) = pool.file.try_clone() else { return false };
        drop(pool);
        let start = HEADER_SIZE + from as usize * CHUNK_SIZE;
        // A full disk is for a writer to find, who stops the recording.
        if step == 0 || file::reserve(&file, start as u64, (step as usize * CHUNK_SIZE) as u64).is_err() {
            return false;
        }
        let mut pool = self.pool();
        pool.reserved = pool.reserved.max(from + step);
        true
    }

    /// Gives the pages of full chunks back. They stay in the file; whoever should touch one maps it again.
    fn leave_behind(&self) {
        let mut behind = [0; BEHIND];
        let mut n = 0;
        {
            let mut pool = self.pool();
            if pool.sealed.len() < ENOUGH_BEHIND {
                return;
            }
            let used = pool.used;
            while n < BEHIND
                && let Some(index) = pool.sealed.pop(self, used)
            {
                behind[n] = index;
                n += 1;
            }
        }
        behind[..n].sort_unstable();
        for run in behind[..n].chunk_by(|a, b| a + 1 == *b) {
            self.chunk(run[0]).leave(run.len());
        }
    }
}
