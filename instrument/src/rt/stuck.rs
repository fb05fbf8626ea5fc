//! Deadlocks on request, for interfaces that ask whether there are any instead of being told.
//!
//! What counts are cycles of waits without a limit, as they are found when they close (see `search`). Nothing is
//! reported, and the threads are left as they are.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Mutex, PoisonError},
    thread::ThreadId,
};

use backtrace::Backtrace;

use super::{search, thread};

/// A thread that will never go on.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// Which.
    pub thread: ThreadId,
    /// Where it waits. Empty without the feature `backtraces`.
    pub backtrace: Backtrace,
}

/// A wait of a thread, by its record's index and the wait's number.
type Wait = (u32, u64);

/// The deadlocks that there are and that were not returned before, each with all threads in it. Cycles that have threads in
/// common are one deadlock.
///
/// Costs some microseconds for each thread that waits, and resolves the symbols of what it returns.
pub fn deadlocks() -> Vec<Vec<Stuck>> {
    static RETURNED: Mutex<Option<HashSet<Wait>>> = Mutex::new(None);
    // So that locks that are taken in here are not followed.
    let Some(_entered) = thread::enter() else { return Vec::new() };
    let mut returned = RETURNED.lock().unwrap_or_else(PoisonError::into_inner);
    let returned = returned.get_or_insert_default();
    returned.retain(|&(index, wait)| thread::by_index(index).and_then(|info| info.wait.episode()) == Some(wait));
    let mut groups = components(in_cycles());
    groups.retain(|group| !group.iter().any(|wait| returned.contains(wait)));
    returned.extend(groups.iter().flatten());
    groups.into_iter().map(|group| group.into_iter().filter_map(stuck).collect()).collect()
}

/// Every wait in a cycle. These waits do not end, so that what follows can take its time.
fn in_cycles() -> BTreeMap<u32, Wait> {
    let waiting = thread::all().filter(|info| info.wait.endless().is_some());
    let cycles = waiting.filter_map(search::cycle).filter(|cycle| !cycle.iter().any(|link| link.waiting.limited));
    cycles.flatten().map(|link| (link.info.index, (link.info.index, link.waiting.episode))).collect()
}

/// Divides waits into groups of which each thread waits for each other one, if only by way of others.
fn components(waits: BTreeMap<u32, Wait>) -> Vec<Vec<Wait>> {
    let next = |index: u32| {
        let blockers = thread::by_index(index).map_or_else(Vec::new, search::in_the_way_of);
        blockers.into_iter().map(|info| info.index).filter(|index| waits.contains_key(index)).collect::<Vec<_>>()
    };
    let edges: BTreeMap<u32, Vec<u32>> = waits.keys().map(|&index| (index, next(index))).collect();
    let reached_from = |start: u32| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(index) = open.pop() {
            open.extend(edges[&index].iter().filter(|&&next| reached.insert(next)));
        }
        reached
    };
    let reached: BTreeMap<u32, BTreeSet<u32>> = waits.keys().map(|&index| (index, reached_from(index))).collect();
    let mut groups: Vec<Vec<Wait>> = Vec::new();
    for (index, &wait) in &waits {
        let is_mutual = |&(other, _): &Wait| reached[index].contains(&other) && reached[&other].contains(index);
        match groups.iter_mut().find(|group| is_mutual(&group[0])) {
            Some(group) => group.push(wait),
            None => groups.push(vec![wait]),
        }
    }
    groups
}

fn stuck((index, wait): Wait) -> Option<Stuck> {
    let info = thread::by_index(index)?;
    let thread = (*info.std_id.lock().unwrap_or_else(PoisonError::into_inner))?;
    let mut backtrace = info.wait.backtrace(wait).unwrap_or_else(|| Vec::new().into());
    backtrace.resolve();
    Some(Stuck { thread, backtrace })
}
