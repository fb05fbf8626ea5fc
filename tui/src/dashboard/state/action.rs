//! What can be seen and what can happen: views, actions by key, inputs from outside, and what they ask for.

use lockscope_trace::Nanos;

use crate::dashboard::reader::Batch;

/// A page of the screen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum View {
    /// Is it stuck, and why.
    Overview,
    /// What was found.
    Findings,
    /// Threads.
    Threads,
    /// Locks.
    Locks,
    /// Wait-for graph.
    Waits,
    /// Events.
    Events,
}

impl View {
    /// All views, in the order of their keys.
    pub const ALL: [View; 6] = [View::Overview, View::Findings, View::Threads, View::Locks, View::Waits, View::Events];

    /// Title of its tab.
    pub fn title(self) -> &'static str {
        match self {
            View::Overview => "Overview",
            View::Findings => "Findings",
            View::Threads => "Threads",
            View::Locks => "Locks",
            View::Waits => "Waits",
            View::Events => "Events",
        }
    }

    /// Whether it is a list that can be filtered and moved through.
    pub fn has_list(self) -> bool {
        matches!(self, View::Findings | View::Threads | View::Locks | View::Events)
    }

    /// Its place among all views.
    pub(super) fn index(self) -> usize {
        View::ALL.iter().position(|&view| view == self).expect("every view is in the list")
    }
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Show a view.
    Show(View),
    /// Show the next view.
    NextView,
    /// Show the previous view.
    PreviousView,
    /// Move the selection, or scroll.
    Move(i64),
    /// Move by pages.
    Page(i64),
    /// First row.
    Top,
    /// Last row.
    Bottom,
    /// Follow what is selected.
    Open,
    /// Return.
    Back,
    /// Ask for a filter.
    OpenFilter,
    /// Ask for a point in time.
    OpenSeek,
    /// Freeze the view, or follow the end.
    TogglePause,
    /// Step by events.
    Step(i64),
    /// Go through time by parts of the whole.
    Leap(i64),
    /// Go to another finding in time.
    Finding(i64),
    /// Go to the beginning.
    Begin,
    /// Go to the end and follow it.
    Live,
    /// Show or hide help.
    Help,
    /// Close or clear.
    Escape,
    /// Close what is open, or quit.
    Quit,
    /// Quit.
    ForceQuit,
}

/// What comes from outside.
#[derive(Debug)]
pub enum Input {
    /// An action by key.
    Action(Action),
    /// A character for the prompt.
    Type(char),
    /// Delete the prompt's last character.
    Erase,
    /// Accept the prompt.
    Accept,
    /// News of the trace.
    Batch(Box<Batch>),
    /// Reading failed.
    Failed(String),
    /// The present, by the trace's clock.
    Clock(Nanos),
    /// The terminal has this size.
    Resize(u16, u16),
    /// The screen was drawn, and what can be scrolled there can be scrolled so far.
    Drawn(usize),
}

/// What the owner of the terminal has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing changed on the screen.
    Nothing,
    /// Draw.
    Redraw,
    /// End the program.
    Quit,
}
