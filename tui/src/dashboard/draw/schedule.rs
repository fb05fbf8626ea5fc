//! What happens in a finding, step by step in one column per thread: the events that it rests on, in their order; of a prediction
//! the schedule that proves it.

use lockscope_analyzer::{engine, finding::Finding};
use lockscope_trace::{Event, ThreadId};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{report::phrase, show::events::what, table::fit},
    dashboard::{draw::theme::Mark, state::State},
    source::file_and_line,
};

/// Steps that are shown; of more the last ones matter most.
const MOST_STEPS: usize = 24;
/// Columns of an event's number.
const NUMBER: usize = 9;

/// A step: its number in the trace, and what is done.
type Step = (u64, Event);

/// Lines of the schedule: empty where there are fewer than two steps, or no room for two threads.
pub fn lines(state: &State, finding: &Finding, width: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    match &finding.evidence.witness {
        // Another run than the one that was seen, which shows that it can happen.
        Some(witness) => {
            let number = |steps: &[engine::Step]| -> Vec<Step> {
                steps.iter().map(|step| (step.position, step.event)).collect()
            };
            let (mut steps, next) = (number(&witness.steps), number(&witness.next));
            steps.drain(..steps.len().saturating_sub(MOST_STEPS));
            let n_threads = threads_of(&[&steps[..], &next[..]].concat());
            let title = format!(
                " this schedule of {} of the recorded events leads there:",
                crate::cli::report::grouped(witness.length)
            );
            let mut lines = vec![Line::styled(fit(&title, width, theme.ascii), theme.title())];
            lines.extend(columns(state, &steps, &n_threads, width));
            lines.push(Line::styled(" and then, all at once:", theme.mark(Mark::Warn)));
            lines.extend(columns(state, &next, &n_threads, width).into_iter().skip(1));
            if lines.len() < 4 { Vec::new() } else { lines }
        }
        None => {
            let steps = seen(state, finding);
            if steps.len() < 2 {
                return Vec::new();
            }
            columns(state, &steps, &threads_of(&steps), width)
        }
    }
}

/// The events that a finding rests on, in the order in which they happened.
fn seen(state: &State, finding: &Finding) -> Vec<Step> {
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
    steps.iter().filter_map(|&step| Some((step, state.model.timeline.event(step)?))).collect()
}

fn threads_of(steps: &[Step]) -> Vec<ThreadId> {
    let mut threads: Vec<ThreadId> = Vec::new();
    for (_, event) in steps {
        if !threads.contains(&event.thread) {
            threads.push(event.thread);
        }
    }
    threads
}

/// Steps in one column per thread, below their names. Nothing where there is no room.
fn columns(state: &State, steps: &[Step], threads: &[ThreadId], width: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let column = width.saturating_sub(NUMBER + 1) / threads.len().max(1);
    if column < 16 {
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
    for (step, event) in steps {
        let place = event.site.and_then(|site| state.model.defs.site(site)).map(file_and_line).unwrap_or_default();
        let text = format!("{} {} {place}", event.op.name(), what(&state.model.defs, event));
        let mut spans = vec![Span::styled(format!(" {:<NUMBER$}", format!("#{step}")), theme.dim())];
        for &thread in threads {
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
