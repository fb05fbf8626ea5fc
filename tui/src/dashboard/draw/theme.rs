//! How things look: styles by meaning, and the characters of lines and marks.
//!
//! Colours are the terminal's own sixteen, so that the user's theme wins, and told apart by blue and orange rather than
//! by red and green. No meaning rests on colour: each state has a mark and a word as well.

use std::str::FromStr;

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
    widgets::{Block, Borders},
};

use crate::graph::canvas::{ASCII, Glyphs, Role, UNICODE};

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

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// What matters less.
    Dim,
    /// A title.
    Title,
    /// The name of a thread.
    Thread,
    /// The name of a lock.
    Lock,
    /// What is selected.
    Selected,
    /// A frame.
    Border,
    /// The moment that is shown.
    Cursor,
    /// What has a meaning.
    Mark(Mark),
}

/// Tones with the names by which they are configured, and what they are for.
pub const TONES: &[(&str, Tone, &str)] = &[
    ("bad", Tone::Mark(Mark::Bad), "deadlocked threads, errors"),
    ("warning", Tone::Mark(Mark::Warn), "blocked threads, warnings"),
    ("good", Tone::Mark(Mark::Good), "running threads, held locks"),
    ("quiet", Tone::Dim, "what matters less"),
    ("thread", Tone::Thread, "names of threads"),
    ("lock", Tone::Lock, "names of locks"),
    ("title", Tone::Title, "titles"),
    ("selected", Tone::Selected, "what is selected"),
    ("border", Tone::Border, "frames"),
    ("cursor", Tone::Cursor, "the moment that is shown"),
];

/// A set of styles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Palette {
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// Strong differences only.
    HighContrast,
    /// Blue and orange of 256 colours, which everybody can tell apart.
    Safe,
    /// No colours: bold, reversed and dim.
    Mono,
}

impl Palette {
    /// All palettes, in the order in which they are switched through.
    pub const ALL: [Palette; 5] = [Palette::Dark, Palette::Light, Palette::HighContrast, Palette::Safe, Palette::Mono];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Palette::Dark => "dark",
            Palette::Light => "light",
            Palette::HighContrast => "high-contrast",
            Palette::Safe => "colour-blind",
            Palette::Mono => "mono",
        }
    }

    fn style(self, tone: Tone) -> Style {
        let style = Style::new();
        let (bold, reversed, dim) = (Modifier::BOLD, Modifier::REVERSED, Modifier::DIM);
        match (self, tone) {
            (_, Tone::Plain) => style,
            (_, Tone::Title) => style.add_modifier(bold),
            (_, Tone::Selected | Tone::Cursor) => style.add_modifier(reversed),
            (Palette::Mono, Tone::Mark(Mark::Bad)) => style.add_modifier(bold | reversed),
            (Palette::Mono, Tone::Mark(Mark::Warn)) => style.add_modifier(bold),
            (Palette::Mono, Tone::Mark(Mark::Good) | Tone::Thread | Tone::Lock) => style,
            (Palette::HighContrast, Tone::Mark(Mark::Bad)) => style.fg(Color::White).bg(Color::Red).add_modifier(bold),
            (Palette::HighContrast, Tone::Mark(Mark::Warn)) => style.fg(Color::LightYellow).add_modifier(bold),
            (Palette::HighContrast, Tone::Mark(Mark::Good)) => style.fg(Color::LightCyan).add_modifier(bold),
            (Palette::HighContrast, Tone::Thread) => style.fg(Color::LightCyan).add_modifier(bold),
            (Palette::HighContrast, Tone::Lock) => style.add_modifier(bold),
            (Palette::HighContrast, Tone::Dim | Tone::Border | Tone::Mark(Mark::Quiet)) => style,
            (Palette::Safe, Tone::Mark(Mark::Bad)) => style.fg(Color::Indexed(208)).add_modifier(bold),
            (Palette::Safe, Tone::Mark(Mark::Warn)) => style.fg(Color::Indexed(220)),
            (Palette::Safe, Tone::Mark(Mark::Good) | Tone::Lock) => style.fg(Color::Indexed(75)),
            (Palette::Safe, Tone::Thread) => style.fg(Color::Indexed(117)),
            (Palette::Light, Tone::Mark(Mark::Bad)) => style.fg(Color::Red).add_modifier(bold),
            (Palette::Light, Tone::Mark(Mark::Warn)) => style.fg(Color::Magenta),
            (Palette::Light, Tone::Mark(Mark::Good) | Tone::Thread | Tone::Lock) => style.fg(Color::Blue),
            (Palette::Dark, Tone::Mark(Mark::Bad)) => style.fg(Color::LightRed).add_modifier(bold),
            (Palette::Dark, Tone::Mark(Mark::Warn)) => style.fg(Color::Yellow),
            (Palette::Dark, Tone::Mark(Mark::Good) | Tone::Lock) => style.fg(Color::LightBlue),
            (Palette::Dark, Tone::Thread) => style.fg(Color::Cyan),
            // Not the bright black that some themes make the colour of the background.
            (_, Tone::Dim | Tone::Border | Tone::Mark(Mark::Quiet)) => style.add_modifier(dim),
        }
    }
}

impl FromStr for Palette {
    type Err = String;

