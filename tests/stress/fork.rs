//! Forks at bad moments: while other threads are inside of the runtime, and with a lock held. The child goes on without lockscope.

use std::sync::atomic::{AtomicBool, Ordering};

use lockscope_trace::EventSource;

use crate::{child::Case, lock::Lock, verify};

const FORKS: usize = 200;

static HELD: Lock = Lock::mutex("held");
static OTHER: Lock = Lock::mutex("other");
static STOP: AtomicBool = AtomicBool::new(false);

/// Keeps the runtime's own locks busy: every new lock and every new thread is registered.
fn busy_threads() -> Vec<std::thread::JoinHandle<()>> {
    let register_locks = || {
        while !STOP.load(Ordering::Relaxed) {
            let lock = Lock::mutex("new");
            lock.unlock(lock.lock());
        }
    };
    let register_threads = || {
        while !STOP.load(Ordering::Relaxed) {
            std::thread::spawn(|| OTHER.unlock(OTHER.lock())).join().expect("no thread panics");
        }
    };
    vec![std::thread::spawn(register_locks), std::thread::spawn(register_locks), std::thread::spawn(register_threads)]
}

/// Forks; the child runs `f` and ends, by an alarm if it hangs. The child's status.
fn fork(f: impl FnOnce()) -> i32 {
    // SAFETY: what the child does is the subject of the test.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: both end the child, this one when it hangs.
            unsafe { libc::alarm(20) };
            f();
            // SAFETY: see above.
            unsafe { libc::_exit(0) };
        }
        child => {
            assert!(child > 0, "fork failed");
            let mut status = 0;
            // SAFETY: waits for the child made above.
            unsafe { libc::waitpid(child, &mut status, 0) };
            status
        }
    }
}

/// The child releases a lock that was taken before the fork, as every guard on the stack is in the end.
pub fn run_holding() {
    let threads = busy_threads();
    for n in 0..FORKS {
        let hold = HELD.lock();
        let status = fork(|| {
            HELD.unlock(hold_again(&hold));
            let first = HELD.lock();
            let lock = Lock::mutex("of the child");
            lock.unlock(lock.lock());
            HELD.unlock(first);
        });
        assert_eq!(status, 0, "child of fork {n}");
        HELD.unlock(hold);
    }
    STOP.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
}

/// The child's copy of a hold: it has its own memory.
fn hold_again(hold: &lockscope::rt::Hold) -> lockscope::rt::Hold {
    // SAFETY: the parent's original is in another process; this copy is the child's only use of it.
    unsafe { std::ptr::read(hold) }
}

/// The child is forked in a thread, which then returns and so ends in the child as well, with all destructors.
pub fn run_in_thread() {
    let threads = busy_threads();
    for n in 0..FORKS {
        // A copy of this thread returns in the child; the process ends with it, since it is the only one.
        let status = std::thread::spawn(|| {
            HELD.unlock(HELD.lock());
            // SAFETY: what the child does is the subject of the test.
            match unsafe { libc::fork() } {
                0 => {
                    // SAFETY: ends the child when it hangs.
                    unsafe { libc::alarm(20) };
                    HELD.unlock(HELD.lock());
                    0
                }
                child => {
                    let mut status = 0;
                    // SAFETY: waits for the child made above.
                    unsafe { libc::waitpid(child, &mut status, 0) };
                    status
                }
            }
        });
        assert_eq!(status.join().expect("no thread panics"), 0, "child of fork {n}");
    }
    STOP.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
}

fn check(role: &str) {
    let case = Case::new();
    case.run(case.command(role, "record=trace.lks"));
    assert_eq!(case.stderr(), "");
    assert_eq!(case.traces().len(), 1, "children record nothing");
    let (reader, events) = verify::read(&case.path("trace.lks"));
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    verify::check_order(role, &events);
}

#[test]
fn children_of_a_fork_can_release_what_their_parent_held() {
    check("fork-holding");
}

#[test]
fn children_of_a_fork_in_a_thread_can_end_it() {
    check("fork-thread");
}
