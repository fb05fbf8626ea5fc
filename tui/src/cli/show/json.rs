//! `show threads`, `locks`, `order` and `contention` as JSON, version 1. `tui/schema/show-1.json` describes it; a test compares the two.

use std::io::Write;

use lockscope_analyzer::{
    Analysis,
    finding::Wanted,
    order_graph::Grouping,
    state::{LockState, State, ThreadState},
    stats::{Histogram, LockStats},
};
use lockscope_trace::{EventSource, LockId, Mode, Nanos, ThreadId};
use serde::Serialize;

use crate::{
    cli::{
        Failure,
        report::json::parts::{Converter, HeldLock, HeldPermits, Lock, Object, Site, Thread, WantedTarget},
        show::{contention::Costs, locks, order, threads},
    },
    filter::Filter,
};

/// Version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<T> {
    version: u32,
    trace: String,
    /// Number of the last event that counts.
    event: u64,
    time_ns: Option<u64>,
    #[serde(flatten)]
    content: T,
}

#[derive(Serialize)]
struct Threads {
    threads: Vec<JsonThread>,
}

#[derive(Serialize)]
struct JsonThread {
    thread: Thread,
    state: &'static str,
    held: Vec<HeldLock>,
    wanted: Option<WantedTarget>,
    /// What else would end the wait; of threads, what else has to.
    wanted_too: Vec<WantedTarget>,
    limited: bool,
    permits: Vec<HeldPermits>,
    blocked_ns: Option<u64>,
}

#[derive(Serialize)]
struct Locks {
    locks: Vec<JsonLock>,
}

#[derive(Serialize)]
struct JsonLock {
    lock: Lock,
    holders: Vec<Party>,
    waiters: Vec<Party>,
    acquisitions: u64,
    contended: u64,
    poisoned: bool,
    object: Option<Object>,
    wait: Option<Times>,
    hold: Option<Times>,
}

#[derive(Serialize)]
struct Party {
    thread: Thread,
    mode: &'static str,
    since_ns: Option<u64>,
}

