//! A screen as a picture: SVG with text as text, and lines and blocks as shapes, so that no font leaves gaps between them.
//!
//! The same screen always gives the same bytes. Colours are those of a fixed palette, since a terminal's own are not known.

use std::{collections::BTreeMap, fmt::Write};

use ratatui::{
    buffer::Buffer,
    style::{Color, Modifier, Style},
};
use unicode_width::UnicodeWidthStr;

/// Width and height of a cell.
const CELL: (usize, usize) = (8, 17);
/// Where letters stand, from the top of their cell.
const BASE: usize = 13;
/// Around the screen.
const MARGIN: usize = 10;

/// The sixteen colours: One Dark's, or darker ones for a light background.
const DARK: [&str; 16] = [
    "#282c34", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#5c6370", "#ff7b86",
    "#a9d68a", "#f0d28a", "#74bdff", "#d68bea", "#6cc8d4", "#ffffff",
];
const LIGHT: [&str; 16] = [
    "#383a42", "#c8343a", "#3f8a3c", "#986801", "#2f63d9", "#a626a4", "#0a7a93", "#696c77", "#4f525e", "#d1242f",
    "#2f7d32", "#8a5a00", "#1f56cc", "#93219a", "#066b82", "#111111",
];

/// Background and text.
struct Ground {
    colors: [&'static str; 16],
    back: &'static str,
    fore: &'static str,
}

/// Writes a picture of a screen.
pub fn write(screen: &Buffer, is_light: bool) -> String {
    let ground = if is_light {
        Ground { colors: LIGHT, back: "#fafafa", fore: "#383a42" }
    } else {
        Ground { colors: DARK, back: "#1e2127", fore: "#d7dae0" }
    };
    let area = screen.area;
    let (width, height) =
        (usize::from(area.width) * CELL.0 + 2 * MARGIN, usize::from(area.height) * CELL.1 + 2 * MARGIN);
    let mut drawing = Drawing { ground, backs: String::new(), shapes: BTreeMap::new(), texts: String::new() };
    for y in 0..area.height {
        drawing.row(screen, y);
    }
    let Drawing { ground, backs, shapes, texts } = drawing;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <style>text{{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;white-space:pre}}\
         .b{{font-weight:bold}}.d{{opacity:.6}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{}\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">\n{backs}",
        ground.back
    );
    for ((kind, color, is_dim), path) in shapes {
        let dim = if is_dim { " class=\"d\"" } else { "" };
        let paint = match kind {
            Kind::Line => format!("fill=\"none\" stroke=\"{color}\""),
            Kind::Block(4) => format!("fill=\"{color}\""),
            Kind::Block(quarters) => format!("fill=\"{color}\" fill-opacity=\"{}\"", f64::from(quarters) / 4.0),
        };
        let _ = writeln!(out, "<path{dim} {paint} d=\"{path}\"/>");
    }
    out + &texts + "</g>\n</svg>\n"
}

/// How a shape is painted: a line, or a block with so many quarters of its colour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Line,
    Block(u8),
}

struct Drawing {
    ground: Ground,
    backs: String,
    /// Paths of shapes that are painted alike.
    shapes: BTreeMap<(Kind, String, bool), String>,
    texts: String,
}

impl Drawing {
    fn row(&mut self, screen: &Buffer, y: u16) {
        let cell = |x: u16| {
            let cell = &screen[(screen.area.x + x, screen.area.y + y)];
            (cell.symbol(), cell.style())
        };
        let mut x = 0;
        while x < screen.area.width {
            let (first, style) = cell(x);
            let is_shape = Shape::of(first).is_some();
            // Cells of one style belong together: shapes as long as they are the same, texts as long as they are none.
            let mut end = x + 1;
            let mut text = first.to_owned();
            while end < screen.area.width {
                let (symbol, other) = cell(end);
                let is_same = if is_shape { symbol == first } else { Shape::of(symbol).is_none() };
                if other != style || !is_same {
                    break;
                }
                text.push_str(symbol);
                end += 1;
            }
            self.run(usize::from(x), usize::from(end), usize::from(y), &text, style);
            x = end;
        }
    }

    fn run(&mut self, from: usize, to: usize, y: usize, text: &str, style: Style) {
        let (mut fore, mut back) = (self.color(style.fg), self.color(style.bg));
        let has = |modifier| style.add_modifier.contains(modifier);
        if has(Modifier::REVERSED) {
            (fore, back) = (
                Some(back.unwrap_or_else(|| self.ground.back.to_owned())),
                Some(fore.unwrap_or_else(|| self.ground.fore.to_owned())),
            );
        }
        let (x, width, top) = (from * CELL.0, (to - from) * CELL.0, y * CELL.1);
        if let Some(back) = back {
            let _ = writeln!(
                self.backs,
                "<rect x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{}\" fill=\"{back}\"/>",
                CELL.1
            );
        }
        let fore = fore.unwrap_or_else(|| self.ground.fore.to_owned());
        let is_dim = has(Modifier::DIM);
        if let Some(shape) = text.chars().next().and_then(|first| Shape::of(first.encode_utf8(&mut [0; 4]))) {
            let path = self.shapes.entry((shape.kind(), fore, is_dim)).or_default();
            return shape.draw(path, (x, top), to - from);
        }
        let trimmed = text.trim_end();
        let text = trimmed.trim_start();
        if text.is_empty() {
            return;
        }
        let x = x + (trimmed.width() - text.width()) * CELL.0;
        let class = match (has(Modifier::BOLD), is_dim) {
            (false, false) => "",
            (true, false) => " class=\"b\"",
            (false, true) => " class=\"d\"",
            (true, true) => " class=\"b d\"",
        };
        // The length keeps columns where they are, whatever the font.
        let _ = writeln!(
            self.texts,
            "<text{class} x=\"{x}\" y=\"{}\" fill=\"{fore}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
            top + BASE,
            text.width() * CELL.0,
            escaped(text),
        );
    }

