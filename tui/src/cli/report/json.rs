//! Findings as JSON, version 1. `tui/schema/findings-1.json` describes it; a test compares the two.
//!
//! These types leave the program and are apart from those that the analyses use, so that either can change alone.
//! Within a version, fields are added and never removed, renamed or given another meaning.

use std::io::{self, Write};

use lockscope_analyzer::finding::{Finding, Held, Participant, Target, Wanted};
use lockscope_trace::{Definitions, LockId, SiteId, StackId, ThreadId};
use serde::Serialize;

use crate::{cli::load::Checked, source::frames::Symbols};

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
    /// Findings that lint levels turned off.
    allowed: usize,
    findings: Vec<JsonFinding>,
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
}

#[derive(Serialize)]
struct JsonParticipant {
    thread: Thread,
    held: Vec<JsonHeld>,
    wanted: Option<JsonWanted>,
}

#[derive(Serialize)]
struct Thread {
    id: String,
    name: Option<String>,
    os_id: Option<u32>,
}

#[derive(Serialize)]
struct Lock {
    id: String,
    name: String,
    kind: &'static str,
    created: Option<Site>,
    rank: Option<u32>,
}

#[derive(Serialize)]
struct JsonHeld {
    lock: Lock,
    mode: &'static str,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct JsonWanted {
    kind: &'static str,
    lock: Option<Lock>,
    mode: Option<&'static str>,
    thread: Option<Thread>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Place {
    site: Option<Site>,
    stack: Vec<Frame>,
    since_ns: Option<u64>,
    event: u64,
}

#[derive(Serialize)]
struct Site {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
}

#[derive(Serialize)]
struct Frame {
    function: String,
    site: Option<Site>,
}

/// Writes the findings of all traces as one document. `allowed` counts those that lint levels turned off, per trace.
pub fn write(traces: &[(Checked, usize)], out: &mut dyn Write) -> io::Result<()> {
    let output = Output {
        version: VERSION,
        tool: Tool { name: "lockscope", version: env!("CARGO_PKG_VERSION") },
        traces: traces.iter().map(|(checked, allowed)| trace(checked, *allowed)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &output)?;
    writeln!(out)
}

fn trace(checked: &Checked, allowed: usize) -> Trace {
    let (info, completeness) = (&checked.info, &checked.completeness);
    let converter = Converter { checked, symbols: Symbols::new(info) };
    Trace {
        path: info.path.to_string_lossy().into_owned(),
        format: info.format.clone(),
        pid: (info.pid != 0).then_some(info.pid),
        executable: (!info.executable.is_empty()).then(|| info.executable.clone()),
        command: info.command.clone(),
        threads: checked.defs.threads.len(),
        locks: checked.defs.locks.len(),
        events: checked.events,
        duration_ns: converter.time(checked.duration.0),
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
        allowed,
        findings: checked.findings.iter().enumerate().map(|(idx, finding)| converter.finding(idx, finding)).collect(),
    }
}

struct Converter<'a> {
    checked: &'a Checked,
    symbols: Symbols,
}

impl Converter<'_> {
    fn defs(&self) -> &Definitions {
        &self.checked.defs
    }

    /// Times of a trace without times are event numbers and would be misread.
    fn time(&self, nanos: u64) -> Option<u64> {
        self.checked.info.has_times.then_some(nanos)
    }

    fn finding(&self, idx: usize, finding: &Finding) -> JsonFinding {
        let participants =
            |list: &[Participant]| list.iter().map(|participant| self.participant(participant)).collect();
        JsonFinding {
            id: format!("F{}", idx + 1),
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            confidence: finding.confidence.as_str(),
            title: finding.title.clone(),
            fingerprint: finding.fingerprint.clone(),
            count: finding.count,
            first_seen_ns: self.time(finding.first_seen.0),
            events: finding.events.clone(),
            locks: finding.locks.iter().map(|&lock| self.lock(lock)).collect(),
            participants: participants(&finding.participants),
            variants: finding.variants.iter().map(|list| participants(list)).collect(),
            notes: finding.notes.clone(),
            help: finding.help.clone(),
        }
    }

    fn participant(&self, participant: &Participant) -> JsonParticipant {
        JsonParticipant {
            thread: self.thread(participant.thread),
            held: participant.held.iter().map(|held| self.held(held)).collect(),
            wanted: participant.wanted.as_ref().map(|wanted| self.wanted(wanted)),
        }
    }

    fn held(&self, held: &Held) -> JsonHeld {
        let place = self.place(held.site, held.stack, held.since.0, held.event);
        JsonHeld { lock: self.lock(held.lock), mode: held.mode.word(), place }
    }

    fn wanted(&self, wanted: &Wanted) -> JsonWanted {
        let (kind, lock, mode, thread) = match wanted.target {
            Target::Lock(lock, mode) => ("lock", Some(self.lock(lock)), Some(mode.word()), None),
            Target::Thread(thread) => ("thread", None, None, Some(self.thread(thread))),
            Target::Condvar(lock) => ("condvar", Some(self.lock(lock)), None, None),
        };
        let place = self.place(wanted.site, wanted.stack, wanted.since.0, wanted.event);
        JsonWanted { kind, lock, mode, thread, place }
    }

    fn place(&self, site: Option<SiteId>, stack: Option<StackId>, since: u64, event: u64) -> Place {
        let frames = stack.map(|stack| self.symbols.stack(self.defs(), stack)).unwrap_or_default();
        Place {
            site: site.and_then(|site| self.defs().site(site)).map(json_site),
            stack: frames
                .into_iter()
                .map(|frame| Frame { site: frame.site.as_ref().map(json_site), function: frame.function })
                .collect(),
            since_ns: self.time(since),
            event,
        }
    }

    fn thread(&self, id: ThreadId) -> Thread {
        let def = self.defs().thread(id);
        Thread {
            id: id.to_string(),
            name: def.and_then(|def| def.name.as_ref()).map(|name| name.to_string()),
            os_id: def.map(|def| def.os_id).filter(|&os_id| os_id != 0),
        }
    }

    fn lock(&self, id: LockId) -> Lock {
        let def = self.defs().lock(id);
        Lock {
            id: id.to_string(),
            name: self.defs().lock_name(id),
            kind: def.map_or("other", |def| def.kind.word()),
            created: def.and_then(|def| def.created).and_then(|site| self.defs().site(site)).map(json_site),
            rank: def.and_then(|def| def.rank),
        }
    }
}

fn json_site(site: &lockscope_trace::Site) -> Site {
    let known = |n: u32| (n > 0).then_some(n);
    Site { file: site.file.to_string(), line: known(site.line), column: known(site.column) }
}
