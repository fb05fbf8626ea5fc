//! Numbers of the whole trace as lists show them: made on the reader's thread, a tenth of the size of what they are made from.

use lockscope_analyzer::{
    Contention, OrderGraph,
    contention::{Cost, Delay},
    order_graph::Grouping,
    stats::{LockStats, LongestHold, SiteStats},
};
use lockscope_trace::{Definitions, LockId, Nanos, SiteId, ThreadId};
use std::collections::HashMap;

use crate::dashboard::memory::Uses;

/// Pairs of places, and of threads, beyond these are left out: those that cost most are kept.
const MOST_PAIRS: usize = 4096;

/// Counts and times of the whole trace so far.
#[derive(Debug, Default)]
pub struct Digest {
    /// By lock.
    pub locks: Vec<LockNumbers>,
    /// What waits cost by where they waited and what they waited for, dearest first.
    pub delays: Vec<(Delay, Cost)>,
    /// By who held and who waited, dearest first.
    pub pairs: Vec<((ThreadId, ThreadId), Cost)>,
    /// By the place of acquisition, those that waited longest first.
    pub sites: Vec<(SiteId, SiteStats)>,
    /// The order of locks.
    pub order: OrderGraph,
    /// The order of classes of locks.
    pub classes: OrderGraph,
    /// Time waited for locks, all together.
    pub waited: Nanos,
    /// Who used which memory location.
    pub memory: Vec<Uses>,
}

/// A lock's numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct LockNumbers {
    /// Acquisitions, of those shared ones, and of those that had to wait.
    pub acquisitions: u64,
    /// See there.
    pub shared: u64,
    /// See there.
    pub contended: u64,
    /// Tries that failed, and waits that ran out of time.
    pub failed: u64,
    /// All time waited for it.
    pub waited: Nanos,
    /// Half of the waits, 99 of 100, and all of them were no longer.
    pub wait: [Nanos; 3],
    /// All time held.
    pub held: Nanos,
    /// As for waits.
    pub hold: [Nanos; 3],
    /// The longest hold.
    pub longest: Option<LongestHold>,
    /// Longest run of acquisitions that all had waited.
    pub convoy: u64,
    /// Average time between a release and the acquisition that had waited for it.
    pub handoff: Option<Nanos>,
}

impl Digest {
    /// Of an analysis. O(locks and places).
    pub fn new(
        analysis: &lockscope_analyzer::Analysis,
        contention: &Contention,
        defs: &Definitions,
        memory: &[Uses],
    ) -> Digest {
        let stats = analysis.stats();
        let locks: Vec<LockNumbers> = stats
            .locks
            .iter()
            .enumerate()
            .map(|(idx, lock)| LockNumbers::new(lock, contention, LockId(idx as u32)))
            .collect();
        let mut by_site: HashMap<SiteId, SiteStats> = HashMap::new();
        for (site, numbers) in stats.locks.iter().flat_map(|lock| &lock.sites) {
            let Some(site) = *site else { continue };
            let sum = by_site.entry(site).or_default();
            sum.acquisitions += numbers.acquisitions;
            sum.contended += numbers.contended;
            sum.waited.0 = sum.waited.0.saturating_add(numbers.waited.0);
            sum.held.0 = sum.held.0.saturating_add(numbers.held.0);
        }
        let mut sites: Vec<(SiteId, SiteStats)> = by_site.into_iter().collect();
        sites.sort_unstable_by_key(|(site, numbers)| {
            (std::cmp::Reverse((numbers.waited, numbers.contended, numbers.held)), *site)
        });
        Digest {
            waited: Nanos(locks.iter().fold(0, |sum, lock| sum.saturating_add(lock.waited.0))),
            locks,
            memory: memory.to_vec(),
            delays: dearest(contention.delays.iter().map(|(delay, cost)| (*delay, *cost)).collect()),
            pairs: dearest(contention.threads.iter().map(|(pair, cost)| (*pair, *cost)).collect()),
            sites,
            order: analysis.order_graph(defs, Grouping::Locks),
            classes: analysis.order_graph(defs, Grouping::Classes),
        }
    }

    /// A lock's numbers.
    pub fn lock(&self, id: LockId) -> Option<&LockNumbers> {
        self.locks.get(id.0 as usize)
    }

    /// What waiting for a lock cost by place, dearest first.
    pub fn delays_of(&self, lock: LockId) -> impl Iterator<Item = &(Delay, Cost)> {
        self.delays.iter().filter(move |(delay, _)| delay.lock == lock)
    }
}

/// Those that cost most, in a stable order.
fn dearest<T: Ord + Copy>(mut costs: Vec<(T, Cost)>) -> Vec<(T, Cost)> {
    costs.sort_unstable_by_key(|(of, cost)| (std::cmp::Reverse((cost.time, cost.count)), *of));
    costs.truncate(MOST_PAIRS);
    costs
}

impl LockNumbers {
    fn new(stats: &LockStats, contention: &Contention, id: LockId) -> LockNumbers {
        let handover = contention.locks.get(&id).copied().unwrap_or_default();
        LockNumbers {
            acquisitions: stats.acquisitions,
            shared: stats.shared,
            contended: stats.contended,
            failed: stats.failed_tries + stats.timed_out,
            waited: stats.wait.total,
            wait: [stats.wait.percentile(50), stats.wait.percentile(99), stats.wait.max],
            held: stats.hold.total,
            hold: [stats.hold.percentile(50), stats.hold.percentile(99), stats.hold.max],
            longest: stats.longest,
            convoy: handover.convoy,
            handoff: handover.time.0.checked_div(handover.count).map(Nanos),
        }
    }
}
