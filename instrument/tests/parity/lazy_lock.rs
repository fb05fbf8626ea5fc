use std::{
    cell::Cell,
    ops::DerefMut,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::subject::sync::LazyLock;

static STATIC: LazyLock<Vec<u32>> = LazyLock::new(|| vec![1, 2]);

const POISONED: &str = "LazyLock instance has previously been poisoned";

/// What a call panicked with.
fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).err().expect("it panics");
    panic.downcast::<&str>().expect("a text").to_string()
}

#[test]
fn made_when_needed() {
    assert_eq!(LazyLock::get(&STATIC), None);
    assert_eq!(STATIC.len(), 2);
    assert_eq!(*LazyLock::force(&STATIC), [1, 2]);
    assert_eq!(LazyLock::get(&STATIC), Some(&vec![1, 2]));
}

#[test]
fn made_once() {
    let runs = Cell::new(0);
    let lazy = LazyLock::new(|| runs.replace(runs.get() + 1));
    assert_eq!((*lazy, *lazy, runs.get()), (0, 0, 1));
    let never = LazyLock::new(|| runs.set(7));
    drop(never);
    assert_eq!(runs.get(), 1);
}

#[test]
fn mutable() {
    let mut lazy = LazyLock::new(|| 1);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    *lazy += 1;
    *LazyLock::force_mut(&mut lazy) += 1;
    *lazy.deref_mut() += 1;
    *LazyLock::get_mut(&mut lazy).unwrap() += 1;
    assert_eq!(*lazy, 5);
    let mut forced: LazyLock<u8> = LazyLock::new(|| 1);
    assert_eq!(*LazyLock::force(&forced), 1);
    assert_eq!(LazyLock::force_mut(&mut forced), &mut 1);
}

#[test]
fn traits() {
    let lazy = LazyLock::<String>::default();
    assert_eq!(format!("{lazy:?}"), "LazyLock(<uninit>)");
    assert_eq!(*lazy, "");
    assert_eq!(format!("{lazy:?}"), "LazyLock(\"\")");
    let same_type: [LazyLock<u8>; 2] = [LazyLock::new(|| 1), LazyLock::new(|| 2)];
    assert_eq!(same_type.map(|lazy| *lazy), [1, 2]);
}

#[test]
fn one_makes_it_and_all_wait() {
    for _ in 0..20 {
        let (runs, together) = (AtomicUsize::new(0), Barrier::new(4));
        let lazy = LazyLock::new(|| {
            thread::yield_now();
            runs.fetch_add(1, Ordering::Relaxed)
        });
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    together.wait();
                    assert_eq!(*lazy, 0);
                });
            }
        });
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_panic_poisons() {
    let mut lazy: LazyLock<u8> = LazyLock::new(|| panic!("on purpose"));
    assert_eq!(panic_of(|| *lazy), "on purpose");
    assert_eq!(panic_of(|| *LazyLock::force(&lazy)), POISONED);
    assert_eq!(panic_of(|| *LazyLock::force_mut(&mut lazy)), POISONED);
    assert_eq!((LazyLock::get(&lazy), format!("{lazy:?}")), (None, "LazyLock(<uninit>)".to_owned()));
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
}

#[test]
fn a_panic_of_the_only_user_poisons() {
    let mut lazy: LazyLock<u8> = LazyLock::new(|| panic!("on purpose"));
    assert_eq!(panic_of(|| *LazyLock::force_mut(&mut lazy)), "on purpose");
    assert_eq!(panic_of(|| *LazyLock::force_mut(&mut lazy)), POISONED);
    assert_eq!(panic_of(|| *lazy), POISONED);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
}

#[test]
fn everything_is_dropped_once() {
    let value = Rc::new(());
    for force in [false, true] {
        let (captured, made) = (Rc::clone(&value), Rc::clone(&value));
        let lazy = LazyLock::new(move || {
            drop(captured);
            made
        });
        if force {
            LazyLock::force(&lazy);
        }
        assert_eq!(Rc::strong_count(&value), if force { 2 } else { 3 });
        drop(lazy);
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
