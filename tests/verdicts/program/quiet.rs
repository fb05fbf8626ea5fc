//! Right programs that look wrong to one peer or another.

use std::{cell::RefCell, panic, sync::Barrier};

use super::locks::{Mutex, RwLock, lock, read, try_lock};
use crate::help::{one_after_the_other, together};

pub fn gate_lock() {
    static GATE: Mutex<()> = Mutex::new(());
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    one_after_the_other([
        || {
            let _gate = lock(&GATE);
            let _a = lock(&A);
            let _b = lock(&B);
        },
        || {
            let _gate = lock(&GATE);
            let _b = lock(&B);
            let _a = lock(&A);
        },
    ]);
}

pub fn readers_only() {
    static A: RwLock<u8> = RwLock::new(0);
    static B: RwLock<u8> = RwLock::new(0);
    one_after_the_other([
        || {
            let _a = read(&A);
            let _b = read(&B);
        },
        || {
            let _b = read(&B);
            let _a = read(&A);
        },
    ]);
}

pub fn try_inversion() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    one_after_the_other([
        || {
            let _a = lock(&A);
            let _b = lock(&B);
        },
        || {
            let _b = lock(&B);
            let _a = try_lock(&A).expect("nobody has it");
        },
    ]);
}

/// Along a list that was built back to front: every new pair lies before all known ones.
pub fn hand_over_hand() {
    let list: Vec<Mutex<usize>> = (0..100_000).map(Mutex::new).collect();
    for start in (0..list.len() - 1).rev() {
        let first = lock(&list[start]);
        let second = lock(&list[start + 1]);
        assert!(*first < *second);
    }
}

pub fn tls_destructor() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    struct Locks;
    impl Drop for Locks {
        fn drop(&mut self) {
            let mut a = lock(&A);
            let mut b = lock(&B);
            *a += 1;
            *b += 1;
        }
    }
    thread_local! {
        static FIRST: RefCell<Option<Locks>> = const { RefCell::new(None) };
        static SECOND: RefCell<Option<Locks>> = const { RefCell::new(None) };
    }
    one_after_the_other([
        || {
            // One before and one after the thread's first lock, so that one is destroyed after whatever lockscope keeps.
            FIRST.with(|locks| *locks.borrow_mut() = Some(Locks));
            drop(lock(&A));
            SECOND.with(|locks| *locks.borrow_mut() = Some(Locks));
        },
        || assert_eq!(*lock(&A), 2),
    ]);
}

pub fn drop_in_panic() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    struct Locks;
    impl Drop for Locks {
        fn drop(&mut self) {
            let _a = lock(&A);
            let _b = lock(&B);
        }
    }
    panic::set_hook(Box::new(|_| {}));
    let panicked = panic::catch_unwind(|| {
        let _locks = Locks;
        panic!("as it should");
    });
    assert!(panicked.is_err());
    drop(lock(&B));
}

static EARLY: Mutex<u8> = Mutex::new(0);
static LATE: Mutex<u8> = Mutex::new(0);

extern "C" fn early() {
    *lock(&EARLY) += 1;
}

// Every scenario of the program begins with these locks having been used.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = early;

pub fn before_main() {
    assert_eq!(*lock(&EARLY), 1);
}

pub fn at_exit() {
    extern "C" fn late() {
        let mut early = lock(&EARLY);
        let mut late = lock(&LATE);
        *early += 1;
        *late += 1;
    }
    // SAFETY: `late` is a function that may be called at any time.
    assert_eq!(unsafe { libc::atexit(late) }, 0);
    drop(lock(&LATE));
}

pub fn out_of_order() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    static C: Mutex<u8> = Mutex::new(0);
    let in_turn = || {
        let a = lock(&A);
        let b = lock(&B);
        drop(a);
        let c = lock(&C);
        drop(b);
        drop(c);
    };
    one_after_the_other([in_turn, in_turn]);
}

/// A lock at the place of one that is gone is another lock.
pub fn address_reused() {
    fn nested(first: &Mutex<u8>, second: &Mutex<u8>) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _first = lock(first);
                let _second = lock(second);
            });
        });
    }
    let mut pair = Box::new([Mutex::new(0), Mutex::new(0)]);
    nested(&pair[0], &pair[1]);
    *pair = [Mutex::new(1), Mutex::new(1)];
    nested(&pair[1], &pair[0]);
}

/// Two orders of which one is over before the other begins: never more than a suspicion.
pub fn ordered_by_join() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    let nested = |first: &'static Mutex<u8>, second: &'static Mutex<u8>| {
        let thread = lockscope::thread::spawn(move || {
            let _first = lock(first);
            let _second = lock(second);
        });
        thread.join().expect("it does not panic");
    };
    nested(&A, &B);
    nested(&B, &A);
    // Somebody else is there, so that the join is all that keeps them apart.
    together([|_: &Barrier| drop(lock(&A))]);
}
