//! The state of every thread and every lock at a point of the merged order.

use lockscope_trace::{Access, Event, How, LockId, Mode, Nanos, Need, Op, SiteId, StackId, ThreadId};

use crate::finding::{Held, Target};

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Activity {
    /// Announced by its parent, no event of its own yet.
    #[default]
    NotStarted,
    /// Neither waiting nor ended, as far as the trace tells.
    Running,
    /// Waiting for something since a time.
    Blocked {
        /// For what.
        target: Target,
        /// By which kind of call; [`How::Lock`] where the event does not tell.
        how: How,
        /// Since when.
        since: Nanos,
        /// Where it asked.
        site: Option<SiteId>,
        /// The stack then.
        stack: Option<StackId>,
        /// Position of the wait, from 1.
        event: u64,
    },
    /// Ended.
    Finished,
}

/// A thread's state.
#[derive(Clone, Debug, Default)]
pub struct ThreadState {
    /// What it is doing.
    pub activity: Activity,
    /// What it holds, in order of acquisition.
    pub held: Vec<Held>,
    /// Its last event's site.
    pub last_site: Option<SiteId>,
    /// Time of its last event.
    pub last_time: Nanos,
    /// Events so far.
    pub events: u64,
    /// Total time spent blocked so far, completed waits only.
    pub blocked_total: Nanos,
}

/// A lock's state.
#[derive(Clone, Debug, Default)]
pub struct LockState {
    /// Who holds it, how, since when.
    pub holders: Vec<(ThreadId, Mode, Nanos)>,
    /// Who waits for it, in order of arrival, since when.
    pub waiters: Vec<(ThreadId, Mode, Nanos)>,
    /// Acquisitions so far.
    pub acquisitions: u64,
    /// Acquisitions that had to wait.
    pub contended: u64,
    /// What the last critical section did.
    pub last_access: Access,
    /// Found poisoned.
    pub poisoned: bool,
    /// End of its life was seen.
    pub destroyed: bool,
}

/// State of all threads and locks after a number of events.
///
/// Grows to the highest ids in the events; sources deliver only ids that they have defined.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By [`ThreadId`].
    pub threads: Vec<ThreadState>,
    /// By [`LockId`].
    pub locks: Vec<LockState>,
    /// Events applied so far.
    pub position: u64,
    /// Time of the last event applied.
    pub time: Nanos,
}

