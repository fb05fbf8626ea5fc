//! The facade against the original: every method of lock_api's `Mutex`, `ReentrantMutex`, `RwLock` and their guards, over
//! parking_lot's raw locks.
//!
//! The files in `parity/` are compiled twice, once with `subject` being lock_api and once with `subject` being this
//! crate. A method that the facade lacks, or has with another signature, does not compile; one that behaves
//! differently fails for one of the two. With `RUSTFLAGS="--cfg lockscope_off"` the same tests run against the facade
//! when it is off. The stand-in, which is made of the same sources, is tested by what is built on it.
#![allow(clippy::duplicate_mod, reason = "that is the idea")]

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[path = "parity"]
mod original {
    use lock_api_0_4 as subject;

    #[cfg(feature = "arc_lock")]
    mod arc;
    mod mutex;
    #[cfg(feature = "atomic_usize")]
    mod reentrant;
    mod rwlock;
    #[cfg(feature = "serde")]
    mod serde;
    mod upgradable;
}

#[path = "parity"]
mod facade {
    use lockscope_lock_api as subject;

    #[cfg(feature = "arc_lock")]
    mod arc;
    mod mutex;
    #[cfg(feature = "atomic_usize")]
    mod reentrant;
    mod rwlock;
    #[cfg(feature = "serde")]
    mod serde;
    mod upgradable;
}
