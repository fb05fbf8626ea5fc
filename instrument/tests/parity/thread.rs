use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use super::subject::thread::{self, Builder, JoinHandle, ScopedJoinHandle};

/// What a panic said.
fn text(panic: Box<dyn std::any::Any + Send>) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("not a literal")
}

#[test]
fn spawn_and_join() {
    let handle: JoinHandle<i32> = thread::spawn(|| 3);
    assert_eq!(format!("{handle:?}"), "JoinHandle { .. }");
    assert_eq!(handle.thread().name(), None);
    assert_eq!(handle.join().unwrap(), 3);
    assert_eq!(text(thread::spawn(|| panic!("on purpose")).join().unwrap_err()), "on purpose");
}

#[test]
fn is_finished_when_the_function_has_ended() {
    let (go, wait) = mpsc::channel();
    let handle = thread::spawn(move || wait.recv().unwrap());
    assert!(!handle.is_finished());
    go.send(()).unwrap();
    while !handle.is_finished() {
        thread::yield_now();
    }
    handle.join().unwrap();
}

#[test]
fn a_thread_goes_on_without_its_handle() {
    let (done, wait) = mpsc::channel();
    drop(thread::spawn(move || done.send(thread::current().id()).unwrap()));
    assert_ne!(wait.recv().unwrap(), thread::current().id());
}

#[test]
fn builder() {
    let builder = Builder::new().name("worker".into()).stack_size(1 << 20);
    assert!(format!("{builder:?}").contains("worker"));
    let handle = builder.spawn(|| thread::current().name().map(String::from)).unwrap();
    assert_eq!(handle.thread().name(), Some("worker"));
    assert_eq!(handle.join().unwrap().as_deref(), Some("worker"));
    let mut local = 1;
    // SAFETY: joined before `local` ends.
    let handle = unsafe { Builder::new().spawn_unchecked(|| local += 1) }.unwrap();
    handle.join().unwrap();
    assert_eq!(local, 2);
}

#[test]
fn the_rest_of_the_module_is_there() {
    thread::sleep(std::time::Duration::ZERO);
    thread::park_timeout(std::time::Duration::ZERO);
    assert!(!thread::panicking());
    assert!(thread::available_parallelism().unwrap().get() >= 1);
}

#[test]
fn scoped_threads_borrow() {
    let (mut sum, list) = (0, vec![1, 2, 3]);
    let length = thread::scope(|scope| {
        let handle: ScopedJoinHandle<'_, usize> = scope.spawn(|| list.len());
        scope.spawn(|| sum += list.iter().sum::<i32>());
        assert!(format!("{scope:?}").starts_with("Scope {"));
        assert_eq!(format!("{handle:?}"), "ScopedJoinHandle { .. }");
        handle.join().unwrap()
    });
    assert_eq!((length, sum), (3, 6));
}

#[test]
fn scoped_threads_have_names() {
    thread::scope(|scope| {
        let name = || thread::current().name().map(String::from);
        let handle = Builder::new().name("scoped".into()).spawn_scoped(scope, name).unwrap();
        assert_eq!(handle.thread().name(), Some("scoped"));
        assert_eq!(handle.join().unwrap().as_deref(), Some("scoped"));
    });
}

#[test]
fn a_scope_waits_for_all() {
    let ended = AtomicUsize::new(0);
    let all_run = Barrier::new(3);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                all_run.wait();
                // Threads can spawn into the scope too, also when the scope's closure has ended.
                scope.spawn(|| ended.fetch_add(1, Ordering::Relaxed));
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        all_run.wait();
    });
    assert_eq!(ended.into_inner(), 4);
}

#[test]
fn handles_may_be_joined_by_other_threads() {
    let sum = thread::scope(|scope| {
        let first = scope.spawn(|| 1);
        let second = scope.spawn(|| first.join().unwrap() + 1);
        second.join().unwrap()
    });
    assert_eq!(sum, 2);
}

#[test]
fn scopes_nest() {
    let count = AtomicUsize::new(0);
    thread::scope(|outer| {
        outer.spawn(|| {
            thread::scope(|inner| {
                inner.spawn(|| count.fetch_add(1, Ordering::Relaxed));
            });
            assert_eq!(count.fetch_add(1, Ordering::Relaxed), 1);
        });
    });
    assert_eq!(count.into_inner(), 2);
}

#[test]
fn a_scope_panics_for_a_thread_that_nobody_joined() {
    let scope = || {
        thread::scope(|scope| {
            scope.spawn(|| panic!("on purpose"));
        });
    };
    assert_eq!(text(catch_unwind(scope).unwrap_err()), "a scoped thread panicked");
    // A thread that was joined has told.
    let told = thread::scope(|scope| text(scope.spawn(|| panic!("on purpose")).join().unwrap_err()));
    assert_eq!(told, "on purpose");
}

