//! The runtime by itself, around plain parking_lot raw locks: each scenario runs in a child process, since the runtime is one
//! per process, and a deadlock is to hang; a watchdog ends it.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

mod child;
mod lock;
mod raw;
mod scenarios;

use child::{Expect, run};

macro_rules! scenarios {
    ($($(#[$doc:meta])* $name:ident, $settings:expr, $expect:expr;)*) => {
        $($(#[$doc])* #[test] fn $name() { run(stringify!($name), $settings, $expect); })*

        /// Runs one scenario; called in the child process.
        fn dispatch(name: &str) {
            match name {
                $(stringify!($name) => scenarios::$name(),)*
                _ => unreachable!("scenarios are named by this macro only"),
            }
        }
    };
}

/// The child's entry: does nothing unless the parent asked for a scenario.
#[test]
fn child_process() {
    if let Ok(name) = std::env::var("LOCKSCOPE_TEST_SCENARIO") {
        dispatch(&name);
    }
}

scenarios! {
    two_orders, "", Expect::reports(&["lock-order-inversion"], &["`a` and `b` are taken in both orders", "scenarios.rs"]);
    two_orders_of_locks_from_constants, "", Expect::reports(&["lock-order-inversion"], &["`Mutex<()>` first used at", "`FairMutex<()>` first used at"]);
    two_orders_off, "order=off", Expect::silence();
    two_orders_panic, "order=panic", Expect::panics("lock-order-inversion");
    one_order, "", Expect::silence();
    two_orders_under_a_gate, "", Expect::silence();
    two_orders_by_one_thread, "", Expect::silence();
    two_orders_by_try, "", Expect::silence();
    two_orders_of_readers, "", Expect::silence();
    two_orders_a_thousand_times, "", Expect::reports(&["lock-order-inversion"], &[]);
    three_orders, "", Expect::reports(&["lock-order-inversion"], &["3 locks are taken in a circle"]);
    three_orders_middle_destroyed, "", Expect::reports(&["lock-order-inversion"], &[]);
    deadlock, "order=off", Expect::hangs(&["deadlock"], &["2 threads are deadlocked over", "\"first\" waits for", "\"second\" waits for"]);
    deadlock_exit, "deadlock=exit", Expect::exits(66, &["deadlock"]);
    initialiser_waits_for_one_who_waits_for_it, "order=off", Expect::hangs(&["deadlock"], &["`Once` made at"]);
    initialiser_calls_itself, "deadlock=exit", Expect::exits(66, &["self-deadlock"]);
    initialiser_takes_what_one_who_waits_for_it_held, "", Expect::reports(&["lock-order-inversion"], &["`Once` made at"]);
    initialised_is_no_lock, "", Expect::silence();
    initialiser_panics, "", Expect::silence();
    lazy_value_needs_what_one_who_needs_it_holds, "order=off,deadlock=exit", Expect::exits(66, &["deadlock"]);
    permits_are_no_locks, "", Expect::silence();
    two_orders_with_permits, "", Expect::reports(&["lock-order-inversion"], &["`a` and `b` are taken in both orders"]);
    deadlock_of_readers_and_writers, "order=off", Expect::hangs(&["deadlock"], &["for reading", "for writing"]);
    recursive_read_behind_writer, "", Expect::hangs(&["deadlock"], &["no reader may pass"]);
    recursive_read_alone, "", Expect::silence();
    upgrade_behind_a_reader, "order=off", Expect::hangs(&["deadlock"], &["to upgrade it"]);
    timed_wait_in_a_cycle, "order=off", Expect::hangs(&["deadlock"], &["time limit, which will dissolve it"]);
    held_after_a_wait_that_panics, "", Expect::reports(&["lock-order-inversion"], &[]);
    self_deadlock, "deadlock=exit", Expect::exits(66, &["self-deadlock"]);
    self_deadlock_while_holding_others, "deadlock=exit", Expect::exits(66, &["self-deadlock"]);
    join_while_holding, "deadlock=exit", Expect::exits(66, &["deadlock"]);
    join_after_release, "", Expect::silence();
    ranks_violated, "", Expect::reports(&["hierarchy-violation"], &["rank 1", "rank 2"]);
    ranks_kept, "", Expect::silence();
    held_too_long, "timeout=50ms", Expect::reports(&["lock-timeout"], &["waits for `slow` for longer than 50.0 ms", "held for"]);
    held_too_long_panic, "timeout=50ms,on-timeout=panic", Expect::panics("lock-timeout");
    held_briefly, "timeout=60s", Expect::silence();
    hand_over_hand_back_to_front, "stacks=off", Expect::silence();
    released_by_another_thread, "", Expect::silence();
    released_out_of_order, "", Expect::silence();
    released_without_its_guard, "", Expect::reports(&["lock-order-inversion"], &[]);
    released_by_its_raw_lock, "", Expect::silence();
    waited_for_by_its_raw_lock, "", Expect::silence();
    taken_again_by_its_raw_lock, "record=auto", Expect::silence();
    guard_outlives_its_raw_lock, "", Expect::silence();
    released_for_another_thread, "", Expect::silence();
    a_thousand_held, "", Expect::silence();
    a_million_forgotten, "", Expect::silence();
    locks_in_thread_local_destructors, "", Expect::silence();
    locks_in_the_allocator, "record=auto", Expect::silence();
    names_that_would_drive_a_terminal, "", Expect::reports(&["lock-order-inversion"], &["[2Jevil", "]0;thread"]);
    bad_settings, "order=sometimes,colour=red", Expect::says(&["`sometimes` is not a value for `order`", "there is no key `colour`"]);
    unwritable_directory, "record=/nonexistent/dir/a.lks", Expect::says(&["cannot record to /nonexistent/dir/a.lks", "the program runs on"]);
    builder_and_callback, "", Expect::reports(&["lock-order-inversion"], &["callback saw lock-order-inversion"]);
    forked_child_goes_on_without, "record=auto", Expect::silence();
}
