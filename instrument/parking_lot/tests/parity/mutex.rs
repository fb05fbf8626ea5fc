use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use super::subject::{
    MappedMutexGuard, Mutex, MutexGuard, RawMutex,
    lock_api::{self, RawMutex as _},
};

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: Mutex<u32> = Mutex::new(7);
static FROM_RAW: Mutex<[u8; 2]> = Mutex::from_raw(RawMutex::INIT, [1, 2]);

/// Whether another thread can lock the mutex now.
fn free<T: ?Sized + Send>(mutex: &Mutex<T>) -> bool {
    std::thread::scope(|scope| scope.spawn(|| mutex.try_lock().is_some()).join().unwrap())
}

#[test]
fn new_from_raw_into_inner() {
    assert_eq!(*STATIC.lock(), 7);
    assert_eq!(*FROM_RAW.lock(), [1, 2]);
    assert_eq!(Mutex::new(3).into_inner(), 3);
}

#[test]
fn default_from_get_mut() {
    assert_eq!(Mutex::<String>::default().into_inner(), "");
    let mut mutex = Mutex::from(1);
    *mutex.get_mut() += 1;
    assert_eq!(mutex.into_inner(), 2);
    #[derive(Default)]
    struct Fields {
        one: Mutex<u8>,
        other: Mutex<Vec<u8>>,
    }
    let fields = Fields::default();
    assert!(fields.one.lock().eq(&0) && fields.other.lock().is_empty());
}

#[test]
fn lock_and_drop() {
    let mutex = Mutex::new(1);
    assert!(!mutex.is_locked());
    let mut guard = mutex.lock();
    *guard += 1;
    assert!(mutex.is_locked() && !free(&mutex));
    assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    drop(guard);
    assert!(!mutex.is_locked() && free(&mutex));
    assert_eq!(*mutex.lock(), 2);
}

#[test]
fn try_locks() {
    let mutex = Mutex::new(());
    drop(mutex.try_lock().unwrap());
    drop(mutex.try_lock_for(LIMIT).unwrap());
    drop(mutex.try_lock_for(Duration::MAX).unwrap());
    drop(mutex.try_lock_until(Instant::now() + LIMIT).unwrap());
    drop(mutex.try_lock_until(Instant::now()).unwrap());
    let guard = mutex.lock();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(mutex.try_lock().is_none());
            assert!(mutex.try_lock_for(Duration::ZERO).is_none());
            let started = Instant::now();
            assert!(mutex.try_lock_for(LIMIT).is_none());
            assert!(started.elapsed() >= LIMIT);
            assert!(mutex.try_lock_until(started).is_none());
            assert!(mutex.try_lock_until(Instant::now() + LIMIT).is_none());
        });
    });
    drop(guard);
}

#[test]
fn unsized_data() {
    let mutex: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    mutex.lock()[0] = 4;
    assert_eq!(&*mutex.lock(), &[4, 2, 3]);
    let boxed: Box<Mutex<dyn std::fmt::Debug + Send>> = Box::new(Mutex::new(5));
    assert_eq!(format!("{:?}", boxed.lock()), "5");
}

#[test]
fn formats() {
    let mutex = Mutex::new(10);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 10 }");
    assert_eq!(format!("{mutex:#?}"), "Mutex {\n    data: 10,\n}");
    let guard = mutex.lock();
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard} {guard:>4}"), "10 10   10");
    let mapped = MutexGuard::map(guard, |n| n);
    assert_eq!(format!("{mapped:?} {mapped} {mapped:>4}"), "10 10   10");
}

#[test]
fn map_and_map_again() {
    let mutex = Mutex::new((1, [2, 3]));
    let mut pair = MutexGuard::map(mutex.lock(), |data| &mut data.1);
    pair[0] = 20;
    let mut second: MappedMutexGuard<'_, i32> = MappedMutexGuard::map(pair, |pair| &mut pair[1]);
    *second = 30;
    assert!(!free(&mutex));
    drop(second);
    assert!(free(&mutex));
    assert_eq!(mutex.into_inner(), (1, [20, 30]));
}

