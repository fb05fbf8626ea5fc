//! Lists with columns: what rows there are, what is in them, how they are filtered, sorted and grouped.
//!
//! One file per kind of list says which columns it has and what is in a cell; everything else is the same for all. Nothing
//! is put in words for rows that are not on the screen, except by what asks for all of them: a filter, a sort, an export.

mod contention;
mod findings;
mod locks;
mod memory;
mod order;
pub mod settings;
mod threads;

use std::collections::{HashMap, HashSet};

use lockscope_trace::{LockId, SiteId, ThreadId, VarId};

pub use self::{
    contention::{open_waits, waited},
    findings::severity_mark,
    settings::ListSettings,
    threads::activity,
};
use crate::{
    dashboard::{
        draw::theme::Tone,
        state::{Moment, State},
    },
    filter::{Fields, Filter, Quantity},
};

/// A list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum List {
    /// What was found.
    Findings,
    /// Threads.
    Threads,
    /// Locks and other objects.
    Locks,
    /// Pairs of locks of which one was taken while the other was held.
    Order,
    /// Locks by what waiting for them cost.
    HotLocks,
    /// Places that wait.
    Sites,
    /// Places that wait for places.
    Delays,
    /// Threads that wait for threads.
    Pairs,
    /// Objects that are no locks.
    Objects,
    /// Memory locations.
    Memory,
}

/// A row of a list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Row {
    /// A thread.
    Thread(ThreadId),
    /// A lock.
    Lock(LockId),
    /// A finding, by its place in the list of all.
    Finding(usize),
    /// A pair of locks, by its place in the order.
    Edge(usize),
    /// A place in the source.
    Site(SiteId),
    /// A wait, by its place in the digest.
    Delay(usize),
    /// A pair of threads, by its place in the digest.
    Pair(usize),
    /// A memory location.
    Var(VarId),
    /// The title of a group, by its place among all groups of the list.
    Group(usize),
}

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its title, and its name in settings.
    pub title: &'static str,
    /// Its width; 0 takes what is left.
    pub width: u16,
    /// Numbers are moved to the right, and sorted the greatest first.
    pub is_number: bool,
    /// From how many columns of the screen on it is shown; 0 always, `u16::MAX` only when chosen.
    pub from: u16,
    /// What it says, in a sentence.
    pub help: &'static str,
}

const fn text(title: &'static str, width: u16, from: u16, help: &'static str) -> Column {
    Column { title, width, is_number: false, from, help }
}

const fn number(title: &'static str, width: u16, from: u16, help: &'static str) -> Column {
    Column { title, width, is_number: true, from, help }
}

/// What is in a row's column.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cell {
    /// Text.
    pub text: String,
    /// How it looks.
    pub tone: Tone,
    /// What it is sorted by, if not by its text.
    pub rank: Option<u64>,
}

impl Cell {
    fn new(text: impl Into<String>, tone: Tone) -> Cell {
        Cell { text: text.into(), tone, rank: None }
    }

    fn ranked(rank: u64, text: impl Into<String>, tone: Tone) -> Cell {
        Cell { text: text.into(), tone, rank: Some(rank) }
    }

    /// How many; nothing is shown for none.
    fn count(count: u64, tone: Tone) -> Cell {
        let text = if count == 0 { String::new() } else { crate::cli::report::grouped(count) };
        Cell::ranked(count, text, tone)
    }

    /// How long; nothing is shown for no time.
    fn time(time: Option<lockscope_trace::Nanos>) -> Cell {
        match time {
            Some(time) if time.0 > 0 => Cell::ranked(time.0, time.to_string(), Tone::Plain),
            _ => Cell::ranked(0, "", Tone::Plain),
        }
    }
}

