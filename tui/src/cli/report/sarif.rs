//! Findings as SARIF 2.1.0, for code scanning services and editors.
//!
//! A finding is a result: its rule is the code, its location where the first thread got stuck, its related locations all others. Its
//! code flow has a thread flow for each thread, whose steps say with `executionOrder` how the threads were interleaved. The
//! cycle is a graph. Findings that are suppressed or known are there with `suppressions`, as services expect that close what is
//! missing. Paths are relative to `SRCROOT`, the working directory.

use std::{
    io::{self, Write},
    path::Path,
};

use lockscope_analyzer::finding::{Code, Finding, Severity};
use lockscope_trace::{Site, ThreadId};
use serde_json::{Map, Value, json};

use crate::{
    cli::{
        explain,
        load::Checked,
        report::{
            phrase,
            places::{self, Place},
        },
        rules::Why,
    },
    source::frames::Symbols,
};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Name of the fingerprint. Its number changes when fingerprints do.
const FINGERPRINT: &str = "lockscope/v1";

/// Writes all traces, a run each.
pub fn write(traces: &[&Checked], out: &mut dyn Write) -> io::Result<()> {
    let runs: Vec<Value> = traces.iter().map(|checked| run(checked)).collect();
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    crate::json::write_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn run(checked: &Checked) -> Value {
    let symbols = Symbols::new(&checked.info);
    let reported = checked.findings.iter().map(|finding| (finding, None));
    let hidden = checked.hidden.iter().map(|hidden| (&hidden.finding, Some(&hidden.why)));
    let results: Vec<Value> =
        reported.chain(hidden).map(|(finding, why)| result(checked, &symbols, finding, why)).collect();
    let mut invocation = json!({ "executionSuccessful": true });
    let notifications: Vec<Value> = checked
        .completeness
        .notes
        .iter()
        .chain(&checked.limits)
        .map(|note| json!({ "level": "warning", "message": { "text": note } }))
        .collect();
    if !notifications.is_empty() {
        invocation["toolExecutionNotifications"] = notifications.into();
    }
    json!({
        "tool": { "driver": {
            "name": "lockscope",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": Code::ALL.map(rule),
        } },
        "invocations": [invocation],
        "automationDetails": { "id": format!("lockscope/{}", file_name(&checked.info.executable)) },
        "artifacts": [{ "location": artifact(&checked.info.path.to_string_lossy()), "roles": ["analysisTarget"] }],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { "SRCROOT": { "description": { "text": "the working directory of the check" } } },
        "results": results,
    })
}

fn rule(code: Code) -> Value {
    let page = explain::page(code);
    let title = page.lines().next().unwrap_or_default();
    let sentence = title.split_once(": ").map_or(title, |(_, sentence)| sentence);
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": sentence },
        "help": { "text": page, "markdown": format!("```text\n{page}\n```") },
        "properties": { "tags": ["concurrency"] },
    })
}

fn result(checked: &Checked, symbols: &Symbols, finding: &Finding, why: Option<&Why>) -> Value {
    let defs = &checked.defs;
    let places = places::all(defs, finding);
    let rule_index = Code::ALL.iter().position(|code| *code == finding.code).expect("all codes are in the list");
    let mut text = finding.title.clone();
    for (idx, place) in places.iter().enumerate() {
        // The number in brackets makes a link to the related location.
        let label = places::plain(&place.label).replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]");
        text.push_str(&match place.site {
            Some(_) => format!("\n- [{label}]({})", idx + 1),
            None => format!("\n- {label}"),
        });
    }
    for note in finding.notes.iter().chain(&finding.help) {
        text.push_str(&format!("\n{note}"));
    }
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rule_index,
        "kind": "fail",
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": { "text": text },
        "partialFingerprints": { FINGERPRINT: finding.fingerprint },
        "occurrenceCount": finding.count.clamp(1, i64::MAX as u64),
        "properties": { "confidence": finding.confidence.as_str(), "events": finding.events },
    });
    let main = places::primary(&places).and_then(|place| place.site.as_ref());
    result["locations"] = main.map(|site| json!({ "physicalLocation": physical(site) })).into_iter().collect();
    result["relatedLocations"] = places
        .iter()
        .enumerate()
        .filter_map(|(idx, place)| {
            let site = place.site.as_ref()?;
            Some(json!({ "id": idx + 1, "message": { "text": place.label }, "physicalLocation": physical(site) }))
        })
        .collect();
    let flows = thread_flows(checked, &places);
    if !flows.is_empty() {
        result["codeFlows"] =
            json!([{ "message": { "text": "what the threads did, in the order of this run" }, "threadFlows": flows }]);
    }
    let stacks: Vec<Value> = places.iter().filter_map(|place| stack(checked, symbols, place)).collect();
    if !stacks.is_empty() {
        result["stacks"] = stacks.into();
    }
    if let Some(graph) = graph(checked, finding) {
        result["graphs"] = json!([graph]);
    }
    // An empty list says that somebody looked and it is not suppressed.
    result["suppressions"] = match why {
        Some(Why::Known) => {
            json!([{ "kind": "external", "status": "accepted", "justification": "known by the baseline" }])
        }
        Some(Why::Suppressed(reason)) => json!([{ "kind": "external", "status": "accepted", "justification": reason }]),
        None => json!([]),
    };
    result
}

