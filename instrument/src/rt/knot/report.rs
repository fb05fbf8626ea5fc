//! What is said of a knot.

use std::hash::{DefaultHasher, Hash, Hasher};

use lockscope_trace::{LockKind, Need};

use super::{
    Case, Verdict,
    graph::{Helpers, Node, Relation, Who, Why},
    mark_reported, waits,
};
use crate::{
    config::Policy,
    rt::{
        global,
        helpers::{self, Known},
        object::Helper,
        report::{Draft, LockFacts, elapsed, held_for, is_first, mode_words, thread_name},
        thread::{self, Entered},
        waiting::{Target, Waiting},
        words::{join, need_name, target_name, wanted_words},
    },
};

/// So many threads are described; the others are counted.
const SHOWN: usize = 16;
/// So many stacks are printed.
const STACKS: usize = 3;

impl Case {
    /// Reports each knot that was not reported before, or all threads as one when everybody is stuck.
    ///
    /// # Panics
    ///
    /// When it is certain, the policy is to panic, and this is not the watch.
    pub(super) fn report(self, entered: &Entered) {
        if self.verdict == Verdict::Everybody {
            let all: Vec<usize> = (0..self.graph.nodes.len()).collect();
            // What was reported before is the reason, and hangs still.
            if mark_reported(&waits(&self.graph, &all)) {
                self.report_as_one(entered, self.knots.iter().flatten().copied().collect());
            }
            return;
        }
        for knot in &self.knots {
            if mark_reported(&waits(&self.graph, knot)) {
                self.report_as_one(entered, knot.clone());
            }
        }
    }

    fn report_as_one(&self, entered: &Entered, knot: Vec<usize>) {
        let is_certain = self.verdict != Verdict::Suspicion;
        // A suspicion may dissolve and come again.
        if !is_certain && !is_first(self.place_key(&knot)) {
            return;
        }
        let nature = self.nature(&knot);
        let (severity, confidence) = if is_certain { ("error", "actual") } else { ("warning", "potential") };
        let mut draft = Draft::new(nature.code(), severity, confidence, self.title(&knot, &nature));
        let mut members = knot.clone();
        let others = (0..self.stuck.len()).filter(|&index| self.stuck[index] && !knot.contains(&index));
        members.extend(others.filter(|&index| !matches!(self.graph.nodes[index].who, Who::Ended(_))));
        // First what is known, then who only joins or waits for something else.
        members.sort_by_key(|&index| (self.graph.nodes[index].waiting.is_none(), !knot.contains(&index)));
        for &index in members.iter().take(SHOWN) {
            self.describe(&mut draft, index, &members);
        }
        if members.len() > SHOWN {
            draft.line(&format!("and {} more threads wait for these", members.len() - SHOWN));
        }
        self.describe_others(&mut draft);
        let stack_of = |&index: &usize| {
            let (info, waiting) = (self.graph.nodes[index].info()?, self.graph.nodes[index].waiting.as_ref()?);
            Some((thread_name(info), info.wait.stack(waiting.episode)?, waiting.site))
        };
        for (name, stack, site) in members.iter().filter_map(stack_of).take(STACKS) {
            draft.stack(&format!("stack of {name}:"), Some(stack), site);
        }
        draft.line(&format!("help: {}", nature.help()));
        let policy = self.policy(&mut draft, entered);
        if entered.is_observer() {
            entered.with_trace(|entered| draft.publish(entered, policy));
        } else {
            draft.publish(entered, policy);
        }
    }

    /// What the configuration asks for, as far as it applies.
    fn policy(&self, draft: &mut Draft, entered: &Entered) -> Policy {
        match global::config().deadlock {
            // Doubtful: nobody's program is ended for that.
            _ if self.verdict == Verdict::Suspicion => Policy::Report,
            Policy::Panic if entered.is_observer() => {
                draft.line("note: no thread that could panic is running, so the process ends, with status 66");
                Policy::Exit
            }
            policy => policy,
        }
    }

    /// The places and kinds of the waits, which are the same when the same thing happens to other threads.
    fn place_key(&self, knot: &[usize]) -> u64 {
        let place = |&index: &usize| {
            let waiting = self.graph.nodes[index].waiting.as_ref()?;
            Some(waiting.site.to_string())
        };
        let mut places: Vec<String> = knot.iter().filter_map(place).collect();
        places.sort_unstable();
        let mut key = DefaultHasher::new();
        ("knot", places).hash(&mut key);
        key.finish()
    }

