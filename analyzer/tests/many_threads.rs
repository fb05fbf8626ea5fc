//! Memory where threads come and go: what is held grows with threads, locks, variables and what is under way, not with their product.
//!
//! Test suites are like that: crossbeam-channel's makes twenty thousand threads in one process, most of which nobody is seen to join. With a clock of
//! twenty thousand entries for each of them, `check` held ten gigabytes.

use std::fs;

use lockscope_analyzer::{Analysis, EngineId, Options};
use lockscope_trace::{
    Access, Definitions, Event, How, LockId, LockKind, MemoryOrder, Mode, Nanos, Op, Side, ThreadDef, ThreadId, VarId,
};

/// Threads that are there at a time, besides the one that hands out work.
const AT_ONCE: u32 = 4;
const LOCKS: u32 = 4;
const VARS: u32 = 64;

/// The events of `n_threads` that all are sent something over a channel of their own, lock, use memory, answer and end; some are joined.
fn feed(analysis: &mut Analysis, definitions: &mut Definitions, n_threads: u32) {
    let mut counts = vec![0; VARS as usize];
    let mut batch = Vec::new();
    for first in (1..n_threads).step_by(AT_ONCE as usize) {
        let threads = first..first + AT_ONCE;
        let mut event = |thread: u32, op| {
            let time = Nanos(batch.len() as u64);
            batch.push(Event { thread: ThreadId(thread), time, site: None, stack: None, op });
        };
        let mut channel_of = Vec::new();
        for thread in threads.clone() {
            definitions.threads.push(ThreadDef::default());
            let channel = definitions.add_lock(LockKind::Channel, None, "u8".into(), None, None);
            definitions.locks[channel.0 as usize].capacity = (thread % 3 > 0).then_some(1);
            channel_of.push(channel);
            event(thread, Op::Start);
            event(0, Op::HandleAdded { channel, side: Side::Sender, count: 1 });
            event(0, Op::Sent { channel, count: 1 });
            event(0, Op::Read { var: VarId(0) });
        }
        for step in 0..16 {
            for thread in threads.clone() {
                let channel = channel_of[(thread - first) as usize];
                let (lock, var) = (LockId(step % LOCKS), VarId((step * 7 + thread) % VARS));
                let number = &mut counts[var.0 as usize];
                *number += 1;
                let (number, order) = (*number, MemoryOrder::AcqRel);
                match step {
                    0 => event(thread, Op::Received { channel, message: 1, count: 2 }),
                    15 => event(0, Op::Received { channel, message: 2, count: 4 }),
                    14 => {
                        event(thread, Op::Sent { channel, count: 2 });
                        event(thread, Op::Exit);
                    }
                    _ => {
                        let (mode, how) = (Mode::Exclusive, How::Lock);
                        event(thread, Op::Acquired { lock, mode, how, count: 0 });
                        event(thread, Op::Read { var });
                        event(thread, Op::Write { var: VarId(VARS + lock.0) });
                        let owner = ThreadId(thread);
                        event(thread, Op::Released { lock, owner, mode: None, access: Access::ReadThenWrote });
                        event(thread, Op::AtomicUpdate { var: VarId(2 * VARS + var.0), order, number, count: 0 });
                    }
                }
            }
        }
        for (thread, channel) in threads.zip(channel_of) {
            if thread % 4 == 0 {
                event(0, Op::Joined { child: ThreadId(thread) });
            }
            if thread % 8 != 0 {
                event(0, Op::Destroyed { lock: channel });
            }
        }
        analysis.feed_batch(&batch, definitions);
        batch.clear();
    }
}

fn definitions() -> Definitions {
    let mut definitions = Definitions::default();
    definitions.threads.push(ThreadDef::default());
    (0..LOCKS).for_each(|_| _ = definitions.add_lock(LockKind::Mutex, None, "u8".into(), None, None));
    definitions
}

/// Bytes of this process that are no part of a file; `None` where the system does not tell.
fn anonymous() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// What the default engines and detectors hold grows with the number of threads, and engines know it.
#[test]
fn memory_grows_with_threads() {
    let mut held = Vec::new();
    let before = anonymous();
    for n_threads in [1_000, 4_000] {
        let (mut analysis, mut definitions) = (Analysis::default(), definitions());
        feed(&mut analysis, &mut definitions, n_threads);
        let by_engine: Vec<(EngineId, u64)> = analysis.engine_bytes().collect();
        held.push((by_engine, anonymous()));
    }
    let [(few, _), (many, at_the_end)] = &held[..] else { unreachable!("two were made") };
    for ((engine, few), (_, many)) in few.iter().zip(many) {
        assert!(*many < few * 8 + (4 << 20), "{engine:?}: {few} bytes of 1000 threads, {many} of 4000");
    }
    if let (Some(before), Some(at_the_end)) = (before, at_the_end) {
        let (held, known) = (at_the_end.saturating_sub(before), many.iter().map(|(_, bytes)| bytes).sum::<u64>());
        assert!(held < 256 << 20, "{} MiB", held >> 20);
        assert!(known < held * 2 + (64 << 20), "engines hold {} MiB of {}, they say", known >> 20, held >> 20);
    }
}

/// The engines that hold the most are ended, and what they say they hold is what the limit is about.
#[test]
fn a_limit_ends_engines() {
    let options = Options { memory_limit: Some(1 << 20), ..Options::default() };
    let (mut analysis, mut definitions) = (Analysis::new(options), definitions());
    feed(&mut analysis, &mut definitions, 1000);
    // Looked at every few thousand events.
    assert!(analysis.engine_bytes().map(|(_, bytes)| bytes).sum::<u64>() < 3 << 20);
    assert!(analysis.limits().iter().any(|limit| limit.contains("was ended after")), "{:?}", analysis.limits());
}
