//! A place in the source with its lines, and the stack that led there.

use lockscope_trace::{SiteId, StackId};
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    cli::table::fit,
    dashboard::{draw::theme::Mark, state::State},
    source::{file_and_line, short_site},
};

/// Lines of source around the one that matters.
const CONTEXT: u32 = 1;
/// Frames of a stack that are shown.
const MAX_FRAMES: usize = 6;

/// The time, the place and its lines of source, the one that matters marked.
pub fn place(state: &State, site: Option<SiteId>, since: &str, width: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let site = site.and_then(|site| state.model.defs.site(site));
    let first = |place: Option<String>| {
        let parts: Vec<String> = place.into_iter().chain([since.to_owned()]).collect();
        format!("  {}", parts.join("  ")).trim_end().to_owned()
    };
    // Where the whole path has no room, its last part and the time say more than the path alone.
    let full = first(site.map(short_site));
    let full = if full.width() <= width { full } else { first(site.map(file_and_line)) };
    let mut lines = vec![Line::styled(fit(&full, width, theme.ascii), theme.dim())];
    let Some(site) = site else { return lines };
    let Some(file) = state.sources.file(&site.file) else { return lines };
    if file.is_newer {
        lines.push(Line::styled("  the file was changed after the recording", theme.mark(Mark::Warn)));
    }
    if file.line(site.line).is_none() {
        return lines;
    }
    let range = site.line.saturating_sub(CONTEXT).max(1)..=site.line.saturating_add(CONTEXT);
    let shown: Vec<(u32, String)> =
        range.filter_map(|number| Some((number, file.line(number)?.trim_end().replace('\t', "    ")))).collect();
    // Common indentation says nothing and takes room.
    let indent = shown
        .iter()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(_, line)| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let digits = shown.last().map_or(1, |(number, _)| number.to_string().len());
    let bar = if theme.ascii { "|" } else { "│" };
    for (number, line) in shown {
        let is_it = number == site.line;
        let pointer = if is_it { if theme.ascii { ">" } else { "▶" } } else { " " };
        let text = line.get(indent..).unwrap_or("");
        let room = width.saturating_sub(digits + 4);
        if !is_it {
            lines.push(Line::styled(
                format!(" {pointer}{number:>digits$}{bar} {}", fit(text, room, theme.ascii)),
                theme.dim(),
            ));
            continue;
        }
        // The line that matters is never cut.
        for (idx, part) in chunks(text, room.max(8)).into_iter().enumerate() {
            let gutter = if idx == 0 {
                format!(" {pointer}{number:>digits$}{bar} ")
            } else {
                format!("  {:>digits$}{bar}   ", "")
            };
            lines.push(Line::from(vec![Span::styled(gutter, theme.dim()), Span::styled(part, theme.title())]));
        }
    }
    lines
}

/// The text in pieces: the first of `width` columns, the further ones two narrower, since they are indented. Pieces
/// begin where a word or a call does, unless one alone is too long.
fn chunks(text: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let room = if pieces.is_empty() { width } else { width.saturating_sub(2) }.max(2);
        let mut used = 0;
        let overflow = rest.char_indices().find(|(_, c)| {
            used += c.width().unwrap_or(0);
            used > room
        });
        let Some((end, _)) = overflow else { break };
        let begin = rest[..end].rfind([' ', '.']).map(|at| if rest[at..].starts_with(' ') { at + 1 } else { at });
        // A break within the indentation would leave a piece of nothing.
        let indent = rest.len() - rest.trim_start().len();
        let (piece, further) = rest.split_at(begin.filter(|&begin| begin > indent).unwrap_or(end));
        pieces.push(piece.to_owned());
        rest = further;
    }
    pieces.push(rest.to_owned());
    pieces
}

pub fn stack(state: &State, stack: Option<StackId>, site: Option<SiteId>, width: usize) -> Vec<Line<'static>> {
    let Some(stack) = stack else { return Vec::new() };
    let theme = &state.theme;
    let frames = match state.shows_frames {
        true => state.symbols.stack(&state.model.defs, stack),
        false => state.symbols.folded_stack(&state.model.defs, stack, site),
    };
    let most = if state.shows_frames { usize::MAX } else { MAX_FRAMES };
    // The first frame is the place above; alone it adds nothing.
    if frames.len() < 2 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for frame in frames.iter().take(most) {
        let site = frame.site.as_ref().map_or(String::new(), |site| format!("{} ", file_and_line(site)));
        lines.push(Line::styled(fit(&format!("   {site}in {}", frame.function), width, theme.ascii), theme.dim()));
    }
    lines
}

/// Lines of at most `width` columns, broken between words.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_matter_are_never_cut() {
        assert_eq!(chunks("let a = self.a.lock();", 12), ["let a = ", "self.a", ".lock();"]);
        assert_eq!(chunks("    let a_long_name = 1;", 10), ["    let ", "a_long_n", "ame = 1;"]);
        assert_eq!(chunks("", 12), [""]);
    }

    #[test]
    fn texts_are_broken_between_words() {
        assert_eq!(wrap("no gate lock is common", 9), ["no gate", "lock is", "common"]);
        assert_eq!(wrap("", 9), [""]);
        assert_eq!(wrap("unbreakable word", 3), ["unbreakable", "word"]);
    }
}
