//! Regions and marks, as read back from a trace.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use lockscope::{atomic_region, mark};
use lockscope_trace::Op;

#[allow(dead_code, reason = "not every test needs all of the support")]
#[path = "support/recording.rs"]
mod recording;

#[test]
fn recorded_regions() {
    let recorded = recording::record_events("recorded_regions", || {
        for _ in 0..2 {
            let _outer = atomic_region("transfer");
            // A part of the same text.
            let _inner = atomic_region(&"transfer"[..5]);
            mark(&format!("in {}", 1 + 1));
        }
    });
    let Some((events, defs)) = recorded else { return };
    let text = |id| defs.string(id).expect("a defined text").clone();
    let said: Vec<String> = events
        .iter()
        .filter_map(|event| match event.op {
            Op::RegionBegin { name } => Some(format!("begin {}", text(name.expect("it has one")))),
            Op::RegionEnd => Some("end".to_owned()),
            Op::Mark { text: id } => Some(format!("mark {}", text(id))),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["begin transfer", "begin trans", "mark in 2", "end", "end"].repeat(2));
    for event in events.iter().filter(|event| matches!(event.op, Op::RegionBegin { .. } | Op::Mark { .. })) {
        let site = defs.site(event.site.expect("it is known where")).expect("a defined site");
        assert!(site.file.ends_with("regions.rs"), "{site}");
    }
}

#[test]
fn nothing_is_recorded() {
    let _region = atomic_region("transfer");
    mark("here");
}
