//! What waiting costs: by lock, by place, by the place that was in the way, by thread.

use lockscope_trace::{LockId, Nanos, SiteId};

use super::{Cell, Column, Grouping, Row, number, text};
use crate::{
    cli::report::phrase,
    dashboard::{
        draw::theme::{Mark, Tone},
        state::State,
    },
    filter::Quantity,
    source::file_and_line,
};

pub(super) const LOCKS: &[Column] = &[
    text("lock", 0, 0, "the lock"),
    number("waited", 8, 0, "all time waited for it"),
    number("of all", 6, 0, "the same as a share of all time waited for locks"),
    number("waits", 8, 0, "acquisitions that had to wait"),
    number("now", 4, 0, "how many wait at this moment"),
    number("of taken", 8, 70, "the same as a share of all acquisitions"),
    number("p50 wait", 8, 110, "half of the waits were no longer"),
    number("p99 wait", 8, 60, "99 of 100 waits were no longer"),
    number("max wait", 8, 100, "the longest wait"),
    number("max hold", 8, 76, "the longest time that it was held"),
    number(
        "convoy",
        7,
        120,
        "longest run of acquisitions that all had to wait: threads went through one behind the other",
    ),
    number("handoff", 8, 130, "average time between a release and the acquisition that it let go on"),
    text("longest by", 16, 150, "who held it longest"),
];

pub(super) const SITES: &[Column] = &[
    text("place", 0, 0, "where a lock is taken"),
    number("waited", 8, 0, "all time waited there"),
    number("waits", 8, 0, "acquisitions there that had to wait"),
    number("taken", 9, 0, "acquisitions there"),
    number("held", 8, 0, "all time held from there"),
];

pub(super) const DELAYS: &[Column] = &[
    text("waits at", 20, 0, "where was waited"),
    text("held from", 20, 0, "where whoever was in the way had taken the lock"),
    text("lock", 0, 0, "the lock"),
    number("waited", 8, 0, "all time waited so"),
    number("waits", 7, 0, "how often"),
    number("longest", 8, 90, "the longest of these waits"),
    number("event", 9, 110, "number of the event that ended it"),
];

pub(super) const PAIRS: &[Column] = &[
    text("who held", 0, 0, "the thread that held the lock when the wait began"),
    text("who waits", 0, 0, "the thread that waited"),
    number("waited", 8, 0, "all time waited so"),
    number("waits", 7, 0, "how often"),
    number("longest", 8, 0, "the longest of these waits"),
    number("event", 9, 100, "number of the event that ended it"),
];

pub(super) const GROUPINGS: &[Grouping] = &[
    ("file", |state, row| {
        let place = match row {
            Row::Site(site) => self::place(state, Some(site)),
            Row::Delay(idx) => {
                state.model.digest.delays.get(idx).map_or(String::new(), |(delay, _)| place(state, delay.waiter))
            }
            _ => String::new(),
        };
        place.rsplit_once(':').map_or(place.clone(), |(file, _)| file.to_owned())
    }),
    ("lock", |state, row| match row {
        Row::Delay(idx) => delay_cell(state, idx, "lock").unwrap_or_default().text,
        _ => String::new(),
    }),
];

/// Locks that somebody waited for, dearest first; those that are waited for now, with a wait that has not ended, as well.
pub(super) fn locks(state: &State) -> Vec<Row> {
    let digest = &state.model.digest;
    let cost = |idx: usize| {
        let waits = digest.locks.get(idx).map_or(0, |lock| lock.contended);
        let waiting = state.at.locks.get(idx).map_or(0, |lock| lock.waiters.len() as u64);
        (waited(state, LockId(idx as u32)), waits + waiting)
    };
    let n_locks = digest.locks.len().max(state.at.locks.len());
    let mut rows: Vec<(std::cmp::Reverse<(Nanos, u64)>, LockId)> = (0..n_locks)
        .map(|idx| (std::cmp::Reverse(cost(idx)), LockId(idx as u32)))
        .filter(|(std::cmp::Reverse((_, waits)), _)| *waits > 0)
        .collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, id)| Row::Lock(id)).collect()
}

/// Time waited for a lock in the whole run, waits that go on at its end included.
pub fn waited(state: &State, id: LockId) -> Nanos {
    let ended = state.model.digest.lock(id).map_or(0, |numbers| numbers.waited.0);
    // At the end of a hung run it is what has not ended that costs.
    let is_end = state.position == state.model.len();
    let open = state.at.lock(id).filter(|_| is_end).map_or(0, |lock| {
        lock.waiters.iter().fold(0_u64, |sum, (.., since)| sum.saturating_add(state.time().since(*since).0))
    });
    Nanos(ended.saturating_add(open))
}

/// Time of all waits that go on at the end; O(locks), so it is kept.
pub fn open_waits(state: &State) -> Nanos {
    if state.position != state.model.len() {
        return Nanos(0);
    }
    let waiters = state.at.locks.iter().flat_map(|lock| &lock.waiters);
    Nanos(waiters.fold(0, |sum, (.., since)| sum.saturating_add(state.time().since(*since).0)))
}

fn place(state: &State, site: Option<SiteId>) -> String {
    site.and_then(|site| state.model.defs.site(site)).map(file_and_line).unwrap_or_else(|| "?".to_owned())
}

fn share(part: u64, all: u64) -> Cell {
    let permille = (u128::from(part) * 1000 / u128::from(all.max(1))) as u64;
    let text = if part == 0 { String::new() } else { format!("{}.{}%", permille / 10, permille % 10) };
    Cell::ranked(permille, text, Tone::Plain)
}

