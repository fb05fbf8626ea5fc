#![allow(deprecated, reason = "what std has deprecated is there too")]

use std::{panic::catch_unwind, ptr, thread};

use super::subject::sync::atomic::{
    ATOMIC_BOOL_INIT, ATOMIC_ISIZE_INIT, ATOMIC_USIZE_INIT, AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64,
    AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
    spin_loop_hint,
};

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

macro_rules! integers {
    ($($name:ident $atomic:ident $value:ident;)*) => { $(
        #[test]
        fn $name() {
            static STATIC: $atomic = $atomic::new(1);
            const TAKEN_APART: $value = $atomic::new(2).into_inner();
            assert_eq!((STATIC.load(Relaxed), TAKEN_APART), (1, 2));
            let mut one = $atomic::from(1);
            *one.get_mut() += 1;
            one.store(3, Release);
            assert_eq!((one.load(Acquire), one.swap(4, AcqRel), one.load(SeqCst)), (3, 3, 4));
            assert_eq!((one.compare_and_swap(4, 5, SeqCst), one.compare_and_swap(4, 6, Relaxed)), (4, 5));
            assert_eq!(one.compare_exchange(5, 6, AcqRel, Acquire), Ok(5));
            assert_eq!(one.compare_exchange(5, 7, SeqCst, Relaxed), Err(6));
            while one.compare_exchange_weak(6, 7, Release, Relaxed).is_err() {}
            assert_eq!((one.fetch_add(3, Relaxed), one.fetch_sub(2, Acquire)), (7, 10));
            assert_eq!((one.fetch_and(0b1100, Release), one.fetch_or(0b0011, AcqRel)), (8, 8));
            assert_eq!((one.fetch_xor(0b0110, SeqCst), one.fetch_nand(0b0101, Relaxed)), (11, 13));
            assert_eq!(one.load(Relaxed), !(13 & 0b0101));
            assert_eq!((one.swap(5, Relaxed), one.fetch_max(9, Relaxed), one.fetch_min(2, Relaxed)), (!5, 5, 9));
            assert_eq!(one.fetch_update(AcqRel, Acquire, |n| n.checked_add(1)), Ok(2));
            assert_eq!(one.fetch_update(Relaxed, Relaxed, |_| None), Err(3));
            assert_eq!(one.try_update(Relaxed, Relaxed, |n| Some(n + 1)), Ok(3));
            assert_eq!(one.update(Relaxed, Relaxed, |n| n + 1), 4);
            assert_eq!(one.swap($value::MAX, Relaxed), 5);
            assert_eq!((one.fetch_add(1, Relaxed), one.load(Relaxed)), ($value::MAX, $value::MIN));
            // SAFETY: nobody else has the atomic.
            unsafe { *one.as_ptr() = 8 };
            assert_eq!((format!("{one:?}"), one.into_inner()), ("8".to_owned(), 8));
            assert_eq!($atomic::default().into_inner(), 0);
        }
    )* };
}

integers! {
    i8 AtomicI8 i8;
    i16 AtomicI16 i16;
    i32 AtomicI32 i32;
    i64 AtomicI64 i64;
    isize AtomicIsize isize;
    u8 AtomicU8 u8;
    u16 AtomicU16 u16;
    u32 AtomicU32 u32;
    u64 AtomicU64 u64;
    usize AtomicUsize usize;
}

#[test]
fn booleans() {
    static STATIC: AtomicBool = AtomicBool::new(true);
    const TAKEN_APART: bool = AtomicBool::new(true).into_inner();
    assert!(STATIC.load(Relaxed) && TAKEN_APART);
    let mut one = AtomicBool::from(false);
    *one.get_mut() = true;
    one.store(false, Release);
    assert_eq!((one.load(Acquire), one.swap(true, AcqRel), one.load(SeqCst)), (false, false, true));
    assert_eq!((one.compare_and_swap(true, false, AcqRel), one.compare_and_swap(true, true, Release)), (true, false));
    assert_eq!(one.compare_exchange(false, true, AcqRel, Acquire), Ok(false));
    assert_eq!(one.compare_exchange(false, true, SeqCst, Relaxed), Err(true));
    while one.compare_exchange_weak(true, false, Release, Relaxed).is_err() {}
    assert_eq!((one.fetch_or(true, Relaxed), one.fetch_and(true, Relaxed)), (false, true));
    assert_eq!((one.fetch_xor(true, Relaxed), one.fetch_nand(true, Relaxed)), (true, false));
    assert_eq!((one.fetch_not(Relaxed), one.load(Relaxed)), (true, false));
    assert_eq!(one.fetch_update(AcqRel, Acquire, |value| Some(!value)), Ok(false));
    assert_eq!(one.fetch_update(Relaxed, Relaxed, |_| None), Err(true));
    assert_eq!(one.try_update(Relaxed, Relaxed, |value| Some(!value)), Ok(true));
    assert!(!one.update(Relaxed, Relaxed, |value| !value));
    // SAFETY: nobody else has the atomic.
    assert!(unsafe { *one.as_ptr() });
    assert_eq!((format!("{one:?}"), one.into_inner()), ("true".to_owned(), true));
    assert!(!AtomicBool::default().into_inner());
}

