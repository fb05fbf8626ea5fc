//! An acquisition in progress: what all kinds of it share.

use std::{ptr, time::Duration};

use lockscope_trace::{How, clock, format::kind};

use super::{
    Hold, LockRef, Mode, Site,
    chains::Chain,
    deadlock::search_and_report,
    global::{self, flag, flags},
    held::{HeldLock, SlotPtr},
    misuse, order, record, reentry,
    report::{Draft, elapsed, held_for, mode_words, thread_name},
    stack,
    thread::{self, Entered},
    unfollow,
    waiting::{self, Target, WaitGuard, Waiting},
    wrapper::{self, Asked},
};
use crate::config::Stacks;

/// What a wait without a limit promises.
pub(super) const ENDLESS: &str = "a wait without a limit ends with the lock";

/// An operation on a lock in progress.
pub(super) struct Op<'a> {
    pub entered: Entered,
    lock: LockRef<'a>,
    id: u32,
    mode: Mode,
    how: How,
    site: Site,
    /// Its id in the trace.
    site_id: u32,
    flags: u32,
    /// A free slot for the acquisition.
    slot: SlotPtr,
    /// Who asks, where that matters.
    asked: Option<Asked>,
}

impl<'a> Op<'a> {
    /// `None` when nothing is switched on, or this thread is in the runtime already.
    #[inline]
    pub(super) fn begin(lock: LockRef<'a>, mode: Mode, how: How, site: Site) -> Option<Self> {
        let flags = flags();
        if flags & flag::TRACK == 0 {
            return None;
        }
        let Some(entered) = thread::enter() else {
            reentry::note(lock);
            return None;
        };
        if !reentry::may_allocate(entered.info) {
            return None;
        }
        let Some(id) = lock.id_at(site) else {
            if let Some(id) = lock.unfollowed_id() {
                unfollow::end_own_holds(&entered, id);
            }
            return None;
        };
        // What has to allocate does so here: once the lock is held nothing may, since it may be the allocator's.
        let slot = entered.info.held.reserve()?;
        let how = match how {
            How::Lock if lock.is_recursive() => How::Recursive,
            How::Timed if lock.is_recursive() => How::RecursiveTimed,
            how => how,
        };
        let mut site_id = 0;
        if flags & flag::RECORD != 0 {
            record::prepare(&entered);
            site_id = record::site_id(&entered, site);
        }
        let asked = wrapper::ask(&entered, lock, how, site);
        if let Some(asked) = asked {
            record::define_stack(asked.stack);
        }
        Some(Self { id, entered, lock, mode, how, site, site_id, flags, slot, asked })
    }

    /// Checks the order and the rank, unless this thread has had the same set of locks and the same lock checked before.
    #[inline]
    pub(super) fn check_order(&self) {
        if self.flags & flag::ORDER == 0 {
            return;
        }
        if self.lock.is_first_write(self.mode) && self.lock.note_written() {
            order::note_written(&self.entered, self.id, self.site);
        }
        let chain = |key| Chain::new(key, self.id, self.mode, self.lock.is_recursive());
        let key = thread::this().owner.key();
        if key == 0 || self.entered.local().chains.contains(chain(key)) {
            return;
        }
        // Counted, not remembered: this may be a signal handler, which saw the set's key between two steps of the fast path.
        self.check_new_chain(chain(self.entered.info.held.recount()));
    }

    #[cold]
    fn check_new_chain(&self, chain: Chain) {
        let request = order::Request {
            lock: self.lock.facts(self.id),
            mode: self.mode,
            recursive: self.lock.is_recursive(),
            site: self.site,
            stack: self.asked.map(|asked| asked.stack),
        };
        let checked = order::check(&self.entered, &request);
        if let Some(stack) = checked.stack {
            record::define_stack(stack);
            record::attach_stack(&self.entered, stack);
        }
        if !checked.counts {
            self.entered.remember(chain);
        }
    }

    /// Notes the acquisition; call while the lock is held.
    #[inline]
    pub(super) fn acquired(&self) -> Hold {
        let ticks = if self.flags & flag::TIMES != 0 { clock::ticks() } else { 0 };
        if self.mode == Mode::Exclusive {
            self.lock.meta.set_owner_hint(ptr::from_ref(self.entered.info));
        }
        // Recorded before it is in the set: a section that begins with this event lists what was held before it.
        if self.flags & flag::RECORD != 0 {
            self.attach_stack();
            record::acquired(&self.entered, self.lock.meta, self.id, self.mode, self.how, self.site_id, ticks);
        }
        let is_probed = self.asked.is_some_and(|asked| asked.acquired(&self.entered, self.slot, self.id, self.site));
        self.entered.info.held.fill(
            self.slot,
            &HeldLock {
                lock: self.id,
                mode: self.mode,
                kind: self.lock.kind(),
                site: self.site,
                created: self.lock.created(),
                type_name: self.lock.type_name,
                since: ticks,
                fate: self.lock.fate(),
                from: self.asked.map(|asked| asked.stack),
                permits: 1,
            },
        );
        let hold = Hold::new(self.slot, self.mode);
        if is_probed { hold.probed() } else { hold }
    }

    fn attach_stack(&self) {
        if let Some(asked) = self.asked {
            record::attach_stack(&self.entered, asked.stack);
        }
    }

