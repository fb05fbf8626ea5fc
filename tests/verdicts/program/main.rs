//! What the verdicts are about: small programs, each right or wrong in one way, by name.
//!
//! `cargo run -p lockscope-parking_lot --example verdicts -- pl::two_orders`. `std::` takes std's locks from lockscope, `pl::` parking_lot's:
//! the same source is compiled against both; `kinds12::` and `kinds13::` are about what only parking_lot 0.12 and 0.13 have; `mpsc::` and `crossbeam::` likewise their channels. Without an argument it lists the names. What is to be found in
//! each stands in `tests/verdicts/main.rs`.
//!
//! Threads meet at std's barriers and are joined by std, both of which lockscope does not see, unless a scenario is about them.

#![allow(clippy::duplicate_mod, reason = "the same source is compiled against each family of locks")]

mod apart;
mod crossbeam;
mod help;
mod kinds_12;
mod kinds_13;
mod mpsc;
mod objects;
mod pl_locks;
mod std_locks;

/// All scenarios: family, module, names.
macro_rules! scenarios {
    (
        objects: $($other:ident)*;
        apart: $($apart:ident)*;
        kinds: $($kind:ident)*;
        channels: $($wait:ident)*;
        selections: $($selection:ident)*;
        $($module:ident: $($name:ident)*;)*
    ) => {
        const SCENARIOS: &[(&str, fn())] = &[
            $((concat!("objects::", stringify!($other)), objects::$other as fn()),)*
            $((concat!("apart::", stringify!($apart)), apart::$apart as fn()),)*
            $((concat!("kinds12::", stringify!($kind)), kinds_12::kinds::$kind as fn()),
              (concat!("kinds13::", stringify!($kind)), kinds_13::kinds::$kind as fn()),)*
            $((concat!("mpsc::", stringify!($wait)), mpsc::waits::$wait as fn()),
              (concat!("crossbeam::", stringify!($wait)), crossbeam::waits::$wait as fn()),)*
            $((concat!("crossbeam::", stringify!($selection)), crossbeam::selections::$selection as fn()),)*
            $($((concat!("std::", stringify!($name)), std_locks::$module::$name as fn()),
               (concat!("pl::", stringify!($name)), pl_locks::$module::$name as fn()),)*)*
        ];
    };
}

scenarios! {
    objects: join_while_holding join_after_release receive_while_holding receive_what_comes send_while_holding send_what_fits
        permits_held_by_waiters permits_held_outside permit_leak permit_returned barrier_lacks_one barrier_complete
        initialiser_and_lock initialised;
    apart: apart_by_message not_apart_by_message apart_by_barrier not_apart_by_barrier apart_by_once not_apart_by_once
        apart_by_notification parked unparked;
    kinds: fair_and_reentrant reentrant_relock relock_fair two_reentrant recursive_read_behind_a_writer
        recursive_reads_in_two_orders reads_in_two_orders upgrade_and_upgradable_read two_upgrades once_and_lock once_done
        generic_locks;
    channels: receive_holding receive_not_holding receive_holding_from_another send_holding send_not_holding rendezvous_holding
        rendezvous_not_holding both_send_first both_send_first_with_room feedback_without_room feedback_with_room own_sender_kept
        own_sender_dropped idle_workers sender_given_away_after_use sender_sent_away_after_use sender_is_borrowed
        receiver_in_a_mutex;
    selections: select_nobody_sends select_with_a_time_limit select_another_sends send_holding_what_both_receivers_need
        send_holding_what_one_receiver_needs;
    quiet: gate_lock readers_only try_inversion hand_over_hand tls_destructor drop_in_panic before_main at_exit
        out_of_order address_reused ordered_by_join;
    condvars: nested_monitor monitor nobody_notifies notifier_ends idle_pool lost_wakeup kept_wakeup forgotten_guard
        forgotten_guard_alone dropped_guard;
    misuse: busy_wait try_then_lock unchecked_wakeup checked_wakeup checked_elsewhere poisoned panic_after_unlock;
    orders: two_locks three_locks five_locks middle_destroyed mutex_and_read_lock mutex_and_read_lock_other_writer
        reacquired_mutex;
    waits: relock relock_holding_others relock_contended read_write_read read_without_writer read_twice_in_turn both_read_then_write
        two_threads_two_locks;
}

fn main() {
    let Some(name) = std::env::args().nth(1) else {
        SCENARIOS.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let Some((_, scenario)) = SCENARIOS.iter().find(|(known, _)| *known == name) else {
        eprintln!("there is no scenario `{name}`");
        std::process::exit(2);
    };
    scenario();
}
