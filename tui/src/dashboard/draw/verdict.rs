//! Who holds and wants what, of every thread that cannot go on: what the overview begins with.

use lockscope_analyzer::finding::Code;
use lockscope_trace::{LockId, ThreadId};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{
        report::{phrase, plural},
        table::fit,
    },
    dashboard::{
        draw::{
            frame::{n_deadlocked, verdict},
            snippet::wrap,
            theme::Mark,
            threads::{n_blocked, since_text},
        },
        state::State,
    },
    graph::{EdgeKind, NodeKey},
};

/// Threads that are in no circle and listed all the same.
const MOST_OTHERS: usize = 4;

/// Who holds and wants what, of every thread of the first cycle, with the lines where they wait.
pub fn lines(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let (mark, words) = verdict(state);
    let Some(cycle) = state.waits.cycles.first() else {
        if !state.stuck.is_empty() {
            let text = format!(" {} {words}; nobody is left who could help", theme.glyph(mark));
            let mut lines = vec![Line::styled(text, theme.mark(mark))];
            others(state, &[], width, &mut lines);
            behind(state, &mut lines);
            return lines;
        }
        let text = match n_blocked(state) {
            0 => "no thread is deadlocked at this moment".to_owned(),
            1 => "no thread is deadlocked at this moment; 1 is blocked".to_owned(),
            n => format!("no thread is deadlocked at this moment; {n} are blocked"),
        };
        let text = if state.model.info.has_waits {
            text
        } else {
            "this trace records no waits, so only the order of locks can be judged".to_owned()
        };
        if state.model.findings.is_empty() {
            return vec![Line::from(vec![
                Span::styled(format!(" {} ", theme.glyph(mark)), theme.mark(mark)),
                Span::raw(text),
            ])];
        }
        let found = wrap(&kinds(state), width.saturating_sub(3));
        let head = |idx: usize| if idx == 0 { theme.glyph(mark) } else { " " };
        let mut lines: Vec<Line> = found
            .into_iter()
            .enumerate()
            .map(|(idx, found)| Line::styled(format!(" {} {found}", head(idx)), theme.mark(mark)))
            .collect();
        lines.push(Line::raw(format!("   {text}")));
        return lines;
    };
    let threads: Vec<ThreadId> = cycle
        .iter()
        .filter_map(|&node| match state.waits.nodes[node].key {
            NodeKey::Thread(id) => Some(id),
            NodeKey::Lock(_) => None,
        })
        .collect();
    let since = threads.iter().filter_map(|&id| Some(state.at.thread(id)?.wait()?.since));
    // The cycle is closed since its last thread began to wait.
    let closed = since.max().map_or(String::new(), |since| since_text(state, since));
    let closed = if closed.is_empty() { String::new() } else { format!(" for {closed}") };
    let what = if threads.len() == 1 { "waits for itself" } else { "wait for each other" };
    let mut lines = vec![Line::styled(format!(" {} {words} {what}{closed}", theme.glyph(mark)), theme.mark(mark))];
    for &id in &threads {
        waiting(state, id, cycle_holds(state, cycle, id), width, &mut lines);
    }
    others(state, &threads, width, &mut lines);
    if state.waits.cycles.len() > 1 {
        lines.push(Line::styled(
            format!(" and {} more", plural(state.waits.cycles.len() as u64 - 1, "cycle")),
            theme.mark(mark),
        ));
    }
    behind(state, &mut lines);
    lines
}

