//! Runtime behind the facades. Not a public interface: facade crates of the same version use it, nobody else should.
//!
//! A facade embeds one [`LockMeta`] in each lock and one [`Hold`] in each guard, and calls, around the wrapped
//! lock's own operations:
//! - [`acquire`], [`acquire_timed`], [`try_acquire`]: check order, wait, hold, record;
//! - [`release`] *before* the wrapped unlock, so that the next acquisition is always recorded after it;
//! - [`unfollow()`] when others get at the wrapped lock and could release it unseen;
//! - [`initialise`] for what is initialised once, as long as it is not;
//! - [`note`], [`block`], [`may_help`] for objects that are not locks;
//! - [`permits_acquired`] and its like for semaphores;
//! - what is in [`memory`] for atomics and cells, in [`region`] for what the program says of itself;
//! - [`channel()`] and what [`Handle`] does for channels;
//! - [`upgrade`], [`try_upgrade`], [`downgrade`], [`cond_wait`], [`notify`] for the rest.

mod bell;
mod chains;
mod channel;
mod counts;
mod deadlock;
mod episode;
mod fast;
mod global;
mod held;
mod helpers;
mod hierarchy;
mod hold;
mod kernel;
mod knot;
mod leak;
pub mod memory;
mod message;
mod meta;
mod misuse;
mod model;
mod object;
mod observer;
mod once;
mod op;
mod ops;
mod order;
mod parking;
mod permits;
mod process;
mod record;
mod recorder;
mod reentry;
pub mod region;
mod report;
mod search;
mod session;
mod slots;
mod stack;
mod stuck;
mod thread;
mod threads;
mod turns;
mod unfollow;
mod waiting;
mod watch;
mod words;
mod wrapper;

pub(crate) use global::install;
#[cfg(fuzzing)]
pub(crate) use hierarchy::check as check_hierarchy;

pub use backtrace::Backtrace;
pub use channel::{ChannelOptions, Handle, Sharing, channel};
pub use global::is_tracking;
pub use hold::Hold;
pub use leak::leaked;
pub use message::{Envelope, Missed, Refused, Sending};
pub use meta::{LockMeta, LockRef};
pub use object::{Act, Helper, block, capacity, may_help, may_help_as, note};
pub use once::{Turn, initialise, observed, wait_initialised};
pub use ops::{
    acquire, acquire_timed, adopt, cond_wait, downgrade, notify, poisoned, release, release_unguarded, try_acquire,
    try_upgrade, upgrade,
};
pub use parking::{current_thread, park, sleep, unpark};
pub use permits::{permits_acquired, permits_forgotten, permits_merged, permits_released, permits_split};
pub use session::Session;
pub use stuck::{Stuck, deadlocks};
pub use threads::{Spawned, scope_wait};
pub use unfollow::unfollow;

pub use lockscope_trace::{LockKind, MemoryOrder, Mode, Need, Side};
/// A place in the source, as `#[track_caller]` functions see it.
pub type Site = &'static std::panic::Location<'static>;
