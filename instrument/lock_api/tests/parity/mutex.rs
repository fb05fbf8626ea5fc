use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use super::subject::{self, RawMutex as _, RawMutexFair as _};

type Mutex<T> = subject::Mutex<parking_lot_0_12::RawMutex, T>;
type MutexGuard<'a, T> = subject::MutexGuard<'a, parking_lot_0_12::RawMutex, T>;
type MappedMutexGuard<'a, T> = subject::MappedMutexGuard<'a, parking_lot_0_12::RawMutex, T>;

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: Mutex<u32> = Mutex::new(7);
static FROM_RAW: Mutex<[u8; 2]> = Mutex::from_raw(parking_lot_0_12::RawMutex::INIT, [1, 2]);
static CONST_NEW: Mutex<u32> = Mutex::const_new(parking_lot_0_12::RawMutex::INIT, 9);

/// Whether another thread can lock the mutex now.
fn free<T: ?Sized + Send>(mutex: &Mutex<T>) -> bool {
    thread::scope(|scope| scope.spawn(|| mutex.try_lock().is_some()).join().unwrap())
}

#[test]
fn making_and_taking_apart() {
    assert_eq!((*STATIC.lock(), *FROM_RAW.lock(), *CONST_NEW.lock()), (7, [1, 2], 9));
    assert_eq!(Mutex::new(3).into_inner(), 3);
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
fn unsized_data() {
    let boxed: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
    boxed.lock()[1] = 5;
    assert_eq!(*boxed.lock(), [1, 5, 3]);
    let any: &Mutex<dyn Fn() -> u8 + Send> = &Mutex::new(|| 4);
    assert_eq!(any.lock()(), 4);
}

#[test]
fn lock_and_drop() {
    let mutex = Mutex::new(1);
    assert!(!mutex.is_locked());
    let mut guard = mutex.lock();
    *guard += 1;
    assert!(mutex.is_locked() && !free(&mutex));
    assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    assert_eq!((format!("{guard}"), format!("{guard:?}")), ("2".into(), "2".into()));
    drop(guard);
    assert!(!mutex.is_locked() && free(&mutex));
}

#[test]
fn without_waiting_and_with_limits() {
    let mutex = Mutex::new(0);
    *mutex.try_lock().unwrap() += 1;
    *mutex.try_lock_for(LIMIT).unwrap() += 1;
    *mutex.try_lock_until(Instant::now() + LIMIT).unwrap() += 1;
    let guard = mutex.lock();
    assert_eq!(*guard, 3);
    assert!(mutex.try_lock().is_none());
    let started = Instant::now();
    assert!(mutex.try_lock_for(LIMIT).is_none());
    assert!(mutex.try_lock_until(started + 2 * LIMIT).is_none());
    assert!(started.elapsed() >= 2 * LIMIT, "the limits are waited for");
    drop(guard);
    assert!(free(&mutex));
}

#[test]
fn waiting() {
    let mutex = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|_| *mutex.lock() += 1));
        }
    });
    assert_eq!(mutex.into_inner(), 800);
}

#[test]
fn debug() {
    let mutex = Mutex::new(vec![1]);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: [1] }");
    let _guard = mutex.lock();
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
}

#[test]
fn unlocked_for_a_while() {
    let mutex = Mutex::new(1);
    let mut guard = mutex.lock();
    assert!(MutexGuard::unlocked(&mut guard, || free(&mutex)));
    assert!(MutexGuard::unlocked_fair(&mut guard, || free(&mutex)));
    MutexGuard::bump(&mut guard);
    assert!(!free(&mutex));
    let panic = catch_unwind(AssertUnwindSafe(|| MutexGuard::unlocked(&mut guard, || panic!("on purpose"))));
    assert!(panic.is_err() && !free(&mutex), "locked again by the panic");
    MutexGuard::unlock_fair(guard);
    assert!(free(&mutex));
}

