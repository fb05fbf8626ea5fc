use super::*;
use crate::{engine::Engines, finding::Severity, testing::parse};

/// Checks that exactly these occurrences are found, as `code confidence: positions`.
#[track_caller]
fn check(trace: &str, expected: &[&str]) {
    let (events, definitions) = parse(trace);
    let mut engine = Engines::new(&Options { all: true, engines: vec![EngineId::Atomicity], ..Options::default() });
    engine.feed(&events, &definitions);
    let found: Vec<String> = engine
        .findings(&definitions)
        .iter()
        .map(|finding| {
            let events: Vec<String> = finding.events.iter().map(u64::to_string).collect();
            format!("{} {}: {}", finding.code.as_str(), finding.confidence.as_str(), events.join(" "))
        })
        .collect();
    assert_eq!(found, expected, "{trace}");
    let mut bugs = engine.findings(&definitions).into_iter().map(|finding| finding.fingerprint).collect::<Vec<_>>();
    bugs.dedup();
    assert!(engine.occurrences(&definitions).len() >= bugs.len());
}

#[test]
fn updates_of_numbers() {
    // Torn in this run, by atomics, plain memory, sections of a lock.
    check("A: load n.AtomicU64; B: store n.AtomicU64; A: store n.AtomicU64", &["lost-update actual: 1 2 3"]);
    check("A: get n; B: set n; A: set n", &["lost-update actual: 1 2 3"]);
    check(
        "A: lock n, unlock n read; B: lock n, unlock n wrote; A: lock n, unlock n wrote",
        &["lost-update actual: 1 3 5"],
    );
    // Not torn in this run, but it could be.
    check(
        "A: lock n, unlock n read, lock n, unlock n wrote; B: lock n, unlock n wrote",
        &["lost-update potential: 1 3 5"],
    );
    check(
        "B: lock n, unlock n wrote; A: lock n, unlock n read, lock n, unlock n wrote",
        &["lost-update potential: 1 3 5"],
    );
    check(
        "A: load n.AtomicU64 #1, store n.AtomicU64 #2; B: load n.AtomicU64 #1, store n.AtomicU64 #2",
        &["lost-update potential: 2 3 4"],
    );
}

#[test]
fn what_the_data_is() {
    let code_and_severity = |type_name: &str| {
        let (events, mut definitions) =
            parse("A: lock n, unlock n read; B: lock n, unlock n wrote; A: lock n, unlock n wrote");
        definitions.locks[0].type_name = type_name.into();
        let mut engine = Engines::new(&Options { engines: vec![EngineId::Atomicity], ..Options::default() });
        engine.feed(&events, &definitions);
        let findings = engine.findings(&definitions);
        let [finding] = &findings[..] else { panic!("{type_name}: {findings:?}") };
        (finding.code.as_str(), finding.severity)
    };
    let cases = [
        ("u64", ("lost-update", Severity::Warning)),
        ("alloc::vec::Vec<u64>", ("check-then-act", Severity::Warning)),
        ("core::option::Option<u64>", ("check-then-act", Severity::Warning)),
        // Sections may use different fields of it, and it is no number because its parameter is one.
        ("cache::Nodes<u64>", ("check-then-act", Severity::Note)),
        ("cache::Nodes", ("check-then-act", Severity::Note)),
    ];
    for (type_name, expected) in cases {
        assert_eq!(code_and_severity(type_name), expected, "{type_name}");
    }
}

#[test]
fn updates_that_are_right() {
    // In one step, by one guard, or with another look.
    check("A: load n.AtomicU64; B: store n.AtomicU64; A: update n.AtomicU64", &[]);
    check("A: lock n, unlock n wrote; B: lock n, unlock n wrote; A: lock n, unlock n wrote", &[]);
    check("A: lock n, unlock n read; B: lock n, unlock n wrote; A: lock n, unlock n rewrote", &[]);
    check("A: lock n, unlock n read; B: lock n, unlock n read; A: lock n, unlock n wrote", &[]);
    check("A: get n; B: get n; A: set n", &[]);
    // The same thread all the while, or others that are over.
    check("A: load n.AtomicU64, store n.AtomicU64, store n.AtomicU64", &[]);
    check("B: lock n, unlock n wrote, exit; A: join B, lock n, unlock n read, lock n, unlock n wrote", &[]);
    check("A: lock n, unlock n read, lock n, unlock n wrote, spawn B; B: lock n, unlock n wrote", &[]);
    // Under a lock of their own.
    check(
        "A: lock m, lock n, unlock n read, lock n, unlock n wrote, unlock m; B: lock m, lock n, unlock n wrote, unlock m",
        &[],
    );
    // A flag that two threads hand each other is not set and reset at the same places.
    check("A: load n.AtomicBool #1, store n.AtomicBool #2; B: load n.AtomicBool #3, store n.AtomicBool #4", &[]);
    // Looked at again after a wait; of another message.
    check(
        "A: lock n, condwait c n, unlock n read; B: lock n, unlock n wrote, notify c; A: reget n, condwake c n, unlock n wrote",
        &[],
    );
    check("A: lock n, unlock n read; B: lock n, unlock n wrote, send j; A: recv j, lock n, unlock n wrote", &[]);
}

#[test]
fn locks_that_do_not_help() {
    check(
        "A: lock m, lock n, unlock n read, lock n, unlock n wrote, unlock m; B: lock n, unlock n wrote",
        &["lost-update potential: 2 4 7"],
    );
    // Held at both steps, but not in between.
    check(
        "A: lock m, lock n, unlock n read, unlock m, lock m, lock n, unlock n wrote, unlock m; \
         B: lock m, lock n, unlock n wrote, unlock m",
        &["lost-update potential: 2 6 10"],
    );
    // Read locks exclude nobody who reads.
    check("A: read m, get x, set x, unlock m; B: read m, set x, unlock m", &["lost-update potential: 2 3 6"]);
    check("A: lock m, get x, set x, unlock m; B: lock m, set x, unlock m", &[]);
}

