//! What is shown, and [`update()`], which alone changes it.
//!
//! [`action`] says what can happen, [`update`](mod@update) what comes of it; this file is what is shown.

mod action;
mod update;

#[cfg(test)]
mod tests;

use lockscope_analyzer::{finding::Finding, state::State as TraceState};
use lockscope_trace::{LockId, Nanos, ThreadId};

pub use self::{
    action::{Action, Effect, Input, View},
    update::update,
};
use crate::{
    dashboard::model::Model,
    filter::Filter,
    graph::{self, Graph},
    source::{Sources, frames::Symbols},
};

/// A question at the bottom of the screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prompt {
    /// What is asked for.
    pub kind: PromptKind,
    /// The answer so far.
    pub text: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// What a prompt asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PromptKind {
    /// A filter of this list.
    Filter,
    /// A point in time.
    Seek,
}

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

/// Everything that a screen is drawn from.
pub struct State {
    /// What is known of the trace.
    pub model: Model,
    /// Events applied to what is shown.
    pub position: u64,
    /// The view follows the end of the trace.
    pub follows: bool,
    /// State of threads and locks at the position.
    pub at: TraceState,
    /// Who waits for whom at the position.
    pub waits: Graph,
    /// The view.
    pub view: View,
    /// Views to return to.
    pub history: Vec<View>,
    /// What is selected.
    pub selection: Selection,
    /// Text and filter by view.
    pub filters: [(String, Filter); View::ALL.len()],
    /// The question that is open.
    pub prompt: Option<Prompt>,
    /// Help is shown, scrolled by so many lines.
    pub help: Option<usize>,
    /// The detail of a finding, or a picture, is scrolled by so many lines.
    pub scroll: usize,
    /// The detail of the finding takes the whole view.
    pub is_detail_open: bool,
    /// A remark until the next key.
    pub message: Option<String>,
    /// Size of the terminal.
    pub size: (u16, u16),
    /// Source files.
    pub sources: Sources,
    /// Names of functions.
    pub symbols: Symbols,
}

impl State {
    /// The dashboard of a trace of which nothing was read yet.
    pub fn new(model: Model, sources: Sources) -> State {
        State {
            symbols: Symbols::new(&model.info),
            model,
            position: 0,
            follows: true,
            at: TraceState::default(),
            waits: Graph::default(),
            view: View::Overview,
            history: Vec::new(),
            selection: Selection::default(),
            filters: Default::default(),
            prompt: None,
            help: None,
            scroll: 0,
            is_detail_open: false,
            message: None,
            size: (80, 24),
            sources,
        }
    }

    /// The filter of a view.
    pub fn filter(&self, view: View) -> &(String, Filter) {
        &self.filters[view.index()]
    }

    /// The selected finding.
    pub fn finding(&self) -> Option<&Finding> {
        self.model.findings.get(self.selection.finding?)
    }

    /// The moment that is shown. While following a live trace that is the present, not the last event.
    pub fn time(&self) -> Nanos {
        if self.follows { self.model.end() } else { self.at.time }
    }

    /// Rows of a list that fit the screen.
    pub fn page(&self) -> usize {
        usize::from(self.size.1).saturating_sub(6).max(1)
    }

    /// Moves to a position.
    pub(super) fn seek(&mut self, position: u64) {
        self.position = position.min(self.model.len());
        self.follows = false;
        self.show_position();
    }

    /// Moves to the end and stays there.
    pub(super) fn follow(&mut self) {
        self.follows = true;
        self.position = self.model.len();
        self.show_position();
    }

    fn show_position(&mut self) {
        self.model.timeline.seek(&mut self.at, self.position);
        self.waits = graph::build::wait_for(&self.at, &self.model.defs, self.model.info.has_times.then(|| self.time()));
    }
}
