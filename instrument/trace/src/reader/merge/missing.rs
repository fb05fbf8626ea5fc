//! What happens to events whose predecessors are not there: overwritten, cut off by the end of the process, or missing from a damaged file.

use super::{Merge, Place, counted, gaps::what_is_missing};
use crate::{Mode, Op, ThreadId, reader::head::Sort};

impl Merge {
    /// Lets those go that waited for what turns out to be lost. When there is none, and yet something waits that has all that led to it, then
    /// what is lost is one that nobody counts, as the release of a guard that was given away: the earliest goes on without.
    pub(super) fn retry_parked(&mut self) -> bool {
        let free: Vec<u32> =
            self.parked().map(|(thread, _)| thread).filter(|&thread| self.obstacle(thread).is_none()).collect();
        free.iter().for_each(|&thread| self.unpark(thread));
        let any_is_judged = || self.parked().any(|(thread, _)| self.is_judged(ThreadId(thread)));
        !free.is_empty() || any_is_judged() && self.release_one_parked()
    }

    /// The process has ended, and somebody waits for what nobody will write.
    pub(super) fn go_on_without(&mut self) -> bool {
        self.skip_cut_off() || self.release_one_parked()
    }

    /// Lets an acquisition go although others before it were only counted: the process ended, by `kill -9` perhaps, after
    /// threads had counted theirs and before they had written it. That is no gap: what is committed is there.
    ///
    /// It takes holders beside each other, since an exclusive one is committed before the next is counted; and each
    /// thread can have been cut off once, at its very end.
    fn skip_cut_off(&mut self) -> bool {
        let ended_early =
            self.threads.iter().filter(|state| !state.exited && state.head.sort == Sort::None).count() as u64;
        let left = ended_early.saturating_sub(self.cut_off);
        let parked = self.parked().filter_map(|(thread, head)| {
            let op = head.op(ThreadId(thread));
            let (place, next, beside) = match op {
                Op::Acquired { lock, mode, .. } => {
                    let hot = &self.locks.hot[lock.0 as usize];
                    let beside = mode != Mode::Exclusive && hot.is_shareable();
                    (Place::Lock(lock), hot.counter.next, beside)
                }
                _ => match counted(&op)?.0 {
                    place @ Place::Lock(lock) => (place, self.locks.hot[lock.0 as usize].counter.next, true),
                    place @ Place::Var(var) => (place, self.vars[var.0 as usize].counter.next, true),
                },
            };
            let skipped = (op.count()? as u32).wrapping_sub(next);
            (beside && skipped > 0 && u64::from(skipped) <= left).then_some((skipped, thread, place))
        });
        let Some((skipped, thread, place)) = parked.min_by_key(|&(skipped, thread, _)| (skipped, thread)) else {
            return false;
        };
        self.cut_off += u64::from(skipped);
        let (counter, _) = self.place(place);
        counter.next = counter.next.wrapping_add(skipped);
        self.unpark(thread);
        true
    }

    /// Lets the earliest parked event go although something before it is missing.
    pub(in crate::reader) fn release_one_parked(&mut self) -> bool {
        let Some((ticks, thread)) = self.parked().map(|(thread, head)| (head.ticks, thread)).min() else {
            return false;
        };
        let op = self.threads[thread as usize].head.op(ThreadId(thread));
        let mut expected = 0;
        match op {
            Op::Observed { object, .. } => {
                // No gap: it was initialised. Missing is the latest acquisition, by one who had waited for that, at the process' end.
                self.threads[thread as usize].head.set_other(ticks, Op::Observed { object, initialised: 0 });
                self.unpark(thread);
                return true;
            }
            Op::Acquired { lock, count, mode, .. } => {
                let next = &mut self.locks.hot[lock.0 as usize].counter.next;
                expected = std::mem::replace(next, count as u32);
                self.locks.clear(lock.0 as usize, mode);
            }
            Op::Released { lock, owner, .. } => self.locks.assume_shared(lock.0 as usize, owner),
            Op::Start => self.threads[thread as usize].spawned = true,
            Op::Joined { child } => self.threads[child.0 as usize].exited = true,
            op => {
                if let Some((place, count)) = counted(&op) {
                    expected = std::mem::replace(&mut self.place(place).0.next, count);
                }
            }
        }
        self.unpark(thread);
        // The start of a flight recorder's window is said once, as the time from which on everything is there.
        if self.overwritten {
            self.complete_from = self.complete_from.max(Some(self.clock.nanos(ticks)));
        } else {
            self.gaps.note(self.delivered + 1, ThreadId(thread), || what_is_missing(thread, &op, expected));
        }
        true
    }
}
