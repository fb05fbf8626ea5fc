//! The recorder and its reader under force: processes killed at random moments, full disks, deleted files, thousands of
//! threads, forks. Each case runs in a child process, since the runtime is one per process.
//!
//! Longer runs: `LOCKSCOPE_STRESS_KILLS=1000 cargo test -p lockscope --test stress kill`, and `soak`.

mod child;
mod churn;
mod cut_off;
mod downgrade;
mod edges;
mod faults;
mod fork;
mod kill;
#[path = "../../instrument/tests/runtime/lock.rs"]
mod lock;
mod soak;
mod tally;
mod threads;
mod verify;
mod window;
mod work;

/// The child's entry: does nothing unless a test asked for a role.
#[test]
fn child_process() {
    match std::env::var(child::ROLE).as_deref() {
        Ok("work") => work::run(),
        Ok("threads") => threads::run(),
        Ok("fork-holding") => fork::run_holding(),
        Ok("fork-thread") => fork::run_in_thread(),
        Ok("downgrade") => downgrade::run(),
        Ok("twice-held") => downgrade::run_twice_held(),
        Ok("faults") => faults::run(),
        Ok("churn") => churn::run(),
        Ok("cut-off") => cut_off::run(),
        Ok("own-fault") => cut_off::run_own(),
        Ok("no-descriptors") => edges::run_without_descriptors(),
        Ok("no-shm") => edges::run_without_shm(),
        Ok("late-lock") => edges::run_once(),
        Ok("starting") => edges::run_starting(),
        Ok("crowd") => edges::run_crowd(),
        Ok("signals") => edges::run_signals(),
        Ok("soak") => soak::run(),
        Ok("window") => window::run(),
        Ok(other) => unreachable!("{other} is no role"),
        Err(_) => {}
    }
}
