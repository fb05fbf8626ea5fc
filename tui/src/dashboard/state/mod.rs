//! What is shown, and [`update()`], which alone changes it.
//!
//! [`action`] says what can happen and [`view`] where; [`update`](mod@update) is what comes of it, with a file for each kind of
//! thing: [`time`], [`list`], [`go`], [`menu`], [`prompt`], [`mouse`]. This file is what is shown.

pub mod action;
mod go;
mod list;
pub mod menu;
mod mouse;
mod prompt;
mod time;
mod update;
pub mod view;

#[cfg(test)]
pub mod tests;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use lockscope_analyzer::{
    OrderGraph,
    finding::Finding,
    state::State as TraceState,
    timeline::{Lane, Shown},
};
use lockscope_trace::{LockId, Nanos, SiteId, ThreadId};

pub use self::{
    action::{Action, Effect, Input, Mouse, MouseKind},
    go::Spot,
    menu::Menu,
    prompt::Prompt,
    time::{TimeStyle, Window},
    update::update,
    view::View,
};
use crate::{
    dashboard::{
        draw::theme::Theme,
        keys::Keys,
        model::Model,
        order::OrderPicture,
        screen::Screen,
        tables::{self, List, ListSettings, Row, Rows},
        texts::Texts,
    },
    graph::{self, Graph, canvas::Canvas, layout},
    source::{Sources, frames::Symbols},
};

/// The selection: one for all views, so that switching views keeps what one looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// The thread.
    pub thread: Option<ThreadId>,
    /// The lock.
    pub lock: Option<LockId>,
    /// The finding, by its place in the list of all.
    pub finding: Option<usize>,
}

/// What lies over the view.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// Something to choose from.
    Menu(Menu),
    /// Something to read.
    Text {
        /// Title.
        title: String,
        /// Lines.
        lines: Vec<String>,
        /// First line that is shown.
        scroll: usize,
    },
}

/// A key that is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pending {
    /// The letter of a new mark.
    Mark,
    /// The letter of a mark to go to.
    Jump,
}

/// Everything that a screen is drawn from.
pub struct State {
    /// What is known of the trace.
    pub model: Model,
    /// Events applied to what is shown.
    pub position: u64,
    /// The moment that is shown: that of the last event, or after it and before the next one.
    pub moment: Nanos,
    /// The view follows the end of the trace.
    pub follows: bool,
    /// Replay goes on by itself.
    pub plays: bool,
    /// Speed of replay, as a power of two.
    pub speed: i32,
    /// State of threads and locks at the position.
    pub at: TraceState,
    /// Who waits for whom at the position.
    pub waits: Graph,
    /// Threads that cannot go on any more.
    pub stuck: HashSet<ThreadId>,
    /// Time of all waits for locks that go on at the end of the trace.
    pub open_waited: Nanos,
    /// Rows of the list that is shown.
    pub rows: Rows,
    /// The view.
    pub view: View,
    /// The pane of each view.
    pub panes: [usize; View::ALL.len()],
    /// Where to return to, and where to go forward to.
    pub history: (Vec<Spot>, Vec<Spot>),
    /// What is selected.
    pub selection: Selection,
    /// What was made of each list.
    lists: [ListSettings; List::ALL.len()],
    /// What was made of the list of events.
    pub events: ListSettings,
    /// The filter that is being typed.
    pub prompt: Option<Prompt>,
    /// Filters that were used, latest last.
    pub filters: Vec<String>,
    /// What lies over the view.
    pub overlay: Option<Overlay>,
    /// A key that is waited for.
    pub pending: Option<Pending>,
    /// The detail, or a picture, is scrolled by so many lines.
    pub scroll: usize,
    /// The handle under the cursor, as its place among those on the screen.
    pub link: Option<usize>,
    /// The detail of the finding takes the whole view.
    pub is_detail_open: bool,
    /// Threads and locks that have ended are listed.
    pub shows_ended: bool,
    /// All frames of stacks are shown.
    pub shows_frames: bool,
    /// Graphs are lists.
    pub shows_lists: bool,
    /// Share of the height that the lower pane takes, in percent.
    pub split: u16,
    /// The lower pane takes all.
    pub is_zoomed: bool,
    /// How times are shown.
    pub times: TimeStyle,
    /// Window of the timeline; the whole run without.
    pub window: Option<Window>,
    /// Windows before.
    pub windows: Vec<Option<Window>>,
    /// Where a range of the timeline is being drawn, as columns of the screen.
    pub drag: Option<(u16, u16)>,
    /// Remembered moments.
    pub marks: BTreeMap<char, (u64, Nanos)>,
    /// A remark until the next key.
    pub message: Option<String>,
    /// Size of the terminal.
    pub size: (u16, u16),
    /// What was drawn last.
    pub screen: Screen,
    /// How things look.
    pub theme: Theme,
    /// Which key does what.
    pub keys: Keys,
    /// Source files.
    pub sources: Sources,
    /// Names of functions.
    pub symbols: Symbols,
    /// Settings, in words.
    pub settings: Vec<String>,
    /// Lanes of the timeline that were drawn last, with what they were drawn for.
    pictures: RefCell<Option<(PictureKey, Pictures)>>,
    /// The order of locks that was drawn last, with the numbers and the pane that it was made for.
    orders: RefCell<Option<(OrderKey, Rc<OrderPicture>)>>,
    /// Words for places and locks.
    texts: Texts,
    /// Room for one.
    label: RefCell<String>,
    /// What is shown is the present of a process whose past is still being read: news of the trace when it was taken.
    shown_present: Option<u64>,
    /// What the graph of waits was made for, and whether all of it.
    waits_of: Option<(Moment, bool)>,
    /// The picture of who waits for whom that was drawn last, with what it was drawn for.
    drawn_waits: RefCell<Option<(WaitsKey, Rc<Canvas>)>>,
    /// What is shown has to be brought up to date.
    is_stale: bool,
}