    /// Notes that a hold changed its mode; call while the stronger of both is held.
    pub(super) fn changed(&self, hold: &mut Hold) {
        if hold.owner() == Some(self.entered.info.index) {
            self.entered.info.held.change_mode(self.id, hold.mode(), self.mode, hold.slot());
        } else if let Some(owner) = hold.owner().and_then(thread::by_index) {
            // The guard came from another thread: from now on the acquisition is this one's.
            let owner_id = owner.id.load(std::sync::atomic::Ordering::Relaxed);
            if owner.held.remove_foreign(self.id, hold.mode(), hold.slot()) && self.flags & flag::RECORD != 0 {
                record::released(&self.entered, self.id, Some(owner_id), hold.mode(), hold.access(), 0);
            }
            *hold = self.acquired();
            return;
        }
        hold.set_mode(self.mode);
        if self.mode == Mode::Exclusive {
            self.lock.meta.set_owner_hint(ptr::from_ref(self.entered.info));
        }
        if self.flags & flag::RECORD != 0 {
            let ticks = clock::ticks();
            record::acquired(&self.entered, self.lock.meta, self.id, self.mode, self.how, self.site_id, ticks);
        }
    }

    pub(super) fn record_failure(&self, kind: u8) {
        if self.flags & flag::RECORD != 0 {
            record::lock_event(&self.entered, kind, self.id, self.mode, self.how, self.site);
        }
    }

    /// Notes a try that failed: many in a row are a busy wait.
    pub(super) fn note_failed_try(&self) {
        misuse::failed_try(&self.entered, self.lock, self.id, self.mode, self.site);
    }

    /// Waits without a limit of the program's; the configured one is reported.
    #[cold]
    pub(super) fn wait_endless<G>(&self, upgrade: bool, wait: &mut dyn FnMut(Option<Duration>) -> Option<G>) -> G {
        self.waiting(false, upgrade, || {
            if let Some(limit) = global::config().timeout {
                if let Some(guard) = wait(Some(limit)) {
                    return guard;
                }
                self.report_timeout(limit);
            }
            wait(None).expect(ENDLESS)
        })
    }

    #[cold]
    pub(super) fn wait_limited<G>(&self, upgrade: bool, wait: impl FnOnce() -> Option<G>) -> Option<G> {
        let guard = self.waiting(true, upgrade, wait);
        if guard.is_none() {
            self.record_failure(kind::TIMED_OUT);
        }
        guard
    }

    /// Whether some thread is known to hold the lock exclusively.
    pub(super) fn is_held_exclusively(&self) -> bool {
        let owner = self.lock.meta.owner_hint().and_then(thread::by_index);
        owner.is_some_and(|owner| owner.held.find(self.id, Mode::Exclusive).is_some())
    }

    /// Publishes that this thread waits to share the lock, unless it turns out that it need not, and searches for a deadlock.
    /// The wait is recorded when it is `certain`.
    pub(super) fn announce(&self, certain: bool) -> WaitGuard<'static> {
        if certain {
            self.record_wait(Mode::Shared, How::Recursive);
        }
        self.publish_wait(Mode::Shared, true, false, false)
    }

    /// Publishes the wait, searches for a deadlock, waits.
    fn waiting<R>(&self, limited: bool, upgrade: bool, wait: impl FnOnce() -> R) -> R {
        self.record_wait(self.mode, self.how);
        let _waiting = self.publish_wait(self.mode, self.lock.is_recursive(), limited, upgrade);
        wait()
    }

    fn publish_wait(&self, mode: Mode, recursive: bool, limited: bool, upgrade: bool) -> WaitGuard<'static> {
        let waiting = Waiting {
            episode: 0,
            target: Target::Lock { lock: self.id, mode, kind: self.lock.kind(), upgrade, recursive },
            site: self.site,
            created: self.lock.created(),
            type_name: self.lock.type_name,
            since: clock::ticks(),
            limited,
            owner: self.lock.meta.owner_hint(),
            stack: self.asked.map(|asked| asked.stack),
        };
        let guard = waiting::begin(&self.entered, waiting);
        if self.flags & flag::DEADLOCK != 0 {
            search_and_report(&self.entered, true);
        }
        guard
    }

    fn record_wait(&self, mode: Mode, how: How) {
        if self.flags & flag::RECORD == 0 {
            return;
        }
        self.attach_stack();
        if global::config().stacks == Stacks::All
            && let Some(stack) = wrapper::stack_of(&self.entered, self.site)
        {
            record::define_stack(stack);
            record::attach_stack(&self.entered, stack);
        }
        record::lock_event(&self.entered, kind::WAIT, self.id, mode, how, self.site);
    }

    fn report_timeout(&self, limit: Duration) {
        let lock = self.lock.facts(self.id);
        let name = lock.describe();
        let limit = lockscope_trace::Nanos(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
        let title = format!("{} waits for {name} for longer than {limit}", thread_name(self.entered.info));
        let mut draft = Draft::new("lock-timeout", "error", "actual", title);
        draft.about_lock(self.id);
        draft.line(&format!("it asks for {name}{} at {}", mode_words(lock.kind, self.mode), self.site));
        let mut nobody = true;
        for holder in thread::all() {
            for held in holder.held.of_lock(self.id) {
                nobody = false;
                draft.line(&format!(
                    "{} took {name}{} at {}{}",
                    thread_name(holder),
                    mode_words(held.kind, held.mode),
                    held.site,
                    held_for(held.since)
                ));
                if let Some(waiting) = holder.wait.read() {
                    draft.line(&format!("  and waits itself at {}, for {}", waiting.site, elapsed(waiting.since)));
                }
            }
        }
        if nobody {
            draft.line("no thread is known to hold it: it may have just been released, or be held by code that is not instrumented");
        }
        draft.stack("stack of the wait:", stack::capture(), self.site);
        draft.line("help: hold the lock for less time, or raise the limit; the wait goes on");
        draft.publish(&self.entered, global::config().on_timeout);
    }
}
