//! One pass of all detectors over the events.

use std::{hint::black_box, thread};

use lockscope_trace::{Completeness, Definitions, Error, Event, EventSource, Op, Progress};

use crate::{
    detect::{
        Context, Detector, busy_wait::BusyWait, deadlock::Deadlock, hierarchy::Hierarchy, leak::Leak,
        lock_order::LockOrder, no_timeout::NoTimeout, out_of_order::OutOfOrder, poisoned::Poisoned,
        recursive_read::RecursiveRead, stuck::Stuck, text, timeout::Timeout, unchecked_wakeup::UncheckedWakeup,
    },
    engine::{self, Claim, EngineId, Engines, Outcome},
    finding::{Code, Confidence, Finding, Target},
    order_graph::{Grouping, OrderGraph},
    state::State,
    stats::Stats,
};

/// Bounds of the analysis. Whatever is cut off by one is said in [`Analysis::limits`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Most locks in a circle of the lock order.
    pub max_cycle_length: usize,
    /// Most steps of the search for circles of the lock order, each time that it runs. A million take a few tens of
    /// milliseconds.
    pub cycle_budget: u64,
    /// Tell also of waits without a time limit; see [`Code::NoTimeout`].
    pub no_timeout: bool,
    /// Run these engines and nothing else: no state is kept, nothing is counted. Empty: all detectors, and the engines that run by
    /// default ([`EngineId::is_default`]).
    pub engines: Vec<EngineId>,
    /// Engines keep every occurrence, for [`Analysis::occurrences`].
    pub all: bool,
    /// Most bytes that all engines together may hold. An engine that holds too much is ended, and [`Analysis::limits`] says so.
    pub memory_limit: Option<u64>,
    /// While detectors look at a batch, engines do so in a second thread. What is found is the same.
    pub second_thread: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_cycle_length: 8,
            cycle_budget: 2_000_000,
            no_timeout: false,
            engines: Vec::new(),
            all: false,
            memory_limit: None,
            second_thread: false,
        }
    }
}

/// Events of a batch that are looked at in a row: so few that one's are still in the cache for the next one.
const AT_A_TIME: usize = 1 << 10;
/// Events for which it is worth starting a thread: it costs as much as some hundred of them.
const WORTH_A_THREAD: usize = 1 << 11;

/// How the recording ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ending {
    /// It has not, as far as is known.
    #[default]
    Open,
    /// The process ended in an orderly way.
    Orderly,
    /// The process was killed, or the end is missing: threads were in the middle of what they did.
    CutOff,
}