pub(super) fn lock_cell(state: &State, id: LockId, column: &str) -> Option<Cell> {
    let numbers = state.model.digest.lock(id).copied().unwrap_or_default();
    let timed = |time: Nanos| Cell::time(state.model.info.has_times.then_some(time));
    Some(match column {
        "lock" => {
            let is_waited_for = state.at.lock(id).is_some_and(|lock| !lock.waiters.is_empty());
            let tone = if is_waited_for { Tone::Mark(Mark::Warn) } else { Tone::Lock };
            Cell::ranked(id.0.into(), phrase::lock_label(&state.model.defs, id), tone)
        }
        "waited" => timed(waited(state, id)),
        "of all" => share(waited(state, id).0, state.model.digest.waited.0.saturating_add(state.open_waited.0)),
        "waits" => Cell::count(numbers.contended, Tone::Plain),
        "now" => {
            let waiting = state.at.lock(id).map_or(0, |lock| lock.waiters.len());
            Cell::count(waiting as u64, Tone::Mark(Mark::Warn))
        }
        "of taken" => share(numbers.contended, numbers.acquisitions),
        "p50 wait" => timed(numbers.wait[0]),
        "p99 wait" => timed(numbers.wait[1]),
        "max wait" => timed(numbers.wait[2]),
        "max hold" => timed(numbers.hold[2]),
        "convoy" => Cell::count(if numbers.convoy > 2 { numbers.convoy } else { 0 }, Tone::Plain),
        "handoff" => timed(numbers.handoff.unwrap_or_default()),
        "longest by" => {
            let longest = numbers.longest.map(|longest| phrase::thread_label(&state.model.defs, longest.thread));
            Cell::new(longest.unwrap_or_default(), Tone::Thread)
        }
        _ => return None,
    })
}

pub(super) fn site_cell(state: &State, site: SiteId, column: &str) -> Option<Cell> {
    let sites = &state.model.digest.sites;
    let numbers = sites.iter().find(|(of, _)| *of == site).map(|(_, numbers)| *numbers)?;
    let timed = |time: Nanos| Cell::time(state.model.info.has_times.then_some(time));
    Some(match column {
        "place" => {
            let site = state.model.defs.site(site)?;
            let line = state.sources.line(site).unwrap_or_default();
            Cell::new(format!("{}  {}", file_and_line(site), line.trim()).trim_end(), Tone::Plain)
        }
        "waited" => timed(numbers.waited),
        "waits" => Cell::count(numbers.contended, Tone::Plain),
        "taken" => Cell::count(numbers.acquisitions, Tone::Plain),
        "held" => timed(numbers.held),
        _ => return None,
    })
}

pub(super) fn delay_cell(state: &State, idx: usize, column: &str) -> Option<Cell> {
    let (delay, cost) = state.model.digest.delays.get(idx)?;
    let timed = |time: Nanos| Cell::time(state.model.info.has_times.then_some(time));
    Some(match column {
        "waits at" => Cell::new(place(state, delay.waiter), Tone::Plain),
        "held from" => Cell::new(place(state, delay.holder), Tone::Plain),
        "lock" => Cell::new(phrase::lock_short(&state.model.defs, delay.lock), Tone::Lock),
        "waited" => timed(cost.time),
        "waits" => Cell::count(cost.count, Tone::Plain),
        "longest" => timed(cost.max),
        "event" => Cell::ranked(cost.event, format!("#{}", cost.event), Tone::Dim),
        _ => return None,
    })
}

pub(super) fn pair_cell(state: &State, idx: usize, column: &str) -> Option<Cell> {
    let ((holder, waiter), cost) = state.model.digest.pairs.get(idx)?;
    let timed = |time: Nanos| Cell::time(state.model.info.has_times.then_some(time));
    Some(match column {
        "who held" => Cell::new(phrase::thread_label(&state.model.defs, *holder), Tone::Thread),
        "who waits" => Cell::new(phrase::thread_label(&state.model.defs, *waiter), Tone::Thread),
        "waited" => timed(cost.time),
        "waits" => Cell::count(cost.count, Tone::Plain),
        "longest" => timed(cost.max),
        "event" => Cell::ranked(cost.event, format!("#{}", cost.event), Tone::Dim),
        _ => return None,
    })
}

pub(super) fn quantity(state: &State, row: Row, key: &str) -> Option<Quantity> {
    let digest = &state.model.digest;
    let of_cost = |cost: &lockscope_analyzer::contention::Cost| match key {
        "wait" => Some(Quantity::Time(cost.time)),
        "count" => Some(Quantity::Count(cost.count)),
        _ => None,
    };
    match row {
        Row::Delay(idx) => of_cost(&digest.delays.get(idx)?.1),
        Row::Pair(idx) => of_cost(&digest.pairs.get(idx)?.1),
        Row::Site(site) => {
            let (_, numbers) = digest.sites.iter().find(|(of, _)| *of == site)?;
            match key {
                "wait" => Some(Quantity::Time(numbers.waited)),
                "hold" => Some(Quantity::Time(numbers.held)),
                "count" => Some(Quantity::Count(numbers.acquisitions)),
                "contended" => Some(Quantity::Share(numbers.contended, numbers.acquisitions)),
                _ => None,
            }
        }
        Row::Var(var) => {
            let uses = digest.memory.get(var.0 as usize)?;
            (key == "count").then_some(Quantity::Count(uses.reads + uses.writes))
        }
        _ => None,
    }
}
