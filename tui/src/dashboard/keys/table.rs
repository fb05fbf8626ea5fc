//! The one table of actions: names, keys, where they apply, and what they do in words.

use crate::dashboard::state::{Action, View};

/// Where a binding applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In every view.
    Everywhere,
    /// In views with rows, the timeline excepted.
    Lists,
    /// In views without rows.
    Pictures,
    /// In the timeline.
    Timeline,
    /// Everywhere but in the timeline.
    NotTimeline,
}

impl Place {
    /// Whether a binding applies in a view, with rows or without.
    pub fn is(self, view: View, is_list: bool) -> bool {
        let is_timeline = view == View::Timeline;
        match self {
            Place::Everywhere => true,
            Place::Lists => is_list && !is_timeline,
            Place::Pictures => !is_list && !is_timeline,
            Place::Timeline => is_timeline,
            Place::NotTimeline => !is_timeline,
        }
    }

    /// Whether both apply somewhere.
    pub fn meets(self, other: Place) -> bool {
        let places = [(View::Overview, false), (View::Threads, true), (View::Timeline, true)];
        places.into_iter().any(|(view, is_list)| self.is(view, is_list) && other.is(view, is_list))
    }

    /// In words, for the help.
    pub fn words(self) -> &'static str {
        match self {
            Place::Everywhere | Place::NotTimeline => "everywhere",
            Place::Lists => "in lists",
            Place::Pictures => "in pictures",
            Place::Timeline => "in the timeline",
        }
    }
}

/// An action with its keys.
#[derive(Debug)]
pub struct Binding {
    /// Stable name of the action, by which it is configured.
    pub name: &'static str,
    /// Its keys where nothing else is configured, as [`key_name`](super::key_name) names them.
    pub keys: &'static [&'static str],
    /// What it does, for the help.
    pub help: &'static str,
    /// Where it applies.
    pub place: Place,
    /// What it is.
    pub action: Action,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    place: Place,
    action: Action,
    help: &'static str,
) -> Binding {
    Binding { name, keys, help, place, action }
}

use Place::{Everywhere, Lists, NotTimeline, Pictures, Timeline};

