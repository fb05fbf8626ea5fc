//! Threads that nobody can help: deadlocks through condition variables, messages, permits, barriers and the like, lost
//! wake-ups, and waits for what a thread took with it when it ended.
//!
//! Looked for where it shows for how long: at the end of what is there, and when the process says that it has found something, which
//! may be the last moment at which it stands. What is certain never ends by itself, so nothing is missed in between. See
//! [`wait_for`] for what *certain* means; what is not is reported when
//!
//! - somebody among the stuck threads holds what another one wants: who only has nothing to do is no finding; and
//! - it lasted: for a second, or to the end of a process that was killed; or the process said so.
//!
//! At an orderly end of the process it is no matter that threads still wait, unless one holds what another wants.

mod report;

pub(in crate::detect) use self::report::permits;

#[cfg(test)]
mod tests;
mod words;

use lockscope_trace::{Definitions, Event, LockId, Nanos, Op, SiteId, StringId, ThreadId};

use super::{Context, Detector};
use crate::{
    analysis::Ending,
    finding::{Code, Confidence, Finding},
    wait_for::{self, Knot, Knowledge},
};

/// How long threads have to be stuck before one says so that cannot be certain.
const LASTING: Nanos = Nanos(1_000_000_000);

/// Most groups of stuck threads that are told apart.
const MOST: usize = 1000;

/// Finds threads that nobody can help.
#[derive(Debug, Default)]
pub struct Stuck {
    /// What stood when the process said so.
    seen: Vec<Group>,
    /// What the process said of which the trace showed nothing then.
    said: Vec<(Said, Finding)>,
}

/// A group of stuck threads.
#[derive(Clone, Debug)]
struct Group {
    finding: Finding,
    /// What is wanted where, whoever wants it.
    places: Vec<Place>,
    /// The waits, by their events.
    waits: Vec<u64>,
}

type Place = (u8, Option<LockId>, Option<SiteId>);

impl Detector for Stuck {
    fn after(&mut self, context: &Context<'_>, event: &Event) {
        if let Op::Finding { code, text } = event.op
            && let Some(said) = Said::read(context.definitions, code, text)
        {
            self.said(context, event, &said);
        }
    }

    fn findings(&mut self, context: &Context<'_>) -> Vec<Finding> {
        let mut groups = self.seen.clone();
        for knot in knots(context, false) {
            if is_finding(context, &knot) {
                add(&mut groups, report::group(context, &knot));
            }
        }
        groups.into_iter().map(|group| group.finding).collect()
    }
}

impl Stuck {
    /// The process found something. What it is shows in the state of this moment: a group of threads whose waits it names.
    fn said(&mut self, context: &Context<'_>, event: &Event, said: &Said) {
        let Context { definitions, state, .. } = *context;
        let is_named = |thread: &ThreadId| {
            let wait = state.thread(*thread).and_then(|thread| thread.wait());
            *thread == event.thread || wait.is_some_and(|wait| said.names(definitions, wait.site))
        };
        let of_knot = |knot: &Knot| knot.members.iter().filter(|thread| is_named(thread)).count();
        let best = |knots: Vec<Knot>| knots.into_iter().filter(|knot| of_knot(knot) > 0).max_by_key(of_knot);
        let is_certain = said.confidence == Confidence::Actual;
        let found = best(knots(context, false)).or_else(|| {
            // The process knows all of its threads, and so that nobody of whom the trace tells nothing can help.
            let closed = if is_certain { knots(context, true) } else { Vec::new() };
            best(closed.into_iter().filter(|knot| report::is_whole(state, knot)).collect())
        });
        if let Some(mut knot) = found {
            knot.certain |= is_certain;
            if self.seen.len() < MOST {
                add(&mut self.seen, report::group(context, &knot));
            }
        } else if wait_for::shortest_cycle(state, event.thread).is_none() {
            let threads = (0..state.threads.len() as u32).map(ThreadId).filter(|thread| {
                is_named(thread) && state.thread(*thread).is_some_and(|thread| thread.wait().is_some())
            });
            let finding = report::said(context, event, said, threads.collect());
            let known = self.said.iter().position(|(_, known)| known.fingerprint == finding.fingerprint);
            match known {
                Some(index) => self.said[index].1.count += 1,
                None if self.said.len() < MOST => self.said.push((said.clone(), finding)),
                None => {}
            }
        }
    }

