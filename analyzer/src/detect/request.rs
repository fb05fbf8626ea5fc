//! Requests for locks: calls that could have waited, with what their thread held then.

use lockscope_trace::{Event, How, LockId, Mode, Nanos, Op, SiteId, StackId, ThreadId};

use crate::{
    finding::{Held, Target, Wanted},
    state::{State, ThreadState, Wait},
};

/// A call that could wait for a lock, granted, given up or still waiting.
///
/// A try is none, since it returns at once; the lock it may get counts as held for later requests. That is the rule of
/// Linux's lockdep, too. A lock taken back at the end of a wait on a condition variable is one like any other.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Who asked.
    pub thread: ThreadId,
    /// For what.
    pub lock: LockId,
    /// How.
    pub mode: Mode,
    /// The call had a time limit.
    pub timed: bool,
    /// The thread already held the lock in a weaker mode, which becomes this one.
    pub upgrade: bool,
    /// Passes waiting writers: a recursive read.
    pub recursive: bool,
    /// All that it held then, outermost first.
    pub held: &'a [Held],
    /// Where it asked, and since when.
    pub site: Option<SiteId>,
    /// The stack then.
    pub stack: Option<StackId>,
    /// When it asked.
    pub since: Nanos,
    /// Number of the event that asked: the wait if there was one, else the acquisition.
    pub asked: u64,
    /// Number of the event that ended it; 0 while the thread waits.
    pub ended: u64,
}

impl<'a> Request<'a> {
    /// The request that `event` ends, if it ends one; `before` is the state without the event.
    pub fn ended_by(event: &Event, before: &'a State) -> Option<Request<'a>> {
        let thread = before.thread(event.thread);
        let held = thread.map_or(&[][..], |thread| &thread.held);
        Request::ended_at(before.position + 1, event, held, thread.and_then(ThreadState::wait))
    }

    /// The request that the event with this number ends, if it ends one, by a thread that holds these locks and waits so, if it does.
    #[inline]
    pub fn ended_at(number: u64, event: &Event, held: &'a [Held], wait: Option<&Wait>) -> Option<Request<'a>> {
        let (lock, mode, how) = match event.op {
            Op::Acquired { how: How::Try | How::Downgrade, .. } => return None,
            Op::Acquired { lock, mode, how, .. } => (lock, mode, how),
            Op::TimedOut { lock, mode } => (lock, mode, How::Timed),
            _ => return None,
        };
        let mut request = Request {
            thread: event.thread,
            lock,
            mode,
            timed: how.is_timed(),
            upgrade: how == How::Upgrade || upgrades(held, lock, mode),
            recursive: how.is_recursive(),
            held,
            site: event.site,
            stack: event.stack,
            since: event.time,
            asked: number,
            ended: number,
        };
        if let Some(&Wait { target: Target::Lock(waited, _), how, since, site, stack, event, .. }) = wait
            && waited == lock
        {
            request.recursive |= how.is_recursive();
            request.since = since;
            request.asked = event;
            request.site = request.site.or(site);
            request.stack = stack.or(request.stack);
        }
        Some(request)
    }

    /// The request whose wait begins with `event`; `after` is the state with the event.
    pub fn begun_by(event: &Event, after: &'a State) -> Option<Request<'a>> {
        matches!(event.op, Op::Wait { .. }).then(|| Request::of_waiting(event.thread, after))?
    }

    /// The requests of all threads that wait for a lock in this state.
    pub fn pending(state: &'a State) -> impl Iterator<Item = Request<'a>> {
        (0..state.threads.len() as u32).filter_map(|thread| Request::of_waiting(ThreadId(thread), state))
    }

    fn of_waiting(id: ThreadId, state: &'a State) -> Option<Request<'a>> {
        let thread = state.thread(id)?;
        Request::waiting(id, &thread.held, thread.wait()?)
    }

    /// The request of a thread that holds these locks and waits so; `None` if that is not for a lock.
    pub fn waiting(id: ThreadId, held: &'a [Held], wait: &Wait) -> Option<Request<'a>> {
        let Wait { target, how, since, site, stack, event, .. } = *wait;
        let Target::Lock(lock, mode) = target else { return None };
        Some(Request {
            thread: id,
            lock,
            mode,
            timed: how.is_timed(),
            upgrade: upgrades(held, lock, mode),
            recursive: how.is_recursive(),
            held,
            site,
            stack,
            since,
            asked: event,
            ended: 0,
        })
    }

    /// What was wanted, for a report.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            target: Target::Lock(self.lock, self.mode),
            site: self.site,
            stack: self.stack,
            since: self.since,
            event: self.asked,
        }
    }
}

/// Only a hold that is upgradable can become exclusive. Asking for exclusive access while holding shared access is a
/// request of its own, which cannot be granted.
fn upgrades(held: &[Held], lock: LockId, mode: Mode) -> bool {
    mode == Mode::Exclusive && held.iter().any(|held| held.lock == lock && held.mode == Mode::Upgradable)
}
