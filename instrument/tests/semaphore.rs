//! The semaphore, which has no original to be compared with. In builds with lockscope and without.

use std::{
    panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use lockscope::{
    named,
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
};

const BRIEFLY: Duration = Duration::from_millis(5);

static STATIC: Semaphore = named("of a static").semaphore(2);

#[test]
fn permits_are_taken_and_given_back() {
    let one: SemaphorePermit<'_> = STATIC.acquire();
    let other = STATIC.try_acquire().unwrap();
    assert_eq!((STATIC.available_permits(), one.num_permits()), (0, 1));
    assert!(STATIC.try_acquire().is_none());
    assert!(STATIC.acquire_timeout(BRIEFLY).is_none());
    drop(one);
    assert_eq!(STATIC.available_permits(), 1);
    assert!(STATIC.try_acquire_many(2).is_none());
    assert!(STATIC.acquire_many_timeout(2, BRIEFLY).is_none());
    drop(other);
    assert_eq!(STATIC.acquire_many(2).num_permits(), 2);
    assert_eq!(STATIC.acquire_many_timeout(2, Duration::MAX).unwrap().num_permits(), 2);
    assert_eq!(STATIC.available_permits(), 2);
    assert_eq!(format!("{STATIC:?}"), "Semaphore { available: 2, .. }");
}

#[test]
fn no_permits_can_always_be_had() {
    let semaphore = Semaphore::new(0);
    let mut none = semaphore.acquire_many(0);
    assert_eq!((none.num_permits(), semaphore.try_acquire_many(0).unwrap().num_permits()), (0, 0));
    assert_eq!(none.split(0).unwrap().num_permits(), 0);
    assert!(none.split(1).is_none());
    none.merge(semaphore.acquire_many(0));
    none.forget();
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn owned_permits_can_be_sent() {
    let semaphore = Arc::new(Semaphore::new(3));
    let one: OwnedSemaphorePermit = semaphore.acquire_owned();
    let many = semaphore.clone().acquire_many_owned(2);
    assert!(semaphore.try_acquire_owned().is_none());
    assert!(semaphore.try_acquire_many_owned(2).is_none());
    assert!(semaphore.acquire_owned_timeout(BRIEFLY).is_none());
    assert!(semaphore.acquire_many_owned_timeout(2, BRIEFLY).is_none());
    assert!(Arc::ptr_eq(one.semaphore(), &semaphore));
    thread::spawn(|| drop((one, many))).join().unwrap();
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn permits_are_split_and_merged() {
    let semaphore = Semaphore::new(5);
    let mut left = semaphore.acquire_many(5);
    assert!(left.split(6).is_none());
    let mut right = left.split(2).unwrap();
    assert_eq!((left.num_permits(), right.num_permits(), semaphore.available_permits()), (3, 2, 0));
    drop(left);
    assert_eq!(semaphore.available_permits(), 3);
    let mut all = right.split(2).unwrap();
    assert_eq!((right.num_permits(), all.num_permits()), (0, 2));
    right.merge(all.split(1).unwrap());
    all.merge(right);
    all.merge(semaphore.acquire());
    assert_eq!((all.num_permits(), semaphore.available_permits()), (3, 2));
    drop(all);
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn permits_that_were_sent_are_split_and_merged_too() {
    let semaphore = Arc::new(Semaphore::new(4));
    let (mut sent, other) = (semaphore.acquire_many_owned(3), semaphore.acquire_owned());
    let (one, mut rest) = thread::spawn(move || (sent.split(1).unwrap(), sent)).join().unwrap();
    rest.merge(other);
    assert_eq!((one.num_permits(), rest.num_permits(), semaphore.available_permits()), (1, 3, 0));
    thread::spawn(move || {
        rest.merge(one);
        assert_eq!(rest.num_permits(), 4);
    })
    .join()
    .unwrap();
    assert_eq!(semaphore.available_permits(), 4);
}

#[test]
fn permits_of_different_semaphores_are_not_merged() {
    let (one, other) = (Semaphore::new(1), Semaphore::new(1));
    let merge = AssertUnwindSafe(|| one.acquire().merge(other.acquire()));
    assert!(catch_unwind(merge).is_err());
    assert_eq!((one.available_permits(), other.available_permits()), (1, 1));
}

#[test]
fn permits_are_forgotten_and_added() {
    let semaphore = Semaphore::new(5);
    semaphore.acquire_many(2).forget();
    assert_eq!(semaphore.available_permits(), 3);
    assert_eq!((semaphore.forget_permits(2), semaphore.forget_permits(2), semaphore.forget_permits(2)), (2, 1, 0));
    semaphore.add_permits(0);
    semaphore.add_permits(7);
    assert_eq!(semaphore.acquire_many(7).num_permits(), 7);
}

#[test]
fn there_is_a_most() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    assert!(catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(1))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(usize::MAX))).is_err());
    let all = semaphore.acquire_many(u32::MAX);
    assert_eq!((all.num_permits(), semaphore.available_permits()), (Semaphore::MAX_PERMITS, 0));
    drop(all);
    assert!(catch_unwind(|| Semaphore::new(usize::MAX)).is_err());
}

