//! Circles of groups: each one's lock is held by the next.
//!
//! Circles lie within strongly connected components of the graph "wanted while held", so everything outside of them is
//! dropped first; what is left is small in programs that mostly keep an order. Shorter circles are searched before longer
//! ones, so that a budget cuts off the least likely.

use lockscope_trace::LockId;
use petgraph::{algo::kosaraju_scc, graphmap::DiGraphMap};
use rustc_hash::FxHashMap;

use super::{can_overlap, requests::Group};
use crate::analysis::Options;

/// Why a member of a circle waits for the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Link {
    /// The next one holds the lock in a mode that excludes the wanted one.
    Held,
    /// Both read. A writer that waits in between makes the first one wait, where locks are fair.
    Behind,
}

/// A circle: member n wants what member n + 1 holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cycle {
    /// Indices of groups, beginning with the lowest.
    pub members: Vec<u32>,
    /// `links[n]` is between members n and n + 1.
    pub links: Vec<Link>,
}

/// Most circles that are looked at more closely.
const MOST_CYCLES: usize = 20_000;

pub(super) struct Search<'a> {
    groups: &'a [Group],
    /// Groups within components, by a lock that they hold and that leads back to it.
    holding: FxHashMap<LockId, Vec<u32>>,
    budget: u64,
    /// Length of circles that was not searched through.
    cut_at: Option<usize>,
    pub cycles: Vec<Cycle>,
    path: Cycle,
}

impl<'a> Search<'a> {
    pub(super) fn run(groups: &'a [Group], options: &Options) -> Self {
        let mut graph = DiGraphMap::<LockId, ()>::new();
        for group in groups {
            for &(held, _) in &group.held {
                graph.add_edge(held, group.lock, ());
            }
        }
        let mut component = FxHashMap::default();
        let mut largest = 0;
        for (index, locks) in kosaraju_scc(&graph).into_iter().enumerate() {
            // A lock that was upgraded leads to itself.
            if locks.len() > 1 || graph.contains_edge(locks[0], locks[0]) {
                largest = largest.max(locks.len());
                component.extend(locks.into_iter().map(|lock| (lock, index)));
            }
        }
        let mut holding = FxHashMap::<LockId, Vec<u32>>::default();
        let mut starts = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let Some(home) = component.get(&group.lock) else { continue };
            let mut inside = false;
            for (held, _) in group.held.iter().filter(|(held, _)| component.get(held) == Some(home)) {
                holding.entry(*held).or_default().push(index as u32);
                inside = true;
            }
            if inside {
                starts.push(index as u32);
            }
        }
        let path = Cycle { members: Vec::new(), links: Vec::new() };
        let mut search =
            Search { groups, holding, budget: options.cycle_budget, cut_at: None, cycles: Vec::new(), path };
        // No circle is longer than its locks, but the one of two that upgrade one lock.
        for length in 2..=options.max_cycle_length.min(largest.max(2)) {
            for &start in &starts {
                search.path.members.push(start);
                search.extend(length);
                search.path.members.pop();
            }
            if search.cut_at.is_some() {
                break;
            }
        }
        if search.cut_at.is_none() && largest > options.max_cycle_length {
            search.cut_at = Some(options.max_cycle_length + 1);
        }
        search
    }

    fn extend(&mut self, length: usize) {
        let groups = self.groups;
        let start = self.path.members[0];
        let last = &groups[*self.path.members.last().expect("begins with a start") as usize];
        if self.path.members.len() == length {
            if let Some(link) = link(last, &groups[start as usize]) {
                self.path.links.push(link);
                self.cycles.push(self.path.clone());
                self.path.links.pop();
            }
            return;
        }
        let candidates = self.holding.get(&last.lock).map_or(0, Vec::len);
        for position in 0..candidates {
            let candidate = self.holding[&last.lock][position];
            // Each circle is found from its lowest member only. The same group twice: two threads upgrade one lock.
            if candidate < start {
                continue;
            }
            if self.budget == 0 || self.cycles.len() == MOST_CYCLES {
                self.cut_at = Some(length);
                return;
            }
            self.budget -= 1;
            let next = &groups[candidate as usize];
            let Some(link) = link(last, next) else { continue };
            // The lock wanted twice would close a shorter circle, which is found by itself.
            let fits = |&member: &u32| {
                let member = &groups[member as usize];
                can_overlap(&member.held, &next.held) && (member.lock != next.lock || length == 2)
            };
            if self.path.members.iter().all(fits) {
                self.path.members.push(candidate);
                self.path.links.push(link);
                self.extend(length);
                self.path.links.pop();
                self.path.members.pop();
            }
        }
    }

    pub(super) fn limits(&self, options: &Options) -> Option<String> {
        let length = self.cut_at?;
        Some(if length > options.max_cycle_length {
            format!("lock-order circles of more than {} locks were not searched for", options.max_cycle_length)
        } else {
            format!("the search for lock-order circles of {length} and more locks was cut off: there are too many")
        })
    }
}

fn link(waiting: &Group, holding: &Group) -> Option<Link> {
    let (_, held) = holding.held.iter().find(|(lock, _)| *lock == waiting.lock)?;
    match held.compatible(waiting.mode) {
        false => Some(Link::Held),
        // A recursive read waits for no writer that waits itself.
        true => (!waiting.recursive).then_some(Link::Behind),
    }
}
