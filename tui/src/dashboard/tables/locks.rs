//! The list of locks, and that of objects that are no locks.

use lockscope_analyzer::state::LockState;
use lockscope_trace::{LockId, LockKind, ThreadId};

use super::{Cell, Column, Grouping, Row, number, text};
use crate::{
    cli::report::{grouped, phrase},
    dashboard::{
        draw::theme::{Mark, Tone},
        state::State,
    },
    filter::Quantity,
    source::file_and_line,
};

pub(super) const COLUMNS: &[Column] = &[
    text("lock", 0, 0, "the lock, by its number in the trace and its name, or its type and where it was made"),
    text("kind", 8, 0, "what kind of lock it is"),
    text("held by", 16, 0, "who holds it at this moment"),
    number("waiting", 7, 0, "how many wait for it at this moment"),
    number("taken", 9, 0, "how often it was taken until this moment"),
    number("waits", 8, 0, "how many of these had to wait"),
    number("of taken", 8, 100, "the same as a share"),
    number("waited", 8, 100, "all time waited for it in the whole run"),
    number("p99 wait", 8, 120, "99 of 100 waits were no longer (whole run)"),
    number("max wait", 8, 140, "the longest wait (whole run)"),
    number("p99 hold", 8, 140, "99 of 100 holds were no longer (whole run)"),
    number("max hold", 8, 110, "the longest time that it was held (whole run)"),
    number("shared", 8, u16::MAX, "how many acquisitions were shared (whole run)"),
    number("failed", 8, u16::MAX, "tries that failed and waits that ran out of time (whole run)"),
    number("rank", 6, u16::MAX, "its rank in the hierarchy"),
    text("made at", 20, 160, "where it was made"),
];

pub(super) const OBJECTS: &[Column] = &[
    text("lock", 0, 0, "the object"),
    text("kind", 9, 0, "what kind of object it is"),
    number("waiting", 7, 0, "how many wait at it at this moment"),
    text("has", 0, 0, "what there is to be had of it at this moment"),
    number("used", 9, 0, "how often it was used, of those kinds that count"),
    text("made at", 20, 100, "where it was made"),
];

pub(super) const GROUPINGS: &[Grouping] = &[
    ("type", |state, row| of(row, |id| state.model.defs.lock(id).map(|lock| lock.kind.describe(&lock.type_name)))),
    ("place", |state, row| of(row, |id| Some(made_at(state, id)))),
    ("class", |state, row| of(row, |id| Some(state.model.defs.class_name(id)))),
    ("kind", |state, row| of(row, |id| state.model.defs.lock(id).map(|lock| lock.kind.word().to_owned()))),
];

fn of(row: Row, group: impl FnOnce(LockId) -> Option<String>) -> String {
    if let Row::Lock(id) = row { group(id).unwrap_or_default() } else { String::new() }
}

/// Those that are waited for first, then those that are held, then those that were waited for before.
pub(super) fn rows(state: &State) -> Vec<Row> {
    // One number a lock, since there may be a hundred thousand of them: what matters more is in higher bits.
    let heat = |lock: &LockState| {
        let waiting = (lock.waiters.len() as u128).min((1 << 24) - 1);
        let (waits, taken) =
            (u128::from(lock.contended.min((1 << 50) - 1)), u128::from(lock.acquisitions.min((1 << 52) - 1)));
        waiting << 103 | u128::from(!lock.holders.is_empty()) << 102 | waits << 52 | taken
    };
    let locks = state.at.locks.iter().enumerate();
    let mut rows: Vec<(u128, u32)> = locks.map(|(idx, lock)| (!heat(lock), idx as u32)).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, id)| Row::Lock(LockId(id))).collect()
}

/// Objects that are no locks.
pub(super) fn objects(state: &State) -> Vec<Row> {
    let is_object = |row: &Row| {
        let Row::Lock(id) = row else { return false };
        let kind = state.model.defs.lock(*id).map(|lock| lock.kind);
        !matches!(
            kind,
            None | Some(LockKind::Mutex | LockKind::RwLock | LockKind::FairMutex | LockKind::ReentrantMutex)
        )
    };
    rows(state).into_iter().filter(is_object).collect()
}

fn made_at(state: &State, id: LockId) -> String {
    let defs = &state.model.defs;
    defs.lock(id).and_then(|lock| defs.site(lock.created?)).map(file_and_line).unwrap_or_default()
}

