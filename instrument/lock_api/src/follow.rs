//! What tells the runtime. `off` has the same names and tells nobody.

pub(crate) use lockscope::rt::{
    Hold, LockKind, LockMeta, LockRef, Mode, acquire, acquire_timed, adopt, downgrade, release, release_unguarded,
    try_acquire, try_upgrade, unfollow, upgrade,
};
// 0.5's own.
#[allow(unused_imports)]
pub(crate) use lockscope::rt::{cond_wait, notify};
