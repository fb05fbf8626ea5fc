//! `kill -9` at random moments: everything that a thread knows it did is in the trace, in an order that can have been.

use std::{path::PathBuf, process::Child};

use lockscope_trace::{EventSource, reader::Reader};

use crate::{
    child::Case,
    tally::Tally,
    verify,
    work::{Random, SEED, TALLY},
};

/// Kills a short run makes.
const KILLS: u64 = 30;

fn kills() -> u64 {
    std::env::var("LOCKSCOPE_STRESS_KILLS").map_or(KILLS, |text| text.parse().expect("a number of kills"))
}

/// Operations after which the child is killed: none at all, a few, a few hundred thousand, with equal probability.
fn moment(random: &mut Random) -> u64 {
    let magnitude = random.below(20);
    if magnitude == 0 { 0 } else { random.below(1 << magnitude) }
}

struct Victim {
    case: Case,
    tally: Tally,
    child: Child,
}

impl Victim {
    fn start(seed: u64, settings: &str) -> Self {
        let case = Case::new();
        let tally = Tally::open(&case.path("tally"));
        let mut command = case.command("work", settings);
        let command = command.env(TALLY, case.path("tally")).env(SEED, seed.to_string());
        let child = command.spawn().expect("this test can run itself");
        Self { case, tally, child }
    }

    fn trace(&self) -> PathBuf {
        self.case.path("trace.lks")
    }

    /// Kills the child when it has done so many operations; meanwhile calls back.
    fn kill_after(&mut self, operations: u64, mut meanwhile: impl FnMut()) {
        while self.tally.total() < operations {
            meanwhile();
            let ended = self.child.try_wait().expect("our child");
            assert!(ended.is_none(), "it ended by itself with {ended:?}: {}", self.case.stderr());
        }
        self.child.kill().expect("our child");
        self.child.wait().expect("our child");
        assert_eq!(self.case.stderr(), "");
    }
}

/// By either clock.
fn settings(seed: u64) -> &'static str {
    if seed.is_multiple_of(2) { "record=trace.lks,clock=coarse" } else { "record=trace.lks" }
}

#[test]
fn everything_committed_before_a_kill_is_there() {
    for seed in 1..=kills() {
        let mut random = Random(seed * 0x9e37_79b9);
        let operations = moment(&mut random);
        let what = format!("run {seed}, killed after {operations} operations");
        let mut victim = Victim::start(seed, settings(seed));
        victim.kill_after(operations, std::thread::yield_now);
        if victim.tally.total() == 0 && Reader::open(&victim.trace()).is_err() {
            continue;
        }
        let (reader, events) = verify::read(&victim.trace());
        verify::check(&what, &reader, &events, &victim.tally);
    }
}

#[test]
fn a_reader_that_follows_loses_nothing_to_a_kill() {
    for seed in 1..=kills() / 3 {
        let mut random = Random(seed * 0x517c_c1b7);
        let operations = moment(&mut random);
        let what = format!("run {seed}, followed and killed after {operations} operations");
        let mut victim = Victim::start(1000 + seed, "record=trace.lks");
        let path = victim.trace();
        let mut reader = None;
        let mut events = Vec::new();
        victim.kill_after(operations, || match &mut reader {
            // Until its header is written the file cannot be opened.
            None => reader = Reader::open(&path).ok(),
            Some(reader) => {
                reader.poll(&mut events).expect("the file is readable");
                assert_eq!(reader.completeness().gap_count, 0, "{what}: while it runs");
            }
        });
        let Some(mut reader) = reader else { continue };
        verify::read_all(&mut reader, &mut events);
        verify::check(&what, &reader, &events, &victim.tally);
    }
}

#[test]
fn a_flight_recorder_has_what_came_last_before_a_kill() {
    let mut n_overwritten = 0;
    for seed in 1..=kills() / 3 {
        let operations = 150_000 + Random(seed * 0x2545_f491).below(150_000);
        let what = format!("run {seed}, flight recorder killed after {operations} operations");
        let mut victim = Victim::start(2000 + seed, &format!("{},size=1536K", settings(seed)));
        victim.kill_after(operations, std::thread::yield_now);
        let (reader, events) = verify::read(&victim.trace());
        assert_eq!(reader.completeness().damaged_bytes, 0, "{what}: {:?}", reader.completeness());
        n_overwritten += usize::from(verify::check_window(&what, &reader, &events, &victim.tally).is_some());
    }
    assert!(n_overwritten > 0, "the limit was never reached");
}