pub(super) fn cell(state: &State, id: LockId, column: &str) -> Option<Cell> {
    let defs = &state.model.defs;
    let def = defs.lock(id);
    let lock = state.at.lock(id)?;
    let numbers = state.model.digest.lock(id);
    let timed = |time: fn(&crate::dashboard::digest::LockNumbers) -> lockscope_trace::Nanos| {
        Cell::time(numbers.filter(|_| state.model.info.has_times).map(time))
    };
    Some(match column {
        "lock" => {
            let mark = mark(state, id);
            let label = format!("{} {}", state.theme.glyph(mark), phrase::lock_label(defs, id));
            Cell::ranked(u64::from(id.0), label, Tone::Mark(mark))
        }
        "kind" => Cell::new(def.map_or("", |lock| lock.kind.word()), Tone::Dim),
        "held by" => Cell::new(
            match lock.holders.as_slice() {
                [] => String::new(),
                [(thread, ..)] => phrase::thread_label(defs, *thread),
                [(thread, ..), rest @ ..] => format!("{} +{}", phrase::thread_label(defs, *thread), rest.len()),
            },
            Tone::Thread,
        ),
        "waiting" => Cell::count(lock.waiters.len() as u64, Tone::Mark(Mark::Warn)),
        "taken" | "used" => {
            let Cell { rank, tone, .. } = Cell::count(lock.acquisitions, Tone::Plain);
            Cell { text: grouped(lock.acquisitions), rank, tone }
        }
        "waits" => Cell::count(lock.contended, Tone::Plain),
        "of taken" => {
            let share = lock.contended as u128 * 1000 / u128::from(lock.acquisitions.max(1));
            let text = if lock.contended == 0 { String::new() } else { format!("{}.{}%", share / 10, share % 10) };
            Cell::ranked(share as u64, text, Tone::Plain)
        }
        "waited" => timed(|numbers| numbers.waited),
        "p99 wait" => timed(|numbers| numbers.wait[1]),
        "max wait" => timed(|numbers| numbers.wait[2]),
        "p99 hold" => timed(|numbers| numbers.hold[1]),
        "max hold" => timed(|numbers| numbers.hold[2]),
        "shared" => Cell::count(numbers.map_or(0, |numbers| numbers.shared), Tone::Plain),
        "failed" => Cell::count(numbers.map_or(0, |numbers| numbers.failed), Tone::Plain),
        "rank" => def
            .and_then(|lock| lock.rank)
            .map_or_else(Cell::default, |rank| Cell::ranked(rank.into(), rank.to_string(), Tone::Plain)),
        "made at" => Cell::new(made_at(state, id), Tone::Dim),
        "has" => Cell::new(phrase::object_state(defs, &state.at, id).unwrap_or_else(|| said(state, id)), Tone::Plain),
        _ => return None,
    })
}

/// The mark of a lock: waited for, held, or neither.
pub(super) fn mark(state: &State, id: LockId) -> Mark {
    match state.at.lock(id) {
        Some(lock) if !lock.waiters.is_empty() => Mark::Warn,
        Some(lock) if !lock.holders.is_empty() => Mark::Good,
        _ => Mark::Quiet,
    }
}

/// What is to be said of condition variables and cells.
fn said(state: &State, id: LockId) -> String {
    let kind = state.model.defs.lock(id).map(|lock| lock.kind);
    match (kind, state.at.object(id)) {
        (Some(LockKind::Condvar), Some(object)) => match object.unheard {
            Some(deed) => {
                format!("{} notified while nobody waited", phrase::thread_label(&state.model.defs, deed.thread))
            }
            None => String::new(),
        },
        (Some(LockKind::Once | LockKind::OnceLock | LockKind::LazyLock), _) => {
            let is_done = state.at.lock(id).is_some_and(|lock| lock.acquisitions > 0 && lock.holders.is_empty());
            if is_done { "initialised".to_owned() } else { "not initialised".to_owned() }
        }
        _ => String::new(),
    }
}

pub(super) fn any_text(state: &State, id: LockId, key: Option<&str>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    let defs = &state.model.defs;
    let is_asked = |name| key.is_none_or(|key| key == name);
    if is_asked("lock") && state.with_lock_label(id, &mut *visit) {
        return true;
    }
    let Some(def) = defs.lock(id) else { return false };
    if is_asked("kind") && visit(def.kind.word()) {
        return true;
    }
    if is_asked("site") && def.created.is_some_and(|site| visit(&state.site_text(site))) {
        return true;
    }
    let Some(lock) = state.at.lock(id) else { return false };
    let parties = || lock.holders.iter().chain(&lock.waiters);
    let thread = |id: ThreadId| phrase::thread_label(defs, id);
    (is_asked("thread") && parties().any(|(id, ..)| visit(&thread(*id))))
        || (is_asked("mode") && parties().any(|(_, mode, _)| visit(mode.word())))
        || (is_asked("state")
            && ((!lock.holders.is_empty() && visit("held"))
                || (!lock.waiters.is_empty() && visit("contended"))
                || (lock.poisoned && visit("poisoned"))))
}

pub(super) fn quantity(state: &State, id: LockId, key: &str) -> Option<Quantity> {
    let lock = state.at.lock(id)?;
    let numbers = || state.model.digest.lock(id).filter(|_| state.model.info.has_times);
    match key {
        "count" => Some(Quantity::Count(lock.acquisitions)),
        "contended" => Some(Quantity::Share(lock.contended, lock.acquisitions)),
        "waiting" => Some(Quantity::Count(lock.waiters.len() as u64)),
        "rank" => state.model.defs.lock(id)?.rank.map(|rank| Quantity::Count(rank.into())),
        "wait" => numbers().map(|numbers| Quantity::Time(numbers.waited)),
        "hold" => numbers().map(|numbers| Quantity::Time(numbers.hold[2])),
        _ => None,
    }
}
