//! Wake-ups after which nobody looks: a wait on a condition variable ended by a notification, and its mutex is released without its
//! data having been read.
//!
//! Between the notification and the wake-up another thread may have changed what was waited for, and condition variables wake up
//! without a reason at times. Who waits again, looks at memory that is recorded, or takes another lock meanwhile may have looked
//! there; so may whoever has a mutex around nothing.

use lockscope_trace::{Access, Event, LockId, Op, SiteId, ThreadId};

use super::{
    Context, Detector,
    collected::{self, Collected},
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Evidence, Finding, Held, Participant, Severity, Target, Wanted};
use lockscope_trace::Need;

/// Finds unchecked wake-ups.
#[derive(Debug, Default)]
pub struct UncheckedWakeup {
    /// By [`ThreadId`](lockscope_trace::ThreadId): woken, and nothing done since.
    woken: Vec<Option<Woken>>,
    found: Collected<(Class, Option<SiteId>)>,
}

#[derive(Clone, Copy, Debug)]
struct Woken {
    condvar: LockId,
    mutex: LockId,
    site: Option<SiteId>,
    event: u64,
}

impl UncheckedWakeup {
    /// Whether the next event of the thread matters, whatever it is.
    #[inline]
    pub(crate) fn watches(&self, thread: ThreadId) -> bool {
        self.woken.get(thread.0 as usize).is_some_and(Option::is_some)
    }
}

impl Detector for UncheckedWakeup {
    fn before(&mut self, context: &Context<'_>, event: &Event) {
        let index = event.thread.0 as usize;
        if let Op::CondWake { condvar, mutex, timed_out: false, .. } = event.op {
            if index >= self.woken.len() {
                self.woken.resize(index + 1, None);
            }
            let number = context.state.position + 1;
            self.woken[index] = Some(Woken { condvar, mutex, site: event.site, event: number });
            return;
        }
        let Some(woken) = self.woken.get(index).copied().flatten() else { return };
        match event.op {
            Op::Finding { .. } | Op::Mark { .. } => return,
            Op::Released { lock, owner, access: Access::Nothing, .. }
                if lock == woken.mutex && owner == event.thread =>
            {
                let type_name = context.definitions.lock(lock).map(|lock| &*lock.type_name);
                if type_name != Some("()") {
                    self.add(context, event, &woken);
                }
            }
            _ => {}
        }
        self.woken[index] = None;
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        self.found.findings().cloned().collect()
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

impl UncheckedWakeup {
    fn add(&mut self, context: &Context<'_>, event: &Event, woken: &Woken) {
        let Context { definitions, state, .. } = *context;
        let held = state.thread(event.thread).into_iter().flat_map(|thread| thread.held.iter().rev());
        let held: Option<&Held> = held.into_iter().find(|held| held.lock == woken.mutex);
        let target = Target::Object(woken.condvar, Need::Notify);
        let since = held.map_or(event.time, |held| held.since);
        let wanted = Wanted { target, site: woken.site, stack: None, since, event: woken.event };
        let participant = Participant { thread: event.thread, held: Vec::new(), wanted: Some(wanted) };
        let key = (text::class(definitions, woken.mutex), woken.site);
        self.found.add(key, vec![participant], |participants| {
            let code = Code::UncheckedWakeup;
            let who = definitions.thread_name(event.thread);
            let (condvar, mutex) = (definitions.lock_name(woken.condvar), definitions.lock_name(woken.mutex));
            let locks = vec![woken.condvar, woken.mutex];
            Finding {
                evidence: Evidence::default(),
                code,
                severity: Severity::Warning,
                confidence: Confidence::Potential,
                title: format!("{who} goes on after a wake-up without checking what it waited for"),
                fingerprint: text::fingerprint(definitions, code, &locks, &participants),
                variants: Vec::new(),
                first_seen: event.time,
                events: collected::events(&participants),
                count: 1,
                notes: vec![
                    format!("after {condvar} woke it, it released {mutex} without having read the data in it"),
                    "a wake-up may be spurious, or come when another thread has taken what was there".to_owned(),
                ],
                help: vec!["wait in a loop that checks (`while !ready { wait }`), or with `wait_while`".to_owned()],
                participants,
                locks,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, findings};

    const WAIT: &str = "A: lock m, condwait c m #3, unlock m read, reget m, condwake c m #3,";

    #[test]
    fn nobody_looked() {
        check(&format!("{WAIT} unlock m nothing"), &["unchecked-wakeup c m"]);
        check(&format!("{WAIT} unlock m read"), &[]);
        check(&format!("{WAIT} unlock m wrote"), &[]);
        // Nothing is known of raw locks.
        check(&format!("{WAIT} unlock m"), &[]);
    }

    #[test]
    fn a_loop_waits_again() {
        let again = format!("{WAIT} condwait c m #3, unlock m nothing, reget m, condwake c m #3,");
        check(&format!("{again} unlock m read"), &[]);
        check(&format!("{again} unlock m nothing"), &["unchecked-wakeup c m"]);
    }

    #[test]
    fn it_may_have_looked_elsewhere() {
        check(&format!("{WAIT} lock x, unlock x read, unlock m nothing"), &[]);
        check("A: lock m, condwait c m, unlock m nothing, reget m, condtimeout c m, unlock m nothing", &[]);
    }

    #[test]
    fn once_for_a_place() {
        let found = findings(&format!("{WAIT} unlock m nothing;").repeat(1000));
        assert_eq!((found.len(), found[0].count, found[0].variants.len()), (1, 1000, 0));
    }
}
