//! What the formats say of a run, read back by other decoders.

use std::collections::{HashMap, HashSet};

use lockscope_analyzer::{
    Analysis,
    finding::{Code, Finding},
    input,
};
use lockscope_trace::{Definitions, Event, EventSource};
use prost::Message;
use serde_json::Value;

use super::{Exporter, chrome::Chrome, folded::Folded, jsonl::Jsonl, perfetto::Perfetto, rapid::Rapid, spans::Spans};
use crate::fixture;

/// The fixture's run, with a wait that ends: the clerk gets the accounts when the teller gives them back.
fn events() -> Vec<Event> {
    use lockscope_trace::{Access, How, LockId, Mode, Nanos, Op, ThreadId};
    let mut events = fixture::events();
    let template = events[0];
    let lock = LockId(0);
    let more = [
        (3, Op::Wait { lock, mode: Mode::Exclusive, how: How::Lock }),
        (1, Op::Released { lock, owner: ThreadId(1), mode: None, access: Access::Wrote }),
        (3, Op::Acquired { lock, mode: Mode::Exclusive, how: How::Lock, count: 2 }),
        (3, Op::Released { lock, owner: ThreadId(3), mode: None, access: Access::Nothing }),
    ];
    // After the clerk's start, before the teller takes the accounts for good.
    let at = 14;
    let take = Op::Acquired { lock, mode: Mode::Exclusive, how: How::Lock, count: 1 };
    let all = std::iter::once((1, take)).chain(more);
    for (idx, (thread, op)) in all.enumerate() {
        let time = Nanos(50_000_000 + idx as u64 * 1_000_001);
        events.insert(at + idx, Event { thread: ThreadId(thread), time, op, ..template });
    }
    events
}

fn feed(exporter: &mut dyn Exporter, events: &[Event], defs: &Definitions) {
    for (idx, event) in events.iter().enumerate() {
        exporter.event(idx as u64 + 1, event, defs).expect("a vector takes everything");
    }
    exporter.finish(defs).expect("a vector takes everything");
}