/// All bindings, in the order of the help.
#[rustfmt::skip]
pub const TABLE: &[Binding] = &[
    bind("overview", &["1"], Everywhere, Action::Show(View::Overview), "is it stuck, and why"),
    bind("findings", &["2"], Everywhere, Action::Show(View::Findings), "what was found, both sides with source"),
    bind("threads", &["3"], Everywhere, Action::Show(View::Threads), "what every thread does and holds"),
    bind("locks", &["4"], Everywhere, Action::Show(View::Locks), "who holds and who wants every lock"),
    bind("waits", &["5"], Everywhere, Action::Show(View::Waits), "who waits for whom at this moment, as a graph"),
    bind("order", &["6"], Everywhere, Action::Show(View::Order), "which locks are taken while which are held"),
    bind("contention", &["7"], Everywhere, Action::Show(View::Contention), "what waiting costs, by lock, place and thread"),
    bind("timeline", &["8"], Everywhere, Action::Show(View::Timeline), "who held and waited when"),
    bind("tasks", &["9"], Everywhere, Action::Show(View::Tasks), "tasks of an executor"),
    bind("primitives", &["0"], Everywhere, Action::Show(View::Primitives), "channels, semaphores, condition variables, memory"),
    bind("events", &["E"], Everywhere, Action::Show(View::Events), "every event; the row is the moment"),
    bind("next-pane", &["tab"], Everywhere, Action::Pane(1), "next pane of the view, or next view"),
    bind("previous-pane", &["backtab"], Everywhere, Action::Pane(-1), "previous pane, or previous view"),
    bind("next-view", &["ctrl-n"], Everywhere, Action::Turn(1), "next view"),
    bind("previous-view", &["ctrl-b"], Everywhere, Action::Turn(-1), "previous view"),
    bind("up", &["up", "k"], Everywhere, Action::Move(-1), "up: row, handle or text"),
    bind("down", &["down", "j"], Everywhere, Action::Move(1), "down: row, handle or text"),
    bind("left", &["left", "h"], Everywhere, Action::Side(-1), "left: column of a list, handle; in the timeline, the moment"),
    bind("right", &["right", "l"], Everywhere, Action::Side(1), "right"),
    bind("page-up", &["pgup", "ctrl-u"], Lists, Action::Page(-1), "a page up"),
    bind("page-down", &["pgdn", "ctrl-d"], Lists, Action::Page(1), "a page down"),
    bind("back-in-time", &["pgup", "ctrl-u"], Pictures, Action::Leap(-1), "back in time by a twentieth of the run"),
    bind("forward-in-time", &["pgdn", "ctrl-d"], Pictures, Action::Leap(1), "forward in time by a twentieth of the run"),
    bind("top", &["g"], Lists, Action::Top, "first row"),
    bind("bottom", &["G"], Lists, Action::Bottom, "last row"),
    bind("open", &["enter"], Everywhere, Action::Open, "follow: finding, thread, lock, handle, moment of an event"),
    bind("back", &["backspace", "ctrl-o"], Everywhere, Action::Back, "back to where you were"),
    bind("forward", &["alt-right"], Everywhere, Action::Forward, "forward again"),
    bind("filter", &["/"], Everywhere, Action::Filter, "filter the list: words, -word, key:value, key > number"),
    bind("next-match", &["n"], Everywhere, Action::Match(1), "next row that fits, or next handle"),
    bind("previous-match", &["N"], Everywhere, Action::Match(-1), "previous row that fits, or handle"),
    bind("sort", &["s"], NotTimeline, Action::Sort, "sort by the column under the cursor (left, right)"),
    bind("reverse", &["S"], Everywhere, Action::Reverse, "sort the other way around"),
    bind("columns", &["c"], Everywhere, Action::Columns, "choose columns and their order"),
    bind("group", &["v"], Everywhere, Action::Group, "group rows; graphs: picture or list"),
    bind("hide", &["x"], Everywhere, Action::Hide, "hide the row"),
    bind("show-hidden", &["X"], Everywhere, Action::ShowHidden, "show hidden rows again"),
    bind("pin", &["p"], Everywhere, Action::Pin, "keep the row at the top, or let it go"),
    bind("ended", &["H"], Everywhere, Action::Ended, "show or hide threads and locks that have ended"),
    bind("pause", &["space"], Everywhere, Action::Pause, "play or pause; live: freeze the view, or follow again"),
    bind("step-back", &[","], Everywhere, Action::Step(-1), "one event back"),
    bind("step-forward", &["."], Everywhere, Action::Step(1), "one event forward"),
    bind("step-back-here", &["("], Everywhere, Action::StepHere(-1), "back to the previous event of the selected thread or lock"),
    bind("step-forward-here", &[")"], Everywhere, Action::StepHere(1), "on to its next event"),
    bind("previous-blocking", &["["], Everywhere, Action::Blocking(-1), "to the previous wait for the selected lock, or of the thread"),
    bind("next-blocking", &["]"], Everywhere, Action::Blocking(1), "to the next one"),
    bind("previous-finding", &["{"], Everywhere, Action::Finding(-1), "to the previous finding in time"),
    bind("next-finding", &["}"], Everywhere, Action::Finding(1), "to the next finding in time"),
    bind("slower", &["<"], Everywhere, Action::Speed(-1), "play at half the speed"),
    bind("faster", &[">"], Everywhere, Action::Speed(1), "play at twice the speed"),
    bind("mark", &["m"], Everywhere, Action::Mark, "mark this moment by a letter"),
    bind("jump", &["'"], Everywhere, Action::Jump, "go to a mark"),
    bind("begin", &["home"], Everywhere, Action::Home, "to the beginning of the trace"),
    bind("live", &["end", "L"], Everywhere, Action::Live, "to the end of the trace, and follow it"),
    bind("times", &["t"], Everywhere, Action::Times, "times since the start, by the clock, or from this moment"),
    bind("zoom-in", &["w", "+", "="], Timeline, Action::Zoom(1), "zoom in"),
    bind("zoom-out", &["s", "-"], Timeline, Action::Zoom(-1), "zoom out"),
    bind("pan-left", &["a", "pgup"], Timeline, Action::Pan(-1), "earlier"),
    bind("pan-right", &["d", "pgdn"], Timeline, Action::Pan(1), "later"),
    bind("fit", &["F"], Timeline, Action::Fit, "the whole run"),
    bind("centre", &["f"], Timeline, Action::Centre, "this moment to the middle; again: the whole run"),
    bind("range", &["r"], Timeline, Action::Range, "zoom to the wait of the selected thread or lock"),
    bind("pop-range", &["R"], Timeline, Action::PopRange, "the window before"),
    bind("zoom-pane", &["z"], Everywhere, Action::ZoomPane, "give the lower pane the whole height, or take it back"),
    bind("pane-smaller", &["alt-down"], Everywhere, Action::Resize(-1), "lower pane smaller"),
    bind("pane-larger", &["alt-up"], Everywhere, Action::Resize(1), "lower pane larger"),
    bind("frames", &["V"], Everywhere, Action::Frames, "all frames of stacks, or only those that say something"),
    bind("source", &["u"], Everywhere, Action::Source, "the source file of the place, with what happens on its lines"),
    bind("edit", &["o"], Everywhere, Action::Edit, "open the place in $EDITOR"),
    bind("copy", &["y"], Everywhere, Action::Copy, "copy what is selected, a finding as Markdown"),
    bind("export", &["e"], Everywhere, Action::Export, "write the view to a file"),
    bind("explain", &["i"], Everywhere, Action::Explain, "explain this kind of finding, or this column"),
    bind("palette", &[":", "ctrl-p"], Everywhere, Action::Palette, "commands by name; go to 12.4s, #1234, T3, L7, F1"),
    bind("help", &["?", "f1"], Everywhere, Action::Help, "this help; type to search"),
    bind("settings", &["f2"], Everywhere, Action::Settings, "settings in effect"),
    bind("theme", &["T"], Everywhere, Action::Theme, "next theme"),
    bind("clear", &["esc"], Everywhere, Action::Escape, "close, or clear the filter"),
    bind("redraw", &["ctrl-l"], Everywhere, Action::Redraw, "draw everything anew"),
    bind("suspend", &["ctrl-z"], Everywhere, Action::Suspend, "go to the background"),
    bind("quit", &["q"], Everywhere, Action::Quit, "close what is open, then quit"),
    bind("quit-printed", &["Q"], Everywhere, Action::QuitPrinted, "quit, and leave this screen printed"),
    bind("force-quit", &["ctrl-c"], Everywhere, Action::ForceQuit, "quit at once"),
];