    fn from_str(text: &str) -> Result<Palette, String> {
        let names: Vec<&str> = Palette::ALL.iter().map(|palette| palette.name()).collect();
        let found = Palette::ALL.into_iter().find(|palette| palette.name() == text);
        found.ok_or_else(|| format!("there is no theme `{text}`; there are {}", names.join(", ")))
    }
}

/// Styles and characters of a screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Theme {
    /// Where styles come from that are not set.
    pub palette: Palette,
    /// Only ASCII characters are used.
    pub ascii: bool,
    /// Styles that were configured, by their place in [`TONES`].
    custom: Vec<(Tone, Style)>,
}

impl Theme {
    /// A theme as it comes.
    pub fn new(palette: Palette, ascii: bool) -> Theme {
        Theme { palette, ascii, custom: Vec::new() }
    }

    /// Sets a tone to a style such as `blue`, `#ff8800 bold`, `black on yellow`, `reversed`.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let tone = TONES.iter().find(|(of, ..)| *of == name).map(|(_, tone, _)| *tone);
        let tone = tone.ok_or_else(|| format!("there is no colour `{name}`"))?;
        let style = parse_style(text)?;
        self.custom.retain(|(of, _)| *of != tone);
        self.custom.push((tone, style));
        Ok(())
    }

    /// The style of a tone.
    pub fn tone(&self, tone: Tone) -> Style {
        let tone = if tone == Tone::Mark(Mark::Quiet) { Tone::Dim } else { tone };
        // Without colours there are none, whatever was configured.
        let custom = self.custom.iter().find(|(of, _)| *of == tone).filter(|_| self.palette != Palette::Mono);
        custom.map_or_else(|| self.palette.style(tone), |(_, style)| *style)
    }

    /// Style of a meaning.
    pub fn mark(&self, mark: Mark) -> Style {
        self.tone(Tone::Mark(mark))
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
        self.tone(Tone::Thread)
    }

    /// Names of locks.
    pub fn lock(&self) -> Style {
        self.tone(Tone::Lock)
    }

    /// What matters less.
    pub fn dim(&self) -> Style {
        self.tone(Tone::Dim)
    }

    /// Titles.
    pub fn title(&self) -> Style {
        self.tone(Tone::Title)
    }

    /// The selected row, and the tab of the view.
    pub fn selected(&self) -> Style {
        self.tone(Tone::Selected)
    }

    /// A role of a drawn graph.
    pub fn role(&self, role: Role) -> Style {
        match role {
            Role::Plain => Style::new(),
            Role::Thread => self.thread(),
            Role::Lock => self.lock(),
            // Reversed boxes would be unreadable.
            Role::Cycle if self.palette == Palette::Mono => self.title(),
            Role::Cycle => self.mark(Mark::Bad),
            Role::Dim => self.dim(),
            Role::Title => self.title(),
        }
    }

    /// Characters of graphs.
    pub fn glyphs(&self) -> Glyphs {
        if self.ascii { ASCII } else { UNICODE }
    }

    /// Nine heights of a bar, from none to all.
    pub fn bars(&self) -> [&'static str; 9] {
        match self.ascii {
            false => [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
            true => [" ", ".", ".", ":", ":", "=", "=", "#", "#"],
        }
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
            .border_style(self.tone(Tone::Border))
            .title(format!(" {title} "))
            .title_style(self.title())
    }
}

/// Whether a text is a style, and what would be one.
pub fn check_style(text: &str) -> Result<(), String> {
    parse_style(text).map(drop)
}

/// Words and colours: `bold`, `dim`, `italic`, `underlined`, `reversed`, a colour, `on` a colour.
fn parse_style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut is_background = false;
    for word in text.split_whitespace() {
        let modifier = match word {
            "on" => {
                is_background = true;
                continue;
            }
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            color => {
                let color = Color::from_str(color).map_err(|_| {
                    format!("`{color}` is no colour; colours are as `blue`, `light-red`, `208`, `#ff8800`, with `bold`, `dim`, `reversed`")
                })?;
                style = if is_background { style.bg(color) } else { style.fg(color) };
                is_background = false;
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    if is_background {
        return Err("expected a colour after `on`".to_owned());
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_read() {
        assert_eq!(
            parse_style("#ff8800 bold"),
            Ok(Style::new().fg(Color::Rgb(255, 136, 0)).add_modifier(Modifier::BOLD))
        );
        assert_eq!(parse_style("black on light-yellow"), Ok(Style::new().fg(Color::Black).bg(Color::LightYellow)));
        assert_eq!(parse_style(""), Ok(Style::new()));
        assert!(parse_style("blau").is_err_and(|error| error.contains("`blau`")));
        assert!(parse_style("red on").is_err());
    }

    #[test]
    fn colours_can_be_set_and_mono_has_none() {
        let mut theme = Theme::new(Palette::Dark, false);
        theme.set("bad", "magenta").expect("it is a tone");
        assert_eq!(theme.mark(Mark::Bad), Style::new().fg(Color::Magenta));
        theme.palette = Palette::Mono;
        for (_, tone, _) in TONES {
            let style = theme.tone(*tone);
            assert_eq!((style.fg, style.bg), (None, None), "{tone:?}");
        }
        assert!(theme.set("worse", "red").is_err());
        assert!("beige".parse::<Palette>().is_err_and(|error| error.contains("mono")));
    }
}
