//! The wait-for search: when a thread is about to wait, does the wait close a cycle?
//!
//! Edges: a thread that waits for a lock waits for *every* thread that holds it in a conflicting mode; a shared request that
//! no exclusive holder blocks waits for every thread that waits for the lock exclusively, since fair read-write locks let no reader pass a
//! waiting writer (but for a recursive read, which passes); a join waits for the joined thread. All of these must come to
//! pass for the wait to end, so one cycle is a deadlock.
//!
//! Why nothing is missed: each thread publishes its wait, then issues a sequentially consistent fence, then searches. Of
//! the threads of a cycle the one whose fence is last sees all waits, and each wait comes after the acquisitions that its
//! thread holds.
//!
//! Why nothing is made up: a cycle found is confirmed. All episodes of waiting are noted first, then every edge is looked at
//! again, then every episode must be the same as before. So there was a moment between at which every thread of the cycle waited,
//! and (since a waiting thread neither acquires nor releases) each held what the edge says. A record of a hold is made after
//! the lock was acquired and unmade before it is released, hence no record outlasts the hold.

use std::collections::HashSet;

use lockscope_trace::{Mode, Need};

use super::{
    held::HeldLock,
    report::LockFacts,
    thread::{self, ThreadInfo},
    waiting::{Target, Waiting},
};

/// A thread in a cycle, its wait, and how the next thread of the cycle is in its way.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub info: &'static ThreadInfo,
    pub waiting: Waiting,
    pub blocker: Blocker,
}

/// Why a thread waits for the next one.
#[derive(Clone, Debug)]
pub(super) enum Blocker {
    /// It holds the lock.
    Holds(HeldLock),
    /// It holds the mutex that the thread has to take at the end of its wait on a condition variable.
    HoldsMutex(HeldLock),
    /// It waits for the lock exclusively, and no reader may pass.
    WritesFirst,
    /// It has to end.
    Lives,
}

/// Searches for a cycle through `me`, whose wait is published; `None` when there is none.
pub(super) fn cycle(me: &'static ThreadInfo) -> Option<Vec<Link>> {
    // A cycle that cannot be confirmed has just been dissolved, or one of its members moved: look again.
    (0..3).find_map(|_| find(me).filter(|cycle| confirm(cycle)))
}

/// The threads that all have to act before a waiting thread can go on, as far as they are known.
pub(super) fn in_the_way_of(info: &'static ThreadInfo) -> Vec<&'static ThreadInfo> {
    let waiting = info.wait.read();
    waiting.map_or_else(Vec::new, |waiting| edges(info, &waiting).into_iter().map(|(other, _)| other).collect())
}

fn find(me: &'static ThreadInfo) -> Option<Vec<Link>> {
    let waiting = me.wait.read()?;
    let first = edges(me, &waiting);
    // A thread that waits for itself does so whatever others do; so that is told first, also where several do the same to each other.
    if let Some((_, blocker)) = first.iter().find(|(next, _)| next.index == me.index) {
        return Some(vec![Link { info: me, waiting, blocker: blocker.clone() }]);
    }
    let mut seen = HashSet::new();
    let mut path: Vec<Link> = Vec::new();
    // Depth first without recursion: per thread on the path the edges that are left to try.
    let mut open: Vec<(Waiting, &'static ThreadInfo, Vec<Edge>)> = vec![(waiting, me, first)];
    while let Some((waiting, info, edges)) = open.last_mut() {
        let Some((next, blocker)) = edges.pop() else {
            open.pop();
            path.pop();
            continue;
        };
        let link = Link { info, waiting: waiting.clone(), blocker };
        if next.index == me.index {
            path.push(link);
            return Some(path);
        }
        if !seen.insert(next.index) {
            continue;
        }
        if let Some(waiting) = next.wait.read() {
            path.push(link);
            let edges = self::edges(next, &waiting);
            open.push((waiting, next, edges));
        }
    }
    None
}

type Edge = (&'static ThreadInfo, Blocker);

/// For whom a waiting thread waits.
fn edges(info: &'static ThreadInfo, waiting: &Waiting) -> Vec<Edge> {
    match &waiting.target {
        Target::Threads(threads) => {
            threads.iter().filter_map(|&id| Some((thread::by_id(id)?, Blocker::Lives))).collect()
        }
        Target::Objects { objects, mutex: None } => initialisers(objects),
        Target::Unpark => Vec::new(),
        Target::Objects { mutex: Some(mutex), .. } => thread::all()
            .filter(|other| other.index != info.index)
            .filter_map(|other| Some((other, Blocker::HoldsMutex(other.held.of_lock(mutex.lock.lock).next()?))))
            .collect(),
        &Target::Lock { lock, mode, upgrade, recursive, .. } => {
            let holds = |other: &'static ThreadInfo| blocking_hold(info, other, lock, mode, upgrade);
            // There is at most one exclusive holder, mostly the one that the wait names.
            if let Some(owner) = waiting.owner.and_then(thread::by_index)
                && let Some(held) = holds(owner).filter(|held| held.mode == Mode::Exclusive)
            {
                return vec![(owner, Blocker::Holds(held))];
            }
            let holders: Vec<Edge> =
                thread::all().filter_map(|other| Some((other, Blocker::Holds(holds(other)?)))).collect();
            if !holders.is_empty() || mode == Mode::Exclusive || recursive {
                return holders;
            }
            thread::all()
                .filter(|other| other.index != info.index && writes_first(other, lock))
                .map(|other| (other, Blocker::WritesFirst))
                .collect()
        }
    }
}

/// Who initialises what is waited for. Nobody else can do so meanwhile.
fn initialisers(objects: &[(LockFacts, Need)]) -> Vec<Edge> {
    let initialises = |object: u32, other: &'static ThreadInfo| {
        let held = other.held.of_lock(object).find(|held| held.mode == Mode::Exclusive)?;
        Some((other, Blocker::Holds(held)))
    };
    let objects = objects.iter().filter(|(_, need)| *need == Need::Init);
    objects.flat_map(|(object, _)| thread::all().filter_map(|other| initialises(object.lock, other))).collect()
}

/// A hold of `other` that keeps `info` from getting the lock.
fn blocking_hold(info: &ThreadInfo, other: &ThreadInfo, lock: u32, mode: Mode, upgrade: bool) -> Option<HeldLock> {
    other.held.of_lock(lock).find(|held| {
        let own_upgradable = upgrade && other.index == info.index && held.mode == Mode::Upgradable;
        !own_upgradable && !held.mode.compatible(mode)
    })
}

fn writes_first(other: &ThreadInfo, lock: u32) -> bool {
    other.wait.read().is_some_and(
        |waiting| matches!(waiting.target, Target::Lock { lock: wanted, mode: Mode::Exclusive, .. } if wanted == lock),
    )
}

/// Whether all of the cycle held at one moment; see above.
fn confirm(cycle: &[Link]) -> bool {
    let waits = || cycle.iter().all(|link| link.info.wait.episode() == Some(link.waiting.episode));
    let next = |index: usize| cycle[(index + 1) % cycle.len()].info;
    let edge_holds = |(index, link): (usize, &Link)| {
        edges(link.info, &link.waiting).iter().any(|(other, _)| other.index == next(index).index)
    };
    waits() && cycle.iter().enumerate().all(edge_holds) && waits()
}