/// Threads that wait and are drawn in the overview as well.
const MOST_DRAWN: usize = 1_000;

/// What of the trace is shown: as long as this is the same, so are lists and graphs. News that have arrived, events applied, time.
pub type Moment = (u64, u64, Nanos);
/// What a picture of the timeline depends on: window, columns, lanes, events, present.
type PictureKey = (Window, usize, Vec<Lane>, u64, Nanos);
/// What a picture of the order of locks depends on: the state of the numbers, and the pane.
type OrderKey = (u64, usize);
/// What a picture of who waits for whom depends on: what the graph was made for, and how it is drawn.
type WaitsKey = (Option<(Moment, bool)>, layout::Options);
/// What each lane shows in each column.
type Pictures = Rc<Vec<Vec<Shown>>>;

impl State {
    /// Share of the height that the lower pane takes at first, in percent.
    pub const SPLIT: u16 = 40;

    /// The dashboard of a trace of which nothing was read yet.
    pub fn new(model: Model, sources: Sources, theme: Theme, keys: Keys) -> State {
        State {
            symbols: Symbols::new(&model.info),
            model,
            position: 0,
            moment: Nanos(0),
            follows: true,
            plays: false,
            speed: 0,
            at: TraceState::default(),
            waits: Graph::default(),
            stuck: HashSet::new(),
            open_waited: Nanos(0),
            rows: Rows::default(),
            view: View::Overview,
            panes: Default::default(),
            history: Default::default(),
            selection: Selection::default(),
            lists: Default::default(),
            events: ListSettings::default(),
            prompt: None,
            filters: Vec::new(),
            overlay: None,
            pending: None,
            scroll: 0,
            link: None,
            is_detail_open: false,
            shows_ended: true,
            shows_frames: false,
            shows_lists: false,
            split: State::SPLIT,
            is_zoomed: false,
            times: TimeStyle::default(),
            window: None,
            windows: Vec::new(),
            drag: None,
            marks: BTreeMap::new(),
            message: None,
            size: (80, 24),
            screen: Screen::default(),
            theme,
            keys,
            sources,
            settings: Vec::new(),
            pictures: RefCell::default(),
            orders: RefCell::default(),
            texts: Texts::default(),
            label: RefCell::default(),
            shown_present: None,
            waits_of: None,
            drawn_waits: RefCell::default(),
            is_stale: true,
        }
    }

