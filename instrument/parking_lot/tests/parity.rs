//! The facade against the original: every method of parking_lot's `Mutex`, `RwLock`, `Condvar` and their guards.
//!
//! The files in `parity/` are compiled twice, once with `subject` being parking_lot and once with `subject` being
//! this crate. A method that the facade lacks, or has with another signature, does not compile; one that behaves
//! differently fails for one of the two. With `RUSTFLAGS="--cfg lockscope_off"` the same tests run against the facade
//! when it is off.
#![allow(clippy::duplicate_mod, reason = "that is the idea")]

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[path = "parity"]
mod original {
    use parking_lot as subject;

    #[cfg(feature = "arc_lock")]
    mod arc;
    mod condvar;
    mod mutex;
    mod rwlock;
    #[cfg(feature = "serde")]
    mod serde;
    mod upgradable;
}

#[path = "parity"]
mod facade {
    use lockscope_parking_lot as subject;

    #[cfg(feature = "arc_lock")]
    mod arc;
    mod condvar;
    mod mutex;
    mod rwlock;
    #[cfg(feature = "serde")]
    mod serde;
    mod upgradable;
}
