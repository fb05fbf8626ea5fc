//! Reads the trace once more and judges all claims.

use std::collections::VecDeque;

use lockscope_trace::{Definitions, Event, Op, ThreadId};

use super::{
    Claim, End, Order, Step, Witness,
    check::{Fact, Facts, Replay},
    finding, verdict,
    world::Broken,
};
use crate::finding::Finding;

/// Claims that are being checked. [`feed`](Claims::feed) takes the whole trace again, from its first event.
///
/// O(claims) for each event. Memory: locks, variables and threads of each claim; for orders other than the trace's their events.
#[derive(Debug)]
pub struct Claims {
    facts: Facts,
    open: Vec<Open>,
    /// Those that the rest of the trace can still say something of.
    active: Vec<usize>,
    position: u64,
}

/// What became of a claim.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The claim.
    pub claim: Claim,
    /// The prediction that it proves, or why it proves none.
    pub proof: Result<Box<Finding>, String>,
}

#[derive(Debug)]
struct Open {
    claim: Claim,
    /// By thread: how many of its events belong to the claim.
    limits: Vec<u64>,
    /// The threads that are claimed to be stuck or to race.
    ends: Vec<ThreadId>,
    /// Events of the claim that have not come by.
    left: u64,
    replay: Replay,
    failed: Option<Broken>,
    /// What those threads would do next.
    next: Vec<Option<Fact>>,
    /// Events of an order that is not the trace's, until all are there.
    collected: Vec<Fact>,
    shown: Shown,
}

/// Which events are shown.
#[derive(Debug, Default)]
struct Shown {
    length: u64,
    /// The first ones, and the last ones of each thread that matters.
    first: Vec<Step>,
    last: Vec<VecDeque<Step>>,
}

/// A witness that is not longer is shown whole.
const SHORT: usize = 40;
/// Of a longer one: the first events, and the last ones of each thread that is stuck or races.
const FIRST: usize = 4;
const LAST: usize = 6;

impl Claims {
    /// Begins with the first event of the trace.
    pub fn new(claims: Vec<Claim>) -> Self {
        let open: Vec<Open> = claims.into_iter().map(Open::new).collect();
        Claims { facts: Facts::default(), active: (0..open.len()).collect(), open, position: 0 }
    }

    /// Whether there is nothing to check.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes in the next events of the trace.
    pub fn feed(&mut self, events: &[Event], definitions: &Definitions) {
        for event in events {
            self.position += 1;
            let fact = self.facts.of(self.position, event, definitions);
            let open = &mut self.open;
            self.active.retain(|&index| {
                let open = &mut open[index];
                open.take(&fact, definitions);
                !open.is_settled()
            });
        }
    }

    /// The verdicts, in the order of the claims.
    pub fn finish(self, definitions: &Definitions) -> Vec<Outcome> {
        let facts = &self.facts;
        self.open.into_iter().map(|open| open.finish(facts, definitions)).collect()
    }
}

impl Open {
    fn new(claim: Claim) -> Self {
        let mut limits = Vec::new();
        for &(ThreadId(thread), upto) in &claim.prefixes {
            let index = thread as usize;
            if index >= limits.len() {
                limits.resize(index + 1, 0);
            }
            limits[index] = upto;
        }
        let ends: Vec<ThreadId> = claim.end.threads().into_iter().map(|(thread, _)| thread).collect();
        Open {
            left: limits.iter().fold(0, |sum: u64, &limit| sum.saturating_add(limit)),
            limits,
            next: vec![None; ends.len()],
            shown: Shown { last: vec![VecDeque::new(); ends.len()], ..Shown::default() },
            ends,
            replay: Replay::default(),
            failed: None,
            collected: Vec::new(),
            claim,
        }
    }

    fn take(&mut self, fact: &Fact, definitions: &Definitions) {
        let thread = fact.event.thread;
        let limit = self.limits.get(thread.0 as usize).copied().unwrap_or(0);
        if fact.ordinal() <= limit {
            self.left -= 1;
            match self.claim.order {
                Order::Trace => self.step(fact, definitions),
                Order::Listed(_) => self.collected.push(*fact),
            }
            return;
        }
        if fact.ordinal() == limit + 1
            && let Some(index) = self.ends.iter().position(|&end| end == thread)
        {
            self.next[index] = Some(*fact);
        }
        // A lock that another thread releases is one that its owner may have given away: waiting keeps nobody from releasing it.
        if let (Op::Released { lock, owner, .. }, End::Deadlock(requests)) = (fact.event.op, &self.claim.end)
            && owner != thread
            && self.ends.contains(&owner)
            && requests.iter().any(|&(_, wanted, _)| wanted == lock)
        {
            self.failed = Some("another thread releases what a thread holds");
        }
    }