    /// The pane of the view.
    pub fn pane(&self) -> usize {
        self.panes[self.view.index()]
    }

    /// The list that the view shows, where it shows one with columns.
    pub fn shown_list(&self) -> Option<List> {
        self.view.list(self.pane())
    }

    /// Whether the view has rows to move through.
    pub fn has_rows(&self) -> bool {
        match self.view {
            View::Findings => !self.is_detail_open,
            View::Events => true,
            _ => self.shown_list().is_some(),
        }
    }

    /// What was made of a list.
    pub fn list(&self, list: List) -> &ListSettings {
        &self.lists[index(list)]
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self, list: List) -> &mut ListSettings {
        self.is_stale = true;
        &mut self.lists[index(list)]
    }

    /// The settings of whatever list is shown, events included.
    pub fn shown_settings(&self) -> Option<&ListSettings> {
        match self.view {
            View::Events => Some(&self.events),
            _ => self.shown_list().map(|list| self.list(list)),
        }
    }

    /// The selected finding.
    pub fn finding(&self) -> Option<&Finding> {
        self.model.findings.get(self.selection.finding?)
    }

    /// The moment that is shown. While following a live trace that is the present, not the last event.
    pub fn time(&self) -> Nanos {
        if self.follows { self.model.end() } else { self.moment.max(self.at.time) }
    }

    /// Index of the selected row; the first one where the selection is not in the list.
    pub fn selected(&self) -> Option<usize> {
        let other = self.shown_list().and_then(|list| self.list(list).selected);
        let is_selected = |row: &Row| match *row {
            _ if other.is_some() && matches!(other, Some(Row::Group(_))) => other == Some(*row),
            Row::Thread(id) => self.selection.thread == Some(id),
            Row::Lock(id) => self.selection.lock == Some(id),
            Row::Finding(idx) => self.selection.finding == Some(idx),
            row => other == Some(row),
        };
        let rows = &self.rows.rows;
        rows.iter().position(is_selected).or((!rows.is_empty()).then_some(0))
    }

    /// The selected row.
    pub fn selected_row(&self) -> Option<Row> {
        self.selected().and_then(|idx| self.rows.rows.get(idx).copied())
    }

    /// Rows of a list that fit the screen.
    pub fn page(&self) -> usize {
        let table = self.screen.table.as_ref().map_or(0, |table| table.rows.height);
        if table > 0 { table.into() } else { usize::from(self.size.1).saturating_sub(6).max(1) }
    }

    /// Brings what is shown up to date, if anything has changed. To be called before drawing.
    pub fn refresh(&mut self) {
        if !std::mem::take(&mut self.is_stale) {
            return;
        }
        if self.follows {
            self.position = self.model.len();
        }
        self.find_state();
        if self.follows {
            self.moment = self.at.time;
        }
        self.follow_waits();
        // The first finding is what one came for.
        if self.selection.finding.is_none() && !self.model.findings.is_empty() {
            self.selection.finding = Some(0);
        }
        let before = std::mem::take(&mut self.rows);
        self.rows = match self.shown_list() {
            Some(list) => Rows::of(self, list, before),
            None => Rows::default(),
        };
    }

    /// The state of threads and locks at the moment that is shown.
    fn find_state(&mut self) {
        if self.shown_present.is_some() && self.model.present.is_none() {
            // The past has arrived there. Who had stopped the view sees the same moment.
            self.shown_present = None;
            if !self.follows {
                self.position = self.model.timeline.position_at(self.moment);
            }
            self.at = self.model.timeline.state_at(self.position);
        }
        let Some(present) = self.model.present.as_ref().filter(|_| self.follows || self.shown_present.is_some()) else {
            return self.model.timeline.seek(&mut self.at, self.position);
        };
        if self.follows && self.shown_present.replace(self.model.n_presents) != Some(self.model.n_presents) {
            self.at.clone_from(&present.state);
            // What is counted by nobody else is at least what was counted until the moment that reading has reached.
            let past = self.model.head();
            for (lock, past) in self.at.locks.iter_mut().zip(&past.locks) {
                lock.acquisitions = lock.acquisitions.max(past.acquisitions);
                lock.contended = lock.contended.max(past.contended);
            }
            for (thread, past) in self.at.threads.iter_mut().zip(&past.threads) {
                thread.events = thread.events.max(past.events);
                thread.blocked_total = thread.blocked_total.max(past.blocked_total);
            }
        }
    }