impl State {
    /// Applies the next event. O(locks held by its thread + threads at its lock).
    ///
    /// Consistent input is not required: what does not fit (a release of a lock that is not held, an acquisition by a
    /// thread that was waiting for something else) is taken to mean that events are missing, and the event is believed.
    pub fn apply(&mut self, event: &Event) {
        self.position += 1;
        self.time = self.time.max(event.time);
        let me = event.thread;
        {
            let thread = self.thread_mut(me);
            thread.events += 1;
            thread.last_time = event.time;
            if event.site.is_some() {
                thread.last_site = event.site;
            }
            if thread.activity == Activity::NotStarted {
                thread.activity = Activity::Running;
            }
        }
        match event.op {
            Op::Wait { lock, mode, .. } => {
                self.unblock(me, event.time);
                self.block(event, Target::Lock(lock, mode));
                self.lock_mut(lock).waiters.push((me, mode, event.time));
            }
            Op::Acquired { lock, mode, how, .. } => self.acquire(event, lock, mode, how),
            Op::Released { lock, owner, mode, access } => {
                self.release(lock, owner, mode);
                let lock = self.lock_mut(lock);
                lock.last_access = access;
                // A condition variable's wait releases the mutex from inside the wait; any other release is a sign
                // that its thread runs.
                if !matches!(self.activity(me), Activity::Blocked { target: Target::Object(_, Need::Notify), .. }) {
                    self.unblock(me, event.time);
                }
            }
            Op::Poisoned { lock } => self.lock_mut(lock).poisoned = true,
            Op::Destroyed { lock } => self.lock_mut(lock).destroyed = true,
            Op::CondWait { condvar, .. } => {
                self.unblock(me, event.time);
                self.block(event, Target::Object(condvar, Need::Notify));
                self.lock_mut(condvar).waiters.push((me, Mode::Exclusive, event.time));
            }
            Op::Block { object, need, .. } => {
                // Of several in a row the first one stands for all.
                if !matches!(self.activity(me), Activity::Blocked { target: Target::Object(..), .. }) {
                    self.unblock(me, event.time);
                    self.block(event, Target::Object(object, need));
                    self.lock_mut(object).waiters.push((me, Mode::Exclusive, event.time));
                }
            }
            Op::Park { .. } => {
                self.unblock(me, event.time);
                self.block(event, Target::Token);
            }
            Op::Spawn { child } => {
                self.unblock(me, event.time);
                self.thread_mut(child);
            }
            Op::JoinWait { child } => {
                self.unblock(me, event.time);
                self.thread_mut(child);
                self.block(event, Target::Thread(child));
            }
            Op::Joined { child } => {
                self.unblock(me, event.time);
                self.finish(child, event.time);
            }
            Op::Exit => {
                self.unblock(me, event.time);
                self.finish(me, event.time);
            }
            // Recorded by a thread that may well be about to block: in-process detection reports from inside the wait.
            Op::Finding { .. } | Op::Mark { .. } => {}
            // Releases may be among what is missing: nothing that the thread held or waited for is known any more.
            Op::Dropped { .. } => {
                self.unblock(me, event.time);
                let held = self.thread(me).map(|thread| thread.held.clone()).unwrap_or_default();
                for held in held {
                    self.release(held.lock, me, Some(held.mode));
                }
            }
            Op::TryFailed { .. }
            | Op::TimedOut { .. }
            | Op::CondWake { .. }
            | Op::Notify { .. }
            | Op::Start
            | Op::Read { .. }
            | Op::Write { .. }
            | Op::AtomicLoad { .. }
            | Op::AtomicStore { .. }
            | Op::AtomicUpdate { .. }
            | Op::Fence { .. }
            | Op::Unblock { .. }
            | Op::PermitsAcquired { .. }
            | Op::PermitsReleased { .. }
            | Op::PermitsAdded { .. }
            | Op::PermitsForgotten { .. }
            | Op::BarrierArrived { .. }
            | Op::BarrierLeft { .. }
            | Op::Observed { .. }
            | Op::Sent { .. }
            | Op::Received { .. }
            | Op::HandleAdded { .. }
            | Op::HandleDropped { .. }
            | Op::SendFailed { .. }
            | Op::Disconnected { .. }
            | Op::Unparked
            | Op::Unpark { .. }
            | Op::Sleep
            | Op::Awake
            | Op::RegionBegin
            | Op::RegionEnd => self.unblock(me, event.time),
        }
    }

    /// The thread, when it was seen.
    pub fn thread(&self, id: ThreadId) -> Option<&ThreadState> {
        self.threads.get(id.0 as usize)
    }

    /// The lock, when it was seen.
    pub fn lock(&self, id: LockId) -> Option<&LockState> {
        self.locks.get(id.0 as usize)
    }

    fn acquire(&mut self, event: &Event, lock: LockId, mode: Mode, how: How) {
        let me = event.thread;
        let waited = matches!(self.activity(me), Activity::Blocked { target: Target::Lock(l, _), .. } if l == lock);
        self.unblock(me, event.time);
        let hold = Held { lock, mode, site: event.site, stack: event.stack, since: event.time, event: self.position };
        let replaces = matches!(how, How::Upgrade | How::Downgrade);
        let thread = self.thread_mut(me);
        match thread.held.iter_mut().rev().find(|held| replaces && held.lock == lock) {
            // A weaker hold is still the old one, taken where it was; a stronger one was asked for here.
            Some(held) if how == How::Downgrade => held.mode = mode,
            Some(held) => *held = hold,
            None => thread.held.push(hold),
        }
        let state = self.lock_mut(lock);
        state.acquisitions += u64::from(how != How::Downgrade);
        state.contended += u64::from(waited);
        match state.holders.iter_mut().rev().find(|(thread, ..)| replaces && *thread == me) {
            Some(holder) => *holder = (me, mode, if how == How::Downgrade { holder.2 } else { event.time }),
            None => state.holders.push((me, mode, event.time)),
        }
    }