#[test]
fn chrome_is_json_with_slices_and_arrows() {
    let mut out = Vec::new();
    feed(
        &mut Spans::new(Chrome::new(&mut out, &fixture::info()).expect("a vector"), true),
        &events(),
        &fixture::defs(),
    );
    let trace: Value = serde_json::from_slice(&out).expect("it is JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let of = |phase: &str| events.iter().filter(|event| event["ph"] == phase).collect::<Vec<_>>();
    let rows: HashMap<(u64, u64), &str> = of("M")
        .into_iter()
        .filter(|event| event["name"] == "thread_name")
        .map(|event| {
            let number = |key: &str| event[key].as_u64().expect("a number");
            ((number("pid"), number("tid")), event["args"]["name"].as_str().expect("a name"))
        })
        .collect();
    let shown: Vec<String> = of("X")
        .into_iter()
        .map(|event| {
            let row = rows[&(event["pid"].as_u64().expect("a number"), event["tid"].as_u64().expect("a number"))];
            format!("{row} | {} | {} +{}", event["name"].as_str().expect("a name"), event["ts"], event["dur"])
        })
        .collect();
    insta::assert_snapshot!("chrome", shown.join("\n"));
    // One wait ended by a release: one arrow, from the teller's hold to the clerk's wait.
    let (starts, ends) = (of("s"), of("f"));
    assert_eq!((starts.len(), ends.len()), (1, 1));
    assert_eq!(starts[0]["id"], ends[0]["id"]);
    assert!(starts[0]["ts"].as_f64() < ends[0]["ts"].as_f64());
    let row = |event: &Value| rows[&(event["pid"].as_u64().unwrap_or(0), event["tid"].as_u64().unwrap_or(0))];
    assert_eq!((row(starts[0]), row(ends[0])), ("T1 teller holds", "T3 clerk-1"));
}

/// The messages of Perfetto that lockscope writes, as its `.proto` files number them, for prost.
mod proto {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Trace {
        #[prost(message, repeated, tag = "1")]
        pub packet: Vec<TracePacket>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TracePacket {
        #[prost(uint64, optional, tag = "8")]
        pub timestamp: Option<u64>,
        #[prost(uint32, optional, tag = "10")]
        pub trusted_packet_sequence_id: Option<u32>,
        #[prost(message, optional, tag = "11")]
        pub track_event: Option<TrackEvent>,
        #[prost(message, optional, tag = "60")]
        pub track_descriptor: Option<TrackDescriptor>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TrackEvent {
        #[prost(message, repeated, tag = "4")]
        pub debug_annotations: Vec<DebugAnnotation>,
        #[prost(int32, optional, tag = "9")]
        pub r#type: Option<i32>,
        #[prost(uint64, optional, tag = "11")]
        pub track_uuid: Option<u64>,
        #[prost(string, repeated, tag = "22")]
        pub categories: Vec<String>,
        #[prost(string, optional, tag = "23")]
        pub name: Option<String>,
        #[prost(fixed64, repeated, packed = "false", tag = "47")]
        pub flow_ids: Vec<u64>,
        #[prost(fixed64, repeated, packed = "false", tag = "48")]
        pub terminating_flow_ids: Vec<u64>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct DebugAnnotation {
        #[prost(string, optional, tag = "6")]
        pub string_value: Option<String>,
        #[prost(string, optional, tag = "10")]
        pub name: Option<String>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TrackDescriptor {
        #[prost(uint64, optional, tag = "1")]
        pub uuid: Option<u64>,
        #[prost(string, optional, tag = "2")]
        pub name: Option<String>,
        #[prost(uint64, optional, tag = "5")]
        pub parent_uuid: Option<u64>,
        #[prost(int32, optional, tag = "11")]
        pub child_ordering: Option<i32>,
        #[prost(int32, optional, tag = "12")]
        pub sibling_order_rank: Option<i32>,
        #[prost(int32, optional, tag = "15")]
        pub sibling_merge_behavior: Option<i32>,
    }
}

#[test]
fn perfetto_is_read_by_another_decoder() {
    let mut out = Vec::new();
    let perfetto = Perfetto::new(&mut out, &fixture::info()).expect("a vector");
    feed(&mut Spans::new(perfetto, true), &events(), &fixture::defs());
    let trace = proto::Trace::decode(&*out).expect("it is a protobuf");
    // Nothing is in the file that the messages above do not have.
    assert_eq!(trace.encoded_len(), out.len(), "every field is known to the decoder");
    let tracks: HashMap<u64, &proto::TrackDescriptor> =
        trace.packet.iter().filter_map(|packet| packet.track_descriptor.as_ref()).map(|t| (t.uuid(), t)).collect();
    let names: HashSet<&str> = tracks.values().map(|track| track.name()).collect();
    for name in ["threads of bank", "locks of bank", "T1 teller", "T1 teller holds", "T1 teller holds 2", "L0 accounts"]
    {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    for track in tracks.values() {
        assert!(track.parent_uuid.is_none_or(|parent| tracks.contains_key(&parent)), "{track:?}");
    }
    // Slices of a track begin and end in turn, which is what makes them slices.
    let mut open: HashMap<u64, (u64, &proto::TrackEvent)> = HashMap::new();
    let mut slices: Vec<(u64, u64, u64, &proto::TrackEvent)> = Vec::new();
    for packet in &trace.packet {
        assert_eq!(packet.trusted_packet_sequence_id(), 1);
        let (Some(event), at) = (&packet.track_event, packet.timestamp()) else { continue };
        let id = event.track_uuid();
        assert!(tracks.contains_key(&id), "a track is described before it is used");
        match event.r#type() {
            1 => assert!(open.insert(id, (at, event)).is_none(), "slices of a track do not overlap"),
            2 => {
                let (start, begin) = open.remove(&id).expect("what ends has begun");
                assert!(start <= at);
                slices.push((id, start, at, begin));
            }
            other => panic!("no event of this kind is in the run: {other}"),
        }
    }
    assert!(open.is_empty());
    let mut by_track: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
    slices.iter().for_each(|(id, start, end, _)| by_track.entry(*id).or_default().push((*start, *end)));
    for spans in by_track.values_mut() {
        spans.sort_unstable();
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{spans:?}");
    }
    let arrow = slices.iter().find(|(.., event)| !event.terminating_flow_ids.is_empty()).expect("a wait that ended");
    let from = slices.iter().find(|(.., event)| event.flow_ids == arrow.3.terminating_flow_ids).expect("its beginning");
    assert_eq!((tracks[&from.0].name(), tracks[&arrow.0].name()), ("T1 teller holds", "T3 clerk-1"));
    assert!(from.2 <= arrow.2, "the release comes before the acquisition");
    assert_eq!(arrow.3.name(), "waits for L0 accounts");
    let facts: Vec<&str> = arrow.3.debug_annotations.iter().map(|fact| fact.name()).collect();
    assert_eq!(facts, ["event"]);
}

#[test]
fn waits_add_up_by_stack() {
    let mut out = Vec::new();
    feed(&mut Folded::new(&mut out, &fixture::info()), &events(), &fixture::defs());
    insta::assert_snapshot!("folded", String::from_utf8(out).expect("texts"));
}

#[test]
fn lines_are_what_the_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("../../schema/events-1.json")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let mut out = Vec::new();
    feed(&mut Jsonl::new(&mut out, true), &events(), &fixture::defs());
    let text = String::from_utf8(out).expect("texts");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let errors: Vec<String> = schema.iter_errors(&line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}: {line:#}");
    }
    assert_eq!(text.lines().count(), events().len());
    let mut bad: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    bad["op"] = "jumped".into();
    assert!(!schema.is_valid(&bad));
}

/// Codes and how often, of what an analysis says of the order of locks.
fn verdicts(source: &mut dyn EventSource) -> Vec<String> {
    let mut analysis = Analysis::default();
    analysis.feed_all(source, |_| {}).expect("a trace that can be read");
    let is_order = |finding: &&Finding| {
        matches!(finding.code, Code::LockOrderInversion | Code::Deadlock | Code::PredictedDeadlock | Code::DataRace)
    };
    let findings = analysis.findings(source.definitions());
    let mut verdicts: Vec<String> = findings
        .iter()
        .filter(is_order)
        .map(|finding| format!("{} of {} locks {}x", finding.code.as_str(), finding.locks.len(), finding.count))
        .collect();
    verdicts.sort();
    verdicts
}

/// Every small trace of the corpus, written and read again, gets the verdicts that it had.
#[test]
fn std_traces_keep_their_verdicts() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/traces/small");
    let mut n_with_findings = 0;
    for entry in std::fs::read_dir(dir).expect("the corpus").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "std") {
            continue;
        }
        let Ok(mut source) = input::open(&path) else { continue };
        let before = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| verdicts(&mut *source))) {
            Ok(before) => before,
            // Traces that are wrong on purpose cannot be read to the end.
            Err(_) => continue,
        };
        let mut source = input::open(&path).expect("it was opened before");
        let mut out = Vec::new();
        let mut exporter = Rapid::new(&mut out, true);
        let (mut batch, mut position) = (Vec::new(), 0);
        loop {
            batch.clear();
            let progress = source.poll(&mut batch).expect("it was read before");
            for event in &batch {
                position += 1;
                exporter.event(position, event, source.definitions()).expect("a vector");
            }
            if progress != lockscope_trace::Progress::More {
                break;
            }
        }
        exporter.finish(source.definitions()).expect("a vector");
        let file = tempfile::NamedTempFile::new().expect("a file for the test");
        std::fs::write(file.path(), &out).expect("the file can be written");
        let mut again = input::open(file.path()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(verdicts(&mut *again), before, "{}", path.display());
        n_with_findings += usize::from(!before.is_empty());
    }
    assert!(n_with_findings > 5, "the corpus has findings: {n_with_findings}");
}

/// What a recorder saw, with read locks, messages and tries left out or put as locks, is a trace that RAPID takes: only its own
/// operations, and locks held by one thread at a time.
#[test]
fn std_without_extensions_is_well_formed() {
    let mut out = Vec::new();
    feed(&mut Rapid::new(&mut out, false), &events(), &fixture::defs());
    let text = String::from_utf8(out).expect("texts");
    let mut holders: HashMap<String, String> = HashMap::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split('|').collect();
        let (operation, operand) = parts[1].split_once('(').expect("an operation");
        assert!(["acq", "rel", "r", "w", "fork", "join"].contains(&operation), "{line}");
        let (thread, lock) = (parts[0].to_owned(), operand.trim_end_matches(')').to_owned());
        match operation {
            "acq" => assert_eq!(holders.insert(lock, thread), None, "{line}"),
            "rel" => assert_eq!(holders.remove(&lock), Some(thread), "{line}"),
            _ => {}
        }
    }
    insta::assert_snapshot!("std", text);
}