    /// Whether what is shown is the present of a process whose past is still being read.
    pub fn is_ahead(&self) -> bool {
        self.shown_present.is_some()
    }

    /// Who waits for whom at the moment that is shown.
    fn follow_waits(&mut self) {
        // Of thousands that wait only those are needed that cannot go on, unless all are to be drawn.
        let n_blocked = || self.at.threads.iter().filter(|thread| thread.wait().is_some()).count();
        let is_drawn = self.view == View::Waits || self.view == View::Overview && n_blocked() <= MOST_DRAWN;
        let of = (self.shown_moment(), is_drawn);
        if self.waits_of.replace(of) == Some(of) {
            return;
        }
        let now = self.model.info.has_times.then(|| self.time());
        let make = match is_drawn {
            _ if self.is_ahead() => graph::build::present,
            true => graph::build::wait_for,
            false => graph::build::stuck,
        };
        self.waits = make(&self.at, &self.model.defs, now);
        self.stuck = self.waits.stuck.iter().copied().collect();
        self.open_waited = tables::open_waits(self);
    }

    /// What of the trace is shown.
    pub fn shown_moment(&self) -> Moment {
        (self.model.received, self.position, self.time())
    }

    /// What lanes show in each column of the timeline's window; kept until something of it changes.
    pub fn picture(&self, n_columns: usize, lanes: &[Lane]) -> Pictures {
        let (window, end) = (self.shown_window(), self.model.known_end());
        let key = (window, n_columns, lanes.to_vec(), self.model.len(), end);
        let mut kept = self.pictures.borrow_mut();
        match &*kept {
            Some((known, pictures)) if *known == key => pictures.clone(),
            _ => {
                let pictures = Rc::new(self.model.timeline.picture(window, end, n_columns, lanes));
                *kept = Some((key, pictures.clone()));
                pictures
            }
        }
    }

    /// The picture of who waits for whom; kept until something of it changes.
    pub fn waits_picture(&self, options: layout::Options) -> Rc<Canvas> {
        let key = (self.waits_of, options);
        let mut kept = self.drawn_waits.borrow_mut();
        match &*kept {
            Some((known, picture)) if *known == key => picture.clone(),
            _ => {
                let picture = Rc::new(layout::wait_for(&self.waits, options));
                *kept = Some((key, picture.clone()));
                picture
            }
        }
    }

    /// The order of locks, or that of their classes, as it is shown; kept until the numbers change.
    pub fn order_picture(&self) -> Rc<OrderPicture> {
        let key = (self.model.version, self.pane());
        let mut kept = self.orders.borrow_mut();
        match &*kept {
            Some((known, picture)) if *known == key => picture.clone(),
            _ => {
                let picture = Rc::new(OrderPicture::new(self.shown_order(), &self.model.findings, &self.model.defs));
                *kept = Some((key, picture.clone()));
                picture
            }
        }
    }

    /// The order of locks, or that of their classes.
    pub fn shown_order(&self) -> &OrderGraph {
        let digest = &self.model.digest;
        if self.pane() == 2 { &digest.classes } else { &digest.order }
    }

    /// A place as people want to read it; empty when the trace does not define it.
    pub fn site_text(&self, id: SiteId) -> Arc<str> {
        self.texts.site(&self.model.defs, id)
    }

    /// Calls `visit` with what a lock is called in lists.
    pub fn with_lock_label<T>(&self, id: LockId, visit: impl FnOnce(&str) -> T) -> T {
        let mut label = self.label.take();
        label.clear();
        self.texts.lock_label(&self.model.defs, id, &mut label);
        let seen = visit(&label);
        self.label.replace(label);
        seen
    }

    /// What is shown has changed.
    fn touch(&mut self) {
        self.is_stale = true;
    }
}

fn index(list: List) -> usize {
    List::ALL.iter().position(|&other| other == list).expect("every list is in the table")
}