/// Runs all detectors and counts, event by event; findings may be asked for at any time.
#[derive(Debug)]
pub struct Analysis {
    engines: Engines,
    /// Nothing but the engines runs.
    engines_only: bool,
    second_thread: bool,
    state: State,
    stats: Stats,
    deadlock: Deadlock,
    stuck: Stuck,
    lock_order: LockOrder,
    hierarchy: Hierarchy,
    recursive_read: RecursiveRead,
    timeout: Timeout,
    leak: Leak,
    busy_wait: BusyWait,
    unchecked_wakeup: UncheckedWakeup,
    poisoned: Poisoned,
    out_of_order: OutOfOrder,
    no_timeout: Option<NoTimeout>,
    ending: Ending,
    incomplete: bool,
    /// Events are missing other than at the end.
    has_holes: bool,
    /// Claims that cannot be judged for that reason.
    unproved: usize,
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Analysis {
    /// An analysis that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        Analysis {
            engines: Engines::new(&options),
            engines_only: !options.engines.is_empty(),
            second_thread: options.second_thread,
            state: State::default(),
            stats: Stats::default(),
            deadlock: Deadlock::default(),
            stuck: Stuck::default(),
            no_timeout: options.no_timeout.then(NoTimeout::default),
            lock_order: LockOrder::new(options),
            hierarchy: Hierarchy::default(),
            recursive_read: RecursiveRead::default(),
            timeout: Timeout::default(),
            leak: Leak,
            busy_wait: BusyWait::default(),
            unchecked_wakeup: UncheckedWakeup::default(),
            poisoned: Poisoned::default(),
            out_of_order: OutOfOrder::default(),
            ending: Ending::default(),
            incomplete: false,
            has_holes: false,
            unproved: 0,
        }
    }

    /// Takes the next events. `definitions` must define what they refer to.
    pub fn feed_batch(&mut self, events: &[Event], definitions: &Definitions) {
        if self.second_thread && !self.engines_only && events.len() >= WORTH_A_THREAD {
            return self.feed_both(events, definitions);
        }
        for events in events.chunks(AT_A_TIME) {
            self.engines.feed(events, definitions);
            if !self.engines_only {
                self.detect_all(events, definitions);
            }
        }
    }

    /// Engines and detectors know nothing of each other, and each take about half of the time.
    fn feed_both(&mut self, events: &[Event], definitions: &Definitions) {
        let mut engines = std::mem::replace(&mut self.engines, Engines::none());
        let feed =
            |engines: &mut Engines| events.chunks(AT_A_TIME).for_each(|events| engines.feed(events, definitions));
        let is_started = thread::scope(|scope| {
            let builder = thread::Builder::new().name("engines".to_owned());
            let is_started = builder.spawn_scoped(scope, || feed(&mut engines)).is_ok();
            self.detect_all(events, definitions);
            is_started
        });
        // There is not always another thread to be had.
        if !is_started {
            feed(&mut engines);
        }
        self.engines = engines;
    }

    fn detect_all(&mut self, events: &[Event], definitions: &Definitions) {
        for events in events.chunks(engine::TOUCHED_AT_ONCE) {
            black_box(self.stats.touch(events) ^ self.state.touch(events));
            for event in events {
                self.detect(event, definitions);
            }
        }
        self.lock_order.settle();
    }

    /// Takes the next event. `definitions` must define what it refers to.
    pub fn feed(&mut self, event: &Event, definitions: &Definitions) {
        self.feed_batch(std::slice::from_ref(event), definitions);
    }

    /// Takes in an access to memory by a thread that runs and of which nobody expects anything; false, and nothing done, if it is
    /// none. Half of the events of a trace with accesses are, and no detector looks at them.
    #[inline]
    fn access(&mut self, event: &Event) -> bool {
        let is_access = matches!(event.op, Op::Read { .. } | Op::Write { .. });
        if !is_access || self.unchecked_wakeup.watches(event.thread) || self.busy_wait.watches(event.thread) {
            return false;
        }
        if !self.state.access(event) {
            return false;
        }
        self.lock_order.acts(event.thread);
        self.stats.access(event);
        true
    }

    fn detect(&mut self, event: &Event, definitions: &Definitions) {
        if self.access(event) {
            return;
        }
        self.stats.before(event, &self.state);
        let (ending, incomplete) = (self.ending, self.incomplete);
        let context = Context { definitions, state: &self.state, ending, incomplete };
        self.lock_order.before(&context, event);
        self.hierarchy.before(&context, event);
        self.recursive_read.before(&context, event);
        self.unchecked_wakeup.before(&context, event);
        self.poisoned.before(&context, event);
        self.out_of_order.before(&context, event);
        self.state.apply(event);
        self.stats.after(event, &self.state);
        self.incomplete |= matches!(event.op, Op::Dropped { .. });
        let context = Context { definitions, state: &self.state, ending, incomplete: self.incomplete };
        self.deadlock.after(&context, event);
        self.stuck.after(&context, event);
        self.hierarchy.after(&context, event);
        self.recursive_read.after(&context, event);
        self.timeout.after(&context, event);
        self.busy_wait.after(&context, event);
        self.poisoned.after(&context, event);
        if let Some(no_timeout) = &mut self.no_timeout {
            no_timeout.after(&context, event);
        }
    }

    /// Says how the recording ended, once that is known: a thread that waits at the end of a killed process was stuck, one that waits
    /// while the process ends may have had nothing to do.
    pub fn set_ending(&mut self, ending: Ending) {
        self.ending = ending;
    }

    /// Takes in how far a source came that has nothing more for now, and what is missing from it.
    pub fn end(&mut self, progress: Progress, completeness: &Completeness) {
        self.incomplete |= !completeness.is_complete();
        // What is missing at the end matters to nothing before.
        self.has_holes |= !Completeness { truncated: false, ..completeness.clone() }.is_complete();
        self.ending = match progress {
            Progress::Ended if completeness.unclosed || completeness.truncated => Ending::CutOff,
            Progress::Ended => Ending::Orderly,
            Progress::More | Progress::CaughtUp => Ending::Open,
        };
    }

    /// Feeds everything that the source has, until it ends or has nothing more for now; `progress` is called after every
    /// batch with the share that was read.
    ///
    /// # Errors
    ///
    /// As [`EventSource::poll`]; what came before the error was taken in.
    pub fn feed_all(&mut self, source: &mut dyn EventSource, mut progress: impl FnMut(f64)) -> Result<Progress, Error> {
        let mut batch = Vec::new();
        loop {
            batch.clear();
            let polled = source.poll(&mut batch);
            self.feed_batch(&batch, source.definitions());
            match polled? {
                Progress::More => progress(source.fraction_read()),
                end => {
                    self.end(end, source.completeness());
                    return Ok(end);
                }
            }
        }
    }

    /// What was found so far: worst first (severity, confidence, time), each once.
    ///
    /// Cheap while the lock order is unchanged; else it is searched anew within [`Options::cycle_budget`].
    pub fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut findings = if self.engines_only { Vec::new() } else { self.detected(definitions) };
        let mut predicted = self.engines.findings(definitions);
        // What happened needs no telling that it can.
        predicted.retain(|finding| !findings.iter().any(|deadlock| covers(definitions, deadlock, finding)));
        findings.extend(predicted);
        let mut findings = engine::merge(definitions, findings);
        worst_first(&mut findings);
        findings
    }

    /// What engines predict and nobody has checked. To be judged by reading the trace again, see [`Claims`](engine::Claims); nothing
    /// of it is a finding before [`settle`](Self::settle).
    pub fn claims(&mut self, definitions: &Definitions) -> Vec<Claim> {
        let claims = self.engines.claims(definitions);
        self.unproved = if self.has_holes { claims.len() } else { 0 };
        if self.has_holes { Vec::new() } else { claims }
    }

    /// Takes in what became of the claims.
    pub fn settle(&mut self, outcomes: Vec<Outcome>) {
        self.engines.settle(outcomes);
    }

    /// Every occurrence that engines saw, unmerged and engine by engine; and, unless only engines run, what detectors found. Needs
    /// [`Options::all`].
    pub fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut findings = if self.engines_only { Vec::new() } else { self.detected(definitions) };
        worst_first(&mut findings);
        findings.extend(self.engines.occurrences(definitions));
        findings
    }

    fn detected(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let (ending, incomplete) = (self.ending, self.incomplete);
        let context = Context { definitions, state: &self.state, ending, incomplete };
        let mut findings = self.deadlock.findings(&context);
        findings.extend(self.stuck.findings(&context));
        let actual = findings.len();
        let potential = [self.lock_order.findings(&context), self.recursive_read.findings(&context)];
        for finding in potential.into_iter().flatten() {
            // What happened needs no telling that it can.
            match findings[..actual].iter_mut().find(|deadlock| covers(definitions, deadlock, &finding)) {
                Some(deadlock) if finding.code == Code::LockOrderInversion && finding.count > 1 => deadlock.notes.push(
                    format!("these locks were taken in conflicting orders {} in this run", text::times(finding.count)),
                ),
                Some(_) => {}
                None => findings.push(finding),
            }
        }
        findings.extend(self.hierarchy.findings(&context));
        for finding in self.leak.findings(&context) {
            // Whoever waits for what was leaked is the better witness.
            let is_known = |known: &Finding| known.code == finding.code && known.locks.contains(&finding.locks[0]);
            if !findings[..actual].iter().any(is_known) {
                findings.push(finding);
            }
        }
        let said = self.stuck.said_only(definitions, &findings);
        findings.extend(said);
        let misuse: [&mut dyn Detector; 4] =
            [&mut self.busy_wait, &mut self.unchecked_wakeup, &mut self.poisoned, &mut self.out_of_order];
        let lints = self.no_timeout.iter_mut().map(|lint| lint as &mut dyn Detector);
        findings.extend(misuse.into_iter().chain(lints).flat_map(|detector| detector.findings(&context)));
        for finding in self.timeout.findings(&context) {
            // A deadlock takes longer than any limit.
            let waits = |findings: &Finding| -> Vec<u64> {
                findings.participants.iter().filter_map(|p| Some(p.wanted.as_ref()?.event)).collect()
            };
            let waited = waits(&finding).first().copied();
            match findings[..actual]
                .iter_mut()
                .find(|deadlock| waited.is_some_and(|wait| waits(deadlock).contains(&wait)))
            {
                Some(deadlock) if finding.variants.is_empty() => deadlock.notes.push(format!(
                    "{} waited past the program's time limit",
                    definitions.thread_name(finding.participants[0].thread)
                )),
                _ => findings.push(finding),
            }
        }
        findings
    }

    /// Bounds that were hit by the last search, in sentences; empty when nothing was cut off.
    pub fn limits(&self) -> Vec<String> {
        let detectors: [&dyn Detector; 10] = [
            &self.deadlock,
            &self.stuck,
            &self.lock_order,
            &self.hierarchy,
            &self.recursive_read,
            &self.timeout,
            &self.busy_wait,
            &self.unchecked_wakeup,
            &self.poisoned,
            &self.out_of_order,
        ];
        let lints = self.no_timeout.iter().map(|lint| lint as &dyn Detector);
        let unproved = (self.unproved > 0).then(|| {
            format!(
                "{} not proved: where events are missing no other order of the rest can be trusted",
                if self.unproved == 1 {
                    "1 prediction is".to_owned()
                } else {
                    format!("{} predictions are", self.unproved)
                }
            )
        });
        let detected = detectors.into_iter().chain(lints).flat_map(Detector::limits);
        detected.chain(self.engines.limits()).chain(unproved).collect()
    }

    /// The engines that run, and how many bytes each holds.
    pub fn engine_bytes(&self) -> impl Iterator<Item = (EngineId, u64)> {
        self.engines.bytes()
    }

    /// The state after the last event.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Counts and times so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The lock order so far, between locks or between classes.
    pub fn order_graph(&self, definitions: &Definitions, grouping: Grouping) -> OrderGraph {
        OrderGraph::new(&self.lock_order.groups(definitions), definitions, grouping)
    }
}