#[test]
fn what_is_no_number_is_acted_upon() {
    check("A: load f.AtomicBool; B: store f.AtomicBool; A: store f.AtomicBool", &["check-then-act actual: 1 2 3"]);
}

#[test]
fn regions_that_are_torn() {
    // Two reads of what another thread changes in between, and the two halves of a transfer.
    check("A: begin r, get x; B: set x; A: get x, end", &["atomicity-violation actual: 2 3 4"]);
    check(
        "A: begin r, lock a, unlock a wrote; B: lock a, unlock a read, lock b, unlock b read; A: lock b, unlock b wrote, end",
        &["atomicity-violation actual: 2 4 6 8"],
    );
    // One section within the other, as in `*a.lock() + *b.lock()`.
    check(
        "A: begin r, lock a, unlock a wrote; B: lock a, lock b, unlock b read, unlock a read; A: lock b, unlock b wrote, end",
        &["atomicity-violation actual: 2 4 5 8"],
    );
    // Through a third thread, and between two regions, of which neither sees the other while it is open.
    check(
        "A: begin r, set x; B: get x, set y; C: get y, set z; A: get z, end",
        &["atomicity-violation actual: 2 3 4 5 6 7"],
    );
    check(
        "A: begin r; B: begin s, get y; A: set x, set y; B: get x, end; A: end",
        &["atomicity-violation actual: 3 4 5 6"],
    );
    // The lock itself, where nothing else is known.
    check(
        "A: begin r, lock x, unlock x; B: lock x, unlock x; A: lock x, unlock x, end",
        &["atomicity-violation actual: 2 4 6"],
    );
}

#[test]
fn regions_that_are_atomic() {
    check("A: begin r, get x; B: get x; A: get x, end", &[]);
    check("A: begin r, get x, end; B: set x; A: begin r, get x, end", &[]);
    check("B: set x; A: begin r, get x, get x, end; B: set x", &[]);
    // Others come between, but could as well come before or after.
    check("A: begin r, get x; B: set x; A: get y, end", &[]);
    check(
        "A: begin r, lock m, lock a, unlock a wrote; C: set z; A: lock b, unlock b wrote, unlock m, end; \
         B: lock m, lock a, unlock a read, lock b, unlock b read, unlock m",
        &[],
    );
    check("A: begin r, lock a, unlock a read; B: lock a, unlock a read; A: lock a, unlock a read, end", &[]);
    // A section that does nothing with the data.
    check(
        "A: begin r, lock a, unlock a wrote; B: lock a, unlock a nothing, lock b, unlock b read; A: lock b, unlock b wrote, end",
        &[],
    );
    // It asked for the answer.
    check("A: begin r, send j; B: recv j, send k; A: recv k, end", &[]);
    // The inner one ends, the outer one is what counts.
    check("A: begin r, begin s, get x, end; B: set x; A: end", &[]);
    check("A: begin r, begin s, get x, end; B: set x; A: get x, end", &["atomicity-violation actual: 3 5 6"]);
}

/// More locks than are kept without further ado.
#[test]
fn many_locks() {
    let six = "A: lock a, lock b, lock c, lock d, lock e, lock f, get x, set x, \
               unlock f, unlock e, unlock d, unlock c, unlock b, unlock a;";
    check(&format!("{six} B: lock f, set x, unlock f"), &[]);
    check(&format!("{six} B: lock g, set x, unlock g"), &["lost-update potential: 7 8 16"]);
    // Once somebody holds nothing, those that do are still kept apart by the sixth lock.
    let found = |trace: &str| {
        let (events, definitions) = parse(trace);
        let options = Options { all: true, engines: vec![EngineId::Atomicity], ..Options::default() };
        let mut engines = Engines::new(&options);
        engines.feed(&events, &definitions);
        engines.occurrences(&definitions).len()
    };
    assert_eq!(found(&format!("{six} C: set x")), 1);
    assert_eq!(found(&format!("{six} C: set x; B: lock f, set x, unlock f")), 1);
    assert_eq!(found(&format!("{six} C: set x; B: lock g, set x, unlock g")), 2);
}

/// What needs no look any more is counted all the same, by more threads and at more places than are kept side by side.
#[test]
fn what_is_settled_is_counted() {
    for (threads, places) in [(3, 1), (5, 3), (20, 4), (40, 12)] {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let steps: Vec<String> = (0..1500)
            .map(|_| {
                let (thread, var, place) = (random(threads), ["x", "y"][random(2) as usize], 1 + random(places));
                match random(4) {
                    0 => format!("T{thread}: lock l, set {var} #{place}, unlock l"),
                    1 => format!("T{thread}: set {var} #{place}"),
                    _ => format!("T{thread}: get {var} #{place}"),
                }
            })
            .collect();
        let (events, definitions) = parse(&steps.join("; "));
        let findings = |all| {
            let options = Options { all, engines: vec![EngineId::Atomicity], ..Options::default() };
            let mut engines = Engines::new(&options);
            engines.feed(&events, &definitions);
            engines.findings(&definitions)
        };
        assert_eq!(findings(false), findings(true), "{threads} threads, {places} places");
        assert!(findings(true).iter().map(|finding| finding.count).sum::<u64>() > 20);
    }
}