    /// Ends the latest hold of the mode; when none is said, an upgradable one only if there is no other.
    fn release(&mut self, lock: LockId, owner: ThreadId, mode: Option<Mode>) {
        let fits = |held: Mode| mode.map_or(held != Mode::Upgradable, |mode| mode == held);
        let held = &mut self.thread_mut(owner).held;
        let of_lock = |exact: bool| move |held: &Held| held.lock == lock && (!exact || fits(held.mode));
        if let Some(index) = held.iter().rposition(of_lock(true)).or_else(|| held.iter().rposition(of_lock(false))) {
            held.remove(index);
        }
        let holders = &mut self.lock_mut(lock).holders;
        let of_owner = |exact: bool| {
            move |(holder, held, _): &(ThreadId, Mode, Nanos)| *holder == owner && (!exact || fits(*held))
        };
        if let Some(index) =
            holders.iter().rposition(of_owner(true)).or_else(|| holders.iter().rposition(of_owner(false)))
        {
            holders.remove(index);
        }
    }

    fn block(&mut self, event: &Event, target: Target) {
        let Event { time: since, site, stack, .. } = *event;
        let how = if let Op::Wait { how, .. } = event.op { how } else { How::Lock };
        self.thread_mut(event.thread).activity =
            Activity::Blocked { target, how, since, site, stack, event: self.position };
    }

    /// Ends the wait of `id`, if it waits.
    fn unblock(&mut self, id: ThreadId, now: Nanos) {
        let thread = self.thread_mut(id);
        let Activity::Blocked { target, since, .. } = thread.activity else { return };
        thread.activity = Activity::Running;
        thread.blocked_total.0 = thread.blocked_total.0.saturating_add(now.since(since).0);
        let (Target::Lock(lock, _) | Target::Object(lock, _)) = target else { return };
        let waiters = &mut self.lock_mut(lock).waiters;
        if let Some(index) = waiters.iter().position(|(waiter, ..)| *waiter == id) {
            waiters.remove(index);
        }
    }

    fn finish(&mut self, id: ThreadId, now: Nanos) {
        self.unblock(id, now);
        self.thread_mut(id).activity = Activity::Finished;
    }

    fn activity(&self, id: ThreadId) -> Activity {
        self.thread(id).map_or(Activity::NotStarted, |thread| thread.activity)
    }

    fn thread_mut(&mut self, id: ThreadId) -> &mut ThreadState {
        let index = id.0 as usize;
        if index >= self.threads.len() {
            self.threads.resize(index + 1, ThreadState::default());
        }
        &mut self.threads[index]
    }

