use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use super::subject::{
    MappedReentrantMutexGuard, RawMutex, RawThreadId, ReentrantMutex, ReentrantMutexGuard,
    lock_api::{GetThreadId as _, RawMutex as _},
};

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: ReentrantMutex<Cell<u32>> = ReentrantMutex::new(Cell::new(7));
static FROM_RAW: ReentrantMutex<u8> = ReentrantMutex::from_raw(RawMutex::INIT, RawThreadId, 1);

/// Whether another thread can lock the mutex now.
fn free<T: ?Sized + Send>(mutex: &ReentrantMutex<T>) -> bool {
    std::thread::scope(|scope| scope.spawn(|| mutex.try_lock().is_some()).join().unwrap())
}

#[test]
fn new_from_raw_into_inner() {
    assert_eq!((STATIC.lock().get(), *FROM_RAW.lock()), (7, 1));
    assert_eq!(ReentrantMutex::new(3).into_inner(), 3);
    assert_eq!(ReentrantMutex::<String>::default().into_inner(), "");
    let mut mutex = ReentrantMutex::from(1);
    *mutex.get_mut() += 1;
    assert_eq!(mutex.into_inner(), 2);
}

#[test]
fn threads_differ() {
    let id = || RawThreadId::INIT.nonzero_thread_id();
    assert_eq!(id(), id());
    assert_ne!(id(), std::thread::spawn(id).join().unwrap());
}

#[test]
fn locks_again() {
    let mutex = ReentrantMutex::new(Cell::new(0));
    assert!(!mutex.is_locked() && !mutex.is_owned_by_current_thread());
    let first = mutex.lock();
    let second = mutex.lock();
    let third = mutex.try_lock().unwrap();
    third.set(1);
    assert!(mutex.is_locked() && mutex.is_owned_by_current_thread() && !free(&mutex));
    assert!(std::ptr::eq(ReentrantMutexGuard::remutex(&first), &mutex));
    // In any order.
    drop(first);
    assert_eq!((second.get(), free(&mutex)), (1, false));
    drop(third);
    assert!(!free(&mutex));
    drop(second);
    assert!(free(&mutex) && !mutex.is_owned_by_current_thread());
    drop(mutex.try_lock_for(LIMIT).unwrap());
    drop(mutex.try_lock_for(Duration::MAX).unwrap());
    drop(mutex.try_lock_until(Instant::now() + LIMIT).unwrap());
    assert!(free(&mutex));
}

#[test]
fn others_are_kept_out() {
    let mutex = ReentrantMutex::new(());
    let guard = mutex.lock();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(mutex.is_locked() && !mutex.is_owned_by_current_thread() && mutex.try_lock().is_none());
            let started = Instant::now();
            assert!(mutex.try_lock_for(LIMIT).is_none());
            assert!(started.elapsed() >= LIMIT);
            assert!(mutex.try_lock_until(started).is_none());
        });
    });
    drop(guard);
}

#[test]
fn counts_from_many_threads() {
    let mutex = ReentrantMutex::new(Cell::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let outer = mutex.lock();
                    let inner = mutex.lock();
                    inner.set(outer.get() + 1);
                }
            });
        }
    });
    assert_eq!(mutex.into_inner().get(), 800);
}

#[test]
fn formats() {
    let mutex = ReentrantMutex::new(10);
    assert_eq!(format!("{mutex:?}"), "ReentrantMutex { data: 10 }");
    let guard = mutex.lock();
    assert_eq!(format!("{mutex:?} {guard:?} {guard:>4}"), "ReentrantMutex { data: 10 } 10   10");
    let other = std::thread::scope(|scope| scope.spawn(|| format!("{mutex:?}")).join().unwrap());
    assert_eq!(other, "ReentrantMutex { data: <locked> }");
    let mapped = ReentrantMutexGuard::map(guard, |n| n);
    assert_eq!(format!("{mapped:?} {mapped} {mapped:>4}"), "10 10   10");
}

#[test]
fn map_and_map_again() {
    let mutex = ReentrantMutex::new((1, vec![2, 3]));
    let outer = mutex.lock();
    let guard = ReentrantMutexGuard::try_map(mutex.lock(), |_| None::<&i32>).unwrap_err();
    let (guard, error) = ReentrantMutexGuard::try_map_or_err(guard, |_| Err::<&i32, _>("no")).unwrap_err();
    assert_eq!(error, "no");
    let list = ReentrantMutexGuard::try_map_or_err(guard, |data| Ok::<_, ()>(&data.1)).unwrap();
    let list = MappedReentrantMutexGuard::try_map(list, |list| list.get(9)).unwrap_err();
    let (list, error) = MappedReentrantMutexGuard::try_map_or_err(list, |_| Err::<&i32, _>(5)).unwrap_err();
    assert_eq!(error, 5);
    let slice: MappedReentrantMutexGuard<'_, [i32]> = MappedReentrantMutexGuard::map(list, |list| list.as_slice());
    let second = MappedReentrantMutexGuard::try_map_or_err(slice, |slice| slice.get(1).ok_or(())).unwrap();
    drop(outer);
    assert_eq!((*second, free(&mutex)), (3, false));
    MappedReentrantMutexGuard::unlock_fair(second);
    assert!(free(&mutex));
    drop(ReentrantMutexGuard::try_map(mutex.lock(), |data| Some(&data.0)).unwrap());
    let map = || drop(ReentrantMutexGuard::map(mutex.lock(), |_| -> &i32 { panic!("on purpose") }));
    assert!(catch_unwind(AssertUnwindSafe(map)).is_err());
    assert!(free(&mutex));
}

#[test]
fn unlocked_undoes_one_lock() {
    let mutex = ReentrantMutex::new(());
    let mut outer = mutex.lock();
    assert!(ReentrantMutexGuard::unlocked(&mut outer, || free(&mutex)));
    assert!(ReentrantMutexGuard::unlocked_fair(&mut outer, || free(&mutex)));
    ReentrantMutexGuard::bump(&mut outer);
    let mut inner = mutex.lock();
    assert!(!ReentrantMutexGuard::unlocked(&mut inner, || free(&mutex)));
    assert!(!ReentrantMutexGuard::unlocked_fair(&mut inner, || free(&mutex)));
    ReentrantMutexGuard::bump(&mut inner);
    ReentrantMutexGuard::unlock_fair(inner);
    let run = AssertUnwindSafe(|| ReentrantMutexGuard::unlocked(&mut outer, || panic!("on purpose")));
    assert!(catch_unwind(run).is_err());
    assert!(!free(&mutex));
    ReentrantMutexGuard::unlock_fair(outer);
    assert!(free(&mutex));
}

#[test]
fn raw_unchecked_and_forced() {
    let mutex = ReentrantMutex::new(1);
    std::mem::forget((mutex.lock(), mutex.lock(), mutex.lock()));
    // SAFETY: three guards were forgotten.
    unsafe {
        mutex.force_unlock();
        mutex.force_unlock_fair();
        assert!(mutex.raw().is_locked() && mutex.is_owned_by_current_thread());
        let guard: ReentrantMutexGuard<'_, i32> = mutex.make_guard_unchecked();
        assert_eq!((*guard, *mutex.data_ptr()), (1, 1));
    }
    assert!(!mutex.is_locked() && !mutex.is_owned_by_current_thread());
}

#[test]
fn unsized_data() {
    let mutex: &ReentrantMutex<[i32]> = &ReentrantMutex::new([1, 2, 3]);
    assert_eq!(mutex.lock().len(), 3);
}
