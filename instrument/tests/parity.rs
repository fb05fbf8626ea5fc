//! The facade against the original: every stable method of what it has of std.
//!
//! The files in `parity/` are compiled twice, once with `subject` being std and once with `subject` being this crate.
//! A method that the facade lacks, or has with another signature, does not compile; one that behaves differently
//! fails for one of the two. With `RUSTFLAGS="--cfg lockscope_off"` the same tests run against the facade when it is
//! off.
#![allow(clippy::duplicate_mod, reason = "that is the idea")]

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[path = "parity"]
mod original {
    use std as subject;

    mod atomic;
    mod barrier;
    mod cell;
    mod condvar;
    mod lazy_lock;
    mod mpsc;
    mod mutex;
    mod once;
    mod once_lock;
    mod rwlock;
    mod thread;
}

#[path = "parity"]
mod facade {
    use lockscope as subject;

    mod atomic;
    mod barrier;
    mod cell;
    mod condvar;
    mod lazy_lock;
    mod mpsc;
    mod mutex;
    mod once;
    mod once_lock;
    mod rwlock;
    mod thread;
}
