//! A drawing as a picture that stands alone: lines are lines, texts are texts, and both look right on light and on dark pages.

use std::fmt::Write;

use crate::graph::canvas::{Canvas, Role};

/// Size of a character in the picture.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 12.0;

/// Which ways a line goes from the middle of its character: up, right, down, left; and whether it is double, or round.
fn ways(c: char) -> Option<([bool; 4], bool, bool)> {
    let (ways, is_double, is_round) = match c {
        '─' => ("rl", false, false),
        '│' => ("ud", false, false),
        '┌' => ("rd", false, false),
        '┐' => ("dl", false, false),
        '└' => ("ur", false, false),
        '┘' => ("ul", false, false),
        '╭' => ("rd", false, true),
        '╮' => ("dl", false, true),
        '╰' => ("ur", false, true),
        '╯' => ("ul", false, true),
        '├' => ("urd", false, false),
        '═' => ("rl", true, false),
        '║' => ("ud", true, false),
        '╚' => ("ur", true, false),
        '╘' => ("ur", true, false),
        _ => return None,
    };
    Some((['u', 'r', 'd', 'l'].map(|way| ways.contains(way)), is_double, is_round))
}

/// Writes the drawing.
pub fn write(canvas: &Canvas) -> String {
    let rows: Vec<Vec<(String, Role)>> = canvas.runs().collect();
    let width =
        |row: &Vec<(String, Role)>| row.iter().map(|(text, _)| unicode_width::UnicodeWidthStr::width(&**text)).sum();
    let columns: usize = rows.iter().map(width).max().unwrap_or(0);
    let (w, h) = (columns as f64 * CELL.0 + 2.0 * MARGIN, rows.len() as f64 * CELL.1 + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.1} {h:.1}\" width=\"{w:.0}\" height=\"{h:.0}\" role=\"img\">\n{STYLE}"
    );
    for (y, row) in rows.iter().enumerate() {
        let mut x = 0;
        for (text, role) in row {
            x = run(&mut out, (x, y), text, *role);
        }
    }
    out.push_str("</svg>\n");
    out
}

const STYLE: &str = "<style>\n\
    svg { background: #fff; color-scheme: light dark }\n\
    text { font: 13px ui-monospace, Menlo, Consolas, monospace; white-space: pre; fill: #222 }\n\
    path { fill: none; stroke: #555; stroke-width: 1.2 }\n\
    .thread { fill: #005f87 } .lock { fill: #5f3dc4 } .dim { fill: #666 } .title { font-weight: bold }\n\
    text.cycle { fill: #c2410c; font-weight: bold } path.cycle { stroke: #c2410c; stroke-width: 1.8 }\n\
    @media (prefers-color-scheme: dark) {\n\
    svg { background: #16181d } text { fill: #ddd } path { stroke: #999 } .thread { fill: #67c7e8 } .lock { fill: #b197fc }\n\
    .dim { fill: #999 } text.cycle { fill: #fb923c } path.cycle { stroke: #fb923c } }\n\
    </style>\n";

/// Writes a run of characters of one role from a place on; returns the column after it.
fn run(out: &mut String, (mut x, y): (usize, usize), text: &str, role: Role) -> usize {
    let class = match role {
        Role::Plain => "plain",
        Role::Thread => "thread",
        Role::Lock => "lock",
        Role::Cycle => "cycle",
        Role::Dim => "dim",
        Role::Title => "title",
    };
    let (mut lines, mut words, mut word_at) = (String::new(), String::new(), x);
    let mut flush = |words: &mut String, at: usize| {
        if !words.trim().is_empty() {
            let left = words.len() - words.trim_start().len();
            let place = (MARGIN + (at + left) as f64 * CELL.0, MARGIN + y as f64 * CELL.1 + 13.0);
            let _ = writeln!(
                out,
                "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                place.0,
                place.1,
                escaped(words.trim())
            );
        }
        words.clear();
    };
    for c in text.chars() {
        if let Some(line) = ways(c) {
            flush(&mut words, word_at);
            segment(&mut lines, (x, y), line);
            word_at = x + 1;
        } else {
            words.push(c);
        }
        x += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if words.is_empty() {
            word_at = x;
        }
    }
    flush(&mut words, word_at);
    if !lines.is_empty() {
        let _ = writeln!(out, "<path class=\"{class}\" d=\"{}\"/>", lines.trim_end());
    }
    x
}

/// The lines of a character.
fn segment(out: &mut String, (x, y): (usize, usize), (ways, is_double, is_round): ([bool; 4], bool, bool)) {
    let (cx, cy) = (MARGIN + (x as f64 + 0.5) * CELL.0, MARGIN + (y as f64 + 0.5) * CELL.1);
    let ends = [(cx, cy - CELL.1 / 2.0), (cx + CELL.0 / 2.0, cy), (cx, cy + CELL.1 / 2.0), (cx - CELL.0 / 2.0, cy)];
    let ends: Vec<(usize, (f64, f64))> = ends.into_iter().enumerate().filter(|(way, _)| ways[*way]).collect();
    if is_round && let [(_, from), (_, to)] = ends[..] {
        let _ = write!(out, "M{:.1} {:.1}Q{cx:.1} {cy:.1} {:.1} {:.1} ", from.0, from.1, to.0, to.1);
        return;
    }
    for (way, (ex, ey)) in ends {
        let offsets: &[f64] = if is_double { &[-1.5, 1.5] } else { &[0.0] };
        for offset in offsets {
            let (dx, dy) = if way % 2 == 0 { (*offset, 0.0) } else { (0.0, *offset) };
            let _ = write!(out, "M{:.1} {:.1}L{:.1} {:.1} ", cx + dx, cy + dy, ex + dx, ey + dy);
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{canvas::UNICODE, fixture, layout};

    #[test]
    fn a_deadlock_as_a_picture() {
        let options = layout::Options { width: 80, glyphs: UNICODE };
        let picture = write(&layout::wait_for(&fixture::ring(2), options));
        for text in ["T1 teller-1", "L2 account", "wants", "held by", "</svg>"] {
            assert!(picture.contains(text), "{text} is in {picture}");
        }
        assert_eq!(picture.matches("<text").count(), picture.matches("</text>").count());
        assert!(!picture.contains('─') && !picture.contains('│'), "lines are lines");
    }

    #[test]
    fn names_cannot_be_markup() {
        let mut canvas = Canvas::default();
        canvas.line(&[("<script>&\"", Role::Plain)]);
        assert!(write(&canvas).contains("&lt;script&gt;&amp;&quot;"));
    }
}