/// What a thread that cannot go on has and wants, and the line where it waits.
fn waiting(state: &State, id: ThreadId, has: Option<(LockId, bool)>, width: usize, lines: &mut Vec<Line<'static>>) {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let Some(thread) = state.at.thread(id) else { return };
    let Some(wait) = thread.wait() else { return };
    let mut spans = vec![Span::styled(format!(" {}", phrase::thread_label(defs, id)), theme.thread())];
    if let Some((lock, is_held)) = has {
        // What a channel waits for is nobody's hold.
        let verb = if is_held { " holds " } else { " is needed at " };
        spans.extend([Span::raw(verb), Span::styled(phrase::lock_short(defs, lock), theme.lock()), Span::raw(",")]);
    }
    spans.extend([Span::raw(" wants "), Span::styled(phrase::waited_for_short(defs, thread), theme.lock())]);
    lines.push(Line::from(spans));
    if let Some(site) = wait.site.and_then(|site| defs.site(site)) {
        let place = format!("    {}  ", crate::source::short_site(site));
        let source =
            state.sources.line(site).map(|line| fit(line.trim(), width.saturating_sub(place.width()), theme.ascii));
        lines.push(Line::from(vec![Span::styled(place, theme.dim()), Span::raw(source.unwrap_or_default())]));
    }
}

/// Who cannot go on either and is in no circle: one of several that could help each other, and all of them wait.
fn others(state: &State, shown: &[ThreadId], width: usize, lines: &mut Vec<Line<'static>>) {
    let in_cycle = |id: &ThreadId| {
        let node = state.waits.node(NodeKey::Thread(*id));
        shown.contains(id) || node.is_some_and(|node| state.waits.in_cycle(node))
    };
    let mut others: Vec<ThreadId> = state.stuck.iter().copied().filter(|id| !in_cycle(id)).collect();
    others.sort_unstable();
    for &id in others.iter().take(MOST_OTHERS) {
        waiting(state, id, None, width, lines);
    }
    if let Some(n_more @ 1..) = others.len().checked_sub(MOST_OTHERS) {
        lines.push(Line::raw(format!(" and {}", plural(n_more as u64, "more thread"))));
    }
}

/// How many wait besides.
fn behind(state: &State, lines: &mut Vec<Line<'static>>) {
    let theme = &state.theme;
    let text = match n_blocked(state).saturating_sub(n_deadlocked(state)) {
        0 => return,
        1 => "1 more thread is blocked as well".to_owned(),
        n => format!("{n} more threads are blocked as well"),
    };
    lines.push(Line::styled(format!(" {} {text}", theme.glyph(Mark::Warn)), theme.mark(Mark::Warn)));
}

/// `1 predicted deadlock, 2 lock order inversions`: all findings by what they are, worst first.
fn kinds(state: &State) -> String {
    let mut counts: Vec<(Code, u64)> = Vec::new();
    for finding in &state.model.findings {
        match counts.iter_mut().find(|(code, _)| *code == finding.code) {
            Some((_, n)) => *n += 1,
            None => counts.push((finding.code, 1)),
        }
    }
    let kinds = counts.into_iter().map(|(code, n)| plural(n, &noun(code)));
    kinds.collect::<Vec<_>>().join(", ")
}

/// What one of a kind of findings is called in a sentence.
fn noun(code: Code) -> String {
    match code {
        Code::Poisoned => "poisoned lock".to_owned(),
        Code::NoTimeout => "unlimited wait".to_owned(),
        Code::InconsistentLocking => "inconsistently locked location".to_owned(),
        Code::CheckThenAct => "check-then-act fault".to_owned(),
        code => code.as_str().replace('-', " "),
    }
}

/// The lock of a cycle that a thread of it holds, or could do something about: the node before the thread. Whether it is held.
fn cycle_holds(state: &State, cycle: &[usize], id: ThreadId) -> Option<(LockId, bool)> {
    let at = cycle.iter().position(|&node| state.waits.nodes[node].key == NodeKey::Thread(id))?;
    let before = cycle[(at + cycle.len() - 1) % cycle.len()];
    match state.waits.nodes[before].key {
        NodeKey::Lock(lock) => {
            let edge = state.waits.edge(before, cycle[at]);
            Some((lock, edge.is_none_or(|edge| edge.kind == EdgeKind::HeldBy)))
        }
        NodeKey::Thread(_) => None,
    }
}
