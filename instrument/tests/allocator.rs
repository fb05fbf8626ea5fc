//! A global allocator, a panic hook and a callback for findings that use instrumented locks, several of them nested: no recursion, and no
//! deadlock of lockscope's own making.
//!
//! The danger: lockscope allocates while it holds a lock of its own, the allocator waits for a lock that another thread has, and
//! that one waits for lockscope's lock to have the next one checked.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    env,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use lockscope::sync::Mutex;

const LOCKS: usize = 64;

static ARENAS: [Mutex<()>; LOCKS] = [const { Mutex::new(()) }; LOCKS];
static PAGES: [Mutex<()>; LOCKS] = [const { Mutex::new(()) }; LOCKS];
static USES_LOCKS: AtomicBool = AtomicBool::new(false);
static NEXT: AtomicUsize = AtomicUsize::new(0);

struct Locking;

impl Locking {
    /// Does something under two locks, which ones varies, so that there are always new pairs to check.
    fn locked<R>(f: impl FnOnce() -> R) -> R {
        if !USES_LOCKS.load(Ordering::Relaxed) {
            return f();
        }
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let arena = ARENAS[n % LOCKS].lock();
        let page = PAGES[n / LOCKS % LOCKS].lock();
        let result = f();
        drop((page, arena));
        result
    }
}

// SAFETY: what the system's allocator does, under locks.
unsafe impl GlobalAlloc for Locking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        Self::locked(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        Self::locked(|| unsafe { System.dealloc(memory, layout) })
    }
}

#[global_allocator]
static ALLOCATOR: Locking = Locking;

/// What a subscriber of log events or a panic hook has: a lock around what it writes to.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(text: &str) {
    LOG.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(text.to_owned());
}

/// Says to a test that it is the child.
const CHILD: &str = "LOCKSCOPE_TEST_CHILD";

fn child() {
    lockscope::builder().on_finding(|report| log(&report.text)).install();
    std::panic::set_hook(Box::new(|panic| log(&panic.to_string())));
    let begin = Instant::now();
    USES_LOCKS.store(true, Ordering::Relaxed);
    let work = || {
        for n in 0..1_000usize {
            // New locks in new orders, which lockscope has to note, and memory that comes and goes.
            let (one, other) = (Mutex::new(n), Mutex::new(vec![n; n % 50]));
            let held = one.lock().unwrap();
            other.lock().unwrap().push(*held);
            drop(held);
            if n % 500 == 0 {
                // The other order as well: a finding, which is called back with.
                let panics = std::thread::spawn(move || {
                    let _held = other.lock();
                    let _too = one.lock();
                    panic!("on purpose");
                });
                assert!(panics.join().is_err());
            }
        }
    };
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(work)).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    USES_LOCKS.store(false, Ordering::Relaxed);
    let _ = std::panic::take_hook();
    let logged = LOG.lock().unwrap();
    let has = |what: &str| logged.iter().any(|text| text.contains(what));
    assert!(has("on purpose") && has("lock-order-inversion"), "{logged:?}");
    if env::var_os("LOCKSCOPE_TEST_TIMES").is_some() {
        eprintln!("{:?}", begin.elapsed());
    }
}

/// Only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(180);

fn has_succeeded(child: &mut Child) -> bool {
    let deadline = Instant::now() + WATCHDOG;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("our child") {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("our child");
    child.wait().expect("our child");
    false
}

#[test]
fn locks_in_the_allocator_do_no_harm() {
    if env::var_os(CHILD).is_some() {
        return child();
    }
    let dir = tempfile::tempdir().unwrap();
    for settings in ["report=reports", "report=reports,record=a.lks", "report=reports,record=b.lks,size=1M"] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "locks_in_the_allocator_do_no_harm", "--nocapture"])
            .env(CHILD, "1")
            .env("LOCKSCOPE", settings)
            .env_remove("RUST_BACKTRACE")
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("it can be run");
        assert!(has_succeeded(&mut child), "{settings}: it hung or failed");
    }
}
