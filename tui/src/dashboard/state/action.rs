//! What can happen: actions by key, inputs from outside, and what they ask for.

use std::path::PathBuf;

use lockscope_trace::Nanos;

use super::view::View;
use crate::dashboard::{export::Format, present::News, reader::Batch, screen::Screen};

/// What a key or a command of the palette does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Show a view.
    Show(View),
    /// The next view, or the previous one.
    Turn(i64),
    /// The next pane of the view, or the previous one.
    Pane(i64),
    /// Move the selection, the link or the picture.
    Move(i64),
    /// Move by pages.
    Page(i64),
    /// Move the column, the link or the moment sideways.
    Side(i64),
    /// First row.
    Top,
    /// Last row.
    Bottom,
    /// Beginning of the trace, of the list or of the text.
    Home,
    /// Follow what is selected.
    Open,
    /// Return to where one was.
    Back,
    /// The opposite of [`Back`](Action::Back).
    Forward,
    /// Ask for a filter.
    Filter,
    /// The next row that the filter keeps, or the previous one.
    Match(i64),
    /// Sort by the column under the cursor.
    Sort,
    /// Turn the order around.
    Reverse,
    /// Choose columns.
    Columns,
    /// Choose by what rows are grouped.
    Group,
    /// Hide the row.
    Hide,
    /// Show hidden rows as well.
    ShowHidden,
    /// Keep the row at the top.
    Pin,
    /// Show or hide what has ended.
    Ended,
    /// Play, pause; live: freeze, follow; on a group: fold.
    Pause,
    /// One event back or forward.
    Step(i64),
    /// One event of the selected thread or lock back or forward.
    StepHere(i64),
    /// To the previous or next time that the selected lock or thread was waited for.
    Blocking(i64),
    /// To another finding in time.
    Finding(i64),
    /// Play faster or slower.
    Speed(i64),
    /// Go through time by parts of the whole.
    Leap(i64),
    /// Zoom in (1) or out (-1).
    Zoom(i64),
    /// Move the window of the timeline by parts of it.
    Pan(i64),
    /// Show the whole run.
    Fit,
    /// The moment to the middle of the window; again: the whole run.
    Centre,
    /// The window becomes the selected wait.
    Range,
    /// The window before.
    PopRange,
    /// Remember this moment by a letter.
    Mark,
    /// Go to a remembered moment.
    Jump,
    /// Go to the end and follow it.
    Live,
    /// Change how times are shown.
    Times,
    /// Give the lower pane the whole height, or take it back.
    ZoomPane,
    /// Make the lower pane smaller or larger.
    Resize(i64),
    /// All frames of stacks, or only those that say something.
    Frames,
    /// Show the source file of the place.
    Source,
    /// Open the place in an editor.
    Edit,
    /// Copy.
    Copy,
    /// Write the view to a file.
    Export,
    /// Explain the finding or the column.
    Explain,
    /// Commands, and places to go to.
    Palette,
    /// Help.
    Help,
    /// Show the settings.
    Settings,
    /// The next theme.
    Theme,
    /// Close or clear.
    Escape,
    /// Close what is open, or quit.
    Quit,
    /// Quit, and leave the screen printed.
    QuitPrinted,
    /// Quit at once.
    ForceQuit,
    /// Go to the background.
    Suspend,
    /// Draw everything anew.
    Redraw,
}

/// What comes from outside.
#[derive(Debug)]
pub enum Input {
    /// An action by key.
    Action(Action),
    /// A key while something asks for text or a letter, by its name.
    Key(String),
    /// Text that was pasted.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// News of the trace.
    Batch(Box<Batch>),
    /// News of the present, while the past is read.
    Present(News),
    /// Reading failed.
    Failed(String),
    /// The present, by the trace's clock.
    Clock(Nanos),
    /// So much time has passed while playing.
    Played(Nanos),
    /// The terminal has said what its background is.
    Background {
        /// It is light.
        is_light: bool,
    },
    /// The terminal has this size.
    Resize(u16, u16),
    /// The screen was drawn, and this is where things are on it.
    Drawn(Box<Screen>),
    /// What an effect came to.
    Said(String),
}

/// What the mouse did, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mouse {
    /// What.
    pub what: MouseKind,
    /// Column, from 0.
    pub x: u16,
    /// Row, from 0.
    pub y: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MouseKind {
    /// The left button was pressed.
    Press,
    /// The same, shortly after at the same place.
    DoublePress,
    /// The mouse moves with the left button down.
    Drag,
    /// The left button was released.
    Release,
    /// The wheel.
    Wheel(i64),
}

/// What the owner of the terminal has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing changed on the screen.
    Nothing,
    /// Draw.
    Redraw,
    /// Draw everything anew.
    Clear,
    /// End the program; with the last screen printed or not.
    Quit {
        /// Whether it is printed.
        prints: bool,
    },
    /// Go to the background until the shell says otherwise.
    Suspend,
    /// Open a file at a line in the user's editor.
    Edit(PathBuf, u32),
    /// Put a text on the clipboard.
    Copy(String),
    /// Write a file beside the user.
    Write {
        /// Name of the file without its extension.
        stem: String,
        /// What is written.
        format: Format,
    },
    /// The theme has changed.
    Theme,
}