#[test]
fn no_more_are_out_than_there_are() {
    const PERMITS: usize = 3;
    let (semaphore, out) = (Semaphore::new(PERMITS), AtomicUsize::new(0));
    thread::scope(|scope| {
        for n in 0..6 {
            let (semaphore, out) = (&semaphore, &out);
            scope.spawn(move || {
                for _ in 0..200 {
                    let n = n % 3 + 1;
                    let permit = semaphore.acquire_many(n);
                    assert!(out.fetch_add(n as usize, Ordering::SeqCst) + n as usize <= PERMITS);
                    out.fetch_sub(n as usize, Ordering::SeqCst);
                    drop(permit);
                }
            });
        }
    });
    assert_eq!(semaphore.available_permits(), PERMITS);
}

#[test]
fn who_waits_gets_permits_that_are_added_and_those_that_come_back() {
    for add in [true, false] {
        let semaphore = Semaphore::new(2);
        let (waits, waiting) = mpsc::channel();
        let all = semaphore.acquire_many(2);
        thread::scope(|scope| {
            let semaphore = &semaphore;
            scope.spawn(move || {
                waits.send(()).unwrap();
                semaphore.acquire_many(2).forget();
            });
            waiting.recv().unwrap();
            if add {
                semaphore.add_permits(2);
            } else {
                drop(all);
            }
        });
        assert_eq!(semaphore.available_permits(), if add { 2 } else { 0 });
    }
}

/// Permits are used as a signal: given by one thread, forgotten by the other.
#[test]
fn signals() {
    let (ping, pong) = (Semaphore::new(0), Semaphore::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                ping.acquire().forget();
                pong.add_permits(1);
            }
        });
        for _ in 0..500 {
            ping.add_permits(1);
            pong.acquire().forget();
        }
    });
    assert_eq!((ping.available_permits(), pong.available_permits()), (0, 0));
}

#[test]
fn permits_come_back_in_a_panic() {
    let semaphore = Semaphore::new(1);
    let panic = AssertUnwindSafe(|| {
        let _permit = semaphore.acquire();
        panic!("on purpose");
    });
    assert!(catch_unwind(panic).is_err());
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn works_in_thread_local_destructors() {
    static LAST: Semaphore = Semaphore::new(1);
    struct OnExit;
    impl Drop for OnExit {
        fn drop(&mut self) {
            drop(LAST.acquire());
        }
    }
    thread_local!(static ON_EXIT: OnExit = const { OnExit });
    let both = Arc::new(Barrier::new(2));
    let threads = [(); 2].map(|()| {
        let both = Arc::clone(&both);
        thread::spawn(move || {
            ON_EXIT.with(|_| ());
            both.wait();
        })
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(LAST.available_permits(), 1);
}

#[test]
fn auto_traits() {
    fn is_shared<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}
    fn may_be_borrowed<T: Sync + Unpin>() {}
    is_shared::<Semaphore>();
    is_shared::<OwnedSemaphorePermit>();
    may_be_borrowed::<SemaphorePermit<'_>>();
}
