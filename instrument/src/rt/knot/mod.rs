//! Knots: threads that wait for one another through anything, of which none can be helped by a thread outside.
//!
//! A wait for a lock, or for the end of threads, ends only if *all* who are in its way act: one of them that is stuck is enough. A
//! wait for what others do to an object (notify, send, receive, give back permits, arrive, unpark) ends if *some* thread
//! does it: only when everyone who could is stuck, it is too (Knapp 1987: the AND-OR model). The threads
//! that are stuck are the greatest fixed point: begin with all that wait without a limit, and take away, again and again, each one that
//! a thread outside could help (`solve`). What remains is divided into knots, which are the reasons; the others only wait
//! for them.
//!
//! # What is certain
//!
//! *Who* could notify or send is not known: any thread might, also one that never did. So there are three verdicts.
//!
//! 1. *Proof* (actual). Only waits count in which everyone is known who could end them: locks, ends of threads, and permits when the
//!    capacity of the semaphore is known, nobody has ever added any, and permits do not leave the threads that took them. What is not in
//!    the records of holds is taken to be free, and records lie within the holds, so what looks impossible is. Confirmed
//!    as cycles are (see `search`): the waits are read, then the holds, then the waits must be the same still; a waiting
//!    thread neither takes nor gives, so there was a moment at which all of it held. Found by the thread whose wait closes it, before it
//!    blocks.
//! 2. *Everybody* (actual). Every thread of the process sleeps, and only a thread of the process can wake it. Who could
//!    have helped does not matter then. The kernel is asked (see `kernel`), for what was published may be out of date: a thread that was
//!    woken and has not run yet still seems to wait. But it does not sleep. All threads are looked at twice; if each of them
//!    looks the same, down to how often it was given a processor, all of them slept from the end of the first round to the
//!    beginning of the second, hence at one moment, and whoever would have to wake one of them slept too. No
//!    counting of notifications under way is needed, nor could it be had for threads and objects that are not followed: the
//!    same look covers a `main` that joins by std, or waits in a channel that lockscope does not know.
//! 3. *Suspicion* (potential). Other threads run, but none of them is known to be able to help: they have no reason in `helpers`. A group that
//!    merely idles looks the same (workers that wait for jobs), so that alone is no finding; see [`Suspicion::of`] for
//!    what is. Its threads must have slept without interruption for the time given there.
//!
//! A thread that waits in the kernel for the end of another one (`pthread_join`) is taken for a join in all three.
//!
//! # When it is looked for
//!
//! A thread that is about to wait looks whether its wait could complete a knot; a thread that ends, or drops its last handle of
//! a channel, whether others now could be in one. That costs a few loads as long as somebody who could help is
//! seen to be running. Else the watch is called (`watch`), which does the rest. A wait can also become part of a knot
//! by something that lockscope does not see: another thread joins by std. So while threads wait that were not spawned by lockscope,
//! and hence may be joined so, the watch looks about once a second.

mod describe;
mod graph;
mod nature;
mod report;
mod solve;
mod survey;
mod suspicion;

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use self::{
    graph::{Graph, Node},
    solve::{knots, stuck},
    survey::Survey,
    suspicion::Suspicion,
};
use lockscope_trace::Mode;

use super::{
    global::{flag, flags},
    helpers,
    kernel::{self, Look},
    leak,
    thread::{self, Entered, ThreadInfo},
    waiting::{COUNTS, Target},
    watch,
};

/// What is to be reported: knots among stuck threads.
#[derive(Debug)]
struct Case {
    graph: Graph,
    stuck: Vec<bool>,
    knots: Vec<Vec<usize>>,
    verdict: Verdict,
}

/// How much is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Proof,
    Everybody,
    Suspicion,
}

/// Threads in reported waits: records and episodes.
static REPORTED: Mutex<Option<HashSet<(u32, u64)>>> = Mutex::new(None);

/// Notes that a deadlock of these waits is reported. False when one that has a wait in common was reported before: that is the same
/// one, which more threads have come to wait for.
pub(super) fn mark_reported(waits: &[(u32, u64)]) -> bool {
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let reported = reported.get_or_insert_default();
    let is_new = !waits.iter().any(|wait| reported.contains(wait));
    reported.extend(waits);
    is_new
}

fn is_reported(graph: &Graph, knot: &[usize]) -> bool {
    let reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    reported.as_ref().is_some_and(|reported| waits(graph, knot).iter().any(|wait| reported.contains(wait)))
}

/// The waits of a knot; of one that has none, since its thread has ended, those for what it left.
fn waits(graph: &Graph, knot: &[usize]) -> Vec<(u32, u64)> {
    let wait = |node: &Node| Some((node.info()?.index, node.waiting.as_ref()?.episode));
    let waits: Vec<_> = knot.iter().filter_map(|&index| wait(&graph.nodes[index])).collect();
    if !waits.is_empty() {
        return waits;
    }
    let wants = |node: &&Node| node.relations().any(|relation| knot.contains(&relation.to));
    graph.nodes.iter().filter(wants).filter_map(wait).collect()
}

