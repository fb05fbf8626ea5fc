//! A thread of lockscope's own that looks for knots which nobody could see when they were tied.
//!
//! It is started when it is first called: by a thread whose wait leaves nobody who is seen to be able to help. Until then, and in most programs
//! for good, there is none. It never takes a lock that the program could hold, handles no signals, is not followed,
//! and does not exist in the child of a fork. While there is nothing to suspect it is parked; while there is, it looks after
//! 20 ms, 100 ms, 500 ms, and then once a second, each look taking some 20 µs for each thread that has to be looked at.
//! Calls that come to nothing make it look later, up to a second, so that a program in which all threads but one keep waiting does
//! not pay for it.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use super::{
    bell::Bell,
    knot::{self, Examined, Memory},
    observer::{self, observe},
};

static BELL: Bell = Bell { state: AtomicU32::new(0) };
/// Absent, started, or over.
static STATE: AtomicU32 = AtomicU32::new(ABSENT);
const ABSENT: u32 = 0;
const STARTED: u32 = 1;
const OVER: u32 = 2;

/// The watch, once it runs.
static THREAD: OnceLock<Thread> = OnceLock::new();

/// Pauses before each look, as long as there is something to suspect.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(1)];

/// After so long without a call the next one is answered fast again.
const CALM: Duration = Duration::from_secs(2);

/// Whether the watch is going to look anyway, after what this thread has published.
pub(super) fn is_called() -> bool {
    BELL.is_rung() || STATE.load(Ordering::Relaxed) == OVER
}

/// Makes the watch look soon.
pub(super) fn call() {
    if BELL.ring()
        && let Some(thread) = THREAD.get()
    {
        thread.unpark();
    }
    if STATE.load(Ordering::Relaxed) == ABSENT
        && STATE.compare_exchange(ABSENT, STARTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        && !observer::start(main)
    {
        // No thread can be made; perhaps later.
        STATE.store(ABSENT, Ordering::Relaxed);
    }
}

extern "C" fn main(_: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: a name of less than 16 bytes.
    unsafe { libc::prctl(libc::PR_SET_NAME, c"lockscope-watch".as_ptr()) };
    // A panic must not end the program that is watched.
    let _ = std::panic::catch_unwind(watch);
    STATE.store(OVER, Ordering::Relaxed);
    std::ptr::null_mut()
}

fn watch() {
    let entered = observe("lockscope-watch");
    let _ = THREAD.set(thread::current());
    let mut memory = Memory::default();
    // How many looks there were since the last call; 0 when there is nothing to suspect.
    let mut looks = 0;
    let (mut reentry, mut called_at) = (PAUSES[0], Instant::now());
    loop {
        if BELL.lie_down() {
            match looks {
                0 => thread::park(),
                n => thread::park_timeout(PAUSES[n.min(PAUSES.len() - 1)]),
            }
        }
        if BELL.is_rung() {
            // Those who call meanwhile need not do anything.
            reentry = if called_at.elapsed() > CALM { PAUSES[0] } else { reentry };
            thread::sleep(reentry);
            reentry = (reentry * 2).min(PAUSES[3]);
            called_at = Instant::now();
            looks = 0;
        } else if looks == 0 {
            continue;
        }
        BELL.answer();
        looks = match knot::examine(&entered, &mut memory) {
            Examined::Clear => 0,
            Examined::Suspicious => looks + 1,
            Examined::Over => return,
        };
    }
}