    fn nature(&self, knot: &[usize]) -> Nature {
        let nodes = || knot.iter().map(|&index| &self.graph.nodes[index]);
        if let Some(waiter) = nodes().find(|node| node.unheard().is_some()) {
            return Nature::LostWakeup(waiter.name());
        }
        let stuck = || self.graph.nodes.iter().zip(&self.stuck).filter(|(_, stuck)| **stuck).map(|(node, _)| node);
        let has_leak = |node: &&Node| node.some.as_ref().is_some_and(|some| some.is_leak);
        if let Some(waiter) = stuck().find(|node| self.waits_for_ended(node, true)).or_else(|| nodes().find(has_leak)) {
            return Nature::SemaphoreLeak(waiter.name());
        }
        if knot.iter().any(|&index| matches!(self.graph.nodes[index].who, Who::Ended(_)))
            && let Some(waiter) = stuck().find(|node| self.waits_for_ended(node, false))
        {
            return Nature::GuardLeak(waiter.name());
        }
        if let [only] = knot
            && self.verdict == Verdict::Proof
            && self.graph.nodes[*only].relations().any(|relation| relation.to == *only && relation.why.is_held())
        {
            return Nature::SelfDeadlock;
        }
        Nature::Deadlock
    }

    /// Whether a thread waits for permits, or a lock, of one that has ended.
    fn waits_for_ended(&self, node: &Node, permits: bool) -> bool {
        node.relations().any(|relation| {
            matches!(self.graph.nodes[relation.to].who, Who::Ended(_))
                && matches!(&relation.why, Why::Holds(held) if (held.kind == LockKind::Semaphore) == permits)
        })
    }

    fn title(&self, knot: &[usize], nature: &Nature) -> String {
        let first = || {
            let waits = |&&index: &&usize| self.graph.nodes[index].waiting.is_some();
            let node = &self.graph.nodes[*knot.iter().find(waits).unwrap_or(&knot[0])];
            (node.name(), node.waiting.as_ref().map_or_else(|| "another thread".to_owned(), target_name))
        };
        match (nature, self.verdict) {
            (Nature::LostWakeup(waiter), _) => format!("{waiter} waits for a notification that came before it waited"),
            (Nature::SemaphoreLeak(waiter), _) => format!("{waiter} waits for permits that will not come back"),
            (Nature::GuardLeak(waiter), _) => format!("{waiter} waits for a lock that was never released"),
            (Nature::SelfDeadlock, _) => {
                let (name, target) = first();
                format!("{name} waits for {target}, which it has itself")
            }
            (Nature::Deadlock, Verdict::Everybody) if self.n_threads() == 1 => {
                let (name, target) = first();
                format!("{name} waits for {target}, and no other thread is left")
            }
            (Nature::Deadlock, Verdict::Everybody) => {
                let over = match self.targets(knot).as_slice() {
                    few @ ([_] | [_, _] | [_, _, _]) => format!(", over {}", join(few)),
                    _ => String::new(),
                };
                format!("all {} threads of the process wait{over}: none is left to help", self.n_threads())
            }
            (Nature::Deadlock, _) if knot.len() == 1 => {
                let (name, target) = first();
                format!("{name} waits for {target}, and nobody who could help is known")
            }
            (Nature::Deadlock, _) => {
                format!("{} threads are deadlocked over {}", knot.len(), join(&self.targets(knot)))
            }
        }
    }

