//! Channels, as far as std's and crossbeam's facades share them: what lockscope keeps of a channel, and who has its handles.
//!
//! Whoever has a sender can end a receiver's wait, and the other way around, so searches ask who has what. Handles can be given
//! to other threads unseen, in a closure or inside of a message; it shows only when they are used there. What is known:
//!
//! | a handle is | when | counts for | events |
//! | --- | --- | --- | --- |
//! | unknown | made while nothing was followed | nobody | none |
//! | made | not used since it was made or cloned | [`Helper::Anyone`]: it is often made to be given away | added, by the thread that made it |
//! | used | by one thread at a time | [`Helper::Thread`], the last one that used it | unless that is the owner: added by the user, dropped for the owner before |
//! | shared | two threads have used a handle that can be borrowed by several | [`Helper::Anyone`] | the same for the second thread, then none |
//!
//! [`Act::Sent`](super::Act::Sent) and [`Act::Received`](super::Act::Received) say in each case who used the channel.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use lockscope_trace::{LockKind, Need, Side};

use super::{
    Act, Helper, LockMeta, LockRef, Site,
    global::{flag, flags},
    object::{capacity, may_help_as, note, note_unplaced},
    thread,
};

/// What lockscope keeps of a channel, shared by its handles.
struct Channel {
    meta: LockMeta,
    type_name: fn() -> &'static str,
    bound: Option<usize>,
    /// The bound is in the trace, or there is none.
    bound_is_told: AtomicBool,
}

/// Whether several threads can borrow one handle at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// No: a handle that another thread uses has been given to it.
    Moved,
    /// Yes.
    Borrowed,
}

/// What is known of a new channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelOptions {
    /// Name that reports use.
    pub name: Option<&'static str>,
    /// How many messages fit: 0 for a rendezvous, `None` without limit.
    pub bound: Option<usize>,
}

/// lockscope's part of a sender or receiver: the channel, and who has this handle.
///
/// A facade drops it *before* the wrapped handle, so that the end of a handle is noted before anybody can find the
/// channel disconnected.
pub struct Handle {
    channel: Arc<Channel>,
    side: Side,
    sharing: Sharing,
    who: AtomicU64,
}

/// The first handles of a new channel for messages of type `T`, made where the caller was called.
#[track_caller]
pub fn channel<T>(options: ChannelOptions, receivers: Sharing) -> (Handle, Handle) {
    let mut meta = LockMeta::new();
    if let Some(name) = options.name {
        meta.set_name(name);
    }
    let channel = Arc::new(Channel {
        meta,
        type_name: std::any::type_name::<T>,
        bound: options.bound,
        bound_is_told: AtomicBool::new(options.bound.is_none()),
    });
    let site = std::panic::Location::caller();
    let sender = Handle::made(Arc::clone(&channel), Side::Sender, Sharing::Borrowed, site);
    (sender, Handle::made(channel, Side::Receiver, receivers, site))
}

/// Who has a handle; see the table above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Who {
    Unknown,
    Made(u32),
    Used(u32),
    Shared(u32),
}

impl Who {
    const fn to_word(self) -> u64 {
        match self {
            Who::Unknown => 0,
            Who::Made(thread) => 1 << 32 | thread as u64,
            Who::Used(thread) => 2 << 32 | thread as u64,
            Who::Shared(thread) => 3 << 32 | thread as u64,
        }
    }

    fn of_word(word: u64) -> Self {
        let thread = word as u32;
        match word >> 32 {
            0 => Who::Unknown,
            1 => Who::Made(thread),
            2 => Who::Used(thread),
            _ => Who::Shared(thread),
        }
    }

    fn owner(self) -> Option<u32> {
        match self {
            Who::Unknown => None,
            Who::Made(thread) | Who::Used(thread) | Who::Shared(thread) => Some(thread),
        }
    }

    fn helper(self) -> Option<Helper> {
        match self {
            Who::Unknown => None,
            Who::Made(_) | Who::Shared(_) => Some(Helper::Anyone),
            Who::Used(thread) => Some(Helper::Thread(thread)),
        }
    }

    /// After a use by `me`.
    fn used_by(self, me: u32, sharing: Sharing) -> Self {
        match self {
            Who::Used(thread) if thread != me && sharing == Sharing::Borrowed => Who::Shared(me),
            Who::Shared(_) => self,
            _ => Who::Used(me),
        }
    }
}

impl Handle {
    fn made(channel: Arc<Channel>, side: Side, sharing: Sharing, site: Site) -> Self {
        let handle = Self { channel, side, sharing, who: AtomicU64::new(Who::Unknown.to_word()) };
        if flags() & flag::TRACK != 0
            && let Some(me) = this_thread()
        {
            handle.change(Who::Unknown, Who::Made(me), me, site);
        }
        handle
    }