/// This thread has published a wait: looks whether that completes a knot, or can never end.
///
/// # Panics
///
/// When it does for certain, and the policy is to panic.
pub(super) fn wait_begins(entered: &Entered, can_panic: bool) {
    if !entered.info.wait.is_endless() {
        return;
    }
    leak::wait_begins(entered, can_panic);
    if COUNTS.permits.load(Ordering::Relaxed) > 0 {
        prove(entered, can_panic);
    }
    if watch::is_called() {
        return;
    }
    let counts = [&COUNTS.helped, &COUNTS.joined_unseen].map(|count| count.load(Ordering::Relaxed));
    if counts != [0, 0] && is_suspicious(Some(entered.info)) {
        watch::call();
    }
}

/// A thread has ended, or can help no longer where others wait: looks whether they are stuck now.
pub(super) fn help_is_lost() {
    if flags() & flag::DEADLOCK != 0 && !watch::is_called() && is_suspicious(None) {
        watch::call();
    }
}

/// Looks for a knot of which everything is known, through this thread's wait.
fn prove(entered: &Entered, can_panic: bool) {
    let graph = Graph::read();
    let Some(me) = graph.nodes.iter().position(|node| node.info().is_some_and(|info| info.index == entered.info.index))
    else {
        return;
    };
    let demands = graph.demands(true);
    let stuck = stuck(&demands, true);
    if !stuck[me] || !still_wait(&graph, &stuck) {
        return;
    }
    let knots = knots(&demands, &stuck);
    Case { graph, stuck, knots, verdict: Verdict::Proof }.report(entered, can_panic);
}

/// Whether all waits of these threads are still on, so that what was read since belongs together.
fn still_wait(graph: &Graph, stuck: &[bool]) -> bool {
    graph.nodes.iter().zip(stuck).filter(|(_, stuck)| **stuck).all(|(node, _)| {
        let episode = node.waiting.as_ref().map(|waiting| waiting.episode);
        node.info().is_none_or(|info| episode.is_none() || info.wait.episode() == episode)
    })
}

/// Whether there may be a knot: through the wait of `me`, or any.
fn is_suspicious(me: Option<&'static ThreadInfo>) -> bool {
    let endless = COUNTS.endless.load(Ordering::Relaxed);
    if endless == 0 {
        return false;
    }
    // Everyone waits as far as lockscope knows, or somebody may be joined unseen.
    if endless >= thread::n_living() || COUNTS.joined_unseen.load(Ordering::Relaxed) > 0 {
        return true;
    }
    if me.is_some_and(is_helped) {
        return false;
    }
    let graph = Graph::read();
    let demands = graph.demands(false);
    let stuck = stuck(&demands, true);
    let is_mine =
        |index: usize| graph.nodes[index].info().is_some_and(|info| Some(info.index) == me.map(|me| me.index));
    let in_question = |(index, stuck): (usize, &bool)| *stuck && (me.is_none() || is_mine(index));
    stuck.iter().enumerate().any(in_question)
        && knots(&demands, &stuck).iter().any(|knot| Suspicion::of(&graph, &stuck, knot).is_some())
}

/// Whether somebody who runs is seen at once to be able to help: mostly there is.
fn is_helped(me: &'static ThreadInfo) -> bool {
    let Some(waiting) = me.wait.endless() else { return true };
    let runs = |info: &ThreadInfo| info.wait.endless().is_none();
    match &waiting.target {
        Target::Lock { lock, .. } => waiting
            .owner
            .and_then(thread::by_index)
            .is_some_and(|owner| runs(owner) && owner.held.find(*lock, Mode::Exclusive).is_some()),
        Target::Threads(threads) => threads.iter().all(|&id| thread::by_id(id).is_none_or(runs)),
        // Of a condition variable nobody else has the mutex yet: this thread is about to release it.
        Target::Objects { objects, .. } => objects.iter().any(|(object, need)| {
            let known = helpers::known(object.lock);
            can_any(helpers::threads(known.helpers(*need)), runs)
        }),
        Target::Unpark => {
            let known = helpers::known(helpers::thread_object(me.id.load(Ordering::Relaxed)));
            can_any(helpers::threads(known.unparkers()), runs)
        }
    }
}

/// Whether one of these threads, by id, runs, or has ended: what it had may be anybody's then.
fn can_any(threads: Option<Vec<u32>>, runs: impl Fn(&ThreadInfo) -> bool) -> bool {
    let Some(mut able) = threads else { return true };
    able.sort_unstable();
    let is_able = |info: &&ThreadInfo| able.binary_search(&info.id.load(Ordering::Relaxed)).is_ok();
    let mut n_living = 0;
    let is_any_running = thread::living().filter(is_able).any(|info| {
        n_living += 1;
        runs(info)
    });
    is_any_running || n_living < able.len()
}

