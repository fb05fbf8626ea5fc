//! Findings as JSON, version 1. `tui/schema/findings-1.json` describes it; a test compares the two.
//!
//! These types leave the program and are apart from those that the analyses use, so that either can change alone.
//! Within a version, fields are added and never removed, renamed or given another meaning.

pub mod parts;

use std::io::{self, Write};

use lockscope_analyzer::{
    engine::{Step, Witness},
    finding::{Finding, Participant},
};
use serde::Serialize;

use self::parts::{Converter, HeldLock, Lock, MemoryAccess, Thread, WantedTarget};
use crate::cli::{load::Checked, rules::Why};

/// Version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Output {
    version: u32,
    tool: Tool,
    traces: Vec<Trace>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Trace {
    path: String,
    format: String,
    pid: Option<u32>,
    executable: Option<String>,
    command: Vec<String>,
    threads: usize,
    locks: usize,
    events: u64,
    /// Without times in the trace there is no duration.
    duration_ns: Option<u64>,
    completeness: Completeness,
    /// Bounds that the analysis ran into.
    limits: Vec<String>,
    /// Engines that ran, and what each held at the end.
    engines: Vec<Engine>,
    /// Findings that lint levels turned off.
    allowed: usize,
    /// Findings that the baseline knows.
    known: usize,
    /// Findings that a suppression fits.
    suppressed: usize,
    findings: Vec<JsonFinding>,
}

#[derive(Serialize)]
struct Engine {
    name: &'static str,
    bytes: u64,
}

#[derive(Serialize)]
struct Completeness {
    complete: bool,
    lost_events: u64,
    damaged_bytes: u64,
    order_gaps: u64,
    complete_from_ns: u64,
    unclosed: bool,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct JsonFinding {
    id: String,
    code: &'static str,
    severity: &'static str,
    confidence: &'static str,
    title: String,
    fingerprint: String,
    count: u64,
    first_seen_ns: Option<u64>,
    events: Vec<u64>,
    locks: Vec<Lock>,
    participants: Vec<JsonParticipant>,
    variants: Vec<Vec<JsonParticipant>>,
    notes: Vec<String>,
    help: Vec<String>,
    /// Who saw it.
    engines: Vec<&'static str>,
    accesses: Vec<MemoryAccess>,
    /// The run that proves a prediction.
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<JsonWitness>,
}

#[derive(Serialize)]
struct JsonWitness {
    /// How many events it has.
    length: u64,
    /// How many of its first events each thread does.
    threads: Vec<Prefix>,
    /// Whether they come in the order of the trace.
    in_trace_order: bool,
    /// Its events, or those that tell most where it is long.
    steps: Vec<JsonStep>,
    /// What threads would do next.
    next: Vec<JsonStep>,
}

#[derive(Serialize)]
struct Prefix {
    thread: Thread,
    events: u64,
}

#[derive(Serialize)]
struct JsonStep {
    /// How many events of the witness come before.
    index: u64,
    /// Position in the trace.
    event: u64,
    thread: Thread,
    kind: &'static str,
    what: String,
}

#[derive(Serialize)]
struct JsonParticipant {
    thread: Thread,
    held: Vec<HeldLock>,
    wanted: Option<WantedTarget>,
}

/// Writes the findings of all traces as one document. `allowed` counts those that lint levels turned off, per trace.
pub fn write(traces: &[(Checked, usize)], out: &mut dyn Write) -> io::Result<()> {
    crate::json::write_pretty(&mut *out, &output(traces))?;
    writeln!(out)
}

/// The same on one line.
pub fn write_compact(traces: &[(Checked, usize)], out: &mut dyn Write) -> io::Result<()> {
    crate::json::write(&mut *out, &output(traces))?;
    writeln!(out)
}

fn output(traces: &[(Checked, usize)]) -> Output {
    Output {
        version: VERSION,
        tool: Tool { name: "lockscope", version: env!("CARGO_PKG_VERSION") },
        traces: traces.iter().map(|(checked, allowed)| trace(checked, *allowed)).collect(),
    }
}

/// Writes one trace as lines: a document for the trace without its findings, then one for each finding. Each says what it is.
pub fn write_lines(checked: &Checked, allowed: usize, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        version: u32,
        #[serde(rename = "type")]
        kind: &'a str,
        trace: &'a str,
        #[serde(flatten)]
        content: T,
    }
    let mut document = trace(checked, allowed);
    let findings = std::mem::take(&mut document.findings);
    let path = document.path.clone();
    crate::json::write(&mut *out, &Line { version: VERSION, kind: "trace", trace: &path, content: document })?;
    writeln!(out)?;
    for content in findings {
        crate::json::write(&mut *out, &Line { version: VERSION, kind: "finding", trace: &path, content })?;
        writeln!(out)?;
    }
    Ok(())
}