    /// What the process said and none of these findings is about.
    pub fn said_only(&self, definitions: &Definitions, found: &[Finding]) -> Vec<Finding> {
        let is_told = |said: &Said| {
            found.iter().filter(|finding| is_family(finding.code)).any(|finding| {
                finding.participants.iter().any(|participant| {
                    let held = participant.held.iter().map(|held| held.site);
                    let wanted = participant.wanted.iter().map(|wanted| wanted.site);
                    held.chain(wanted).any(|site| said.names(definitions, site))
                })
            })
        };
        self.said.iter().filter(|(said, _)| !is_told(said)).map(|(_, finding)| finding.clone()).collect()
    }
}

/// Whether findings of this code are about threads that hang.
fn is_family(code: Code) -> bool {
    matches!(code, Code::Deadlock | Code::SelfDeadlock | Code::LostWakeup | Code::SemaphoreLeak | Code::GuardLeak)
}

/// Adds a group, or counts it once more where the same is known. A wait that was seen when the process said so may still stand at the end.
fn add(groups: &mut Vec<Group>, group: Group) {
    let same_waits = |known: &Group| known.waits.iter().any(|wait| group.waits.contains(wait));
    let same = groups.iter_mut().find(|known| same_waits(known) || known.places == group.places);
    match same {
        Some(known) => {
            known.finding.count += u64::from(!same_waits(known));
            if group.finding.confidence > known.finding.confidence {
                known.finding = Finding { count: known.finding.count, ..group.finding };
            }
        }
        None => groups.push(group),
    }
}

/// Groups of stuck threads, but for circles that [`deadlock`](super::deadlock) finds when they close.
fn knots(context: &Context<'_>, nobody_else: bool) -> Vec<Knot> {
    let Context { definitions, state, incomplete, .. } = *context;
    let knowledge = Knowledge { missing_events: incomplete, nobody_else, ..Knowledge::of(definitions) };
    let mut knots = wait_for::knots(state, definitions, knowledge);
    knots.retain(|knot| knot.members.iter().all(|&thread| wait_for::shortest_cycle(state, thread).is_none()));
    knots
}

fn is_finding(context: &Context<'_>, knot: &Knot) -> bool {
    let begun =
        |thread: &ThreadId| context.state.thread(*thread).and_then(|thread| thread.wait()).map(|wait| wait.since);
    let since = knot.members.iter().filter_map(begun).max().unwrap_or_default();
    let lasted = context.ending == Ending::CutOff || context.state.time.since(since) >= LASTING;
    let waits_for_the_dead = report::leaves(context.state, knot).is_some();
    match (knot.certain, knot.holds || waits_for_the_dead) {
        (true, true) => true,
        (true, false) => context.ending != Ending::Orderly,
        (false, holds) => holds && lasted,
    }
}

/// What the process said that it found.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    code: Code,
    confidence: Confidence,
    title: String,
    /// The further lines.
    lines: Vec<String>,
}

/// Most lines of a report that are told again.
const MOST_LINES: usize = 20;

impl Said {
    /// Reads a report of the kind that is looked for in here: `lockscope: error[deadlock]: ... (actual)` and further lines.
    fn read(definitions: &Definitions, code: StringId, text: StringId) -> Option<Said> {
        let code = Code::parse(definitions.string(code)?)?;
        let mut lines = definitions.string(text).filter(|_| is_family(code))?.lines();
        let (_, headline) = lines.next()?.strip_prefix("lockscope: ")?.split_once("]: ")?;
        let (title, confidence) = headline.rsplit_once(" (")?;
        let confidence = match confidence.trim_end_matches(')') {
            "actual" => Confidence::Actual,
            "predicted" => Confidence::Predicted,
            _ => Confidence::Potential,
        };
        let lines = lines.map(str::trim).filter(|line| !line.is_empty()).take(MOST_LINES).map(str::to_owned).collect();
        Some(Said { code, confidence, title: title.to_owned(), lines })
    }

    /// Whether it names this place.
    fn names(&self, definitions: &Definitions, site: Option<SiteId>) -> bool {
        let Some(site) = site.and_then(|site| definitions.site(site)) else { return false };
        let place = site.to_string();
        self.lines.iter().any(|line| {
            // Not 7:1 in 7:19.
            let ends = |at: usize| !line[at + place.len()..].starts_with(|c: char| c.is_ascii_digit());
            line.match_indices(&place).any(|(at, _)| ends(at))
        })
    }
}
