//! Finds who can be the members of a circle: distinct threads that nothing keeps apart, for each combination of places.

use lockscope_trace::{LockId, SiteId};
use rustc_hash::FxHashMap;

use super::{
    can_overlap,
    cycles::{Cycle, Link},
    happens_before::HappensBefore,
    requests::{Instance, Requests, Writer},
};

/// A circle with its threads.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    /// In this run something kept its threads apart.
    pub apart: bool,
    /// Everything was followed that orders its threads with others.
    pub followed: bool,
    /// Each wants what the next one holds, or, in front of a writer that only waits, what that one waits for.
    pub parts: Vec<Part>,
}

/// One thread of a circle.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub instance: Instance,
    /// The lock that it holds and the one before it wants; `None` for a writer that is only in the way.
    pub holds: Option<LockId>,
}

/// The variants of one circle.
#[derive(Debug, Default)]
pub(super) struct Variants {
    pub variants: Vec<Variant>,
    /// There may be further combinations of places.
    pub more: bool,
}

/// Most combinations of places that are reported of one circle.
const MOST_VARIANTS: usize = 16;

pub(super) struct Assigner<'a> {
    requests: &'a Requests,
    lives: &'a HappensBefore,
    budget: u64,
    /// Only threads that nothing kept apart in this run.
    strict: bool,
}

impl<'a> Assigner<'a> {
    pub(super) fn new(requests: &'a Requests, lives: &'a HappensBefore, budget: u64) -> Self {
        Assigner { requests, lives, budget, strict: true }
    }

    /// One variant for each combination of places; none when no threads can be found for any.
    pub(super) fn variants(&mut self, cycle: &Cycle) -> Variants {
        let buckets: Vec<Vec<Vec<u32>>> = (0..cycle.members.len())
            .map(|index| self.by_place(cycle.members[index], self.held_lock(cycle, index)))
            .collect();
        let mut found = Variants::default();
        // Counts through all combinations of one bucket each, like an odometer.
        let mut choice = vec![0; buckets.len()];
        loop {
            if found.variants.len() == MOST_VARIANTS || self.budget == 0 {
                found.more = true;
                return found;
            }
            let chosen: Vec<&[u32]> = std::iter::zip(&buckets, &choice).map(|(b, &index)| &*b[index]).collect();
            for strict in [true, false] {
                self.strict = strict;
                let mut picked = Vec::new();
                if let Some(writers) = self.pick(cycle, &chosen, &mut picked) {
                    found.variants.push(self.variant(cycle, &picked, writers));
                    break;
                }
            }
            let Some(wheel) = (0..choice.len()).rev().find(|&wheel| choice[wheel] + 1 < buckets[wheel].len()) else {
                return found;
            };
            choice[wheel] += 1;
            choice[wheel + 1..].fill(0);
        }
    }

    pub(super) fn limits(&self) -> Option<String> {
        (self.budget == 0).then(|| {
            "the search for threads that can meet in lock-order circles was cut off: circles or places may be missing"
                .to_owned()
        })
    }

    /// The lock that member `index` holds and the member before it wants.
    fn held_lock(&self, cycle: &Cycle, index: usize) -> LockId {
        let previous = cycle.members[(index + cycle.members.len() - 1) % cycle.members.len()];
        self.requests.groups()[previous as usize].lock
    }

    /// The group's instances, those of equal places together, in order of appearance.
    fn by_place(&self, group: u32, held: LockId) -> Vec<Vec<u32>> {
        let mut index_of = FxHashMap::<(Option<SiteId>, Option<SiteId>), usize>::default();
        let mut buckets: Vec<Vec<u32>> = Vec::new();
        for &member in &self.requests.groups()[group as usize].members {
            let instance = self.requests.instance(member);
            let held_site = instance.held.iter().find(|hold| hold.lock == held).and_then(|hold| hold.site);
            let bucket = *index_of.entry((held_site, instance.wanted.site)).or_insert_with(|| {
                buckets.push(Vec::new());
                buckets.len() - 1
            });
            buckets[bucket].push(member);
        }
        buckets
    }

    /// Fills `picked` with one instance of each bucket that can meet, and returns a writer for each link that needs one.
    fn pick(&mut self, cycle: &Cycle, buckets: &[&[u32]], picked: &mut Vec<u32>) -> Option<Vec<(usize, &'a Writer)>> {
        if picked.len() == buckets.len() {
            let mut writers = Vec::new();
            return self.pick_writers(cycle, picked, 0, &mut writers).then_some(writers);
        }
        for &candidate in buckets[picked.len()] {
            if self.budget == 0 {
                return None;
            }
            self.budget -= 1;
            let instance = self.requests.instance(candidate);
            if picked.iter().all(|&other| self.can_meet(self.requests.instance(other), instance)) {
                picked.push(candidate);
                let writers = self.pick(cycle, buckets, picked);
                if writers.is_some() {
                    return writers;
                }
                picked.pop();
            }
        }
        None
    }

    fn pick_writers(
        &mut self,
        cycle: &Cycle,
        picked: &[u32],
        from: usize,
        writers: &mut Vec<(usize, &'a Writer)>,
    ) -> bool {
        let Some(index) = (from..cycle.links.len()).find(|&index| cycle.links[index] == Link::Behind) else {
            return true;
        };
        let requests = self.requests;
        let groups = requests.groups();
        for writer in requests.writers(groups[cycle.members[index] as usize].lock) {
            if self.budget == 0 {
                return false;
            }
            self.budget -= 1;
            let fits_members = std::iter::zip(&cycle.members, picked).all(|(&group, &member)| {
                can_overlap(&groups[group as usize].held, &writer.held)
                    && self.can_meet(requests.instance(member), &writer.instance)
            });
            let fits_writers = writers.iter().all(|(_, other)| {
                can_overlap(&other.held, &writer.held) && self.can_meet(&other.instance, &writer.instance)
            });
            if fits_members && fits_writers {
                writers.push((index, writer));
                if self.pick_writers(cycle, picked, index + 1, writers) {
                    return true;
                }
                writers.pop();
            }
        }
        false
    }

    /// Two threads of which neither is over before the other begins.
    fn can_meet(&self, a: &Instance, b: &Instance) -> bool {
        let (a, b) = (a.moment, b.moment);
        let ordered = |a, b| if self.strict { self.lives.ordered_here(a, b) } else { self.lives.ordered(a, b) };
        a.thread != b.thread && !ordered(a, b) && !ordered(b, a)
    }

    fn variant(&self, cycle: &Cycle, picked: &[u32], writers: Vec<(usize, &Writer)>) -> Variant {
        let mut parts = Vec::new();
        for (index, &member) in picked.iter().enumerate() {
            let instance = self.requests.instance(member).clone();
            parts.push(Part { instance, holds: Some(self.held_lock(cycle, index)) });
            if let Some((_, writer)) = writers.iter().find(|(link, _)| *link == index) {
                parts.push(Part { instance: writer.instance.clone(), holds: None });
            }
        }
        let followed = parts.iter().all(|part| self.lives.is_followed(part.instance.moment.thread));
        Variant { apart: !self.strict, followed, parts }
    }
}