    fn lock_mut(&mut self, id: LockId) -> &mut LockState {
        let index = id.0 as usize;
        if index >= self.locks.len() {
            self.locks.resize(index + 1, LockState::default());
        }
        &mut self.locks[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{parse, run};

    /// Threads as `activity: locks held`, locks as `holders / waiters`.
    fn shown(trace: &str) -> (Vec<String>, Vec<String>) {
        let (analysis, definitions) = run(trace);
        let state = analysis.state();
        let name = |lock| definitions.lock_name(lock);
        let thread = |thread: &ThreadState| {
            let activity = match thread.activity {
                Activity::NotStarted => "new".to_owned(),
                Activity::Running => "runs".to_owned(),
                Activity::Finished => "ended".to_owned(),
                Activity::Blocked { target: Target::Lock(lock, mode), .. } => format!("{} {}", mode.word(), name(lock)),
                Activity::Blocked { target: Target::Thread(child), .. } => format!("joins {child}"),
                Activity::Blocked { target: Target::Object(object, _), .. } => format!("awaits {}", name(object)),
                Activity::Blocked { target: Target::Token, .. } => "parked".to_owned(),
            };
            let held: Vec<String> =
                thread.held.iter().map(|held| format!("{} {}", held.mode.word(), name(held.lock))).collect();
            format!("{activity}: {}", held.join(", "))
        };
        let list = |list: &[(ThreadId, Mode, Nanos)]| {
            list.iter().map(|(thread, mode, _)| format!("{thread} {}", mode.word())).collect::<Vec<_>>().join(", ")
        };
        let lock = |lock: &LockState| format!("{} / {}", list(&lock.holders), list(&lock.waiters));
        (state.threads.iter().map(thread).collect(), state.locks.iter().map(lock).collect())
    }

    #[track_caller]
    fn check(trace: &str, threads: &[&str], locks: &[&str]) {
        assert_eq!(
            shown(trace),
            (threads.iter().map(|s| s.to_string()).collect(), locks.iter().map(|s| s.to_string()).collect())
        );
    }

    #[test]
    fn holders_and_waiters() {
        check(
            "A: lock a; B: wait a; C: wait a",
            &["runs: exclusive a", "exclusive a: ", "exclusive a: "],
            &["T0 exclusive / T1 exclusive, T2 exclusive"],
        );
        check(
            "A: lock a; B: wait a; C: wait a; A: unlock a; C: lock a",
            &["runs: ", "exclusive a: ", "runs: exclusive a"],
            &["T2 exclusive / T1 exclusive"],
        );
        check("A: read a, read a, unlock a", &["runs: shared a"], &["T0 shared / "]);
        check("A: lock a; B: wait a, timeout a", &["runs: exclusive a", "runs: "], &["T0 exclusive / "]);
    }

    #[test]
    fn upgrades_and_downgrades_replace() {
        check("A: upread a, upgrade a", &["runs: exclusive a"], &["T0 exclusive / "]);
        check("A: upread a, upgrade a, downgrade a", &["runs: shared a"], &["T0 shared / "]);
        check("A: upread a, upgrade a, unlock a", &["runs: "], &[" / "]);
    }

    #[test]
    fn condition_variables() {
        // The condition variable is defined first.
        let wait = "A: lock m, condwait c m, unlock m";
        check(wait, &["awaits c: "], &[" / ", " / T0 exclusive"]);
        check(&format!("{wait}, reget m"), &["runs: exclusive m"], &["T0 exclusive / ", " / "]);
        check(&format!("{wait}, wait m"), &["exclusive m: "], &[" / T0 exclusive", " / "]);
    }

    #[test]
    fn lives() {
        check("A: spawn B", &["runs: ", "new: "], &[]);
        check("A: spawn B, joinwait B; B: start", &["joins T1: ", "runs: "], &[]);
        check("A: spawn B; B: exit; A: join B", &["runs: ", "ended: "], &[]);
    }

    #[test]
    fn reports_come_from_inside_of_waits() {
        check(
            "A: lock a; B: wait a, finding lock-timeout",
            &["runs: exclusive a", "exclusive a: "],
            &["T0 exclusive / T1 exclusive"],
        );
    }

    #[test]
    fn a_guard_may_be_released_elsewhere() {
        let (mut events, _) = parse("A: lock a; B: unlock a");
        let Op::Released { owner, .. } = &mut events[1].op else { panic!("a release") };
        *owner = ThreadId(0);
        let mut state = State::default();
        events.iter().for_each(|event| state.apply(event));
        assert!(state.threads[0].held.is_empty() && state.locks[0].holders.is_empty());
    }

    #[test]
    fn inconsistent_events_are_believed() {
        check("A: unlock a, unlock a", &["runs: "], &[" / "]);
        check("A: lock a; B: lock a; A: unlock a", &["runs: ", "runs: exclusive a"], &["T1 exclusive / "]);
        check("A: wait a, wait b", &["exclusive b: "], &[" / ", " / T0 exclusive"]);
        check("A: upgrade a, downgrade b", &["runs: exclusive a, shared b"], &["T0 exclusive / ", "T0 shared / "]);
        check("A: exit, lock a", &["ended: exclusive a"], &["T0 exclusive / "]);
    }

    #[test]
    fn times_of_waits_are_added_up() {
        let (analysis, _) =
            run("A: lock a @10; B: wait a @20; A: unlock a @90; B: lock a @95, wait b @100, lock b @101");
        assert_eq!(analysis.state().threads[1].blocked_total, Nanos(76));
        let lock = &analysis.state().locks[0];
        assert_eq!((lock.acquisitions, lock.contended), (2, 1));
    }
}
