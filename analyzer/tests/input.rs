//! What is accepted as a trace, and what is said of the rest.

use std::{fs, io::Write, path::PathBuf};

use flate2::{Compression, write::GzEncoder};
use lockscope_analyzer::input::{self, Options};
use lockscope_trace::{Error, Event, EventSource, Mode, Op, Progress, source::Place};

/// Number of events, or kind and line of the error.
type Outcome = Result<usize, (&'static str, u64)>;

fn open(name: &str, content: &[u8], options: &Options) -> (Outcome, Vec<Event>, Option<Box<dyn EventSource + Send>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join(name);
    fs::write(&path, content).expect("written");
    let of = |error| match error {
        Error::Format { kind, place: Place::Line(line), .. } => Err((kind, line)),
        Error::Format { kind, .. } => Err((kind, 0)),
        Error::Io { source, .. } => panic!("{source}"),
    };
    let mut source = match input::open_with(&path, options) {
        Ok(source) => source,
        Err(error) => return (of(error), Vec::new(), None),
    };
    let mut events = Vec::new();
    loop {
        match source.poll(&mut events) {
            Ok(Progress::Ended) => return (Ok(events.len()), events, Some(source)),
            Ok(_) => {}
            Err(error) => return (of(error), events, Some(source)),
        }
    }
}

#[track_caller]
fn check(content: impl AsRef<[u8]>, expected: Outcome) {
    let content = content.as_ref();
    let shown = String::from_utf8_lossy(&content[..content.len().min(200)]);
    assert_eq!(open("trace.std", content, &Options::default()).0, expected, "{shown}");
    let expected = if content.is_empty() { Err(("empty", 0)) } else { expected };
    if content.contains(&b'|') || content.is_empty() {
        assert_eq!(open("trace", content, &Options::default()).0, expected, "{shown}");
    }
}

#[test]
fn lines_and_their_ends() {
    check("", Ok(0));
    check("T0|w(x)|1\nT0|w(x)|2\n", Ok(2));
    check("T0|w(x)|1\r\nT0|w(x)|2\r\n", Ok(2));
    check("T0|w(x)|1\nT0|w(x)|2", Ok(2));
    check("\u{feff}T0|w(x)|1\n", Ok(1));
    check("T0|w(x)|1\n\nT0|w(x)|3\n", Err(("syntax", 2)));
    check("T0|w(x)|1\n# comment\n", Err(("syntax", 2)));
    check("T0|w(x)|1\nT0|w(x)|2|\n", Err(("syntax", 2)));
    check("T0|w(x)|1\nT0|w(x)|two\n", Err(("syntax", 2)));
    check("T0|w(x)|1\nT0|w(x)|99999999999\n", Err(("syntax", 2)));
    check("T0|w(x)|1\nT0|w(x)\0\0\0\n", Err(("syntax", 2)));
    check("T0|w(x)|1\nT0|w(", Err(("syntax", 2)));
}

#[test]
fn names_may_be_anything() {
    check("main thread|w(\u{1b}[31mx)|1\nT\u{e9}|r(v\0)|1\n", Err(("foreign", 0)));
    check("main thread|w(x)|1\nT\u{e9}|r(\u{1b}[31m\0)|1\n", Ok(2));
    check(b"T0|w(x)|1\nT0|w(\xff\xfe)|1\nT0|w(\xff)|1\n", Ok(3));
    let (_, _, source) = open("t.std", b"T0|w(x)|1\nT0|acq(\x1b[2J\xff)|1\n", &Options::default());
    let source = source.expect("a trace");
    let name = source.definitions().locks[0].name.clone().expect("a name");
    assert_eq!(&*name, "\u{fffd}[2J\u{fffd}");
}

#[test]
fn lines_without_end() {
    check([b"T0|w(".as_slice(), &[b'x'; 60_000], b")|1\n"].concat(), Ok(1));
    check([b"T0|w(x)|1\nT0|w(".as_slice(), &[b'x'; 3_000_000], b")|1\n"].concat(), Err(("syntax", 2)));
    check([b"T0|w(".as_slice(), &[b'x'; 3_000_000]].concat(), Err(("syntax", 1)));
}

#[test]
fn locks() {
    check("A|acq(l)|1\nA|acq(l)|1\nA|rel(l)|1\nA|rel(l)|1\n", Ok(4));
    check("A|acq(l)|1\nA|acq(l)|1\nA|rel(l)|1\nA|rel(l)|1\nA|rel(l)|1\n", Err(("release-unheld", 5)));
    check("A|acq(l)|1\nA|acq(l)|1\nA|rel(l)|1\nB|acq(l)|1\n", Err(("lock-held", 4)));
    check("A|acq(l)|1\nB|rel(l)|1\n", Err(("release-unheld", 2)));
    check("A|acq(l)|1\nB|req(l)|1\nA|rel(l)|1\nB|acq(l)|1\n", Ok(4));
    check("A|rel(l)|1\n", Err(("release-unheld", 1)));
}

#[test]
fn readers_and_writers() {
    check("A|racq(l)|1\nB|racq(l)|1\nA|rrel(l)|1\nB|rrel(l)|1\nC|acq(l)|1\n", Ok(5));
    check("A|racq(l)|1\nB|acq(l)|1\n", Err(("lock-held", 2)));
    check("A|acq(l)|1\nB|racq(l)|1\n", Err(("lock-held", 2)));
    check("A|racq(l)|1\nA|rel(l)|1\n", Err(("release-unheld", 2)));
    check("A|acq(l)|1\nA|rrel(l)|1\n", Err(("release-unheld", 2)));
    check("A|racq(l)|1\nA|racq(l)|1\nA|rrel(l)|1\nB|acq(l)|1\n", Err(("lock-held", 4)));
    check("A|racq(l)|1\nA|acq(l)|1\nA|rel(l)|1\nB|racq(l)|1\nA|rrel(l)|1\nB|acq(l)|1\n", Ok(6));
    check("A|racq(l)|1\nB|racq(l)|1\nA|acq(l)|1\n", Err(("lock-held", 3)));
}

#[test]
fn reads_of_a_writer_and_writes_of_a_reader_keep_one_hold() {
    let ops = |trace: &str| -> Vec<String> {
        let (outcome, events, _) = open("t.std", trace.as_bytes(), &Options::default());
        assert!(outcome.is_ok());
        let word = |event: &Event| match event.op {
            Op::Acquired { mode, how, .. } => format!("{mode:?} by {how:?}"),
            op => op.name().to_owned(),
        };
        events.iter().map(word).collect()
    };
    assert_eq!(
        ops("A|racq(l)|1\nA|acq(l)|1\nA|rel(l)|1\nA|rrel(l)|1\n"),
        ["Shared by Lock", "Exclusive by Upgrade", "Shared by Downgrade", "released"]
    );
    assert_eq!(
        ops("A|acq(l)|1\nA|racq(l)|1\nA|racq(l)|1\nA|rel(l)|1\nA|rrel(l)|1\nA|rrel(l)|1\n"),
        ["Exclusive by Lock", "mark", "mark", "Shared by Downgrade", "mark", "released"]
    );
}

#[test]
fn forks_and_joins() {
    check("A|fork(B)|1\nB|w(x)|1\nA|join(B)|1\n", Ok(3));
    check("A|join(B)|1\n", Ok(1));
    check("A|fork(B)|1\nB|w(x)|1\nA|join(B)|1\nB|w(x)|1\n", Err(("event-after-join", 4)));
    check("A|join(B)|1\nB|w(x)|1\n", Err(("event-after-join", 2)));
    check("A|fork(B)|1\nA|fork(B)|1\n", Err(("fork-existing", 2)));
    check("B|w(x)|1\nA|fork(B)|1\n", Err(("fork-existing", 2)));
    check("A|fork(A)|1\n", Err(("fork-existing", 1)));
    check("A|w(x)|1\nA|fork(A)|1\n", Err(("fork-existing", 2)));
    check("A|join(A)|1\n", Err(("join-self", 1)));
    check("A|fork(B)|1\nA|join(B)|1\nA|fork(B)|1\n", Err(("fork-existing", 3)));
}

#[test]
fn threads_may_lose_their_prefix_in_forks() {
    let (_, _, source) = open("t.std", b"T1|fork(2)|1\nT2|w(x)|1\nT1|join(2)|1\n", &Options::default());
    assert_eq!(source.expect("a trace").definitions().threads.len(), 2);
    // A thread of that very name comes first.
    check("2|w(x)|1\nT1|fork(2)|1\n", Err(("fork-existing", 2)));
    check("main|fork(2)|1\n2|w(x)|1\n", Ok(2));
}

#[test]
fn lenient_reading_goes_on_and_counts() {
    let options = Options { lenient: true };
    let trace = b"A|fork(B)|1\nA|acq(l)|1\nB|acq(l)|1\nA|rel(l)|1\nB|rel(l)|1\nA|fork(B)|1\n";
    let (outcome, events, source) = open("t.std", trace, &options);
    let source = source.expect("a trace");
    assert_eq!(outcome, Ok(6));
    let gaps: Vec<u64> = source.completeness().gaps.iter().map(|gap| gap.event).collect();
    assert_eq!((gaps, source.completeness().gap_count), (vec![3, 4, 6], 3));
    assert!(!source.completeness().is_complete());
    assert!(matches!(events[2].op, Op::Acquired { mode: Mode::Exclusive, .. }));
    // Whoever had it twice ends that with the second release.
    let trace = b"A|acq(l)|1\nA|acq(l)|1\nB|acq(l)|1\nA|rel(l)|1\nA|rel(l)|1\n";
    let (_, events, _) = open("t.std", trace, &options);
    let ops = events.iter().map(|event| event.op.name());
    assert_eq!(ops.collect::<Vec<_>>(), ["acquired", "mark", "acquired", "mark", "released"]);
    // Grammar stays grammar.
    assert_eq!(open("t.std", b"A|w(x)|1\nA|x\n", &options).0, Err(("syntax", 2)));
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("to memory");
    encoder.finish().expect("to memory")
}

#[test]
fn gzip_is_seen_by_content() {
    let text: String = (0..40_000).map(|n| format!("T0|w(v{n})|{n}\n")).collect();
    let compressed = gzip(text.as_bytes());
    let check = |content: &[u8], expected| assert_eq!(open("trace", content, &Options::default()).0, expected);
    check(&compressed, Ok(40_000));
    check(&[&*gzip(b"A|w(x)|1\n"), &*gzip(b"A|w(x)|2\n")].concat(), Ok(2));
    let (outcome, events, _) = open("trace", &compressed[..compressed.len() / 2], &Options::default());
    assert_eq!(outcome.map_err(|(kind, _)| kind), Err("truncated"));
    assert!(!events.is_empty(), "what could be read was delivered");
    let mut damaged = compressed.clone();
    damaged.truncate(compressed.len() - 8);
    damaged.extend([0; 8]);
    assert_eq!(open("trace", &damaged, &Options::default()).0.map_err(|(kind, _)| kind), Err("damaged"));
    check(&compressed[..3], Err(("truncated", 1)));
    check(&gzip(b""), Err(("empty", 0)));
    check(&gzip(b"\x7fELF"), Err(("foreign", 0)));
    check(&gzip(&gzip(b"A|w(x)|1\n")), Err(("foreign", 0)));
    assert_eq!(open("empty.std.gz", &gzip(b""), &Options::default()).0, Ok(0));
}

#[test]
fn other_things_are_named() {
    let foreign = |content: &[u8]| {
        let (outcome, ..) = open("thing", content, &Options::default());
        assert_eq!(outcome, Err(("foreign", 0)), "{}", String::from_utf8_lossy(content));
    };
    foreign(b"\x89PNG\r\n\x1a\n");
    foreign(b"hello, world\n");
    foreign(b"{\"events\": []}\n");
    foreign(b"   \n");
    foreign(&[0; 1000]);
    foreign(&(0..=255).collect::<Vec<u8>>());
    // A whole file of one byte that is no text.
    foreign(b"\xff");
}

#[test]
fn missing_files_and_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().join("nothing"), folder.path().to_path_buf()] {
        assert!(matches!(input::open(&path), Err(Error::Io { .. })), "{}", path.display());
    }
}