    /// Another handle to the same side, made by this thread.
    #[must_use]
    pub fn another(&self, site: Site) -> Self {
        Self::made(Arc::clone(&self.channel), self.side, self.sharing, site)
    }

    /// Notes that this thread uses the handle. Costs two loads when it did so before.
    #[inline]
    pub fn used(&self, site: Site) {
        if flags() & flag::TRACK == 0 {
            return;
        }
        let who = self.who.load(Ordering::Relaxed);
        let known = thread::current().is_some_and(|info| who == Who::Used(info.id.load(Ordering::Relaxed)).to_word());
        if !known && !matches!(Who::of_word(who), Who::Shared(_)) {
            self.used_newly(site);
        }
    }

    #[cold]
    fn used_newly(&self, site: Site) {
        let Some(me) = this_thread() else { return };
        let mut who = Who::of_word(self.who.load(Ordering::Relaxed));
        loop {
            let new = who.used_by(me, self.sharing);
            if new == who || self.change(who, new, me, site) {
                return;
            }
            who = Who::of_word(self.who.load(Ordering::Relaxed));
        }
    }

    /// Changes who has the handle, unless another thread was faster, and says so. The new reason counts before the old one ceases to,
    /// lest a search in between find nobody.
    fn change(&self, old: Who, new: Who, me: u32, site: Site) -> bool {
        if self.who.compare_exchange(old.to_word(), new.to_word(), Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        let lock = self.lock_ref();
        if !self.channel.bound_is_told.load(Ordering::Relaxed) && flags() & flag::RECORD != 0 {
            self.tell_bound();
        }
        if old.owner() != Some(me) {
            note(lock, Act::HandleAdded(self.side), site);
            if let Some(owner) = old.owner() {
                note(lock, Act::HandleDropped(self.side, owner), site);
            }
        }
        for (helper, by) in [(new.helper(), 1), (old.helper(), -1)] {
            if let Some(helper) = helper {
                may_help_as(helper, lock, self.gives(), by);
            }
        }
        true
    }

    fn tell_bound(&self) {
        if let Some(bound) = self.channel.bound
            && !self.channel.bound_is_told.swap(true, Ordering::Relaxed)
        {
            capacity(self.lock_ref(), bound as u64);
        }
    }

    /// The channel.
    #[inline]
    pub fn lock_ref(&self) -> LockRef<'_> {
        LockRef::of_type(&self.channel.meta, LockKind::Channel, self.channel.type_name)
    }

    /// What waits at this side need.
    #[inline]
    pub fn needs(&self) -> Need {
        match self.side {
            Side::Sender => Need::Room,
            Side::Receiver => Need::Message,
        }
    }

    /// What this side gives to waits at the other one.
    fn gives(&self) -> Need {
        match self.side {
            Side::Sender => Need::Message,
            Side::Receiver => Need::Room,
        }
    }
}

/// The end of a handle, unless nothing was ever said of it.
impl Drop for Handle {
    fn drop(&mut self) {
        let who = Who::of_word(*self.who.get_mut());
        let Some(owner) = who.owner() else { return };
        note_unplaced(self.lock_ref(), Act::HandleDropped(self.side, owner));
        if let Some(helper) = who.helper() {
            may_help_as(helper, self.lock_ref(), self.gives(), -1);
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = Who::of_word(self.who.load(Ordering::Relaxed));
        f.debug_struct("Handle").field("side", &self.side).field("who", &who).finish_non_exhaustive()
    }
}

/// Id of this thread, which is registered if need be; `None` inside of the runtime.
fn this_thread() -> Option<u32> {
    thread::enter().map(|entered| entered.info.id.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses of a handle made by thread 1, by threads in turn, and who has it then.
    fn check(sharing: Sharing, users: &[u32], expected: Who, helper: Helper) {
        let who = users.iter().fold(Who::Made(1), |who, &user| who.used_by(user, sharing));
        assert_eq!(who, expected, "{sharing:?} {users:?}");
        assert_eq!(who.helper(), Some(helper), "{sharing:?} {users:?}");
        assert_eq!(Who::of_word(who.to_word()), who);
    }

    #[test]
    fn handles_belong_to_who_uses_them() {
        use Sharing::{Borrowed, Moved};
        check(Moved, &[], Who::Made(1), Helper::Anyone);
        for sharing in [Moved, Borrowed] {
            check(sharing, &[1], Who::Used(1), Helper::Thread(1));
            check(sharing, &[2, 2], Who::Used(2), Helper::Thread(2));
        }
        check(Moved, &[1, 2], Who::Used(2), Helper::Thread(2));
        check(Moved, &[1, 2, 1], Who::Used(1), Helper::Thread(1));
        check(Borrowed, &[1, 2], Who::Shared(2), Helper::Anyone);
        check(Borrowed, &[2, 3, 2, 1], Who::Shared(3), Helper::Anyone);
        assert_eq!(Who::Unknown.used_by(7, Borrowed), Who::Used(7));
    }
}
