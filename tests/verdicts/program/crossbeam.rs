//! The programs with crossbeam-channel's channels, as lockscope has them.

mod channels {
    pub use lockscope_crossbeam_channel::{Sender as BoundedSender, bounded, unbounded};
}

#[path = "selections.rs"]
pub mod selections;
#[path = "channels.rs"]
pub mod waits;
