//! Tests that hang, but for what lockscope does about it.

use lockscope::{
    sync::{Condvar, Mutex},
    thread,
};

/// A panic cannot leave a scope whose thread waits for what the scope's owner holds.
#[lockscope::test]
#[ignore = "run by `a_deadlock_that_no_panic_ends_ends_the_process`"]
fn a_scope_waits_for_who_waits() {
    let lock = Mutex::new(0);
    let guard = lock.lock().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| drop(lock.lock()));
    });
    drop(guard);
}

#[lockscope::test]
#[ignore = "run by `a_deadlock_that_no_panic_ends_ends_the_process`"]
fn nobody_notifies() {
    let (lock, condvar) = (Mutex::new(false), Condvar::new());
    drop(condvar.wait_while(lock.lock().unwrap(), |is_ready| !*is_ready));
}