#[test]
fn mapped() {
    let mutex = Mutex::new((1, [2, 3]));
    let mapped = MutexGuard::map(mutex.lock(), |data| &mut data.1);
    let mut mapped: MappedMutexGuard<'_, u8> = MappedMutexGuard::map(mapped, |part| &mut part[1]);
    *mapped += 1;
    assert_eq!((format!("{mapped}"), format!("{mapped:?}")), ("4".into(), "4".into()));
    assert!(!free(&mutex));
    MappedMutexGuard::unlock_fair(mapped);
    assert!(free(&mutex));

    let guard = MutexGuard::try_map(mutex.lock(), |_| None::<&mut u8>).unwrap_err();
    let (guard, error) = MutexGuard::try_map_or_err(guard, |_| Err::<&mut u8, _>("no")).unwrap_err();
    assert_eq!((error, guard.0), ("no", 1));
    let mapped = MutexGuard::try_map(guard, |data| Some(&mut data.1)).unwrap();
    let mapped = MappedMutexGuard::try_map(mapped, |_| None::<&mut u8>).unwrap_err();
    let (mapped, error) = MappedMutexGuard::try_map_or_err(mapped, |_| Err::<&mut u8, _>("no")).unwrap_err();
    assert_eq!((error, *mapped), ("no", [2, 4]));
    let mapped = MappedMutexGuard::try_map_or_err(mapped, |part| Ok::<_, ()>(&mut part[0])).ok().unwrap();
    assert_eq!(*MappedMutexGuard::try_map(mapped, |part| Some(part)).unwrap(), 2);
    assert!(free(&mutex));

    let panic = AssertUnwindSafe(|| drop(MutexGuard::map(mutex.lock(), |_| -> &mut u8 { panic!("on purpose") })));
    assert!(catch_unwind(panic).is_err() && free(&mutex), "unlocked by the panic");
}

#[test]
fn without_guards() {
    let mutex = Mutex::new(1);
    // SAFETY: the guard is forgotten before, each time.
    unsafe {
        std::mem::forget(mutex.lock());
        assert!(!free(&mutex));
        mutex.force_unlock();
        assert!(free(&mutex));
        std::mem::forget(mutex.lock());
        mutex.force_unlock_fair();
        std::mem::forget(mutex.lock());
        let guard = mutex.make_guard_unchecked();
        assert_eq!(*guard, *mutex.data_ptr());
        drop(guard);
        assert!(free(&mutex));
        std::mem::forget(mutex.lock());
        mutex.raw().unlock();
        assert!(free(&mutex) && !mutex.raw().is_locked());
        mutex.raw().lock();
        drop(mutex.make_guard_unchecked());
        drop(mutex.lock());
        let guard = mutex.lock();
        mutex.raw().unlock_fair();
        std::mem::forget(guard);
        assert!(free(&mutex));
    }
    let leaked: &'static Mutex<u8> = Box::leak(Box::new(Mutex::new(1)));
    *MutexGuard::leak(leaked.lock()) += 1;
    assert!(leaked.try_lock().is_none());
}

/// A raw mutex that can do as little as is allowed.
mod spinning {
    use std::{
        hint::spin_loop,
        sync::atomic::{AtomicBool, Ordering},
    };

    use super::*;

    struct Spin(AtomicBool);

    // SAFETY: whoever makes the flag true has the lock.
    unsafe impl subject::RawMutex for Spin {
        #[allow(clippy::declare_interior_mutable_const)]
        const INIT: Self = Self(AtomicBool::new(false));
        type GuardMarker = subject::GuardSend;

        fn lock(&self) {
            while !self.try_lock() {
                spin_loop();
            }
        }

        fn try_lock(&self) -> bool {
            !self.0.swap(true, Ordering::Acquire)
        }

        unsafe fn unlock(&self) {
            self.0.store(false, Ordering::Release);
        }
    }

    #[test]
    fn any_raw_mutex_will_do() {
        let mutex = subject::Mutex::<Spin, _>::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..100).for_each(|_| *mutex.lock() += 1));
            }
        });
        let guard = mutex.lock();
        assert!(mutex.is_locked());
        // Its guards may be sent.
        thread::scope(|scope| scope.spawn(|| drop(guard)).join().unwrap());
        assert!(!mutex.is_locked());
        assert_eq!(mutex.into_inner(), 300);
    }
}
