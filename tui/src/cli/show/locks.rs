//! `show locks`: who holds and who wants each lock, how often it was taken, how long it was waited for and held.

use std::io::Write;

use lockscope_analyzer::{
    Analysis,
    state::LockState,
    stats::{LockStats, Stats},
};
use lockscope_trace::{Definitions, EventSource, LockId, Nanos};

use crate::{
    cli::{
        Failure,
        report::{grouped, phrase},
        show::{heading, site},
        style::{self, Look},
        table::{Align, Cell, Table},
    },
    filter::{Filter, Quantity, Row},
};

/// Writes all locks that the filter keeps, those that were waited for longest first.
pub fn write(
    source: &dyn EventSource,
    analysis: &Analysis,
    filter: &Filter,
    look: &Look,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (defs, state, stats) = (source.definitions(), analysis.state(), analysis.stats());
    heading(source, state, look, out)?;
    let has_times = source.info().has_times;
    let mut ids: Vec<LockId> = (0..state.locks.len() as u32).map(LockId).collect();
    ids.sort_by_key(|&id| (std::cmp::Reverse(heat(stats, id)), id));
    let mut table = Table::new(&[
        ("lock", Align::Left),
        ("kind", Align::Left),
        ("held by", Align::Left),
        ("waiting", Align::Right),
        ("taken", Align::Right),
        ("had to wait", Align::Right),
        ("waited", Align::Right),
        ("p99", Align::Right),
        ("longest", Align::Right),
        ("longest hold", Align::Right),
        ("made at", Align::Left),
    ]);
    for id in ids {
        let (Some(lock), def) = (state.lock(id), defs.lock(id)) else { continue };
        let holders: Vec<String> =
            lock.holders.iter().map(|(thread, ..)| phrase::thread_label(defs, *thread)).collect();
        let held_by = phrase::object_state(defs, state, id).into_iter().chain(holders).collect::<Vec<_>>().join(", ");
        let waiters: Vec<String> =
            lock.waiters.iter().map(|(thread, ..)| phrase::thread_label(defs, *thread)).collect();
        let (label, kind) = (phrase::lock_label(defs, id), def.map_or("", |def| def.kind.word()));
        let mut made = site(defs, def.and_then(|def| def.created));
        if def.is_some_and(|def| def.is_first_use) {
            made.push_str(" (first use)");
        }
        let numbers = stats.lock(id);
        if !filter.keeps(&row(defs, id, lock, numbers.filter(|_| has_times))) {
            continue;
        }
        let time = |nanos: Option<Nanos>| match nanos {
            Some(Nanos(0)) | None => Cell::from("-"),
            Some(_) if !has_times => Cell::from("-"),
            Some(nanos) => Cell::from(nanos.to_string()),
        };
        let count = |n: u64| if n == 0 { "-".to_owned() } else { grouped(n) };
        table.row([
            Cell::styled(label, style::LOCK),
            kind.into(),
            Cell::styled(held_by, style::NOTE),
            Cell::styled(count(waiters.len() as u64), style::WARNING),
            count(lock.acquisitions).into(),
            count(lock.contended).into(),
            time(numbers.map(|numbers| numbers.wait.total)),
            time(numbers.map(|numbers| numbers.wait.percentile(99))),
            time(numbers.map(|numbers| numbers.wait.max)),
            time(numbers.map(|numbers| numbers.hold.max)),
            made.into(),
        ]);
    }
    table.write(out, look)?;
    Ok(())
}

fn heat(stats: &Stats, id: LockId) -> (Nanos, u64, u64) {
    stats.lock(id).map_or_else(Default::default, |lock| (lock.wait.total, lock.contended, lock.acquisitions))
}

/// Keys of the list of locks.
pub const KEYS: &[&str] =
    &["lock", "kind", "site", "thread", "state", "mode", "wait", "hold", "count", "contended", "waiting", "rank"];

/// What a filter sees of a lock. Without `stats` it has no times.
pub fn row(defs: &Definitions, id: LockId, lock: &LockState, stats: Option<&LockStats>) -> Row {
    let def = defs.lock(id);
    let mut row = Row::default();
    row.add("lock", &phrase::lock_label(defs, id));
    row.add("kind", def.map_or("", |def| def.kind.word()));
    row.add("site", &site(defs, def.and_then(|def| def.created)));
    for (parties, state) in [(&lock.holders, "held"), (&lock.waiters, "contended")] {
        for (thread, mode, _) in parties {
            row.add("thread", &phrase::thread_label(defs, *thread));
            row.add("mode", mode.word());
        }
        parties.first().into_iter().for_each(|_| row.add("state", state));
    }
    if lock.poisoned {
        row.add("state", "poisoned");
    }
    row.set("count", Quantity::Count(lock.acquisitions));
    row.set("contended", Quantity::Share(lock.contended, lock.acquisitions));
    row.set("waiting", Quantity::Count(lock.waiters.len() as u64));
    if let Some(rank) = def.and_then(|def| def.rank) {
        row.set("rank", Quantity::Count(rank.into()));
    }
    if let Some(stats) = stats {
        row.set("wait", Quantity::Time(stats.wait.total));
        row.set("hold", Quantity::Time(stats.hold.max));
    }
    row
}