    /// What threads wait for, each once.
    fn targets(&self, of: &[usize]) -> Vec<String> {
        let waiting = of.iter().filter_map(|&index| self.graph.nodes[index].waiting.as_ref());
        let mut targets: Vec<String> = waiting.map(target_name).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    fn n_threads(&self) -> usize {
        self.graph.nodes.iter().filter(|node| node.task().is_some()).count()
    }

    /// What a thread waits for, what it has that others want, and who could help it.
    fn describe(&self, draft: &mut Draft, index: usize, members: &[usize]) {
        let node = &self.graph.nodes[index];
        let name = node.name();
        match (&node.waiting, &node.who) {
            (Some(waiting), _) => {
                let (target, how) = (target_name(waiting), wanted_words(waiting));
                let since = elapsed(waiting.since);
                draft.line(&format!("{name} waits for {target}{how} at {}, for {since}", waiting.site));
            }
            (None, Who::Ended(_)) => {
                draft.line(&format!("{name} has ended"));
            }
            (None, _) => {
                draft.line(&match node.all.first() {
                    Some(joined) => format!("{name} joins {}", self.graph.nodes[joined.to].name()),
                    None => format!("{name} sleeps, waiting for something that lockscope does not see"),
                });
            }
        }
        for held in self.wanted_of(index) {
            let verb = if matches!(node.who, Who::Ended(_)) { "without releasing" } else { "and has" };
            let (what, how) = (held.what, held.how);
            draft.line(&format!("  {verb} {what}, taken{how} at {}{}", held.site, held_for(held.since)));
        }
        let Some(waiting) = &node.waiting else { return };
        for relation in node.all.iter().filter(|relation| self.stuck[relation.to]) {
            if let Why::HoldsMutex(held) = &relation.why {
                let other = self.graph.nodes[relation.to].name();
                draft.line(&format!("  and then for its mutex, which {other} took at {}", held.site));
            }
        }
        if let Some(some) = &node.some {
            self.describe_helpers(draft, waiting, some, members);
        }
        if let Some(unheard) = node.unheard() {
            let since = elapsed(unheard.at);
            draft.line(&format!(
                "  the last notification, by {} at {}, {since} ago, came before the wait: nobody heard it",
                unheard.thread, unheard.site
            ));
        }
    }

    fn describe_helpers(&self, draft: &mut Draft, waiting: &Waiting, some: &Helpers, members: &[usize]) {
        let objects = match &waiting.target {
            Target::Objects { objects, .. } => objects.as_slice(),
            _ => &[],
        };
        let able = |relation: &Relation| match &relation.why {
            Why::Able(need) => Some((relation.to, able_words(*need))),
            Why::Unparks => Some((relation.to, "has unparked it before")),
            Why::Holds(held) => Some((relation.to, if held.permits == 1 { "has a permit" } else { "has permits" })),
            _ => None,
        };
        let mut known: Vec<_> = some.from.iter().filter_map(|(relation, _)| able(relation)).collect();
        known.sort_unstable();
        known.dedup();
        for (index, verb) in &known {
            let node = &self.graph.nodes[*index];
            let why_not = match node.who {
                Who::Ended(_) => ", but has ended",
                _ if members.contains(index) => ", but waits itself",
                _ => "",
            };
            draft.line(&format!("  {} {verb}{why_not}", node.name()));
        }
        for (object, need) in objects {
            let known = helpers::known(object.lock);
            let ended = known
                .helpers(*need)
                .filter(|helper| matches!(helper, Helper::Thread(id) if thread::by_id(*id).is_none()));
            match (ended.count(), *need) {
                (0, _) => {}
                (1, need) => {
                    draft.line(&format!("  a thread that {} has ended", past_words(need)));
                }
                (n, need) => {
                    draft.line(&format!("  {n} threads that {} have ended", past_words(need)));
                }
            }
            if let Need::Permits(_) = need {
                describe_permits(draft, object, &known);
            }
        }
        if known.is_empty() && !objects.is_empty() && self.verdict == Verdict::Suspicion {
            let needs: Vec<String> = objects.iter().map(|(object, need)| need_name(object, *need)).collect();
            draft.line(&format!("  nobody is known to have given {} before", needs.join(" or ")));
        }
    }

    /// What of a thread's other stuck threads wait for.
    fn wanted_of(&self, index: usize) -> Vec<Wanted> {
        let waiting = self.graph.nodes.iter().zip(&self.stuck).filter(|(_, stuck)| **stuck);
        let mut wanted: Vec<Wanted> = waiting
            .flat_map(|(node, _)| node.relations())
            .filter(|relation| relation.to == index)
            .filter_map(|relation| match &relation.why {
                Why::Holds(held) | Why::HoldsMutex(held) => {
                    let facts = LockFacts {
                        lock: held.lock,
                        kind: held.kind,
                        created: held.created,
                        type_name: held.type_name,
                    };
                    let is_semaphore = held.kind == LockKind::Semaphore;
                    let what = match held.permits {
                        1 if is_semaphore => format!("a permit of {}", facts.describe()),
                        n if is_semaphore => format!("{n} permits of {}", facts.describe()),
                        _ => facts.describe(),
                    };
                    let how = mode_words(held.kind, held.mode);
                    Some(Wanted { what, how, site: held.site, since: held.since })
                }
                _ => None,
            })
            .collect();
        wanted.sort_unstable_by_key(|wanted| (wanted.what.clone(), wanted.site.line()));
        wanted.dedup_by_key(|wanted| (wanted.what.clone(), wanted.site.to_string()));
        wanted
    }

    /// The threads that are not stuck, and why they do not count.
    fn describe_others(&self, draft: &mut Draft) {
        match self.verdict {
            Verdict::Everybody => {
                draft.line("every thread of the process waits for another one: nobody is left to help");
            }
            Verdict::Proof => {}
            Verdict::Suspicion => {
                let runs = |(node, stuck): (&Node, &bool)| (!stuck && node.task().is_some()).then(|| node.name());
                let others: Vec<String> = self.graph.nodes.iter().zip(&self.stuck).filter_map(runs).collect();
                draft.line(&match others.as_slice() {
                    [] => {
                        "note: other threads run that lockscope knows nothing of; one of them may help yet".to_owned()
                    }
                    [one] => format!("note: {one} runs, but is not known to be able to help; it may yet"),
                    [a, b, c, d, ..] => format!(
                        "note: {} threads run, such as {}, but are not known to be able to help; one of them may yet",
                        others.len(),
                        join(&[a, b, c, d].map(Clone::clone)[..3])
                    ),
                    few => {
                        format!("note: {} run, but are not known to be able to help; one of them may yet", join(few))
                    }
                });
            }
        }
    }
}

/// Something that others wait for.
struct Wanted {
    what: String,
    how: &'static str,
    site: crate::rt::Site,
    since: u64,
}

fn describe_permits(draft: &mut Draft, semaphore: &LockFacts, known: &Known) {
    if let (Some(capacity), 1..) = (known.capacity, known.forgotten) {
        let name = semaphore.describe();
        let added = if known.added > 0 { format!(", {} were added since", known.added) } else { String::new() };
        draft.line(&format!("  {name} had {capacity} permits{added}; {} were forgotten", known.forgotten));
    }
}

/// What a thread is known by to be able to help.
fn able_words(need: Need) -> &'static str {
    match need {
        Need::Notify => "has notified it before",
        Need::Message => "has a sender",
        Need::Room => "has a receiver",
        Need::Permits(_) => "has added permits before",
        Need::Party => "has been there before",
        Need::Init => "initialises it",
    }
}

