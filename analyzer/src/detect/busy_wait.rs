//! Busy waiting: a thread tries again and again to get a lock instead of waiting for it.
//!
//! [`SPINS`] failed tries of one lock at one place in a row, with nothing else recorded in between and hardly any time: the same rule
//! that the process follows.

use lockscope_trace::{Event, LockId, Nanos, Op, SiteId, ThreadId};

use super::{
    Context, Detector,
    collected::Collected,
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Evidence, Finding, Held, Participant, Severity, Target, Wanted};

/// Failed tries in a row that make a busy wait.
pub const SPINS: u32 = 1000;
/// Longer between two tries means that something was done in between.
const PAUSE: Nanos = Nanos(5_000);
/// One pause in so many may be longer: the thread was interrupted, or yielded.
const LONG_PAUSES: u32 = 8;

/// Finds busy waiting.
#[derive(Debug, Default)]
pub struct BusyWait {
    /// By [`ThreadId`].
    runs: Vec<Option<Run>>,
    found: Collected<(Class, Option<SiteId>)>,
}

/// A run of failed tries.
#[derive(Clone, Copy, Debug)]
struct Run {
    lock: LockId,
    site: Option<SiteId>,
    failed: u32,
    long_pauses: u32,
    first: (Nanos, u64),
    last: Nanos,
}

impl BusyWait {
    /// Whether the next event of the thread matters, whatever it is.
    #[inline]
    pub(crate) fn watches(&self, thread: ThreadId) -> bool {
        self.runs.get(thread.0 as usize).is_some_and(Option::is_some)
    }
}

impl Detector for BusyWait {
    fn after(&mut self, context: &Context<'_>, event: &Event) {
        let index = event.thread.0 as usize;
        let Op::TryFailed { lock, mode } = event.op else {
            if !matches!(event.op, Op::Finding { .. } | Op::Mark { .. })
                && let Some(run) = self.runs.get_mut(index)
            {
                *run = None;
            }
            return;
        };
        if index >= self.runs.len() {
            self.runs.resize(index + 1, None);
        }
        let number = context.state.position;
        let new =
            Run { lock, site: event.site, failed: 0, long_pauses: 0, first: (event.time, number), last: event.time };
        let mut run = self.runs[index].unwrap_or(new);
        run.long_pauses += u32::from(event.time.since(run.last) > PAUSE);
        if (run.lock, run.site) != (lock, event.site) || run.long_pauses > 1 + run.failed / LONG_PAUSES {
            run = new;
        }
        run.last = event.time;
        run.failed = run.failed.saturating_add(1);
        self.runs[index] = Some(run);
        if run.failed == SPINS {
            let target = Target::Lock(lock, mode);
            let wanted =
                Wanted { target, site: event.site, stack: event.stack, since: run.first.0, event: run.first.1 };
            self.add(context, event.thread, wanted, &run);
        }
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        self.found.findings().cloned().collect()
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

impl BusyWait {
    fn add(&mut self, context: &Context<'_>, thread: ThreadId, wanted: Wanted, run: &Run) {
        let Context { definitions, state, .. } = *context;
        let lock = run.lock;
        let mut participants = vec![Participant { thread, held: Vec::new(), wanted: Some(wanted) }];
        for &(holder, ..) in state.lock(lock).map_or(&[][..], |lock| &lock.holders) {
            let held = state.thread(holder).into_iter().flat_map(|thread| &thread.held);
            let held: Vec<Held> = held.filter(|held| held.lock == lock).cloned().collect();
            if participants.iter().all(|participant| participant.thread != holder) {
                participants.push(Participant { thread: holder, held, wanted: None });
            }
        }
        self.found.add((text::class(definitions, lock), run.site), participants, |participants| {
            let code = Code::BusyWait;
            let (who, name) = (definitions.thread_name(thread), definitions.lock_name(lock));
            let locks = vec![lock];
            Finding {
                evidence: Evidence::default(),
                code,
                severity: Severity::Warning,
                confidence: Confidence::Actual,
                title: format!("{who} spins on {name} by trying again and again"),
                fingerprint: text::fingerprint(definitions, code, &locks, &participants),
                variants: Vec::new(),
                first_seen: run.first.0,
                events: vec![run.first.1, state.position],
                count: 1,
                notes: vec![format!(
                    "{SPINS} tries in a row failed within {}, with nothing else in between",
                    run.last.since(run.first.0)
                )],
                help: vec![format!(
                    "wait for {name} with `lock`, or with a time limit, instead of using up the processor"
                )],
                participants,
                locks,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, findings};

    fn tries(n: u32, between: &str) -> String {
        let mut trace = String::from("A: lock a;");
        for _ in 0..n {
            trace += &format!("B: tryfail a #7 {between};");
        }
        trace
    }

    #[test]
    fn many_in_a_row() {
        check(&tries(SPINS, ""), &["busy-wait a"]);
        check(&tries(SPINS - 1, ""), &[]);
        let found = findings(&tries(5 * SPINS, ""));
        assert_eq!((found.len(), found[0].count), (1, 1), "one run is one");
        assert_eq!(found[0].participants.len(), 2, "the holder is named");
    }

    #[test]
    fn something_in_between() {
        check(&tries(2 * SPINS, ", sleep, awake"), &[]);
        check(&tries(2 * SPINS, ", tryfail b #7"), &[]);
        // Another thread's doings are none.
        check(&tries(SPINS, "; C: lock c, unlock c"), &["busy-wait a"]);
    }

    #[test]
    fn time_in_between() {
        let polls: String = (0..2000).map(|n| format!("B: tryfail a #7 @{};", 100_000 * n)).collect();
        check(&polls, &[]);
        let spins: String = (0..2000).map(|n| format!("B: tryfail a #7 @{};", 400 * n)).collect();
        check(&spins, &["busy-wait a"]);
    }
}