    fn color(&self, color: Option<Color>) -> Option<String> {
        let named = |number: usize| Some(self.ground.colors[number].to_owned());
        match color? {
            Color::Reset => None,
            Color::Black => named(0),
            Color::Red => named(1),
            Color::Green => named(2),
            Color::Yellow => named(3),
            Color::Blue => named(4),
            Color::Magenta => named(5),
            Color::Cyan => named(6),
            Color::Gray => named(7),
            Color::DarkGray => named(8),
            Color::LightRed => named(9),
            Color::LightGreen => named(10),
            Color::LightYellow => named(11),
            Color::LightBlue => named(12),
            Color::LightMagenta => named(13),
            Color::LightCyan => named(14),
            Color::White => named(15),
            Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
            Color::Indexed(number @ 0..16) => named(number.into()),
            Color::Indexed(number @ 16..232) => {
                // A cube of six steps a side.
                let step = |part: u8| if part == 0 { 0 } else { 55 + 40 * u32::from(part) };
                let number = number - 16;
                let [red, green, blue] = [number / 36, number / 6 % 6, number % 6].map(step);
                Some(format!("#{red:02x}{green:02x}{blue:02x}"))
            }
            Color::Indexed(number) => Some(format!("#{0:02x}{0:02x}{0:02x}", 8 + 10 * u32::from(number - 232))),
        }
    }
}

/// A character that is drawn.
#[derive(Clone, Copy)]
enum Shape {
    /// Lines through all of a run, at these heights.
    Bars(&'static [&'static str]),
    /// A path in each cell, from its upper left corner.
    Path(&'static str),
    /// The lower eighths of each cell, with some quarters of the colour.
    Block(usize, u8),
}

impl Shape {
    fn of(symbol: &str) -> Option<Shape> {
        Some(match symbol {
            "─" => Shape::Bars(&["8.5"]),
            "═" => Shape::Bars(&["7.5", "10.5"]),
            "│" => Shape::Path("m4 0v17"),
            "║" => Shape::Path("m3 0v17m3 -17v17"),
            "┌" => Shape::Path("m8 8.5h-4v8.5"),
            "┐" => Shape::Path("m0 8.5h4v8.5"),
            "└" => Shape::Path("m8 8.5h-4v-8.5"),
            "┘" => Shape::Path("m0 8.5h4v-8.5"),
            "╭" => Shape::Path("m8 8.5q-4 0 -4 4v4.5"),
            "╮" => Shape::Path("m0 8.5q4 0 4 4v4.5"),
            "╰" => Shape::Path("m8 8.5q-4 0 -4 -4v-4.5"),
            "╯" => Shape::Path("m0 8.5q4 0 4 -4v-4.5"),
            "░" => Shape::Block(8, 1),
            "▒" => Shape::Block(8, 2),
            "▓" => Shape::Block(8, 3),
            _ => {
                let bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
                Shape::Block(bars.iter().position(|bar| *bar == symbol)? + 1, 4)
            }
        })
    }

    fn kind(self) -> Kind {
        match self {
            Shape::Block(_, quarters) => Kind::Block(quarters),
            _ => Kind::Line,
        }
    }

    /// Adds a run of so many cells to a path.
    fn draw(self, path: &mut String, (x, y): (usize, usize), n_cells: usize) {
        let width = n_cells * CELL.0;
        // Writing to a string cannot fail.
        let _ = match self {
            Shape::Bars(heights) => heights.iter().try_for_each(|height| write!(path, "M{x} {y}m0 {height}h{width}")),
            Shape::Path(one) => (0..n_cells).try_for_each(|idx| write!(path, "M{} {y}{one}", x + idx * CELL.0)),
            Shape::Block(eighths, _) => {
                let height = CELL.1 * eighths / 8;
                write!(path, "M{x} {}h{width}v{height}h-{width}z", y + CELL.1 - height)
            }
        };
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ratatui::{layout::Rect, style::Stylize, text::Line, widgets::Widget};

    use super::*;

    #[test]
    fn text_is_text_and_lines_are_shapes() {
        let mut screen = Buffer::empty(Rect::new(0, 0, 12, 2));
        Line::from(vec!["──┐".into(), " a < b".red().bold()]).render(screen.area, &mut screen);
        Line::from(vec!["▓▓".light_red(), "x".reversed()]).render(Rect::new(0, 1, 12, 1), &mut screen);
        insta::assert_snapshot!(write(&screen, false));
        let light = write(&screen, true);
        assert!(light.contains("#fafafa"));
        for svg in [write(&screen, false), light] {
            roxmltree::Document::parse(&svg).expect("it is well-formed");
        }
    }

    #[test]
    fn all_colours_have_a_value() {
        let mut screen = Buffer::empty(Rect::new(0, 0, 256, 1));
        for number in 0..=255 {
            screen[(u16::from(number), 0)].set_symbol("x").set_fg(Color::Indexed(number));
        }
        let svg = write(&screen, false);
        assert!(svg.contains("fill=\"#ff8700\"") && svg.contains("fill=\"#eeeeee\""), "{svg}");
    }
}
