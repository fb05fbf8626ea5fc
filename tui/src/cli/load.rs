//! Opens traces and reads them through, with progress.

use std::{
    io::{self, Write},
    ops::ControlFlow,
    path::Path,
};

use lockscope_analyzer::{
    Analysis, Options,
    engine::Claims,
    finding::{Confidence, Finding},
    input,
    state::State,
};
use lockscope_trace::{Completeness, Definitions, Event, EventSource, Nanos, Progress as Read, TraceInfo};

use crate::cli::{Failure, Global, progress::Progress, rules::Hidden, style, time::Point};

/// A trace that was read and analysed to its end.
pub struct Checked {
    /// Facts about it.
    pub info: TraceInfo,
    /// What its ids mean.
    pub defs: Definitions,
    /// What is missing from it.
    pub completeness: Completeness,
    /// Bounds that the analysis ran into, a sentence each.
    pub limits: Vec<String>,
    /// Engines that ran to the end, and how many bytes each held then.
    pub engines: Vec<(&'static str, u64)>,
    /// What was concluded, worst first.
    pub findings: Vec<Finding>,
    /// What was concluded and is not reported, since it is known or suppressed.
    pub hidden: Vec<Hidden>,
    /// Notes count as failures, so they are not to be overlooked.
    pub notes_fail: bool,
    /// How many findings a filter left out.
    pub n_filtered: usize,
    /// How many events it has.
    pub events: u64,
    /// Time of its last event.
    pub duration: Nanos,
}

/// Opens a trace; `-` is the standard input.
pub fn open(path: &Path, global: &Global) -> Result<Box<dyn EventSource>, Failure> {
    Ok(input::open_with(path, &global.input())?)
}

/// Calls `each` with every event and its position, from 1, until it breaks or the trace ends. Returns the number of events and
/// whether the trace has ended.
///
/// Of a trace that is still being written it reads what is there. What is known to be missing is told on the standard error.
pub fn for_each(
    source: &mut dyn EventSource,
    global: &Global,
    mut each: impl FnMut(u64, &Event, &Definitions) -> ControlFlow<()>,
) -> Result<(u64, Read), Failure> {
    let read = for_each_batch(source, 1, global, |position, events, defs| {
        (position..).zip(events).try_for_each(|(position, event)| each(position, event, defs))
    })?;
    tell_incomplete(source.completeness(), global)?;
    Ok(read)
}

/// Says what is missing from a trace, for verbs whose output has no place for it.
fn tell_incomplete(completeness: &Completeness, global: &Global) -> Result<(), Failure> {
    if completeness.is_complete() || global.quiet {
        return Ok(());
    }
    let label = global.stderr().paint(style::WARNING, "incomplete:");
    for note in &completeness.notes {
        writeln!(io::stderr(), "{label} {}", Definitions::clean(note))?;
    }
    if completeness.complete_from > Nanos(0) {
        writeln!(io::stderr(), "{label} everything is there from {} on", completeness.complete_from)?;
    }
    Ok(())
}

/// The same of a trace that was added up without its order.
pub fn tell_notes(notes: &[String], is_incomplete: bool, global: &Global) -> Result<(), Failure> {
    if is_incomplete && !global.quiet {
        let label = global.stderr().paint(style::WARNING, "incomplete:");
        for note in notes {
            writeln!(io::stderr(), "{label} {}", Definitions::clean(note))?;
        }
    }
    Ok(())
}

/// Events of a batch that two threads look at side by side: so many that they rarely wait for each other.
const MANY: usize = 1 << 14;

/// Calls `each` with all events, `at_least` so many at a time while there are more, and the position of the first of them. The rest as
/// [`for_each`], but for the number of events when it breaks: it counts the batch.
fn for_each_batch(
    source: &mut dyn EventSource,
    at_least: usize,
    global: &Global,
    mut each: impl FnMut(u64, &[Event], &Definitions) -> ControlFlow<()>,
) -> Result<(u64, Read), Failure> {
    let mut progress = Progress::new(format!("reading {}", source.info().path.display()), global.quiet);
    let mut batch = Vec::new();
    let mut position = 0;
    loop {
        batch.clear();
        let mut read = source.poll(&mut batch)?;
        while read == Read::More && batch.len() < at_least {
            read = source.poll(&mut batch)?;
        }
        let first = position + 1;
        position += batch.len() as u64;
        if each(first, &batch, source.definitions()).is_break() {
            return Ok((position, Read::More));
        }
        progress.update(source.fraction_read(), position);
        if read != Read::More {
            return Ok((position, read));
        }
    }
}

/// Is given events in batches, each with the number of its first, from 1.
pub type EachBatch<'a> = &'a mut dyn FnMut(u64, &[Event], &Definitions);
/// Is given what an analysis knows at the end.
pub type AtEnd<'a> = &'a mut dyn FnMut(&mut Analysis, &dyn EventSource);

/// Reads a trace through and collects the findings.
pub fn check(path: &Path, options: Options, global: &Global) -> Result<Checked, Failure> {
    check_with(path, options, global, &mut |_, _, _| {}, &mut |_, _| {})
}

/// The same, for who wants the events as well, or more of the analysis than its findings.
pub fn check_with(
    path: &Path,
    options: Options,
    global: &Global,
    each: EachBatch<'_>,
    at_end: AtEnd<'_>,
) -> Result<Checked, Failure> {
    let mut source = open(path, global)?;
    let all = options.all;
    let mut duration = Nanos(0);
    // The standard input cannot be read twice.
    let mut kept = (path == Path::new("-")).then(Vec::new);
    let at_least = if options.second_thread { MANY } else { 1 };
    let mut analysis = Analysis::new(options);
    let (events, end) = for_each_batch(&mut *source, at_least, global, |first, events, defs| {
        each(first, events, defs);
        // Threads have clocks that may differ a little, so the last event need not be the latest.
        duration = events.iter().map(|event| event.time).fold(duration, Nanos::max);
        analysis.feed_batch(events, defs);
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(events);
        }
        ControlFlow::Continue(())
    })?;
    analysis.end(end, source.completeness());
    let claims = analysis.claims(source.definitions());
    if !claims.is_empty() {
        let mut claims = Claims::new(claims);
        match &kept {
            Some(events) => claims.feed(events, source.definitions()),
            None => read_again(path, &mut claims, global)?,
        }
        analysis.settle(claims.finish(source.definitions()));
    }
    let findings =
        if all { analysis.occurrences(source.definitions()) } else { analysis.findings(source.definitions()) };
    at_end(&mut analysis, &*source);
    let engines = analysis.engine_bytes().map(|(engine, bytes)| (engine.as_str(), bytes)).collect();
    Ok(Checked {
        info: source.info().clone(),
        defs: source.definitions().clone(),
        completeness: source.completeness().clone(),
        limits: source.info().about_times().into_iter().chain(analysis.limits()).collect(),
        engines,
        findings,
        hidden: Vec::new(),
        notes_fail: false,
        n_filtered: 0,
        events,
        duration,
    })
}

