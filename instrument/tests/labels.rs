//! Names and ranks: the same source in builds with lockscope and without.

use lockscope::{
    Label, named, ranked,
    sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock},
};

static ACCOUNTS: Mutex<Vec<u64>> = named("accounts").ranked(1).mutex(Vec::new());
static RATES: RwLock<f64> = ranked(2).named("rates").rwlock(1.5);
static START: Once = named("start").once();
static GREETING: OnceLock<&str> = named("greeting").once_lock();
static SQUARES: LazyLock<Vec<u32>> = named("squares").ranked(3).lazy_lock(|| vec![0, 1, 4]);
static BARRIER: Barrier = named("barrier").barrier(1);
static CHANGED: Condvar = named("changed").condvar();
const LABEL: Label = named("from a constant");

#[test]
fn labelled_locks_are_locks() {
    ACCOUNTS.lock().unwrap().push(1);
    assert_eq!(*RATES.read().unwrap(), 1.5);
    CHANGED.notify_one();
    START.call_once(|| ());
    assert_eq!((GREETING.set("hello"), SQUARES[2], BARRIER.wait().is_leader()), (Ok(()), 4, true));
    assert_eq!(LABEL.mutex(1).into_inner().unwrap(), 1);
    let ((jobs, to_do), (results, done)) = (named("jobs").channel(), named("results").sync_channel(1));
    jobs.send(1).unwrap();
    results.send(to_do.recv().unwrap()).unwrap();
    assert_eq!(done.recv(), Ok(1));
}

#[test]
fn the_last_rank_is_reserved() {
    assert!(std::panic::catch_unwind(|| ranked(u16::MAX)).is_err());
}