/// By what rows can be grouped: its name, and the group of a row.
pub type Grouping = (&'static str, fn(&State, Row) -> String);

impl List {
    /// All lists.
    pub const ALL: [List; 10] = [
        List::Findings,
        List::Threads,
        List::Locks,
        List::Order,
        List::HotLocks,
        List::Sites,
        List::Delays,
        List::Pairs,
        List::Objects,
        List::Memory,
    ];

    /// Its name in files and settings.
    pub fn name(self) -> &'static str {
        match self {
            List::Findings => "findings",
            List::Threads => "threads",
            List::Locks => "locks",
            List::Order => "order",
            List::HotLocks => "contention",
            List::Sites => "places",
            List::Delays => "delays",
            List::Pairs => "pairs",
            List::Objects => "objects",
            List::Memory => "memory",
        }
    }

    /// Its columns.
    pub fn columns(self) -> &'static [Column] {
        match self {
            List::Findings => findings::COLUMNS,
            List::Threads => threads::COLUMNS,
            List::Locks => locks::COLUMNS,
            List::HotLocks => contention::LOCKS,
            List::Objects => locks::OBJECTS,
            List::Order => order::COLUMNS,
            List::Sites => contention::SITES,
            List::Delays => contention::DELAYS,
            List::Pairs => contention::PAIRS,
            List::Memory => memory::COLUMNS,
        }
    }

    /// Keys that its filter may have.
    pub fn keys(self) -> &'static [&'static str] {
        use crate::cli::show;
        match self {
            List::Findings => findings::KEYS,
            List::Threads => show::threads::KEYS,
            List::Locks | List::HotLocks | List::Objects => show::locks::KEYS,
            List::Order => show::order::KEYS,
            List::Sites => &["site", "wait", "hold", "count", "contended"],
            List::Delays => &["lock", "site", "wait", "count"],
            List::Pairs => &["thread", "wait", "count"],
            List::Memory => &["lock", "kind", "site", "thread", "count"],
        }
    }

    /// By what its rows can be grouped.
    pub fn groupings(self) -> &'static [Grouping] {
        match self {
            List::Threads => threads::GROUPINGS,
            List::Locks | List::HotLocks | List::Objects => locks::GROUPINGS,
            List::Findings => findings::GROUPINGS,
            List::Order => order::GROUPINGS,
            List::Sites | List::Delays => contention::GROUPINGS,
            List::Pairs | List::Memory => &[],
        }
    }

    /// All of its rows, those that matter most first.
    fn all(self, state: &State) -> Vec<Row> {
        let digest = &state.model.digest;
        match self {
            List::Findings => (0..state.model.findings.len()).map(Row::Finding).collect(),
            List::Threads => threads::rows(state),
            List::Locks => locks::rows(state),
            List::HotLocks => contention::locks(state),
            List::Objects => locks::objects(state),
            List::Order => order::rows(state),
            List::Sites => digest.sites.iter().map(|(site, _)| Row::Site(*site)).collect(),
            List::Delays => (0..digest.delays.len()).map(Row::Delay).collect(),
            List::Pairs => (0..digest.pairs.len()).map(Row::Pair).collect(),
            List::Memory => (0..state.model.defs.vars.len()).map(|idx| Row::Var(VarId(idx as u32))).collect(),
        }
    }

    /// What is in a row's column.
    pub fn cell(self, state: &State, row: Row, column: usize) -> Cell {
        let Some(column) = self.columns().get(column) else { return Cell::default() };
        let cell = match (self, row) {
            (List::Threads, Row::Thread(id)) => threads::cell(state, id, column.title),
            (List::HotLocks, Row::Lock(id)) => contention::lock_cell(state, id, column.title),
            (_, Row::Lock(id)) => locks::cell(state, id, column.title),
            (_, Row::Finding(idx)) => findings::cell(state, idx, column.title),
            (_, Row::Edge(idx)) => order::cell(state, idx, column.title),
            (_, Row::Site(site)) => contention::site_cell(state, site, column.title),
            (_, Row::Delay(idx)) => contention::delay_cell(state, idx, column.title),
            (_, Row::Pair(idx)) => contention::pair_cell(state, idx, column.title),
            (_, Row::Var(var)) => memory::cell(state, var, column.title),
            (_, Row::Group(_) | Row::Thread(_)) => None,
        };
        cell.unwrap_or_default()
    }
}

/// What a filter sees of a row; nothing is put in words before it is asked for.
struct Seen<'a> {
    state: &'a State,
    list: List,
    row: Row,
}

impl Fields for Seen<'_> {
    fn any_text(&self, key: Option<&str>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
        match self.row {
            Row::Thread(id) => threads::any_text(self.state, id, key, visit),
            Row::Lock(id) => locks::any_text(self.state, id, key, visit),
            Row::Finding(idx) => findings::any_text(self.state, idx, key, visit),
            row => {
                // Every column of the others belongs to the key that says what it holds.
                let keys = self.list.columns().iter().enumerate().filter(|(_, column)| {
                    let of = match column.title {
                        "place" | "waits at" | "held from" | "made at" | "held since" | "taken at" | "last access" => {
                            "site"
                        }
                        "lock" | "location" => "lock",
                        "held" => "holds",
                        "then taken" => "wants",
                        "both ways" => "state",
                        "who waits" | "who held" | "first by" | "threads" => "thread",
                        other => other,
                    };
                    key.is_none_or(|key| key == of)
                });
                keys.into_iter().any(|(idx, _)| visit(&self.list.cell(self.state, row, idx).text))
            }
        }
    }

    fn quantity(&self, key: &str) -> Option<Quantity> {
        match self.row {
            Row::Thread(id) => threads::quantity(self.state, id, key),
            Row::Lock(id) => locks::quantity(self.state, id, key),
            Row::Finding(idx) => findings::quantity(self.state, idx, key),
            Row::Edge(idx) => order::quantity(self.state, idx, key),
            row => contention::quantity(self.state, row, key),
        }
    }
}

