use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use super::subject::{self, GetThreadId as _, RawMutex as _, RawReentrantMutex};
use parking_lot_0_12::RawThreadId;

type ReentrantMutex<T> = subject::ReentrantMutex<parking_lot_0_12::RawMutex, RawThreadId, T>;
type Guard<'a, T> = subject::ReentrantMutexGuard<'a, parking_lot_0_12::RawMutex, RawThreadId, T>;
type Mapped<'a, T> = subject::MappedReentrantMutexGuard<'a, parking_lot_0_12::RawMutex, RawThreadId, T>;

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: ReentrantMutex<u32> = ReentrantMutex::new(7);
static FROM_RAW: ReentrantMutex<u8> = ReentrantMutex::from_raw(parking_lot_0_12::RawMutex::INIT, RawThreadId::INIT, 1);
static CONST_NEW: ReentrantMutex<u8> =
    ReentrantMutex::const_new(parking_lot_0_12::RawMutex::INIT, RawThreadId::INIT, 2);

/// Whether another thread can lock the mutex now.
fn free<T: ?Sized + Send>(mutex: &ReentrantMutex<T>) -> bool {
    thread::scope(|scope| scope.spawn(|| mutex.try_lock().is_some()).join().unwrap())
}

#[test]
fn making_and_taking_apart() {
    assert_eq!((*STATIC.lock(), *FROM_RAW.lock(), *CONST_NEW.lock()), (7, 1, 2));
    assert_eq!(ReentrantMutex::new(3).into_inner(), 3);
    assert_eq!(ReentrantMutex::<String>::default().into_inner(), "");
    let mut mutex = ReentrantMutex::from(1);
    *mutex.get_mut() += 1;
    assert_eq!(format!("{mutex:?}"), "ReentrantMutex { data: 2 }");
}

#[test]
fn again_and_again() {
    let mutex = ReentrantMutex::new(Cell::new(0));
    let first = mutex.lock();
    let (second, third) = (mutex.try_lock().unwrap(), mutex.try_lock_for(LIMIT).unwrap());
    let fourth = mutex.try_lock_until(Instant::now() + LIMIT).unwrap();
    fourth.set(4);
    assert_eq!((first.get(), format!("{second:?}")), (4, "Cell { value: 4 }".into()));
    assert!(mutex.is_locked() && mutex.is_owned_by_current_thread() && !free(&mutex));
    assert!(std::ptr::eq(Guard::remutex(&third), &mutex));
    // In any order.
    drop(first);
    drop(fourth);
    drop(second);
    assert!(!free(&mutex));
    drop(third);
    assert!(free(&mutex) && !mutex.is_locked() && !mutex.is_owned_by_current_thread());
    let _guard = mutex.lock();
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(mutex.try_lock_for(LIMIT).is_none() && mutex.try_lock_until(Instant::now() + LIMIT).is_none());
            assert!(!mutex.is_owned_by_current_thread());
            assert_eq!(format!("{mutex:?}"), "ReentrantMutex { data: <locked> }");
        });
    });
}

#[test]
fn unlocked_for_a_while() {
    let mutex = ReentrantMutex::new(1);
    let mut guard = mutex.lock();
    assert!(Guard::unlocked(&mut guard, || free(&mutex)) && Guard::unlocked_fair(&mut guard, || free(&mutex)));
    Guard::bump(&mut guard);
    let second = mutex.lock();
    // One of two.
    assert!(!Guard::unlocked(&mut guard, || free(&mutex)));
    Guard::bump(&mut guard);
    drop(second);
    let panic = catch_unwind(AssertUnwindSafe(|| Guard::unlocked(&mut guard, || panic!("on purpose"))));
    assert!(panic.is_err() && !free(&mutex), "locked again by the panic");
    Guard::unlock_fair(guard);
    assert!(free(&mutex));
}

#[test]
fn mapped() {
    let mutex = ReentrantMutex::new((1, [2, 3]));
    let mapped = Guard::map(mutex.lock(), |data| &data.1);
    let mapped: Mapped<'_, u8> = Mapped::map(mapped, |part| &part[1]);
    assert_eq!((format!("{mapped}"), format!("{mapped:?}"), mutex.lock().0), ("3".into(), "3".into(), 1));
    Mapped::unlock_fair(mapped);
    assert!(free(&mutex));
    let guard = Guard::try_map(mutex.lock(), |_| None::<&u8>).unwrap_err();
    let (guard, error) = Guard::try_map_or_err(guard, |_| Err::<&u8, _>("no")).unwrap_err();
    assert_eq!((error, guard.0), ("no", 1));
    let mapped = Guard::try_map(guard, |data| Some(&data.1)).unwrap();
    let mapped = Mapped::try_map(mapped, |_| None::<&u8>).unwrap_err();
    let (mapped, error) = Mapped::try_map_or_err(mapped, |_| Err::<&u8, _>("no")).unwrap_err();
    assert_eq!((error, *mapped), ("no", [2, 3]));
    assert!(!free(&mutex));
    drop(mapped);
    assert!(free(&mutex));
}

#[test]
fn without_guards() {
    let mutex = ReentrantMutex::new(1);
    // SAFETY: a guard is forgotten before, each time.
    unsafe {
        std::mem::forget(mutex.lock());
        std::mem::forget(mutex.lock());
        mutex.force_unlock();
        assert!(!free(&mutex));
        mutex.force_unlock_fair();
        assert!(free(&mutex));
        std::mem::forget(mutex.lock());
        assert_eq!(*mutex.make_guard_unchecked(), *mutex.data_ptr());
        assert!(free(&mutex) && !mutex.raw().is_locked());
    }
}

#[test]
fn raw() {
    let raw = RawReentrantMutex::<parking_lot_0_12::RawMutex, RawThreadId>::INIT;
    raw.lock();
    assert!(raw.try_lock() && raw.try_lock_for(LIMIT) && raw.try_lock_until(Instant::now() + LIMIT));
    assert!(raw.is_locked() && raw.is_owned_by_current_thread());
    // SAFETY: locked four times above, and once more.
    unsafe {
        raw.bump();
        (0..3).for_each(|_| raw.unlock());
        raw.bump();
        assert!(raw.is_owned_by_current_thread());
        raw.unlock_fair();
    }
    assert!(!raw.is_locked());
}
