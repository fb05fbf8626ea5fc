//! `show contention`: which locks, and which places, cost most.
//!
//! Sums do not depend on the order between threads, so a whole trace is added up chunk by chunk, several times as fast as it is merged; up to a
//! point of it, and of traces in other formats, what is merged is added up here.

use std::{collections::HashMap, io::Write, path::Path};

use lockscope_trace::{
    Definitions, Error, Event, EventSource, Histogram, How, LockId, Mode, Nanos, Op, SiteId, ThreadId, TraceInfo,
    reader::{self, LockTotals, SiteTotals},
};

use crate::{
    cli::{
        Failure, Global, load,
        report::{grouped, phrase},
        show::site,
        style::{self, Look},
        table::{Align, Cell, Table},
        time::Point,
    },
    filter::{Filter, Quantity, Row},
};

/// What was waited for and held.
pub struct Costs {
    /// Facts about the trace.
    pub info: TraceInfo,
    /// What its ids mean.
    pub defs: Definitions,
    /// How many events were added up.
    pub events: u64,
    /// The latest time that is known; `None` where only sums are.
    pub until: Option<Nanos>,
    /// By lock.
    pub locks: Vec<LockTotals>,
    /// By place.
    pub sites: Vec<SiteTotals>,
}

/// Adds up a trace up to a point.
pub fn costs(path: &Path, at: Point, global: &Global) -> Result<Costs, Failure> {
    if at == Point::End && path != Path::new("-") {
        match reader::totals(path) {
            Ok(totals) => {
                load::tell_notes(&totals.notes, totals.lost + totals.damaged_bytes > 0, global)?;
                let reader::Totals { info, definitions: defs, events, locks, sites, .. } = totals;
                return Ok(Costs { info, defs, events, until: None, locks, sites });
            }
            // Text, or whatever else can be read event by event; if nothing can, that says why.
            Err(Error::Format { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut source = load::open(path, global)?;
    let mut adder = Adder::default();
    load::for_each_until(&mut *source, at, global, |_, event, _| {
        adder.add(event);
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(adder.finish(&*source))
}

/// Adds up events that are in order.
#[derive(Default)]
struct Adder {
    events: u64,
    until: Nanos,
    locks: Vec<LockTotals>,
    sites: Vec<SiteTotals>,
    waiting: HashMap<ThreadId, (LockId, Nanos)>,
    held: HashMap<ThreadId, Vec<(LockId, Option<SiteId>, Nanos)>>,
}

impl Adder {
    fn add(&mut self, event: &Event) {
        self.events += 1;
        self.until = self.until.max(event.time);
        match event.op {
            Op::Wait { lock, .. } => _ = self.waiting.insert(event.thread, (lock, event.time)),
            Op::TimedOut { .. } => _ = self.waiting.remove(&event.thread),
            // What was held before a flight recorder's window began: its hold is timed, it was counted before.
            Op::Acquired { lock, count: 0, how: How::Lock, .. } => self.hold(event, lock),
            // What is downgraded goes on as the same hold.
            Op::Acquired { how: How::Downgrade, .. } => {}
            Op::Acquired { lock, mode, how, .. } => {
                if how == How::Upgrade {
                    self.released(event.thread, lock, event.time);
                }
                let waited = self.waiting.remove(&event.thread).filter(|(wanted, _)| *wanted == lock);
                let waited = waited.map(|(_, since)| event.time.since(since));
                let totals = at(&mut self.locks, lock.0 as usize);
                totals.acquisitions += 1;
                totals.shared += u64::from(mode == Mode::Shared);
                waited.into_iter().for_each(|time| totals.wait.add(time));
                if let Some(site) = event.site {
                    let totals = at(&mut self.sites, site.index());
                    totals.acquisitions += 1;
                    waited.into_iter().for_each(|time| totals.wait.add(time));
                }
                self.hold(event, lock);
            }
            Op::Released { lock, owner, .. } if owner == event.thread => self.released(owner, lock, event.time),
            _ => {}
        }
    }

    fn hold(&mut self, event: &Event, lock: LockId) {
        self.held.entry(event.thread).or_default().push((lock, event.site, event.time));
    }

    fn released(&mut self, thread: ThreadId, lock: LockId, now: Nanos) {
        let Some(held) = self.held.get_mut(&thread) else { return };
        let Some(index) = held.iter().rposition(|hold| hold.0 == lock) else { return };
        let (_, site, since) = held.remove(index);
        let time = now.since(since);
        // 0 is what a coarse clock says of what was not timed.
        if time > Nanos(0) {
            at(&mut self.locks, lock.0 as usize).hold.add(time);
            if let Some(site) = site {
                let totals = at(&mut self.sites, site.index());
                totals.hold.0 = totals.hold.0.saturating_add(time.0);
                totals.longest_hold = totals.longest_hold.max(time);
            }
        }
    }

    fn finish(mut self, source: &dyn EventSource) -> Costs {
        let (info, defs) = (source.info().clone(), source.definitions().clone());
        self.locks.resize_with(defs.locks.len().max(self.locks.len()), LockTotals::default);
        self.sites.resize_with(defs.sites.len().max(self.sites.len()), SiteTotals::default);
        let Adder { events, until, locks, sites, .. } = self;
        Costs { info, defs, events, until: Some(until), locks, sites }
    }
}

fn at<T: Default>(all: &mut Vec<T>, index: usize) -> &mut T {
    if all.len() <= index {
        all.resize_with(index + 1, T::default);
    }
    &mut all[index]
}

impl Costs {
    /// Locks that were taken, dearest first, as far as the filter keeps them.
    pub fn locks(&self, filter: &Filter) -> Vec<(LockId, &LockTotals)> {
        let all = (0..).map(LockId).zip(&self.locks).filter(|(_, totals)| totals.acquisitions > 0);
        let mut kept: Vec<_> = all.filter(|(id, totals)| filter.keeps(&self.lock_row(*id, totals))).collect();
        kept.sort_by_key(|&(id, totals)| (std::cmp::Reverse(heat(&totals.wait, totals.acquisitions)), id));
        kept
    }

    /// The same of places.
    pub fn sites(&self, filter: &Filter) -> Vec<(SiteId, &SiteTotals)> {
        let ids = (1..).filter_map(SiteId::from_raw);
        let all = ids.zip(&self.sites).filter(|(_, totals)| totals.acquisitions > 0);
        let mut kept: Vec<_> = all.filter(|(id, totals)| filter.keeps(&self.site_row(*id, totals))).collect();
        kept.sort_by_key(|&(id, totals)| (std::cmp::Reverse(heat(&totals.wait, totals.acquisitions)), id));
        kept
    }

    fn lock_row(&self, id: LockId, totals: &LockTotals) -> Row {
        let def = self.defs.lock(id);
        let mut row = Row::default();
        row.add("lock", &phrase::lock_label(&self.defs, id));
        row.add("kind", def.map_or("", |def| def.kind.word()));
        row.add("site", &site(&self.defs, def.and_then(|def| def.created)));
        self.add_numbers(&mut row, totals.acquisitions, &totals.wait, totals.hold.max);
        row
    }

    fn site_row(&self, id: SiteId, totals: &SiteTotals) -> Row {
        let mut row = Row::default();
        row.add("site", &site(&self.defs, Some(id)));
        self.add_numbers(&mut row, totals.acquisitions, &totals.wait, totals.longest_hold);
        row
    }

    fn add_numbers(&self, row: &mut Row, taken: u64, wait: &Histogram, longest_hold: Nanos) {
        row.set("count", Quantity::Count(taken));
        row.set("contended", Quantity::Share(wait.count, taken));
        if self.info.has_times {
            row.set("wait", Quantity::Time(wait.total));
            row.set("hold", Quantity::Time(longest_hold));
        }
    }
}

fn heat(wait: &Histogram, taken: u64) -> (Nanos, u64, u64) {
    (wait.total, wait.count, taken)
}

/// Keys of both lists; one that has not what is asked for is empty.
pub const KEYS: &[&str] = &["lock", "kind", "site", "wait", "hold", "count", "contended"];

/// Writes both tables.
pub fn write(costs: &Costs, filter: &Filter, look: &Look, out: &mut dyn Write) -> Result<(), Failure> {
    let Costs { info, defs, .. } = costs;
    let text = format!("{}, {} events", info.path.display(), grouped(costs.events));
    writeln!(out, "{}\n", look.paint(style::DIM, &Definitions::clean(&text)))?;
    let time = |time: Nanos| match time {
        Nanos(0) => "-".to_owned(),
        _ if !info.has_times => "-".to_owned(),
        time => time.to_string(),
    };
    let count = |n: u64| if n == 0 { "-".to_owned() } else { grouped(n) };
    let mut table = Table::new(&[
        ("lock", Align::Left),
        ("waited", Align::Right),
        ("waits", Align::Right),
        ("p99", Align::Right),
        ("longest", Align::Right),
        ("taken", Align::Right),
        ("shared", Align::Right),
        ("held", Align::Right),
        ("longest hold", Align::Right),
        ("made at", Align::Left),
    ]);
    for (id, totals) in costs.locks(filter) {
        table.row([
            Cell::styled(phrase::lock_label(defs, id), style::LOCK),
            time(totals.wait.total).into(),
            Cell::styled(count(totals.wait.count), style::WARNING),
            time(totals.wait.percentile(99)).into(),
            time(totals.wait.max).into(),
            count(totals.acquisitions).into(),
            count(totals.shared).into(),
            time(totals.hold.total).into(),
            time(totals.hold.max).into(),
            site(defs, defs.lock(id).and_then(|def| def.created)).into(),
        ]);
    }
    table.write(out, look)?;
    writeln!(out)?;
    let mut table = Table::new(&[
        ("waited", Align::Right),
        ("waits", Align::Right),
        ("p99", Align::Right),
        ("longest", Align::Right),
        ("taken", Align::Right),
        ("held", Align::Right),
        ("longest hold", Align::Right),
        ("taken at", Align::Left),
    ]);
    for (id, totals) in costs.sites(filter) {
        table.row([
            Cell::from(time(totals.wait.total)),
            Cell::styled(count(totals.wait.count), style::WARNING),
            time(totals.wait.percentile(99)).into(),
            time(totals.wait.max).into(),
            count(totals.acquisitions).into(),
            time(totals.hold).into(),
            time(totals.longest_hold).into(),
            site(defs, Some(id)).into(),
        ]);
    }
    table.write(out, look)?;
    Ok(())
}