/// Rows of a list as they are shown, kept until something changes.
#[derive(Debug, Default)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<Row>,
    /// Groups: title, number of rows.
    pub groups: Vec<(String, usize)>,
    /// How many rows there are without filter, and how many that the filter keeps.
    pub total: usize,
    /// See there.
    pub kept: usize,
    base: Option<Base>,
}

/// Rows as they are before anybody changes their order: kept, since whoever types a filter wants the same ones again at each key.
#[derive(Debug)]
struct Base {
    /// What they were made from.
    of: (List, Moment, bool),
    all: Vec<Row>,
    /// Those that the filter keeps.
    filter: Filter,
    kept: Vec<Row>,
}

impl Base {
    fn new(state: &State, of: (List, Moment, bool)) -> Base {
        let mut all = of.0.all(state);
        if !state.shows_ended {
            all.retain(|row| !has_ended(state, *row));
        }
        Base { of, kept: all.clone(), all, filter: Filter::default() }
    }

    /// Looks at no row that the filter before has left out already, if the new one is sure to leave it out as well.
    fn keep(&mut self, state: &State, filter: &Filter) {
        let list = self.of.0;
        let keeps = |row: &Row| filter.keeps(&Seen { state, list, row: *row });
        if filter == &self.filter {
            return;
        }
        if filter.narrows(&self.filter) {
            self.kept.retain(keeps);
        } else {
            self.kept = self.all.iter().copied().filter(keeps).collect();
        }
        self.filter = filter.clone();
    }
}

impl Rows {
    /// Rows of a list as its settings want them. `before` are those that were shown before.
    pub fn of(state: &State, list: List, before: Rows) -> Rows {
        let settings = state.list(list);
        let of = (list, state.shown_moment(), state.shows_ended);
        let known = before.base.filter(|base| base.of == of);
        let mut base = known.unwrap_or_else(|| Base::new(state, of));
        base.keep(state, &settings.filter);
        let (total, kept) = (base.all.len(), base.kept.len());
        let mut rows = base.kept.clone();
        if !settings.shows_hidden && !settings.hidden.is_empty() {
            rows.retain(|row| !settings.hidden.contains(row));
        }
        if let Some((column, is_reversed)) = settings.sort {
            sort(state, list, column, is_reversed, &mut rows);
        }
        if !settings.pinned.is_empty() {
            // Stable: pinned rows stay in their order, and so do all others.
            rows.sort_by_key(|row| !settings.pinned.contains(row));
        }
        let mut shown = Rows { rows, groups: Vec::new(), total, kept, base: Some(base) };
        if let Some(group) = settings.group.and_then(|idx| list.groupings().get(idx)) {
            shown.group(state, group, &settings.folded);
        }
        shown
    }

    /// Puts rows under titles, in the order in which groups first occur; rows of folded groups are left out.
    fn group(&mut self, state: &State, grouping: &Grouping, folded: &HashSet<String>) {
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut members: Vec<Vec<Row>> = Vec::new();
        for &row in &self.rows {
            let title = grouping.1(state, row);
            let idx = *index.entry(title).or_insert_with_key(|title| {
                self.groups.push((title.clone(), 0));
                members.push(Vec::new());
                members.len() - 1
            });
            members[idx].push(row);
        }
        self.rows.clear();
        for (idx, members) in members.into_iter().enumerate() {
            self.groups[idx].1 = members.len();
            self.rows.push(Row::Group(idx));
            if !folded.contains(&self.groups[idx].0) {
                self.rows.extend(members);
            }
        }
    }
}

fn sort(state: &State, list: List, column: usize, is_reversed: bool, rows: &mut [Row]) {
    let Some(definition) = list.columns().get(column) else { return };
    if definition.is_number {
        // The greatest first, unless reversed.
        rows.sort_by_cached_key(|&row| {
            let rank = list.cell(state, row, column).rank.unwrap_or(0);
            if is_reversed { rank } else { u64::MAX - rank }
        });
    } else {
        rows.sort_by_cached_key(|&row| {
            let cell = list.cell(state, row, column);
            (cell.rank.unwrap_or(0), cell.text)
        });
        if is_reversed {
            rows.reverse();
        }
    }
}

/// Whether it is over: a thread that has ended, a lock that is no more.
fn has_ended(state: &State, row: Row) -> bool {
    match row {
        Row::Thread(id) => state.at.is_finished(id),
        Row::Lock(id) => state.at.lock(id).is_some_and(|lock| lock.destroyed),
        _ => false,
    }
}