fn past_words(need: Need) -> &'static str {
    match need {
        Need::Notify => "had notified it",
        Need::Message => "had a sender",
        Need::Room => "had a receiver",
        Need::Permits(_) => "had added permits",
        Need::Party => "had been there",
        Need::Init => "initialised it",
    }
}

/// What kind of knot it is, and whom it shows by.
enum Nature {
    Deadlock,
    SelfDeadlock,
    LostWakeup(String),
    SemaphoreLeak(String),
    GuardLeak(String),
}

impl Nature {
    fn code(&self) -> &'static str {
        match self {
            Nature::Deadlock => "deadlock",
            Nature::SelfDeadlock => "self-deadlock",
            Nature::LostWakeup(_) => "lost-wakeup",
            Nature::SemaphoreLeak(_) => "semaphore-leak",
            Nature::GuardLeak(_) => "guard-leak",
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Nature::Deadlock => "release what others need before waiting for them, and end their waits before leaving",
            Nature::SelfDeadlock => "give back what is held before waiting for more of it",
            Nature::LostWakeup(_) => {
                "change the condition under the mutex before notifying, and check it under the mutex before waiting"
            }
            Nature::SemaphoreLeak(_) => "let permits go out of scope, or add new ones for those that are forgotten",
            Nature::GuardLeak(_) => "let guards go out of scope; do not forget or leak those of locks that others use",
        }
    }
}

impl Node {
    fn name(&self) -> String {
        match self.who {
            Who::Thread(info) | Who::Ended(info) => thread_name(info),
            Who::Task(task) => {
                // The name that the kernel keeps, which is cut at 15 bytes.
                let name = std::fs::read_to_string(format!("/proc/self/task/{task}/comm")).unwrap_or_default();
                let name = lockscope_trace::Definitions::clean(name.trim_end());
                let main = if task == std::process::id() { "the main thread" } else { "thread" };
                format!("{main} \"{name}\"")
            }
        }
    }

    /// The notification that this thread missed, if that is why it waits.
    fn unheard(&self) -> Option<helpers::Unheard> {
        let waiting = self.waiting.as_ref()?;
        let Target::Objects { objects, mutex: Some(mutex) } = &waiting.target else { return None };
        let [(condvar, Need::Notify)] = objects.as_slice() else { return None };
        let unheard = helpers::known(condvar.lock).unheard?;
        // Who has looked at the data after that (or may have: acquisitions are not always timed) has not missed anything.
        let has_looked = mutex.was_read && (mutex.since == 0 || unheard.at <= mutex.since);
        (unheard.at <= waiting.since && !has_looked).then_some(unheard)
    }
}