#[test]
fn pointers() {
    static STATIC: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
    const TAKEN_APART: *mut u8 = AtomicPtr::new(ptr::null_mut()).into_inner();
    assert!(STATIC.load(Relaxed).is_null() && TAKEN_APART.is_null());
    let mut values = [1u32, 2, 3];
    let first: *mut u32 = values.as_mut_ptr();
    let at = |index: usize| first.wrapping_add(index);
    let mut one = AtomicPtr::from(first);
    *one.get_mut() = at(1);
    one.store(at(2), Release);
    assert_eq!((one.load(Acquire), one.swap(first, AcqRel), one.load(SeqCst)), (at(2), at(2), first));
    assert_eq!(one.compare_and_swap(first, at(1), SeqCst), first);
    assert_eq!(one.compare_exchange(at(1), at(2), AcqRel, Acquire), Ok(at(1)));
    assert_eq!(one.compare_exchange(at(1), first, SeqCst, Relaxed), Err(at(2)));
    while one.compare_exchange_weak(at(2), first, Release, Relaxed).is_err() {}
    assert_eq!((one.fetch_ptr_add(2, Relaxed), one.fetch_ptr_sub(1, Relaxed)), (first, at(2)));
    assert_eq!((one.fetch_byte_add(4, Relaxed), one.fetch_byte_sub(8, Relaxed)), (at(1), at(2)));
    assert_eq!((one.fetch_or(1, Relaxed), one.fetch_and(!1, Relaxed)), (first, first.wrapping_byte_add(1)));
    assert_eq!((one.fetch_xor(1, Relaxed), one.fetch_xor(1, Relaxed)), (first, first.wrapping_byte_add(1)));
    assert_eq!(one.fetch_update(AcqRel, Acquire, |pointer| Some(pointer.wrapping_add(1))), Ok(first));
    assert_eq!(one.fetch_update(Relaxed, Relaxed, |_| None), Err(at(1)));
    assert_eq!(one.try_update(Relaxed, Relaxed, |pointer| Some(pointer.wrapping_add(1))), Ok(at(1)));
    assert_eq!(one.update(Relaxed, Relaxed, |_| first), at(2));
    assert_eq!((format!("{one:?}"), format!("{one:p}")), (format!("{first:?}"), format!("{first:p}")));
    // SAFETY: nobody else has the atomic.
    assert_eq!(unsafe { *one.as_ptr() }, first);
    assert_eq!(one.into_inner(), first);
    assert!(AtomicPtr::<u8>::default().into_inner().is_null());
}

#[test]
fn constants_and_fences() {
    assert!(!ATOMIC_BOOL_INIT.into_inner());
    assert_eq!((ATOMIC_ISIZE_INIT.into_inner(), ATOMIC_USIZE_INIT.into_inner()), (0, 0));
    for order in [Acquire, Release, AcqRel, SeqCst] {
        fence(order);
        compiler_fence(order);
    }
    spin_loop_hint();
    // The compiler must not see it.
    let order = std::hint::black_box(Relaxed);
    assert!(catch_unwind(|| fence(order)).is_err());
}

#[test]
fn orderings_that_make_no_sense() {
    static ONE: AtomicU32 = AtomicU32::new(0);
    for order in [Release, AcqRel] {
        assert!(catch_unwind(|| ONE.load(order)).is_err());
        assert!(catch_unwind(|| ONE.compare_exchange(0, 1, SeqCst, order)).is_err());
        assert!(catch_unwind(|| ONE.fetch_update(SeqCst, order, Some)).is_err());
    }
    for order in [Acquire, AcqRel] {
        assert!(catch_unwind(|| ONE.store(1, order)).is_err());
    }
    assert_eq!(ONE.swap(7, Relaxed), 0);
    assert_eq!(ONE.load(Relaxed), 7);
}

#[test]
fn nothing_is_lost_between_threads() {
    static SUM: AtomicU64 = AtomicU64::new(0);
    static GREATEST: AtomicU16 = AtomicU16::new(0);
    thread::scope(|scope| {
        for n in 0..4 {
            scope.spawn(move || {
                for _ in 0..1000 {
                    SUM.fetch_add(1, Relaxed);
                    SUM.update(Relaxed, Relaxed, |sum| sum + 1);
                }
                GREATEST.fetch_max(n, Relaxed);
            });
        }
    });
    assert_eq!((SUM.load(Relaxed), GREATEST.load(Relaxed)), (8000, 3));
}
