//! The run that proves a prediction, as columns: one for each thread, time going down.
//!
//! Each row is one event, with its position in the trace. Long witnesses are shown in part, and how much is left out is said. Where
//! columns would be too narrow to be read, each row names its thread instead.

use lockscope_analyzer::engine::{Step, Witness};
use lockscope_trace::{Definitions, Mode, Op, ThreadId};
use unicode_width::UnicodeWidthStr;

use super::phrase;
use crate::cli::{show::events::what, style::Look, table::fit};

/// What a report's frame and the mark of a note take of a line.
const MARGIN: usize = 12;
/// Columns narrower than this are not read.
const NARROWEST: usize = 14;

/// The witness, one line for each row.
pub fn columns(defs: &Definitions, witness: &Witness, look: &Look) -> Vec<String> {
    let room = look.width.unwrap_or(120).saturating_sub(MARGIN);
    let mut threads: Vec<ThreadId> = Vec::new();
    for step in witness.steps.iter().chain(&witness.next) {
        if !threads.contains(&step.event.thread) {
            threads.push(step.event.thread);
        }
    }
    let positions = witness.steps.iter().chain(&witness.next).map(|step| step.position.to_string().len() + 1);
    let margin = positions.max().unwrap_or(1);
    let names: Vec<String> = threads.iter().map(|&thread| defs.thread_name(thread)).collect();
    let widest = |index: usize| {
        let texts = rows(witness).filter(|(step, _)| step.event.thread == threads[index]);
        let texts = texts.map(|(step, is_next)| text(defs, step, is_next).width());
        texts.max().unwrap_or(0).max(names[index].width())
    };
    let share = room.saturating_sub(margin) / threads.len().max(1);
    let layout = if share >= NARROWEST + 2 {
        Layout::Columns((0..threads.len()).map(|index| widest(index).min(share - 2)).collect())
    } else {
        Layout::Named(names.iter().map(|name| name.width()).max().unwrap_or(0).min(room / 3))
    };
    let mut lines = Vec::new();
    if let Layout::Columns(widths) = &layout {
        let heads = names.iter().zip(widths).map(|(name, &width)| pad(&fit(name, width, look.ascii), width));
        lines.push(format!("{:margin$}  {}", "", heads.collect::<Vec<_>>().join("  ")).trim_end().to_owned());
    }
    let mut shown = 0;
    for (step, is_next) in rows(witness) {
        if step.index > shown {
            lines.push(left_out(step.index - shown, margin, look));
        }
        shown = if is_next { step.index } else { step.index + 1 };
        let column = threads.iter().position(|&thread| thread == step.event.thread).unwrap_or(0);
        let position = format!("#{}", step.position);
        let text = text(defs, step, is_next);
        let cells = match &layout {
            Layout::Columns(widths) => {
                let before: usize = widths[..column].iter().map(|width| width + 2).sum();
                format!("{:before$}{}", "", fit(&text, widths[column], look.ascii))
            }
            Layout::Named(width) => {
                let name = pad(&fit(&names[column], *width, look.ascii), *width);
                let left = room.saturating_sub(margin + width + 4);
                format!("{name}  {}", fit(&text, left, look.ascii))
            }
        };
        lines.push(format!("{position:>margin$}  {cells}"));
    }
    lines
}

enum Layout {
    /// The width of each thread's column.
    Columns(Vec<usize>),
    /// The width of the threads' names.
    Named(usize),
}

/// All rows, and whether the event is what would come next.
fn rows(witness: &Witness) -> impl Iterator<Item = (&Step, bool)> {
    let steps = witness.steps.iter().map(|step| (step, false));
    steps.chain(witness.next.iter().map(|step| (step, true)))
}

/// In the words of the finding, where names need no handles.
fn text(defs: &Definitions, step: &Step, is_next: bool) -> String {
    let event = &step.event;
    let mode = |lock, mode| match (phrase::mode_word(defs, lock, mode), mode) {
        (None, _) => "",
        (_, Mode::Exclusive) => " for writing",
        (_, Mode::Shared) => " for reading",
        (_, Mode::Upgradable) => " for upgradable reading",
    };
    match event.op {
        Op::Acquired { lock, mode: how, .. } => {
            let verb = if is_next { "wants" } else { "takes" };
            format!("{verb} {}{}", defs.lock_name(lock), mode(lock, how))
        }
        Op::Wait { lock, .. } => format!("asks for {}", defs.lock_name(lock)),
        Op::Released { lock, .. } => format!("releases {}", defs.lock_name(lock)),
        Op::Read { var } => format!("reads {}", defs.var(var)),
        Op::Write { var } => format!("writes {}", defs.var(var)),
        Op::Spawn { child } => format!("spawns {}", defs.thread_name(child)),
        Op::Joined { child } => format!("joins {}", defs.thread_name(child)),
        _ => {
            let about = what(defs, event);
            if about.is_empty() { event.op.name().to_owned() } else { format!("{} {about}", event.op.name()) }
        }
    }
}

fn left_out(count: u64, margin: usize, look: &Look) -> String {
    let mark = if look.ascii { ":" } else { "⋮" };
    let events = if count == 1 { "event" } else { "events" };
    format!("{mark:>margin$}  {count} {events} of these and other threads")
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{:missing$}", "", missing = width.saturating_sub(text.width()))
}

#[cfg(test)]
mod tests {
    use lockscope_trace::{Event, How, LockId, LockKind, Nanos, ThreadDef};

    use super::*;

    fn definitions() -> Definitions {
        let mut defs = Definitions::default();
        for name in ["a", "b"] {
            defs.add_lock(LockKind::Mutex, Some(name.into()), "u8".into(), None, None);
        }
        defs.threads =
            ["left", "right"].map(|name| ThreadDef { name: Some(name.into()), ..ThreadDef::default() }).into();
        defs
    }

    fn step(index: u64, thread: u32, lock: u32) -> Step {
        let op = Op::Acquired { lock: LockId(lock), mode: Mode::Exclusive, how: How::Lock, count: 0 };
        let event = Event { thread: ThreadId(thread), time: Nanos(0), site: None, stack: None, op };
        Step { index, position: index * 10 + 1, event }
    }

    fn witness() -> Witness {
        Witness {
            length: 5,
            prefixes: Vec::new(),
            is_in_trace_order: true,
            steps: vec![step(0, 0, 0), step(4, 1, 1)],
            next: vec![step(5, 0, 1), step(5, 1, 0)],
        }
    }

    fn shown(width: usize, ascii: bool) -> Vec<String> {
        columns(&definitions(), &witness(), &Look { color: false, ascii, width: Some(width) })
    }

    #[test]
    fn a_column_for_each_thread() {
        assert_eq!(
            shown(80, false),
            [
                "     left     right",
                " #1  takes a",
                "  ⋮  3 events of these and other threads",
                "#41           takes b",
                "#51  wants b",
                "#51           wants a",
            ]
        );
    }

    #[test]
    fn names_where_columns_do_not_fit() {
        assert_eq!(
            shown(40, true),
            [
                " #1  left   takes a",
                "  :  3 events of these and other threads",
                "#41  right  takes b",
                "#51  left   wants b",
                "#51  right  wants a",
            ]
        );
    }
}
