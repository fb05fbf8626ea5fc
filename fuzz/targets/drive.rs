//! Reads a source to its end as the program `lockscope` does, and checks what must hold whatever is in it.

use lockscope_analyzer::{Analysis, Timeline, WaitForGraph, order_graph::Grouping};
use lockscope_trace::{EventSource, Progress};

/// Calls that deliver nothing, in a row, after which a source is taken to hang.
const MOST_IDLE: u32 = 1000;

/// Reads and analyses everything; `bytes` is the size of the input.
///
/// # Panics
///
/// When a source hangs, makes more of its bytes than it can, or lets a control character through.
pub fn drive(mut source: Box<dyn EventSource + Send>, bytes: usize) {
    let mut analysis = Analysis::default();
    let mut timeline = Timeline::default();
    let mut events = Vec::new();
    let (mut total, mut idle) = (0, 0);
    loop {
        events.clear();
        let Ok(progress) = source.poll(&mut events) else { break };
        total += events.len();
        // An event takes at least a byte of text, or a word; of what is lost there is one of each section.
        assert!(total <= bytes + 1, "{total} events of {bytes} bytes");
        for event in &events {
            analysis.feed(event, source.definitions());
            timeline.push(*event);
        }
        idle = if events.is_empty() { idle + 1 } else { 0 };
        assert!(idle < MOST_IDLE, "the source delivers nothing and does not end");
        if progress == Progress::Ended {
            break;
        }
    }
    let definitions = source.definitions();
    let graph = WaitForGraph::of(analysis.state(), definitions);
    assert!(graph.knots.iter().all(|knot| !knot.members.is_empty()));
    for finding in analysis.findings(definitions) {
        let texts = [&finding.title].into_iter();
        texts.for_each(|text| check_clean(text));
    }
    analysis.order_graph(definitions, Grouping::Classes);
    analysis.stats().classes(definitions);
    timeline.state_at(total as u64 / 2);
    definitions.locks.iter().filter_map(|lock| lock.name.as_deref()).for_each(check_clean);
    definitions.locks.iter().for_each(|lock| check_clean(&lock.type_name));
    definitions.threads.iter().filter_map(|thread| thread.name.as_deref()).for_each(check_clean);
    definitions.sites.iter().for_each(|site| check_clean(&site.file));
    definitions.vars.iter().for_each(|var| check_clean(&var.name));
    definitions.modules.iter().for_each(|module| check_clean(&module.path));
    source.completeness().notes.iter().for_each(|note| check_clean(note));
    let info = source.info();
    info.command.iter().chain([&info.executable, &info.format]).for_each(|text| check_clean(text));
}

/// Texts of several lines are findings of the process only; everything else has one.
fn check_clean(text: &str) {
    assert!(!text.chars().any(char::is_control), "a control character got through: {text:?}");
}