#[derive(Serialize)]
struct Times {
    count: u64,
    total_ns: u64,
    p50_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

#[derive(Serialize)]
struct Order {
    order: Vec<Pair>,
}

#[derive(Serialize)]
struct Pair {
    held: Lock,
    taken: Lock,
    count: u64,
    both_ways: bool,
    first_thread: Thread,
    first_event: u64,
    held_site: Option<Site>,
    taken_site: Option<Site>,
}

#[derive(Serialize)]
struct Contention {
    contention: BothCosts,
}

#[derive(Serialize)]
struct BothCosts {
    locks: Vec<LockCosts>,
    sites: Vec<SiteCosts>,
}

#[derive(Serialize)]
struct LockCosts {
    lock: Lock,
    acquisitions: u64,
    shared: u64,
    contended: u64,
    wait: Option<Times>,
    hold: Option<Times>,
}

#[derive(Serialize)]
struct SiteCosts {
    site: Option<Site>,
    acquisitions: u64,
    contended: u64,
    wait: Option<Times>,
    hold_total_ns: Option<u64>,
    hold_max_ns: Option<u64>,
}

/// Writes what the locks and places cost that the filter keeps.
pub fn contention(costs: &Costs, filter: &Filter, out: &mut dyn Write) -> Result<(), Failure> {
    let converter = Converter::new(&costs.defs, &costs.info);
    let locks = costs.locks(filter).into_iter().map(|(id, totals)| LockCosts {
        lock: converter.lock(id),
        acquisitions: totals.acquisitions,
        shared: totals.shared,
        contended: totals.wait.count,
        wait: times(&converter, &totals.wait),
        hold: times(&converter, &totals.hold),
    });
    let sites = costs.sites(filter).into_iter().map(|(id, totals)| SiteCosts {
        site: converter.site(Some(id)),
        acquisitions: totals.acquisitions,
        contended: totals.wait.count,
        wait: times(&converter, &totals.wait),
        hold_total_ns: converter.time(totals.hold),
        hold_max_ns: converter.time(totals.longest_hold),
    });
    let document = Document {
        version: VERSION,
        trace: costs.info.path.to_string_lossy().into_owned(),
        event: costs.events,
        time_ns: costs.until.and_then(|until| converter.time(until)),
        content: Contention { contention: BothCosts { locks: locks.collect(), sites: sites.collect() } },
    };
    serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Writes all threads that the filter keeps.
pub fn threads(source: &dyn EventSource, state: &State, filter: &Filter, out: &mut dyn Write) -> Result<(), Failure> {
    let converter = Converter::new(source.definitions(), source.info());
    let kept = state.threads.iter().enumerate().map(|(idx, thread)| (ThreadId(idx as u32), thread));
    let kept = kept.filter(|(id, _)| !source.definitions().is_own(*id)).filter(|(id, thread)| {
        let now = converter.time(state.time).map(Nanos);
        filter.keeps(&threads::row(source.definitions(), *id, thread, now))
    });
    let threads = kept.map(|(id, thread)| json_thread(&converter, id, thread)).collect();
    write(source, state, &converter, Threads { threads }, out)
}

/// Writes all locks that the filter keeps.
pub fn locks(
    source: &dyn EventSource,
    analysis: &Analysis,
    filter: &Filter,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let converter = Converter::new(source.definitions(), source.info());
    let kept = analysis.state().locks.iter().enumerate().map(|(idx, lock)| (LockId(idx as u32), lock));
    let kept = kept.filter(|(id, lock)| {
        let stats = analysis.stats().lock(*id).filter(|_| source.info().has_times);
        filter.keeps(&locks::row(source.definitions(), *id, lock, stats))
    });
    let locks = kept.map(|(id, lock)| json_lock(&converter, id, lock, analysis.stats().lock(id))).collect();
    write(source, analysis.state(), &converter, Locks { locks }, out)
}

/// Writes all pairs of locks of which one was taken while the other was held.
pub fn order(
    source: &dyn EventSource,
    analysis: &Analysis,
    filter: &Filter,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let converter = Converter::new(source.definitions(), source.info());
    let graph = analysis.order_graph(source.definitions(), Grouping::Locks);
    let pair = |edge: &lockscope_analyzer::order_graph::OrderEdge| Pair {
        held: converter.lock(graph.nodes[edge.from].lock),
        taken: converter.lock(graph.nodes[edge.to].lock),
        count: edge.count,
        both_ways: edge.inverted,
        first_thread: converter.thread(edge.thread),
        first_event: edge.event,
        held_site: converter.site(edge.held_site),
        taken_site: converter.site(edge.site),
    };
    let kept = graph.edges.iter().filter(|edge| filter.keeps(&order::row(source.definitions(), &graph, edge)));
    let order = kept.map(pair).collect();
    write(source, analysis.state(), &converter, Order { order }, out)
}

fn write<T: Serialize>(
    source: &dyn EventSource,
    state: &State,
    converter: &Converter,
    content: T,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let document = Document {
        version: VERSION,
        trace: source.info().path.to_string_lossy().into_owned(),
        event: state.position,
        time_ns: converter.time(state.time),
        content,
    };
    crate::json::write_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}

fn json_thread(converter: &Converter, id: ThreadId, thread: &ThreadState) -> JsonThread {
    let wanted = |target| thread.wait().map(|wait| converter.wanted(&Wanted { target, ..wait.wanted() }));
    JsonThread {
        thread: converter.thread(id),
        state: threads::state_word(&thread.activity),
        held: thread.held.iter().map(|held| converter.held(held)).collect(),
        wanted: thread.wait().and_then(|wait| wanted(wait.target)),
        wanted_too: thread.more.iter().filter_map(|target| wanted(*target)).collect(),
        limited: thread.wait().is_some_and(|wait| wait.limited),
        permits: thread.permits.iter().map(|permits| converter.permits(permits)).collect(),
        blocked_ns: converter.time(thread.blocked_total),
    }
}

fn json_lock(converter: &Converter, id: LockId, lock: &LockState, stats: Option<&LockStats>) -> JsonLock {
    let party = |&(thread, mode, since): &(ThreadId, Mode, Nanos)| Party {
        thread: converter.thread(thread),
        mode: mode.word(),
        since_ns: converter.time(since),
    };
    JsonLock {
        lock: converter.lock(id),
        holders: lock.holders.iter().map(party).collect(),
        waiters: lock.waiters.iter().map(party).collect(),
        acquisitions: lock.acquisitions,
        contended: lock.contended,
        poisoned: lock.poisoned,
        object: lock.object.as_ref().map(|object| converter.object(id, object)),
        wait: stats.and_then(|stats| times(converter, &stats.wait)),
        hold: stats.and_then(|stats| times(converter, &stats.hold)),
    }
}

/// Durations; without times in the trace there are none.
fn times(converter: &Converter, histogram: &Histogram) -> Option<Times> {
    converter.time(histogram.total).map(|total_ns| Times {
        count: histogram.count,
        total_ns,
        p50_ns: histogram.percentile(50).0,
        p99_ns: histogram.percentile(99).0,
        max_ns: histogram.max.0,
    })
}
