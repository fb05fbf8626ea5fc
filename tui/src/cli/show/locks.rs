//! `show locks`: who holds and who wants each lock, how often it was taken, how long it was waited for and held.

use std::{io::Write, ops::ControlFlow};

use lockscope_analyzer::{Analysis, Options, stats::Stats};
use lockscope_trace::{EventSource, LockId, Nanos};

use crate::{
    cli::{
        Failure, Global, load,
        report::{grouped, phrase},
        show::{heading, site},
        style,
        table::{Align, Cell, Table},
        time::Point,
    },
    filter::{Filter, Row},
};

/// Writes all locks that the filter keeps, those that were waited for longest first.
pub fn write(
    source: &mut dyn EventSource,
    at: Point,
    filter: &Filter,
    global: &Global,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let look = global.stdout();
    let mut analysis = Analysis::new(Options::default());
    load::for_each_until(source, at, global, |_, event, defs| {
        analysis.feed(event, defs);
        ControlFlow::Continue(())
    })?;
    let (defs, state, stats) = (source.definitions(), analysis.state(), analysis.stats());
    heading(source, state, &look, out)?;
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
        let waiters: Vec<String> =
            lock.waiters.iter().map(|(thread, ..)| phrase::thread_label(defs, *thread)).collect();
        let (label, kind) = (phrase::lock_label(defs, id), def.map_or("", |def| def.kind.word()));
        let made = site(defs, def.and_then(|def| def.created));
        let mut row = Row::default();
        for (key, text) in [("lock", &label), ("site", &made)] {
            row.add(key, text);
        }
        row.add("kind", kind);
        holders.iter().chain(&waiters).for_each(|thread| row.add("thread", thread));
        holders.first().into_iter().for_each(|_| row.add("state", "held"));
        waiters.first().into_iter().for_each(|_| row.add("state", "contended"));
        if !filter.keeps(&row) {
            continue;
        }
        let numbers = stats.lock(id);
        let time = |nanos: Option<Nanos>| match nanos {
            Some(Nanos(0)) | None => Cell::from("-"),
            Some(_) if !has_times => Cell::from("-"),
            Some(nanos) => Cell::from(nanos.to_string()),
        };
        let count = |n: u64| if n == 0 { "-".to_owned() } else { grouped(n) };
        table.row([
            Cell::styled(label, style::LOCK),
            kind.into(),
            Cell::styled(holders.join(", "), style::NOTE),
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
    table.write(out, &look)?;
    Ok(())
}

fn heat(stats: &Stats, id: LockId) -> (Nanos, u64, u64) {
    stats.lock(id).map_or_else(Default::default, |lock| (lock.wait.total, lock.contended, lock.acquisitions))
}