fn trace(checked: &Checked, allowed: usize) -> Trace {
    let (info, completeness) = (&checked.info, &checked.completeness);
    let converter = Converter::new(&checked.defs, info);
    let n_hidden = |known| checked.hidden.iter().filter(|hidden| (hidden.why == Why::Known) == known).count();
    Trace {
        path: info.path.to_string_lossy().into_owned(),
        format: info.format.clone(),
        pid: (info.pid != 0).then_some(info.pid),
        executable: (!info.executable.is_empty()).then(|| info.executable.clone()),
        command: info.command.clone(),
        threads: checked.defs.program_threads(),
        locks: checked.defs.locks.len(),
        events: checked.events,
        duration_ns: converter.time(checked.duration),
        completeness: Completeness {
            complete: completeness.is_complete(),
            lost_events: completeness.lost_events,
            damaged_bytes: completeness.damaged_bytes,
            order_gaps: completeness.gap_count,
            complete_from_ns: completeness.complete_from.0,
            unclosed: completeness.unclosed,
            notes: completeness.notes.clone(),
        },
        limits: checked.limits.clone(),
        engines: checked.engines.iter().map(|&(name, bytes)| Engine { name, bytes }).collect(),
        allowed,
        known: n_hidden(true),
        suppressed: n_hidden(false),
        findings: checked
            .findings
            .iter()
            .enumerate()
            .map(|(idx, finding)| json_finding(&converter, idx, finding))
            .collect(),
    }
}

fn json_finding(converter: &Converter, idx: usize, finding: &Finding) -> JsonFinding {
    let participants =
        |list: &[Participant]| list.iter().map(|participant| json_participant(converter, participant)).collect();
    JsonFinding {
        id: format!("F{}", idx + 1),
        code: finding.code.as_str(),
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        title: finding.title.clone(),
        fingerprint: finding.fingerprint.clone(),
        count: finding.count,
        first_seen_ns: converter.time(finding.first_seen),
        events: finding.events.clone(),
        locks: finding.locks.iter().map(|&lock| converter.lock(lock)).collect(),
        participants: participants(&finding.participants),
        variants: finding.variants.iter().map(|list| participants(list)).collect(),
        notes: finding.notes.clone(),
        help: finding.help.clone(),
        engines: finding.evidence.engines.iter().map(|engine| engine.as_str()).collect(),
        accesses: finding.evidence.accesses.iter().map(|accessed| converter.accessed(accessed)).collect(),
        witness: finding.evidence.witness.as_deref().map(|witness| json_witness(converter, witness)),
    }
}

fn json_witness(converter: &Converter, witness: &Witness) -> JsonWitness {
    let steps = |steps: &[Step]| {
        let step = |step: &Step| JsonStep {
            index: step.index,
            event: step.position,
            thread: converter.thread(step.event.thread),
            kind: step.event.op.name(),
            what: converter.what(&step.event),
        };
        steps.iter().map(step).collect()
    };
    JsonWitness {
        length: witness.length,
        threads: witness
            .prefixes
            .iter()
            .map(|&(thread, events)| Prefix { thread: converter.thread(thread), events })
            .collect(),
        in_trace_order: witness.is_in_trace_order,
        steps: steps(&witness.steps),
        next: steps(&witness.next),
    }
}

fn json_participant(converter: &Converter, participant: &Participant) -> JsonParticipant {
    JsonParticipant {
        thread: converter.thread(participant.thread),
        held: participant.held.iter().map(|held| converter.held(held)).collect(),
        wanted: participant.wanted.as_ref().map(|wanted| converter.wanted(wanted)),
    }
}
