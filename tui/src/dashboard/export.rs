//! Writes what is shown in other forms: a list as CSV, JSON or Markdown, a graph as DOT, Mermaid or SVG, anything as text.

use ratatui::buffer::Buffer;

use crate::{
    dashboard::{
        draw::theme::Palette,
        picture,
        state::{State, View},
        tables::{List, Row},
    },
    graph::{self, Graph},
};

/// A form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// What is on the screen.
    Text,
    /// Comma-separated values.
    Csv,
    /// An array of objects.
    Json,
    /// A table.
    Markdown,
    /// Graphviz.
    Dot,
    /// A flowchart.
    Mermaid,
    /// A picture of the graph.
    Svg,
    /// A picture of the screen.
    Screen,
}

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Markdown => "markdown",
            Format::Dot => "dot",
            Format::Mermaid => "mermaid",
            Format::Svg => "svg",
            Format::Screen => "screen",
        }
    }

    /// What it is.
    pub fn help(self) -> &'static str {
        match self {
            Format::Text => "the screen as it is",
            Format::Csv => "comma-separated values: all rows, chosen columns",
            Format::Json => "an array of objects: all rows, all columns",
            Format::Markdown => "a table: all rows, chosen columns",
            Format::Dot => "the graph for Graphviz",
            Format::Mermaid => "the graph as a Mermaid flowchart",
            Format::Svg => "the graph as a picture",
            Format::Screen => "the screen as a picture (SVG)",
        }
    }

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Text => "txt",
            Format::Markdown => "md",
            Format::Mermaid => "mmd",
            Format::Screen => "svg",
            other => other.name(),
        }
    }
}

/// Forms that the view can be written in.
pub fn formats(state: &State) -> Vec<Format> {
    let mut formats = Vec::new();
    if state.shown_list().is_some() {
        formats.extend([Format::Csv, Format::Json, Format::Markdown]);
    }
    if graph(state).is_some() {
        formats.extend([Format::Dot, Format::Mermaid, Format::Svg]);
    }
    formats.extend([Format::Text, Format::Screen]);
    formats
}

/// The graph of the view.
fn graph(state: &State) -> Option<Graph> {
    match state.view {
        View::Waits | View::Overview => Some(state.waits.clone()),
        View::Order => Some(state.order_picture().graph.clone()),
        _ => None,
    }
}

/// The view in a form; `screen` is what was drawn last.
pub fn render(state: &State, format: Format, screen: &Buffer) -> String {
    let list = || state.shown_list().map(|list| (list, state.list(list).shape(list, state.size.0)));
    let graph = || graph(state).unwrap_or_default();
    match format {
        Format::Text => text(screen),
        Format::Csv => list().map_or(String::new(), |(list, shape)| csv(state, list, &shape)),
        Format::Markdown => list().map_or(String::new(), |(list, shape)| markdown(state, list, &shape)),
        Format::Json => list().map_or(String::new(), |(list, _)| json(state, list)),
        Format::Dot => graph::dot::write(&graph(), if state.view == View::Order { "order" } else { "wait" }),
        Format::Mermaid => graph::mermaid::write(&graph()),
        Format::Svg => graph::picture::write(&graph(), "graph", true),
        Format::Screen => picture::write(screen, state.theme.palette == Palette::Light),
    }
}

/// Lines of a screen without what is not seen at their ends.
pub fn text(screen: &Buffer) -> String {
    let width = usize::from(screen.area.width).max(1);
    let lines = screen.content.chunks(width).map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

fn titles(list: List, shape: &[usize]) -> Vec<String> {
    shape.iter().map(|&idx| list.columns()[idx].title.trim().to_owned()).collect()
}

/// Rows with their texts; titles of groups are left out.
fn rows<'a>(state: &'a State, list: List, shape: &'a [usize]) -> impl Iterator<Item = Vec<String>> + 'a {
    let rows = state.rows.rows.iter().filter(|row| !matches!(row, Row::Group(_)));
    rows.map(move |&row| shape.iter().map(|&column| plain(list.cell(state, row, column).text)).collect())
}

/// Without the mark in front, which says what a column of its own says as well.
fn plain(text: String) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('✖' | '▲' | '●' | '○' | 'X' | '!' | '*' | '-'), Some(' ')) => chars.as_str().to_owned(),
        _ => text,
    }
}

fn csv(state: &State, list: List, shape: &[usize]) -> String {
    let quoted = |text: &String| {
        // What a spreadsheet would take for a formula is marked as text.
        let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.clone() };
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let line = |cells: Vec<String>| format!("{}\r\n", cells.iter().map(quoted).collect::<Vec<_>>().join(","));
    std::iter::once(titles(list, shape)).chain(rows(state, list, shape)).map(line).collect()
}

fn markdown(state: &State, list: List, shape: &[usize]) -> String {
    let line = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = shape.iter().map(|&idx| if list.columns()[idx].is_number { "---:" } else { "---" }.to_owned()).collect();
    [titles(list, shape), rule].into_iter().chain(rows(state, list, shape)).map(line).collect()
}

fn json(state: &State, list: List) -> String {
    let shape: Vec<usize> = (0..list.columns().len()).collect();
    let titles = titles(list, &shape);
    let objects: Vec<serde_json::Value> = rows(state, list, &shape)
        .map(|cells| titles.iter().cloned().zip(cells.into_iter().map(serde_json::Value::from)).collect())
        .collect();
    let mut text = crate::json::to_string_pretty(&objects);
    text.push('\n');
    text
}