    /// Nothing that comes after can change the verdict.
    fn is_settled(&self) -> bool {
        // Whoever is stuck may have given a lock away, as its release will tell.
        let can_be_refuted = matches!(self.claim.end, End::Deadlock(_));
        self.failed.is_some() || self.left == 0 && self.next.iter().all(Option::is_some) && !can_be_refuted
    }

    fn step(&mut self, fact: &Fact, definitions: &Definitions) {
        if let Err(broken) = self.replay.step(fact, definitions) {
            self.failed = Some(broken);
            return;
        }
        self.shown.add(fact, &self.ends);
    }

    fn finish(mut self, facts: &Facts, definitions: &Definitions) -> Outcome {
        if let Order::Listed(order) = &self.claim.order {
            let place = |position| self.collected.binary_search_by_key(&position, |fact: &Fact| fact.position).ok();
            let facts: Option<Vec<Fact>> =
                order.iter().map(|&position| place(position).map(|place| self.collected[place])).collect();
            match facts.filter(|facts| facts.len() == self.collected.len()) {
                Some(facts) => {
                    for fact in &facts {
                        if self.failed.is_none() {
                            self.step(fact, definitions);
                        }
                    }
                }
                None => self.failed = Some("the order names other events than the claim"),
            }
        }
        let verdict = match self.failed {
            Some(broken) => Err(broken),
            None if self.has_strangers(facts, definitions) => Err("it is not recorded how some of the threads started"),
            None => self.is_complete().and_then(|()| verdict::judge(self.replay.world(), &self.claim.end, &self.next)),
        };
        let proof = match verdict {
            Ok(()) => {
                let next: Vec<Fact> = self.next.iter().flatten().copied().collect();
                let witness = Witness {
                    length: self.shown.length,
                    prefixes: self.claim.prefixes.iter().copied().filter(|&(_, upto)| upto > 0).collect(),
                    is_in_trace_order: self.claim.order == Order::Trace,
                    next: next.iter().map(|fact| fact.step(self.shown.length)).collect(),
                    steps: self.shown.steps(self.replay.world(), &self.claim.end),
                };
                Ok(Box::new(finding::of(definitions, &self.claim, self.replay.world(), &next, witness)))
            }
            Err(broken) => Err(broken.to_owned()),
        };
        Outcome { claim: self.claim, proof }
    }

    /// In a recorded program more than one thread takes part of which nobody saw who started it. Whoever did may have waited for the one
    /// before it started the other. In foreign traces such threads are there from the beginning.
    fn has_strangers(&self, facts: &Facts, definitions: &Definitions) -> bool {
        let is_recorded = |thread| definitions.thread(thread).is_some_and(|thread| thread.os_id != 0);
        let takes_part = |thread: &ThreadId| {
            self.ends.contains(thread) || self.limits.get(thread.0 as usize).is_some_and(|&limit| limit > 0)
        };
        let n_threads = definitions.threads.len() as u32;
        let threads = (0..n_threads).map(ThreadId).filter(takes_part);
        threads.filter(|&thread| is_recorded(thread) && !facts.is_started(thread)).nth(1).is_some()
    }

    /// The trace had all the events that the claim is about.
    fn is_complete(&self) -> Result<(), Broken> {
        let done = |&(thread, upto): &(ThreadId, u64)| self.replay.world().done(thread) == upto;
        if self.claim.prefixes.iter().all(done) { Ok(()) } else { Err("the trace has fewer events of a thread") }
    }
}

impl Shown {
    fn add(&mut self, fact: &Fact, ends: &[ThreadId]) {
        let step = fact.step(self.length);
        self.length += 1;
        if self.first.len() < SHORT {
            self.first.push(step);
        }
        if let Some(index) = ends.iter().position(|&end| end == fact.event.thread) {
            let last = &mut self.last[index];
            if last.len() == LAST {
                last.pop_front();
            }
            last.push_back(step);
        }
    }

    fn steps(&self, world: &super::world::World, end: &End) -> Vec<Step> {
        if self.length as usize <= self.first.len() {
            return self.first.clone();
        }
        let mut steps: Vec<Step> = self.first[..FIRST].iter().chain(self.last.iter().flatten()).copied().collect();
        if let End::Deadlock(requests) = end {
            // Where the locks were taken that keep the others from going on. How many events come before is known of those
            // that are shown anyway; the others come between them.
            for &(_, lock, _) in requests {
                for hold in world.held(lock) {
                    if steps.iter().all(|step| step.position != hold.position) {
                        steps.push(Step { index: hold.index, position: hold.position, event: hold.taken });
                    }
                }
            }
        }
        steps.sort_by_key(|step| step.index);
        steps.dedup_by_key(|step| step.index);
        steps
    }
}