/// What the watch remembers from one examination to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    suspects: Vec<Suspect>,
    /// A thread that was awake: the first to look at.
    awake: Option<u32>,
    /// Threads that were awake while they waited in line: the wait, and when they were first seen, by the clock and by their time on a
    /// processor.
    awake_in_line: HashMap<u32, (u64, Instant, u64)>,
}

/// Time on a processor, in ns, after which a thread that waits for a lock does nothing but that. What it does before it really waits takes
/// less than a thousandth of it.
const SPINNING: u64 = 20_000_000;
/// The same for one that naps between its looks at the lock, by the clock.
const NAPPING: Duration = Duration::from_secs(5);

impl Memory {
    /// Whether a thread that waits in line without sleeping has been at it for so long that it spins.
    fn spins(&mut self, task: u32, node: &Node) -> bool {
        let episode = node.waiting.as_ref().map(|waiting| waiting.episode);
        let (Some(episode), Some(used)) = (episode, kernel::processor_time(task)) else { return false };
        let first = self.awake_in_line.entry(task).or_insert_with(|| (episode, Instant::now(), used));
        if first.0 != episode {
            *first = (episode, Instant::now(), used);
        }
        used.saturating_sub(first.2) >= SPINNING || first.1.elapsed() >= NAPPING
    }
}

/// A knot that may be reported later.
#[derive(Debug)]
struct Suspect {
    waits: Vec<(u32, u64)>,
    looks: Vec<(u32, Look)>,
    since: Instant,
}

/// What came out of an examination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Examined {
    /// Nothing to see.
    Clear,
    /// To be looked at again.
    Suspicious,
    /// Nothing will ever happen in this process again.
    Over,
}

/// Looks at everything, and reports what is certain, or has been suspicious for long enough. Called by the watch.
pub(super) fn examine(entered: &Entered, memory: &mut Memory) -> Examined {
    if COUNTS.endless.load(Ordering::Relaxed) == 0 {
        memory.suspects.clear();
        return Examined::Clear;
    }
    let survey = Survey::take(entered, memory);
    let graph = survey.graph();
    let demands = graph.demands(true);
    let stuck = solve::stuck(&demands, true);
    let new: Vec<_> = knots(&demands, &stuck).into_iter().filter(|knot| !is_reported(&graph, knot)).collect();
    if !new.is_empty() && still_wait(&graph, &stuck) && survey.still_joins(&graph, &stuck) {
        Case { graph, stuck, knots: new, verdict: Verdict::Proof }.report(entered, false);
        return Examined::Suspicious;
    }
    if survey.all_rest
        && let Some(graph) = survey.everybody(graph.clone())
    {
        let stuck = vec![true; graph.nodes.len()];
        let knots = knots(&graph.demands(false), &stuck);
        Case { graph, stuck, knots, verdict: Verdict::Everybody }.report(entered, false);
        return Examined::Over;
    }
    let is_any_suspected = suspect(entered, memory, &survey, graph);
    let endless = COUNTS.endless.load(Ordering::Relaxed);
    let may_be_joined = COUNTS.joined_unseen.load(Ordering::Relaxed) > 0;
    if is_any_suspected || may_be_joined || (endless > 0 && endless >= thread::n_living()) {
        Examined::Suspicious
    } else {
        Examined::Clear
    }
}

/// Looks for knots that are suspicious and reports those that have been for long enough. Whether there are others.
fn suspect(entered: &Entered, memory: &mut Memory, survey: &Survey, graph: Graph) -> bool {
    let demands = graph.demands(false);
    let stuck = stuck(&demands, true);
    let mut suspects = Vec::new();
    let mut due = Vec::new();
    for knot in knots(&demands, &stuck) {
        let Some(suspicion) = Suspicion::of(&graph, &stuck, &knot) else { continue };
        if is_reported(&graph, &knot) {
            continue;
        }
        // It has to sleep, unless it waits for a lock that a stuck thread holds: it may spin then.
        let Some(looks) = survey.look_at_sleepers(&graph, &stuck, &knot) else { continue };
        let waits = waits(&graph, &knot);
        let known = memory.suspects.iter().find(|known| known.waits == waits && known.looks == looks);
        let since = known.map_or_else(Instant::now, |known| known.since);
        if since.elapsed() >= suspicion.grace && (!suspicion.only_if_quiet || survey.is_quiet(&graph, &stuck)) {
            due.push(knot);
        } else {
            suspects.push(Suspect { waits, looks, since });
        }
    }
    memory.suspects = suspects;
    if !due.is_empty() && still_wait(&graph, &stuck) {
        Case { graph, stuck, knots: due, verdict: Verdict::Suspicion }.report(entered, false);
        return true;
    }
    !memory.suspects.is_empty()
}
