//! How things look: styles by meaning, and the characters of lines and marks.
//!
//! Colours are the terminal's own sixteen, so that the user's theme wins, and told apart by blue and orange rather than
//! by red and green. No meaning rests on colour: each state has a mark and a word as well.

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
    widgets::{Block, Borders},
};

use crate::graph::canvas::{ASCII, Glyphs, Role, UNICODE};

/// Styles and characters of a screen.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Colours are used.
    pub color: bool,
    /// Only ASCII characters are used.
    pub ascii: bool,
}

/// What something means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Stuck for ever, an error.
    Bad,
    /// Waiting, a warning.
    Warn,
    /// Going on.
    Good,
    /// Neither.
    Quiet,
}

impl Theme {
    /// Style of a meaning.
    pub fn mark(&self, mark: Mark) -> Style {
        match (mark, self.color) {
            (Mark::Bad, true) => Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD),
            (Mark::Warn, true) => Style::new().fg(Color::Yellow),
            (Mark::Good, true) => Style::new().fg(Color::LightBlue),
            (Mark::Bad, false) => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            (Mark::Warn, false) => Style::new().add_modifier(Modifier::BOLD),
            (Mark::Good, false) => Style::new(),
            // Not the bright black that some themes make the colour of the background.
            (Mark::Quiet, _) => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// The character of a meaning.
    pub fn glyph(&self, mark: Mark) -> &'static str {
        match (mark, self.ascii) {
            (Mark::Bad, false) => "✖",
            (Mark::Warn, false) => "▲",
            (Mark::Good, false) => "●",
            (Mark::Quiet, false) => "○",
            (Mark::Bad, true) => "X",
            (Mark::Warn, true) => "!",
            (Mark::Good, true) => "*",
            (Mark::Quiet, true) => "-",
        }
    }

    /// Names of threads.
    pub fn thread(&self) -> Style {
        if self.color { Style::new().fg(Color::Cyan) } else { Style::new() }
    }

    /// Names of locks.
    pub fn lock(&self) -> Style {
        if self.color { Style::new().fg(Color::LightBlue) } else { Style::new() }
    }

    /// What matters less.
    pub fn dim(&self) -> Style {
        self.mark(Mark::Quiet)
    }

    /// Titles.
    pub fn title(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The selected row, and the tab of the view.
    pub fn selected(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A role of a drawn graph.
    pub fn role(&self, role: Role) -> Style {
        match role {
            Role::Plain => Style::new(),
            Role::Thread => self.thread(),
            Role::Lock => self.lock(),
            Role::Cycle if self.color => self.mark(Mark::Bad),
            Role::Cycle => Style::new().add_modifier(Modifier::BOLD),
            Role::Dim => self.dim(),
            Role::Title => self.title(),
        }
    }

    /// Characters of graphs.
    pub fn glyphs(&self) -> Glyphs {
        if self.ascii { ASCII } else { UNICODE }
    }

    /// A frame with a title.
    pub fn block(&self, title: &str) -> Block<'static> {
        let ascii = border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        };
        let set = if self.ascii { ascii } else { border::PLAIN };
        Block::new()
            .borders(Borders::ALL)
            .border_set(set)
            .border_style(self.dim())
            .title(format!(" {title} "))
            .title_style(self.title())
    }
}
