//! Everything in statics, used before `main`, in destructors of thread-locals, while panicking, and at exit: in builds with lockscope and
//! without, recording or not.

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use lockscope::{
    cell::{CellExt as _, Shared, UnsafeCell},
    sync::{
        Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, Semaphore,
        atomic::{AtomicBool, AtomicU32, Ordering, fence},
        mpsc,
    },
    thread,
};

static MUTEX: Mutex<u32> = Mutex::new(0);
static RWLOCK: RwLock<u32> = RwLock::new(0);
static CHANGED: Condvar = Condvar::new();
static ONCE: Once = Once::new();
static CELL: OnceLock<u32> = OnceLock::new();
static LAZY: LazyLock<u32> = LazyLock::new(|| 7);
static BARRIER: Barrier = Barrier::new(1);
static SEMAPHORE: Semaphore = Semaphore::new(1);
static SUM: AtomicU32 = AtomicU32::new(0);
static FLAG: AtomicBool = AtomicBool::new(false);
static SHARED: Shared<u32> = Shared::new(0);

fn use_everything() {
    let mut guard = MUTEX.lock().unwrap();
    *guard += 1;
    CHANGED.notify_all();
    *RWLOCK.write().unwrap() += *guard;
    drop(guard);
    ONCE.call_once(|| FLAG.store(true, Ordering::Release));
    assert!(FLAG.load(Ordering::Acquire) && *RWLOCK.read().unwrap() > 0);
    assert_eq!((*CELL.get_or_init(|| 5), *LAZY, BARRIER.wait().is_leader()), (5, 7, true));
    drop(SEMAPHORE.acquire());
    let permit = SEMAPHORE.acquire();
    assert!(SEMAPHORE.try_acquire().is_none());
    SUM.fetch_add(1, Ordering::Relaxed);
    fence(Ordering::SeqCst);
    SHARED.update(|n| n + 1);
    UnsafeCell::new(1).with_mut(|_| ());
    drop(permit);
    let (sender, receiver) = mpsc::channel();
    sender.send(1).unwrap();
    assert_eq!(receiver.recv(), Ok(1));
    thread::current().unpark();
    thread::park_timeout(Duration::from_millis(1));
    thread::sleep(Duration::ZERO);
}

/// Says to a test that it is the child.
const CHILD: &str = "LOCKSCOPE_TEST_CHILD";

extern "C" fn before_main() {
    use_everything();
}

// SAFETY: functions of this type are what the section is made of.
#[unsafe(link_section = ".init_array")]
#[used]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn at_exit() {
    use_everything();
    // Not `eprintln`, whose lock is std's business.
    let text = b"used at exit\n";
    // SAFETY: the text is as long as it is.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

struct UseInDrop;

impl Drop for UseInDrop {
    fn drop(&mut self) {
        use_everything();
    }
}

thread_local! {
    static LATE: UseInDrop = const { UseInDrop };
    static LATER: UseInDrop = const { UseInDrop };
}

fn child() {
    // SAFETY: the function lives as long as the program.
    assert_eq!(unsafe { libc::atexit(at_exit) }, 0);
    let before = SUM.load(Ordering::Relaxed);
    assert_eq!(before, 1, "used before `main`");
    for use_first in [true, false] {
        let ends = std::thread::spawn(move || {
            LATE.with(|_| ());
            if use_first {
                use_everything();
            }
            LATER.with(|_| ());
        });
        ends.join().unwrap();
    }
    let panics = std::thread::spawn(|| {
        let _use_in_drop = UseInDrop;
        panic!("on purpose");
    });
    assert!(panics.join().is_err());
    assert_eq!(SUM.load(Ordering::Relaxed), 7);
}

#[test]
fn early_late_and_while_recording() {
    if env::var_os(CHILD).is_some() {
        return child();
    }
    let dir = tempfile::tempdir().unwrap();
    for settings in ["", "off", &format!("record={}", dir.path().join("a.lks").display())] {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "early_late_and_while_recording", "--nocapture"])
            .env(CHILD, "1")
            .env("LOCKSCOPE", settings)
            .stdout(Stdio::null())
            .output()
            .expect("it can be run");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{settings}: {}\n{said}", output.status);
        assert!(said.ends_with("used at exit\n") && !said.contains("lockscope: "), "{settings}:\n{said}");
    }
}
