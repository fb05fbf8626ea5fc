//! `show stats`: the trace as a whole.

use std::io::Write;

use lockscope_analyzer::Analysis;
use lockscope_trace::{Definitions, EventSource};

use crate::cli::{
    Failure,
    report::grouped,
    style::{self, Look},
    table::{Align, Cell, Table},
};

/// Writes facts, completeness, and how many events of each kind there are.
pub fn write(source: &dyn EventSource, analysis: &Analysis, look: &Look, out: &mut dyn Write) -> Result<(), Failure> {
    let (info, defs, stats) = (source.info(), source.definitions(), analysis.stats());
    let mut facts: Vec<(&str, String)> =
        vec![("trace", info.path.display().to_string()), ("format", info.format.clone())];
    if !info.executable.is_empty() {
        facts.push(("program", info.executable.clone()));
    }
    if !info.command.is_empty() {
        facts.push(("command", info.command.join(" ")));
    }
    if info.pid != 0 {
        facts.push(("process", info.pid.to_string()));
    }
    if info.has_times {
        facts.push(("duration", format!("{} ({})", stats.duration(), info.clock)));
    }
    facts.extend(info.about_times().map(|note| ("times", note)));
    facts.extend([
        ("size", format!("{} bytes", grouped(info.bytes))),
        ("threads", grouped(defs.program_threads() as u64)),
        ("locks", format!("{} of {} classes", grouped(defs.locks.len() as u64), grouped(defs.classes.len() as u64))),
        ("events", grouped(stats.events)),
    ]);
    let completeness = source.completeness();
    let complete = match (completeness.is_complete(), completeness.unclosed) {
        (true, false) => "yes".to_owned(),
        (true, true) => "up to its last event; the process was killed or is still running".to_owned(),
        (false, _) => format!(
            "no: {} events lost, {} bytes damaged, {} gaps in the order, everything is there from {}",
            grouped(completeness.lost_events),
            grouped(completeness.damaged_bytes),
            grouped(completeness.gap_count),
            completeness.complete_from
        ),
    };
    facts.push(("complete", complete));
    facts.extend(completeness.notes.iter().map(|note| ("", note.clone())));
    facts.extend(analysis.limits().into_iter().map(|limit| ("analysis", limit)));
    for (name, value) in facts {
        writeln!(out, "{}  {}", look.paint(style::HEADER, &format!("{name:<9}")), Definitions::clean(&value))?;
    }
    writeln!(out)?;
    let mut kinds: Vec<(&str, u64)> = stats.kinds().into_iter().collect();
    kinds.sort_by_key(|&(kind, count)| (std::cmp::Reverse(count), kind));
    let mut table = Table::new(&[("event", Align::Left), ("count", Align::Right)]);
    for (kind, count) in kinds {
        table.row([Cell::from(kind), grouped(count).into()]);
    }
    table.write(out, look)?;
    Ok(())
}