/// Reads a trace once more to judge what was predicted from it. One that has grown meanwhile is read up to where it is now: witnesses
/// need its beginning only.
fn read_again(path: &Path, claims: &mut Claims, global: &Global) -> Result<(), Failure> {
    let mut source = open(path, global)?;
    for_each_batch(&mut *source, 1, global, |_, events, defs| {
        claims.feed(events, defs);
        ControlFlow::Continue(())
    })?;
    Ok(())
}

/// Worst first, then surest, then earliest: the order in which findings get their handles F1, F2, and so on.
pub fn sort(findings: &mut [Finding]) {
    let rank = |confidence: Confidence| std::cmp::Reverse(confidence);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), rank(finding.confidence), finding.first_seen));
}

/// Calls `each` with every event up to a point.
pub fn for_each_until(
    source: &mut dyn EventSource,
    at: Point,
    global: &Global,
    mut each: impl FnMut(u64, &Event, &Definitions) -> ControlFlow<()>,
) -> Result<(), Failure> {
    for_each(source, global, |position, event, defs| {
        let is_past = match at {
            Point::Time(time) => event.time > time,
            Point::Event(number) => position > number,
            Point::End => false,
        };
        if is_past { ControlFlow::Break(()) } else { each(position, event, defs) }
    })?;
    Ok(())
}

/// Reads a trace up to a point and returns what an analysis knows there.
pub fn analysis_at(source: &mut dyn EventSource, at: Point, global: &Global) -> Result<Analysis, Failure> {
    let mut analysis = Analysis::new(Options::default());
    for_each_until(source, at, global, |_, event, defs| {
        analysis.feed(event, defs);
        ControlFlow::Continue(())
    })?;
    Ok(analysis)
}

/// Reads a trace up to a point and returns the state there.
pub fn state_at(source: &mut dyn EventSource, at: Point, global: &Global) -> Result<State, Failure> {
    let mut state = State::default();
    for_each_until(source, at, global, |_, event, _| {
        state.apply(event);
        ControlFlow::Continue(())
    })?;
    Ok(state)
}
