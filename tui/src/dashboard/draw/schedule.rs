//! What happened in a finding, step by step in one column per thread: the events that it rests on, in their order.

use lockscope_analyzer::finding::Finding;
use lockscope_trace::ThreadId;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{report::phrase, show::events::what, table::fit},
    dashboard::state::State,
    source::file_and_line,
};

/// Steps that are shown; of more the last ones matter most.
const MOST_STEPS: usize = 24;
/// Columns of an event's number.
const NUMBER: usize = 9;

/// Lines of the schedule: empty where there are fewer than two steps, or no room for two threads.
pub fn lines(state: &State, finding: &Finding, width: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let mut steps: Vec<u64> = finding.events.clone();
    for part in &finding.participants {
        steps.extend(part.held.iter().map(|held| held.event));
        steps.extend(part.wanted.iter().map(|wanted| wanted.event));
    }
    steps.extend(finding.evidence.accesses.iter().map(|access| access.event));
    steps.retain(|&step| step > 0);
    steps.sort_unstable();
    steps.dedup();
    steps.drain(..steps.len().saturating_sub(MOST_STEPS));
    let events: Vec<_> = steps.iter().filter_map(|&step| Some((step, state.model.timeline.event(step)?))).collect();
    let mut threads: Vec<ThreadId> = Vec::new();
    for (_, event) in &events {
        if !threads.contains(&event.thread) {
            threads.push(event.thread);
        }
    }
    let column = width.saturating_sub(NUMBER + 1) / threads.len().max(1);
    if events.len() < 2 || column < 16 {
        return Vec::new();
    }
    let padded = |text: &str| {
        let text = fit(text, column - 2, theme.ascii);
        let padding = " ".repeat(column.saturating_sub(text.width()));
        text + &padding
    };
    let mut header = vec![Span::styled(format!(" {:<NUMBER$}", "in order"), theme.title())];
    let names = threads.iter().map(|&thread| padded(&phrase::thread_label(&state.model.defs, thread)));
    header.extend(names.map(|name| Span::styled(name, theme.thread())));
    let mut lines = vec![Line::from(header)];
    for (step, event) in events {
        let place = event.site.and_then(|site| state.model.defs.site(site)).map(file_and_line).unwrap_or_default();
        let text = format!("{} {} {place}", event.op.name(), what(&state.model.defs, &event));
        let mut spans = vec![Span::styled(format!(" {:<NUMBER$}", format!("#{step}")), theme.dim())];
        for &thread in &threads {
            let rail = if theme.ascii { "|" } else { "│" };
            spans.push(if thread == event.thread {
                Span::raw(padded(text.trim_end()))
            } else {
                Span::styled(padded(rail), theme.dim())
            });
        }
        lines.push(Line::from(spans));
    }
    lines
}
