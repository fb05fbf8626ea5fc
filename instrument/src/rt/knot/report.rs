//! What is said of a knot.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{Case, Verdict, graph::Who, mark_reported, nature::Nature, waits};
use crate::{
    config::Policy,
    rt::{
        report::{Draft, is_first, thread_name},
        thread::Entered,
        words::{join, target_name},
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
    pub(super) fn report(self, entered: &Entered, can_panic: bool) {
        if self.verdict == Verdict::Everybody {
            let all: Vec<usize> = (0..self.graph.nodes.len()).collect();
            // What was reported before is the reason, and hangs still.
            if mark_reported(&waits(&self.graph, &all)) {
                self.report_as_one(entered, self.knots.iter().flatten().copied().collect(), can_panic);
            }
            return;
        }
        for knot in &self.knots {
            if mark_reported(&waits(&self.graph, knot)) {
                self.report_as_one(entered, knot.clone(), can_panic);
            }
        }
    }

    fn report_as_one(&self, entered: &Entered, knot: Vec<usize>, can_panic: bool) {
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
        // Threads that do the same wait in the same way; one of them says it.
        let mut known = HashSet::new();
        let stack_of = |&index: &usize| {
            let (info, waiting) = (self.graph.nodes[index].info()?, self.graph.nodes[index].waiting.as_ref()?);
            let stack = waiting.stack?;
            known
                .insert(std::ptr::from_ref(stack))
                .then(|| (format!("stack of {}:", thread_name(info)), stack, waiting.site))
        };
        for (heading, stack, site) in members.iter().filter_map(stack_of).take(STACKS) {
            draft.stack(&heading, Some(stack), site);
        }
        draft.line(&format!("help: {}", nature.help()));
        for info in members.iter().filter_map(|&index| self.graph.nodes[index].info()) {
            draft.about_thread(info);
        }
        // Doubtful: nobody's program is ended for that.
        let policy = if is_certain { draft.deadlock_policy(entered, can_panic) } else { Policy::Report };
        if entered.is_observer() {
            entered.with_trace(|entered| draft.publish(entered, policy));
        } else {
            draft.publish(entered, policy);
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
}
