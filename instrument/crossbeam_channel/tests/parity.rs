//! The facade against the original: every function, method and macro of crossbeam-channel.
//!
//! The files in `parity/` are compiled twice, once with `subject` being crossbeam-channel and once with `subject` being
//! this crate. A method that the facade lacks, or has with another signature, does not compile; one that behaves
//! differently fails for one of the two. With `RUSTFLAGS="--cfg lockscope_off"` the same tests run against the facade
//! when it is off.
#![allow(clippy::duplicate_mod, reason = "that is the idea")]

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[path = "parity"]
mod original {
    use crossbeam_channel as subject;

    mod channel;
    mod select;
    mod select_macro;
    mod time;
}

#[path = "parity"]
mod facade {
    use lockscope_crossbeam_channel as subject;

    mod channel;
    mod select;
    mod select_macro;
    mod time;
}