#[test]
fn a_scope_that_panics_waits_first() {
    let ended = AtomicUsize::new(0);
    let scope = AssertUnwindSafe(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::yield_now();
                ended.fetch_add(1, Ordering::Relaxed);
            });
            panic!("in the scope");
        });
    });
    assert_eq!(text(catch_unwind(scope).unwrap_err()), "in the scope");
    assert_eq!(ended.into_inner(), 1);
}

#[test]
fn results_are_dropped_before_a_scope_ends() {
    struct Count<'a>(&'a AtomicUsize);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| Count(&dropped));
    });
    assert_eq!(dropped.into_inner(), 1);
}

#[test]
fn a_result_may_spawn_into_the_scope_when_dropped() {
    struct SpawnInDrop<F: FnMut()>(F);
    impl<F: FnMut()> Drop for SpawnInDrop<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let ran = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        let ran = Arc::clone(&ran);
        scope.spawn(move || {
            SpawnInDrop(move || {
                let ran = Arc::clone(&ran);
                scope.spawn(move || ran.fetch_add(1, Ordering::Relaxed));
            })
        });
    });
    assert_eq!(ran.load(Ordering::Relaxed), 1);
}

#[cfg(unix)]
#[test]
fn handles_have_pthread_ids() {
    use std::os::unix::thread::JoinHandleExt as _;
    let (go, wait) = mpsc::channel();
    let handle = thread::spawn(move || wait.recv().unwrap());
    let id = handle.as_pthread_t();
    go.send(()).unwrap();
    assert_eq!(handle.into_pthread_t(), id);
    // SAFETY: the thread is not joined or detached otherwise.
    assert_eq!(unsafe { libc::pthread_join(id, std::ptr::null_mut()) }, 0);
}

/// Code of others, which knows std's type only.
fn is_this_thread(thread: &std::thread::Thread) -> bool {
    thread.id() == std::thread::current().id()
}

#[test]
#[allow(clippy::useless_conversion, reason = "where both are std's")]
fn handles_of_threads() {
    let this: thread::Thread = thread::current();
    assert!(is_this_thread(&this));
    let of_std: std::thread::Thread = this.clone().into();
    let back: thread::Thread = of_std.into();
    assert_eq!((back.id(), back.name()), (this.id(), this.name()));
    assert_eq!(format!("{this:?}"), format!("{:?}", std::thread::current()));
    let handle = thread::Builder::new().name("named".to_owned()).spawn(|| thread::current().id()).unwrap();
    let thread: &thread::Thread = handle.thread();
    assert!(!is_this_thread(thread));
    assert_eq!(thread.name(), Some("named"));
    let id: thread::ThreadId = thread.id();
    assert_eq!(id, handle.join().unwrap());
}

#[test]
fn unparked_before_it_parks() {
    for limit in [None, Some(Duration::from_secs(600))] {
        // Not a channel of std's: that parks by itself at times, and takes the token.
        let go = Arc::new(Barrier::new(2));
        let wait = Arc::clone(&go);
        let handle = thread::spawn(move || {
            wait.wait();
            match limit {
                None => thread::park(),
                Some(limit) => thread::park_timeout(limit),
            }
        });
        handle.thread().unpark();
        go.wait();
        handle.join().unwrap();
    }
}

#[test]
fn unparked_while_it_is_parked() {
    static GO: AtomicBool = AtomicBool::new(false);
    let parked = thread::current();
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            while !GO.load(Ordering::Acquire) {
                thread::park();
            }
            parked.unpark();
        });
        GO.store(true, Ordering::Release);
        waits.thread().unpark();
        // The token may be used up by a thread that is parked in between, so all is asked for again.
        while !waits.is_finished() {
            thread::park_timeout(Duration::from_millis(1));
        }
    });
}

#[test]
fn waits_for_a_time() {
    let started = Instant::now();
    thread::sleep(Duration::from_millis(2));
    #[expect(deprecated)]
    thread::sleep_ms(1);
    assert!(started.elapsed() >= Duration::from_millis(3));
    // May end early; that it ends is what can be tested.
    thread::park_timeout(Duration::from_millis(1));
    #[expect(deprecated)]
    thread::park_timeout_ms(1);
}

#[test]
fn what_is_passed_through() {
    thread_local!(static LOCAL: u8 = const { 1 });
    let local: &'static thread::LocalKey<u8> = &LOCAL;
    let read: Result<u8, thread::AccessError> = local.try_with(|value| *value);
    assert_eq!(read, Ok(1));
    thread::yield_now();
    assert!(!thread::panicking() && thread::available_parallelism().is_ok());
    let result: thread::Result<()> = thread::spawn(|| ()).join();
    assert!(result.is_ok());
}
