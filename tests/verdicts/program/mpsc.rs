//! The programs with std's channels, as lockscope has them.

mod channels {
    pub use lockscope::sync::mpsc::{SyncSender as BoundedSender, channel as unbounded, sync_channel as bounded};
}

#[path = "channels.rs"]
pub mod waits;
