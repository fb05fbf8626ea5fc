//! The runtime by itself, around plain parking_lot raw locks: each scenario runs in a child process, since the runtime is one
//! per process, and a deadlock is to hang; a watchdog ends it.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

mod child;
mod helpers;
mod idle;
mod knots;
mod lock;
mod raw;
mod scenarios;
mod wrapper;

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

const HIERARCHY: &str = concat!("order=off,hierarchy=", env!("CARGO_MANIFEST_DIR"), "/tests/runtime/hierarchy.toml");

scenarios! {
    two_orders, "", Expect::reports(&["lock-order-inversion"], &["`a` and `b` are taken in both orders", "scenarios.rs"]);
    two_orders_of_locks_from_constants, "", Expect::reports(&["lock-order-inversion"], &["`Mutex<()>` first used at", "`FairMutex<()>` first used at"]);
    two_orders_off, "order=off", Expect::silence();
    two_orders_panic, "order=panic,misuse=off", Expect::panics("lock-order-inversion");
    one_order, "", Expect::silence();
    one_order_by_a_helper, "", Expect::silence();
    two_orders_by_a_helper, "", Expect::reports(&["lock-order-inversion"], &[
        "stack of thread \"first\" when it took `Mutex<u8>`", "sell at", "take_note at",
        "stack of thread \"second\" when it took `Mutex<u16>`", "close at", "count at",
    ]);
    two_orders_by_a_helper_twice, "", Expect::reports(&["lock-order-inversion", "lock-order-inversion"], &[
        "sell at", "hire at",
    ]);
    two_orders_by_helpers_of_one_lock_each, "", Expect::reports(&["lock-order-inversion"], &[
        "stack of thread \"first\" when it took `Mutex<u8>`", "rates at", "convert at",
        "stack of thread \"second\" when it took `Mutex<u8>`", "accounts at", "publish at",
    ]);
    two_orders_by_functions_that_keep_their_locks, "", Expect::reports(&["lock-order-inversion"], &["check_in at"])
        .without(&["when it took"]);
    two_orders_by_a_helper_that_may_keep_its_lock, "", Expect::reports(&["lock-order-inversion"], &[
        "when it took", "buy at", "value at",
    ]);
    two_orders_by_a_helper_without_stacks, "stacks=off", Expect::reports(&["lock-order-inversion"], &["wrapper.rs"]);
    deadlock_by_a_helper, "order=off", Expect::hangs(&["deadlock"], &[
        "stack of thread \"first\" when it took `Mutex<u8>`", "stack of thread \"second\" when it took `Mutex<u16>`",
        "stack of thread \"first\":", "stack of thread \"second\":",
    ]);
    two_orders_by_a_helper_that_is_known_later, "", Expect::reports(&["lock-order-inversion"], &["put_away at", "is_in_stock at"]);
    deadlock_by_helpers_of_one_lock_each, "order=off", Expect::hangs(&["deadlock"], &[
        "stack of thread \"first\" when it took `Mutex<u8>`", "stack of thread \"second\" when it took `Mutex<u8>`",
        "convert_together at", "publish_together at",
    ]);
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
    readers_that_write, "misuse=off", Expect::hangs(&["self-deadlock", "self-deadlock"], &[]);
    upgrade_behind_a_reader, "order=off", Expect::hangs(&["deadlock"], &["to upgrade it"]);
    timed_wait_in_a_cycle, "order=off", Expect::hangs(&["deadlock"], &["time limit, which will dissolve it"]);
    held_after_a_wait_that_panics, "", Expect::reports(&["lock-order-inversion"], &[]);
    self_deadlock, "deadlock=exit", Expect::exits(66, &["self-deadlock"]);
    self_deadlock_while_holding_others, "deadlock=exit", Expect::exits(66, &["self-deadlock"]);
    join_while_holding, "deadlock=exit", Expect::exits(66, &["deadlock"]);
    join_after_release, "", Expect::silence();
    ranks_violated, "", Expect::reports(&["hierarchy-violation"], &["rank 1", "rank 2"]);
    ranks_kept, "", Expect::silence();
    ranks_of_a_file_violated, HIERARCHY, Expect::reports(&["hierarchy-violation"], &["`inner` (rank 20)", "`outer` (rank 10)"]);
    ranks_of_a_file_kept, HIERARCHY, Expect::silence();
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
    a_million_forgotten, "misuse=off", Expect::silence();
    locks_in_thread_local_destructors, "", Expect::silence();
    locks_in_the_allocator, "record=auto", Expect::silence();
    names_that_would_drive_a_terminal, "", Expect::reports(&["lock-order-inversion"], &["[2Jevil", "]0;thread"]);
    bad_settings, "order=sometimes,colour=red", Expect::says(&["`sometimes` is not a value for `order`", "there is no key `colour`"]);
    unwritable_directory, "record=/nonexistent/dir/a.lks", Expect::says(&["cannot record to /nonexistent/dir/a.lks", "the program runs on"]);
    builder_and_callback, "", Expect::reports(&["lock-order-inversion"], &["callback saw lock-order-inversion"]);
    forked_child_goes_on_without, "record=auto", Expect::silence();

    nested_monitor, "deadlock=exit", Expect::exits(66, &["deadlock"]);
    nested_monitor_recorded, "deadlock=exit,record=auto", Expect::exits(66, &["deadlock"]);
    nested_monitor_panic, "deadlock=panic", Expect::exits(66, &["deadlock"]);
    monitor_not_nested, "", Expect::silence();
    nested_monitor_helped_late, "", Expect::reports(&["deadlock"], &["(potential)", "\"waits\" waits for a notification of `ready`", "and has `outer`"]);
    nested_monitor_helped_soon, "", Expect::silence();
    nested_monitor_helped_again, "", Expect::silence();
    forked_child_of_a_watched_process, "", Expect::silence();
    nobody_left_to_notify, "", Expect::hangs(&["deadlock"], &["none is left to help (actual)", "`one`", "`two`"]);
    somebody_left_to_notify, "", Expect::silence();
    last_notifier_ends, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    last_notifier_ends_seen, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    last_notifier_notifies, "", Expect::silence();
    std_join_while_holding, "", Expect::hangs(&["deadlock"], &["(actual)", "joins thread \"child\""]);
    std_join_while_holding_among_others, "", Expect::hangs(&["deadlock"], &["(actual)", "joins thread \"child\""]);
    std_join_after_release, "", Expect::silence();
    join_while_holding_the_mutex, "deadlock=exit", Expect::exits(66, &["deadlock"]);
    join_after_notifying, "", Expect::silence();
    receive_while_holding, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    receive_while_holding_among_others, "", Expect::hangs(&["deadlock"], &["(potential)", "has a sender, but waits itself"]);
    receive_without_holding, "", Expect::silence();
    send_while_holding, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    send_without_holding, "", Expect::silence();
    receive_from_oneself, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    receive_from_oneself_dropped, "", Expect::silence();
    permits_held_by_waiters, "", Expect::hangs(&["deadlock"], &["(actual)", "a permit of `one`", "a permit of `two`"]);
    permits_held_by_waiters_panic, "deadlock=panic", Expect::panics("deadlock");
    permits_of_one_semaphore, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    a_permit_is_elsewhere, "", Expect::silence();
    permits_that_may_be_elsewhere, "", Expect::silence();
    permits_that_are_not_elsewhere, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    permits_of_one_thread, "", Expect::hangs(&["self-deadlock"], &["(actual)"]);
    permits_forgotten, "", Expect::hangs(&["semaphore-leak"], &["(actual)", "2 were forgotten"]);
    permits_forgotten_among_others, "", Expect::hangs(&["semaphore-leak"], &["(potential)"]);
    permits_forgotten_and_added, "", Expect::silence();
    idle_pool, "", Expect::silence();
    idle_pool_joined, "", Expect::hangs(&["deadlock"], &["(actual)"]);
    idle_pool_joined_among_sleepers, "", Expect::hangs(&["deadlock"], &["(potential)", "has notified it before, but waits itself"]);
    idle_pool_joined_among_listeners, "", Expect::silence();
    idle_pool_behind_a_mutex, "", Expect::silence();
    idle_actors, "", Expect::silence();
    slow_first_notifier, "", Expect::silence();
    barrier_lacks_a_party, "", Expect::hangs(&["deadlock"], &["(actual)", "more threads at `meeting`"]);
    barrier_is_complete, "", Expect::silence();
    initialiser_needs_what_one_who_awaits_it_holds, "order=off", Expect::hangs(&["deadlock"], &["(actual)", "the initialisation of `start`", "`wanted` is held by"]);
    initialiser_is_awaited, "", Expect::silence();
    initialiser_awaits_itself, "", Expect::hangs(&["self-deadlock"], &["(actual)"]);
    nobody_initialises, "", Expect::hangs(&["deadlock"], &["(actual)", "the initialisation of `cell`"]);
    parked_while_holding, "", Expect::hangs(&["deadlock"], &["(actual)", "another thread to unpark it", "`wanted`"]);
    parked_without_holding, "", Expect::silence();
    lost_wakeup, "", Expect::hangs(&["lost-wakeup"], &["(actual)", "came before the wait"]);
    wakeup_remembered, "", Expect::silence();
    token_is_handed_around, "", Expect::silence();
    token_is_sent_around, "", Expect::silence();
    guard_forgotten, "", Expect::hangs(&["guard-leak"], &["(actual)", "\"wants\" waits for it"]);
    guard_forgotten_before, "", Expect::hangs(&["guard-leak", "guard-leak"], &["(actual)", "which was never released"]);
    guard_forgotten_only, "", Expect::reports(&["guard-leak"], &["(actual)", "ends while it holds `wanted`"]);
    guard_leaked_and_wanted, "", Expect::hangs(&["guard-leak"], &["(potential)", "`leaked`, which was never released", "leaked on purpose"]);
    guard_leaked, "", Expect::silence();
    guard_given_back, "", Expect::silence();
}