fn worst_first(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| {
        (std::cmp::Reverse((finding.severity, finding.confidence)), finding.first_seen, finding.events.first().copied())
    });
}

/// Whether the deadlock is what `potential` warns of: a circle over the same classes of locks, or the second read of a
/// thread behind a writer.
fn covers(definitions: &Definitions, deadlock: &Finding, potential: &Finding) -> bool {
    let classes = |finding: &Finding| {
        let mut classes: Vec<_> = finding.locks.iter().map(|&lock| text::class(definitions, lock)).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    };
    let reads_again = || {
        deadlock.participants.iter().any(|participant| {
            participant.wanted.as_ref().is_some_and(|wanted| match wanted.target {
                Target::Lock(lock, _) => {
                    potential.locks.contains(&lock) && participant.held.iter().any(|held| held.lock == lock)
                }
                _ => false,
            })
        })
    };
    if deadlock.confidence != Confidence::Actual {
        return false;
    }
    match potential.code {
        Code::LockOrderInversion | Code::PredictedDeadlock => {
            deadlock.code == Code::Deadlock && classes(deadlock) == classes(potential)
        }
        Code::RecursiveRead => reads_again(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, findings};

    #[test]
    fn worst_first_then_earliest() {
        check(
            "A: lock c^2, lock d^1, unlock d, unlock c, lock a, lock b, unlock b, unlock a; B: lock b, lock a, wait a",
            &["hierarchy-violation c d", "self-deadlock a", "lock-order-inversion a b"],
        );
    }

    #[test]
    fn a_time_limit_in_a_deadlock_is_the_deadlock() {
        let deadlock = "A: lock a; B: lock b; A: wait b; B: wait a;";
        check(&format!("{deadlock} A: finding lock-timeout; B: finding lock-timeout"), &["deadlock a b"]);
        // Another wait of the same run stays.
        check(&format!("{deadlock} C: wait a, finding lock-timeout"), &["deadlock a b", "lock-timeout a"]);
        let found = findings(&format!("{deadlock} A: finding lock-timeout"));
        assert_eq!(found[0].notes, ["A waited past the program's time limit"]);
    }

    #[test]
    fn a_read_behind_a_writer_that_happened_is_not_told_twice() {
        check("A: read a; B: wait a; A: waitread a", &["deadlock a"]);
        check("A: read b, read b; C: read a; B: wait a; C: waitread a", &["deadlock a", "recursive-read b"]);
    }
}