/// One flow for each thread, in the order in which they come up.
fn thread_flows(checked: &Checked, places: &[Place]) -> Vec<Value> {
    let mut threads: Vec<ThreadId> = places.iter().map(|place| place.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    let mut order: Vec<u64> = places.iter().map(|place| place.event).collect();
    order.sort_unstable();
    order.dedup();
    let step = |place: &Place| {
        let mut step = json!({
            "location": { "message": { "text": place.label } },
            "kinds": if place.is_primary { ["acquire"] } else { ["lock"] },
            "executionOrder": order.iter().position(|event| *event == place.event),
            "importance": if place.is_primary { "essential" } else { "important" },
        });
        if let Some(site) = &place.site {
            step["location"]["physicalLocation"] = physical(site);
        }
        step
    };
    let flow = |thread: &ThreadId| {
        let mut mine: Vec<&Place> = places.iter().filter(|place| place.thread == *thread).collect();
        mine.sort_by_key(|place| place.event);
        let locations: Vec<Value> = mine.into_iter().map(step).collect();
        let name = phrase::thread_label(&checked.defs, *thread);
        json!({ "id": thread.to_string(), "message": { "text": name }, "locations": locations })
    };
    threads.iter().map(flow).collect()
}

fn stack(checked: &Checked, symbols: &Symbols, place: &Place) -> Option<Value> {
    let frames = symbols.folded_stack(&checked.defs, place.stack?, place.site_id);
    let frames: Vec<Value> = frames
        .iter()
        .map(|frame| {
            let mut location =
                json!({ "logicalLocations": [{ "fullyQualifiedName": frame.function, "kind": "function" }] });
            if let Some(site) = &frame.site {
                location["physicalLocation"] = physical(site);
            }
            json!({ "location": location })
        })
        .collect();
    let message = places::plain(&place.label);
    (!frames.is_empty()).then(|| json!({ "message": { "text": message }, "frames": frames }))
}

/// Threads and locks of a finding: who holds what, who wants what.
fn graph(checked: &Checked, finding: &Finding) -> Option<Value> {
    let defs = &checked.defs;
    let mut nodes: Map<String, Value> = Map::new();
    let mut edges: Vec<Value> = Vec::new();
    let mut edge = |nodes: &mut Map<String, Value>, from: (String, String), to: (String, String), word: &str| {
        let id = format!("e{}", edges.len());
        edges.push(json!({
            "id": id, "sourceNodeId": from.0, "targetNodeId": to.0, "label": { "text": word },
        }));
        for (id, label) in [from, to] {
            nodes.insert(id, label.into());
        }
    };
    for participant in &finding.participants {
        let thread = (participant.thread.to_string(), phrase::thread_label(defs, participant.thread));
        for held in &participant.held {
            let lock = (held.lock.to_string(), phrase::lock_label(defs, held.lock));
            edge(&mut nodes, lock, thread.clone(), "held by");
        }
        if let Some(wanted) = &participant.wanted {
            use lockscope_analyzer::finding::Target;
            let target = match wanted.target {
                Target::Lock(lock, _) | Target::Object(lock, _) => (lock.to_string(), phrase::lock_label(defs, lock)),
                Target::Thread(other) => (other.to_string(), phrase::thread_label(defs, other)),
                Target::Token => continue,
            };
            edge(&mut nodes, thread, target, phrase::wants_verb(finding, participant));
        }
    }
    let nodes: Vec<Value> =
        nodes.into_iter().map(|(id, label)| json!({ "id": id, "label": { "text": label } })).collect();
    let description = json!({ "text": "threads and what they hold and want" });
    (!edges.is_empty()).then(|| json!({ "description": description, "nodes": nodes, "edges": edges }))
}

fn physical(site: &Site) -> Value {
    let mut location = json!({ "artifactLocation": artifact(&site.file) });
    // Lines and columns begin with 1; 0 is unknown, which SARIF says by leaving them out.
    if site.line > 0 {
        location["region"] = json!({ "startLine": site.line });
        if site.column > 0 {
            location["region"]["startColumn"] = site.column.into();
        }
    }
    location
}

/// A path: relative to the working directory where it lies in it.
fn artifact(path: &str) -> Value {
    let path = lockscope_trace::defs::without_detours(path);
    let inside = std::env::current_dir()
        .ok()
        .and_then(|dir| Path::new(&path).strip_prefix(dir).ok().map(|rest| rest.to_string_lossy().into_owned()));
    let path = inside.unwrap_or(path);
    if path.starts_with('/') {
        return json!({ "uri": format!("file://{}", encode(&path)) });
    }
    json!({ "uri": encode(&path), "uriBaseId": "SRCROOT" })
}

/// A path as part of a URI.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (idx, byte) in path.bytes().enumerate() {
        // A colon in the first part of a relative path would make it a scheme.
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
        if is_plain && !(byte == b'/' && idx == 0 && path.starts_with("//")) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        for (path, expected) in [
            ("src/bank.rs", "src/bank.rs"),
            ("a b/ü.rs", "a%20b/%C3%BC.rs"),
            ("http://x", "http%3A//x"),
            ("//host/x", "%2F/host/x"),
            ("c:\\x", "c%3A%5Cx"),
        ] {
            assert_eq!(encode(path), expected);
        }
    }
}
