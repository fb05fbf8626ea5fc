//! What the child processes do. Threads meet at barriers that lockscope does not see; "after" is a join that it does not see either.

use std::{
    panic::Location,
    sync::{Arc, Barrier, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use lockscope::{
    rt::{LockKind, Spawned},
    sync::{LazyLock, Mutex, Semaphore},
};

use crate::lock::{Lock, Once};

pub use crate::{helpers::*, idle::*, knots::*, raw::*};

static A: Lock = Lock::mutex("a");
static B: Lock = Lock::mutex("b");
static C: Lock = Lock::mutex("c");
static GATE: Lock = Lock::mutex("gate");

/// A thread that lockscope sees only by its locks.
pub fn plain(name: &str, f: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(f).expect("threads can be spawned")
}

/// Runs threads one after the other. A panic ends the process, as it would if their handles were joined and unwrapped.
pub fn one_after_the_other<const N: usize>(threads: [fn(); N]) {
    for (index, f) in threads.into_iter().enumerate() {
        plain(["first", "second", "third", "fourth"][index], f).join().unwrap();
    }
}

pub fn nested(locks: &[&'static Lock]) {
    let holds: Vec<_> = locks.iter().map(|lock| lock.lock()).collect();
    for (lock, hold) in locks.iter().zip(holds).rev() {
        lock.unlock(hold);
    }
}

pub fn two_orders() {
    one_after_the_other([|| nested(&[&A, &B]), || nested(&[&B, &A])]);
}

pub fn two_orders_of_locks_from_constants() {
    static X: Lock = Lock::unplaced(LockKind::Mutex);
    static Y: Lock = Lock::unplaced(LockKind::FairMutex);
    one_after_the_other([|| nested(&[&X, &Y]), || nested(&[&Y, &X])]);
}

pub fn two_orders_off() {
    two_orders();
}

pub fn two_orders_panic() {
    two_orders();
}

pub fn one_order() {
    one_after_the_other([|| nested(&[&A, &B]), || nested(&[&A, &B])]);
}

pub fn two_orders_under_a_gate() {
    one_after_the_other([|| nested(&[&GATE, &A, &B]), || nested(&[&GATE, &B, &A])]);
}

pub fn two_orders_by_one_thread() {
    nested(&[&A, &B]);
    nested(&[&B, &A]);
}

pub fn two_orders_by_try() {
    let tries = || {
        let b = B.lock();
        let a = A.try_lock().expect("nobody holds it");
        A.unlock(a);
        B.unlock(b);
    };
    one_after_the_other([|| nested(&[&A, &B]), tries]);
}

pub fn two_orders_of_readers() {
    static R: Lock = Lock::rwlock("r");
    static S: Lock = Lock::rwlock("s");
    fn read(first: &Lock, second: &Lock) {
        let one = first.read();
        let two = second.read();
        second.unlock(two);
        first.unlock(one);
    }
    one_after_the_other([|| read(&R, &S), || read(&S, &R)]);
}

pub fn two_orders_a_thousand_times() {
    one_after_the_other([|| (0..1000).for_each(|_| nested(&[&A, &B])), || (0..1000).for_each(|_| nested(&[&B, &A]))]);
}

pub fn three_orders() {
    one_after_the_other([|| nested(&[&A, &B]), || nested(&[&B, &C]), || nested(&[&C, &A])]);
}

pub fn three_orders_middle_destroyed() {
    // A before middle, middle before C, and middle is gone when C comes before A.
    let middle: &'static Lock = Box::leak(Box::new(Lock::mutex("middle")));
    for order in [[&A, middle], [middle, &C]] {
        plain("early", move || nested(&order)).join().unwrap();
    }
    // SAFETY: it was leaked above and nobody uses it any more.
    drop(unsafe { Box::from_raw(std::ptr::from_ref(middle).cast_mut()) });
    one_after_the_other([|| nested(&[&C, &A])]);
}

/// Two threads that hold one lock each and then ask for the other's.
pub fn cross(first: fn(&Barrier), second: fn(&Barrier)) {
    let barrier = Arc::new(Barrier::new(2));
    let spawn = |name, f: fn(&Barrier)| {
        let barrier = barrier.clone();
        plain(name, move || f(&barrier))
    };
    let threads = [spawn("first", first), spawn("second", second)];
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub fn deadlock() {
    cross(
        |barrier| {
            let _a = A.lock();
            barrier.wait();
            B.lock();
        },
        |barrier| {
            let _b = B.lock();
            barrier.wait();
            A.lock();
        },
    );
}

static ONCE: Once = Once::new();

pub fn initialiser_waits_for_one_who_waits_for_it() {
    cross(
        |barrier| {
            ONCE.call(|| {
                barrier.wait();
                A.lock();
            });
        },
        |barrier| {
            let _a = A.lock();
            barrier.wait();
            ONCE.call(|| unreachable!("the other thread is at it"));
        },
    );
}

pub fn initialiser_calls_itself() {
    ONCE.call(|| ONCE.call(|| ()));
}

pub fn initialiser_takes_what_one_who_waits_for_it_held() {
    cross(
        |barrier| {
            ONCE.call(|| {
                nested(&[&A]);
                barrier.wait();
                barrier.wait();
            });
        },
        |barrier| {
            barrier.wait();
            let a = A.lock();
            ONCE.call_when(|| _ = barrier.wait(), || unreachable!("the other thread is at it"));
            A.unlock(a);
        },
    );
}

pub fn initialised_is_no_lock() {
    one_after_the_other([
        || ONCE.call(|| nested(&[&A])),
        || {
            let a = A.lock();
            ONCE.call(|| unreachable!("it was done"));
            A.unlock(a);
        },
    ]);
}

pub fn initialiser_panics() {
    let failed = std::panic::catch_unwind(|| ONCE.call(|| panic!("on purpose")));
    assert!(failed.is_err());
    // Held no more: neither a deadlock nor an order.
    one_after_the_other([|| nested(&[&A]), || ONCE.call(|| nested(&[&A, &B])), || nested(&[&A, &B])]);
}

pub fn lazy_value_needs_what_one_who_needs_it_holds() {
    static MUTEX: Mutex<u8> = Mutex::new(1);
    static LAZY: LazyLock<u8> = LazyLock::new(|| {
        BOTH_HAVE_BEGUN.wait();
        *MUTEX.lock().unwrap()
    });
    static BOTH_HAVE_BEGUN: Barrier = Barrier::new(2);
    let initialises = plain("initialises", || assert_eq!(*LAZY, 1));
    let mutex = MUTEX.lock().unwrap();
    BOTH_HAVE_BEGUN.wait();
    assert_eq!(*mutex, *LAZY);
    initialises.join().unwrap();
}

static PERMITS: Semaphore = lockscope::named("permits").semaphore(2);

pub fn permits_are_no_locks() {
    one_after_the_other([
        || {
            let _permit = PERMITS.acquire();
            nested(&[&A]);
        },
        || {
            let a = A.lock();
            drop(PERMITS.acquire());
            A.unlock(a);
        },
        // Also when given back by another thread.
        || {
            let permits = Arc::new(Semaphore::new(1));
            let permit = permits.acquire_owned();
            plain("gives back", || drop(permit)).join().unwrap();
            nested(&[&A, &B]);
        },
        || nested(&[&B]),
    ]);
}

pub fn two_orders_with_permits() {
    one_after_the_other([
        || {
            let _permit = PERMITS.acquire_many(2);
            nested(&[&A, &B]);
        },
        || {
            let permit = PERMITS.acquire();
            let b = B.lock();
            drop(permit);
            nested(&[&A]);
            B.unlock(b);
        },
    ]);
}

pub fn deadlock_exit() {
    // The inversion would be reported as well, and first; order is not the matter here.
    // SAFETY: no other thread exists yet.
    unsafe { std::env::set_var("LOCKSCOPE", "deadlock=exit,order=off") };
    deadlock();
}

pub fn deadlock_of_readers_and_writers() {
    static R: Lock = Lock::rwlock("r");
    static S: Lock = Lock::rwlock("s");
    cross(
        |barrier| {
            let _r = R.read();
            barrier.wait();
            S.lock();
        },
        |barrier| {
            let _s = S.lock();
            barrier.wait();
            R.lock();
        },
    );
}

pub fn recursive_read_behind_writer() {
    static R: Lock = Lock::rwlock("r");
    let first = R.read();
    plain("writer", || {
        R.lock();
    });
    // From the moment at which the writer is queued, a reader that only tries is refused.
    while let Some(hold) = R.try_read() {
        R.unlock(hold);
        std::thread::yield_now();
    }
    let second = R.read();
    R.unlock(second);
    R.unlock(first);
}

/// Each of them waits for itself, whatever the other one does.
pub fn readers_that_write() {
    static R: Lock = Lock::rwlock("r");
    static BOTH: Barrier = Barrier::new(2);
    let hold = R.read();
    plain("another", || {
        let _hold = R.read();
        BOTH.wait();
        R.lock();
    });
    BOTH.wait();
    // Refused from the moment at which the other one is queued.
    while let Some(hold) = R.try_read() {
        R.unlock(hold);
        std::thread::yield_now();
    }
    R.lock();
    R.unlock(hold);
}

pub fn recursive_read_alone() {
    static R: Lock = Lock::rwlock("r");
    let first = R.read();
    let second = R.read();
    R.unlock(first);
    R.unlock(second);
}

pub fn upgrade_behind_a_reader() {
    static R: Lock = Lock::rwlock("r");
    cross(
        |barrier| {
            let _a = A.lock();
            let mut hold = R.upgradable();
            barrier.wait();
            R.upgrade(&mut hold);
        },
        |barrier| {
            let _hold = R.read();
            barrier.wait();
            A.lock();
        },
    );
}

pub fn timed_wait_in_a_cycle() {
    cross(
        |barrier| {
            let _a = A.lock();
            barrier.wait();
            B.try_lock_for(Duration::from_secs(3600));
        },
        |barrier| {
            let _b = B.lock();
            barrier.wait();
            A.lock();
        },
    );
}

pub fn held_after_a_wait_that_panics() {
    static CONDVAR: Lock = Lock::new("condvar", lockscope::rt::LockKind::Condvar);
    let waits = || {
        let mut hold = A.lock();
        let wait = std::panic::AssertUnwindSafe(|| A.wait_and_panic(&CONDVAR, &mut hold));
        assert!(std::panic::catch_unwind(wait).is_err());
        nested(&[&B]);
        A.unlock(hold);
    };
    one_after_the_other([waits, || nested(&[&B, &A])]);
}

pub fn self_deadlock() {
    let _a = A.lock();
    A.lock();
}

pub fn self_deadlock_while_holding_others() {
    let _c = C.lock();
    let _a = A.lock();
    let _b = B.lock();
    A.lock();
}

pub fn join_while_holding() {
    let hold = A.lock();
    let spawned = Spawned::new(Some("child"), Location::caller());
    let child = plain("child", move || spawned.run(|| A.unlock(A.lock())));
    spawned.join(Location::caller(), || child.join()).unwrap();
    A.unlock(hold);
}

pub fn join_after_release() {
    let hold = A.lock();
    let spawned = Spawned::new(Some("child"), Location::caller());
    let child = plain("child", move || spawned.run(|| A.unlock(A.lock())));
    A.unlock(hold);
    spawned.join(Location::caller(), || child.join()).unwrap();
}

static RANK_1: Lock = Lock::mutex("outer").ranked(1);
static RANK_2: Lock = Lock::mutex("inner").ranked(2);

pub fn ranks_violated() {
    nested(&[&RANK_2, &RANK_1]);
}

pub fn ranks_kept() {
    nested(&[&RANK_1, &RANK_2]);
    nested(&[&RANK_1]);
    nested(&[&RANK_2]);
}

static OUTER: Lock = Lock::mutex("outer");
static INNER: Lock = Lock::mutex("inner");

pub fn ranks_of_a_file_violated() {
    nested(&[&INNER, &OUTER]);
}

pub fn ranks_of_a_file_kept() {
    nested(&[&OUTER, &INNER]);
    nested(&[&INNER]);
}

static SLOW: Lock = Lock::mutex("slow");

pub fn held_too_long() {
    let hold = SLOW.lock();
    let (sender, receiver) = mpsc::channel();
    let waiter = plain("waiter", move || {
        sender.send(()).unwrap();
        SLOW.unlock(SLOW.lock());
    });
    receiver.recv().unwrap();
    // Time is the subject here: well above the limit of the scenario.
    std::thread::sleep(Duration::from_millis(300));
    SLOW.unlock(hold);
    waiter.join().unwrap();
}

pub fn held_too_long_panic() {
    held_too_long();
}

pub fn held_briefly() {
    held_too_long();
}

pub fn hand_over_hand_back_to_front() {
    const N: usize = 100_000;
    let list: Vec<Lock> = (0..N).map(|_| Lock::mutex("node")).collect();
    for index in (0..N - 1).rev() {
        let one = list[index].lock();
        let next = list[index + 1].lock();
        list[index].unlock(one);
        list[index + 1].unlock(next);
    }
    let mut held = list[0].lock();
    for index in 1..N {
        let next = list[index].lock();
        list[index - 1].unlock(held);
        held = next;
    }
    list[N - 1].unlock(held);
}

pub fn released_by_another_thread() {
    for _ in 0..100 {
        let hold = A.lock();
        std::thread::spawn(move || A.unlock(hold)).join().unwrap();
        // Neither held any more (a self-deadlock otherwise) nor counted as held (an order otherwise).
        nested(&[&A, &B]);
        nested(&[&B]);
    }
}

pub fn released_out_of_order() {
    for _ in 0..1000 {
        let (a, b, c) = (A.lock(), B.lock(), C.lock());
        A.unlock(a);
        C.unlock(c);
        let c = C.lock();
        B.unlock(b);
        C.unlock(c);
    }
}

pub fn a_thousand_held() {
    let locks: Vec<Lock> = (0..1000).map(|_| Lock::mutex("one of many")).collect();
    for _ in 0..3 {
        let holds: Vec<_> = locks.iter().map(Lock::lock).collect();
        for (lock, hold) in locks.iter().zip(holds) {
            lock.unlock(hold);
        }
    }
}

/// Readers that are forgotten, one by one, cost no more with every one that was before; what does not fit is not followed.
pub fn a_million_forgotten() {
    static R: Lock = Lock::rwlock("r");
    for _ in 0..1_000_000 {
        let _held = R.read();
    }
    // The thread's other locks are as before.
    nested(&[&A, &B]);
}

pub fn locks_in_thread_local_destructors() {
    struct OnExit;
    impl Drop for OnExit {
        fn drop(&mut self) {
            nested(&[&A, &B]);
        }
    }
    thread_local!(static ON_EXIT: OnExit = const { OnExit });
    for use_before in [true, false] {
        std::thread::spawn(move || {
            if use_before {
                nested(&[&A]);
            }
            ON_EXIT.with(|_| ());
            nested(&[&A, &B]);
        })
        .join()
        .unwrap();
    }
}

pub fn locks_in_the_allocator() {
    crate::scenarios::allocator::switch_on();
    one_after_the_other([|| nested(&[&A, &B]), || nested(&[&A, &B, &C])]);
    let _many: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    crate::scenarios::allocator::switch_off();
}

pub fn names_that_would_drive_a_terminal() {
    static EVIL: Lock = Lock::mutex("\u{1b}[2Jevil");
    for locks in [[&EVIL, &B], [&B, &EVIL]] {
        plain("\u{1b}]0;thread\u{7}", move || nested(&locks)).join().unwrap();
    }
}

pub fn bad_settings() {
    nested(&[&A]);
}

pub fn unwritable_directory() {
    nested(&[&A, &B]);
}

pub fn builder_and_callback() {
    lockscope::builder()
        .on_finding(|report| {
            // Locks in here are nobody's business.
            nested(&[&GATE]);
            eprintln!("callback saw {} ({})", report.code, report.confidence);
        })
        .install();
    two_orders();
}

pub fn forked_child_goes_on_without() {
    nested(&[&A]);
    // SAFETY: the child only uses locks and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        nested(&[&A, &B]);
        nested(&[&B, &A]);
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above.
    unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(status, 0);
    nested(&[&A, &B]);
}

/// A global allocator that takes an instrumented lock around every allocation once it is switched on.
pub mod allocator {
    use std::{
        alloc::{GlobalAlloc, Layout, System},
        sync::atomic::{AtomicBool, Ordering},
    };

    use crate::lock::Lock;

    static LOCK: Lock = Lock::mutex("allocator");
    static ON: AtomicBool = AtomicBool::new(false);

    struct Locked;

    #[global_allocator]
    static ALLOCATOR: Locked = Locked;

    pub fn switch_on() {
        ON.store(true, Ordering::SeqCst);
    }

    pub fn switch_off() {
        ON.store(false, Ordering::SeqCst);
    }

    // SAFETY: passes everything on to the system's allocator.
    unsafe impl GlobalAlloc for Locked {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let hold = ON.load(Ordering::SeqCst).then(|| LOCK.lock());
            // SAFETY: the caller's promise.
            let memory = unsafe { System.alloc(layout) };
            if let Some(hold) = hold {
                LOCK.unlock(hold);
            }
            memory
        }

        unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(memory, layout) };
        }
    }
}