#[test]
fn try_map_gives_the_guard_back() {
    let mutex = Mutex::new(vec![1, 2]);
    let guard = MutexGuard::try_map(mutex.lock(), |v| v.get_mut(9)).unwrap_err();
    assert_eq!(guard.len(), 2);
    let (guard, error) = MutexGuard::try_map_or_err(guard, |_| Err::<&mut i32, _>("no")).unwrap_err();
    assert_eq!(error, "no");
    let whole = MutexGuard::try_map_or_err(guard, |v| Ok::<_, ()>(v.as_mut_slice())).unwrap();
    let whole = MappedMutexGuard::try_map(whole, |v| v.get_mut(9)).unwrap_err();
    let (whole, error) = MappedMutexGuard::try_map_or_err(whole, |_| Err::<&mut i32, _>(5)).unwrap_err();
    assert_eq!(error, 5);
    let first = MappedMutexGuard::try_map_or_err(whole, |v| v.first_mut().ok_or(())).unwrap();
    assert!(!free(&mutex));
    MappedMutexGuard::unlock_fair(first);
    assert!(free(&mutex));
    drop(MutexGuard::try_map(mutex.lock(), |v| v.get_mut(1)).unwrap());
    assert!(free(&mutex));
}

#[test]
fn a_panic_in_map_unlocks() {
    let mutex = Mutex::new(0);
    let map = || drop(MutexGuard::map(mutex.lock(), |_| -> &mut i32 { panic!("on purpose") }));
    assert!(catch_unwind(AssertUnwindSafe(map)).is_err());
    assert!(free(&mutex));
}

#[test]
fn unlocked_lets_others_in() {
    let mutex = Mutex::new(0);
    let mut guard = mutex.lock();
    assert!(MutexGuard::unlocked(&mut guard, || free(&mutex)));
    assert!(!free(&mutex));
    MutexGuard::unlocked_fair(&mut guard, || *mutex.lock() += 1);
    assert!(!free(&mutex));
    MutexGuard::bump(&mut guard);
    assert!(!free(&mutex));
    assert_eq!(*guard, 1);
    MutexGuard::unlock_fair(guard);
    assert!(free(&mutex));
}

#[test]
fn unlocked_locks_again_after_a_panic() {
    let mutex = Mutex::new(0);
    let mut guard = mutex.lock();
    let run = AssertUnwindSafe(|| MutexGuard::unlocked(&mut guard, || panic!("on purpose")));
    assert!(catch_unwind(run).is_err());
    assert!(!free(&mutex));
    *guard += 1;
    drop(guard);
    assert!(free(&mutex));
}

#[test]
fn a_panic_unlocks_and_does_not_poison() {
    let mutex = Mutex::new(0);
    let run = AssertUnwindSafe(|| {
        let _guard = mutex.lock();
        panic!("on purpose");
    });
    assert!(catch_unwind(run).is_err());
    *mutex.lock() += 1;
}

#[test]
fn leak_keeps_it_locked() {
    let mutex = Mutex::new(1);
    let data: &mut i32 = MutexGuard::leak(mutex.lock());
    *data = 2;
    assert!(!free(&mutex));
    assert_eq!(mutex.into_inner(), 2);
}

/// Code that is generic over raw mutexes.
struct Generic<R, T>(lock_api::Mutex<R, T>);

impl<R: lock_api::RawMutexFair + lock_api::RawMutexTimed<Duration = Duration>, T: Copy> Generic<R, T> {
    const fn new(value: T) -> Self {
        Self(lock_api::Mutex::new(value))
    }

    fn swap(&self, value: T) -> T {
        let mut guard = self.0.try_lock_for(Duration::MAX).unwrap();
        let old = std::mem::replace(&mut *guard, value);
        lock_api::MutexGuard::bump(&mut guard);
        assert!(self.0.try_lock().is_none() && self.0.is_locked());
        lock_api::MutexGuard::unlock_fair(guard);
        drop(self.0.lock());
        old
    }
}

#[test]
fn generic_over_the_raw_mutex() {
    static GENERIC: Generic<RawMutex, u8> = Generic::new(1);
    std::thread::scope(|scope| {
        for value in 2..=4 {
            scope.spawn(move || assert_ne!(GENERIC.swap(value), value));
        }
    });
    assert!(GENERIC.swap(9) > 1);
    let reentrant = lock_api::ReentrantMutex::<RawMutex, super::subject::RawThreadId, _>::new(1);
    let (one, two) = (reentrant.lock(), reentrant.lock());
    assert_eq!(*one + *two, 2);
}

#[test]
fn counts_from_many_threads() {
    let mutex = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| *mutex.lock() += 1));
        }
    });
    assert_eq!(mutex.into_inner(), 2000);
}

#[test]
fn guards_of_short_lived_data() {
    // Compiles only if guards do not ask more of lifetimes than parking_lot's.
    fn first<'a>(mutex: &'a Mutex<Vec<&'static str>>) -> MappedMutexGuard<'a, &'static str> {
        MutexGuard::map(mutex.lock(), |v| &mut v[0])
    }
    let mutex = Mutex::new(vec!["a"]);
    assert_eq!(*first(&mutex), "a");
    let text = String::from("b");
    let borrowed = Mutex::new(text.as_str());
    assert_eq!(borrowed.lock().len(), 1);
}
