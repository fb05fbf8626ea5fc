//! What is said of each thread: what it waits for, what it has that others want, and who could have helped it.

use lockscope_trace::{LockKind, Need};

use super::{
    Case, Verdict,
    graph::{Helpers, Node, Relation, Who, Why},
};
use crate::rt::{
    Site,
    helpers::{self, Known},
    object::Helper,
    report::{Draft, LockFacts, elapsed, held_for, mode_words, thread_name},
    thread,
    waiting::{Target, Waiting},
    words::{join, need_name, target_name, wanted_words},
};

impl Case {
    /// What a thread waits for, what it has that others want, and who could help it.
    pub(super) fn describe(&self, draft: &mut Draft, index: usize, members: &[usize]) {
        let node = &self.graph.nodes[index];
        let name = node.name();
        match (&node.waiting, &node.who) {
            (Some(waiting), _) => {
                let (target, how) = (target_name(waiting), wanted_words(waiting));
                let since = elapsed(waiting.since);
                draft.line(&format!("{name} waits for {target}{how} at {}, for {since}", waiting.site));
            }
            (None, Who::Ended(_)) => {
                draft.line(&format!("{name} has ended"));
            }
            (None, _) => {
                draft.line(&match node.all.first() {
                    Some(joined) => format!("{name} joins {}", self.graph.nodes[joined.to].name()),
                    None => format!("{name} sleeps, waiting for something that lockscope does not see"),
                });
            }
        }
        for held in self.wanted_of(index) {
            let verb = if matches!(node.who, Who::Ended(_)) { "without releasing" } else { "and has" };
            let (what, how) = (held.what, held.how);
            draft.line(&format!("  {verb} {what}, taken{how} at {}{}", held.site, held_for(held.since)));
        }
        let Some(waiting) = &node.waiting else { return };
        for relation in node.all.iter().filter(|relation| self.stuck[relation.to]) {
            if let Why::HoldsMutex(held) = &relation.why {
                let other = self.graph.nodes[relation.to].name();
                draft.line(&format!("  and then for its mutex, which {other} took at {}", held.site));
            }
        }
        if let Some(some) = &node.some {
            self.describe_helpers(draft, index, waiting, some, members);
        }
        if let Some(unheard) = node.unheard() {
            let since = elapsed(unheard.at);
            draft.line(&format!(
                "  the last notification, by {} at {}, {since} ago, came before the wait: nobody heard it",
                unheard.thread, unheard.site
            ));
        }
    }

    fn describe_helpers(&self, draft: &mut Draft, me: usize, waiting: &Waiting, some: &Helpers, members: &[usize]) {
        let objects = match &waiting.target {
            Target::Objects { objects, .. } => objects.as_slice(),
            _ => &[],
        };
        let able = |relation: &Relation| match &relation.why {
            Why::Able(need) => Some((relation.to, able_words(*need))),
            Why::Unparks => Some((relation.to, "has unparked it before")),
            Why::Holds(held) => Some((relation.to, if held.permits == 1 { "has a permit" } else { "has permits" })),
            _ => None,
        };
        let mut known: Vec<_> = some.from.iter().filter_map(|(relation, _)| able(relation)).collect();
        known.sort_unstable();
        known.dedup();
        for (index, verb) in &known {
            if *index == me {
                // That a thread could notify itself goes without saying; that it keeps a channel open does not.
                if waits_for_messages(waiting) {
                    draft.line(&format!("  it {verb} itself"));
                }
                continue;
            }
            let node = &self.graph.nodes[*index];
            let why_not = match node.who {
                Who::Ended(_) => ", but has ended",
                _ if members.contains(index) => ", but waits itself",
                _ => "",
            };
            draft.line(&format!("  {} {verb}{why_not}", node.name()));
        }
        for (object, need) in objects {
            let known = helpers::known(object.lock);
            let ended = known
                .helpers(*need)
                .filter(|helper| matches!(helper, Helper::Thread(id) if thread::by_id(*id).is_none()));
            match (ended.count(), *need) {
                (0, _) => {}
                (1, need) => {
                    draft.line(&format!("  a thread that {} has ended", past_words(need)));
                }
                (n, need) => {
                    draft.line(&format!("  {n} threads that {} have ended", past_words(need)));
                }
            }
            match need {
                Need::Permits(_) => describe_permits(draft, object, &known),
                Need::Party => self.describe_parties(draft, object.lock, &known),
                _ => {}
            }
        }
        if known.is_empty() && !objects.is_empty() && self.verdict == Verdict::Suspicion {
            let needs: Vec<String> = objects.iter().map(|(object, need)| need_name(object, *need)).collect();
            draft.line(&format!("  nobody is known to have given {} before", needs.join(" or ")));
        }
    }

    fn describe_parties(&self, draft: &mut Draft, barrier: u32, known: &Known) {
        let is_there = |node: &&Node| {
            let target = node.waiting.as_ref().map(|waiting| &waiting.target);
            matches!(target, Some(Target::Objects { objects, .. }) if objects.iter().any(|(object, _)| object.lock == barrier))
        };
        if let Some(capacity) = known.capacity {
            let n = self.graph.nodes.iter().filter(is_there).count();
            draft.line(&format!("  {n} of the {capacity} threads that have to meet there have come"));
        }
    }

    /// What of a thread's other stuck threads wait for.
    fn wanted_of(&self, index: usize) -> Vec<Wanted> {
        let waiting = self.graph.nodes.iter().zip(&self.stuck).filter(|(_, stuck)| **stuck);
        let mut wanted: Vec<Wanted> = waiting
            .flat_map(|(node, _)| node.relations())
            .filter(|relation| relation.to == index)
            .filter_map(|relation| match &relation.why {
                Why::Holds(held) | Why::HoldsMutex(held) => {
                    let facts = LockFacts {
                        lock: held.lock,
                        kind: held.kind,
                        created: held.created,
                        type_name: held.type_name,
                    };
                    let is_semaphore = held.kind == LockKind::Semaphore;
                    let what = match held.permits {
                        1 if is_semaphore => format!("a permit of {}", facts.describe()),
                        n if is_semaphore => format!("{n} permits of {}", facts.describe()),
                        _ => facts.describe(),
                    };
                    let how = mode_words(held.kind, held.mode);
                    Some(Wanted { what, how, site: held.site, since: held.since })
                }
                _ => None,
            })
            .collect();
        wanted.sort_unstable_by_key(|wanted| (wanted.what.clone(), wanted.site.line()));
        wanted.dedup_by_key(|wanted| (wanted.what.clone(), wanted.site.to_string()));
        wanted
    }

    /// The threads that are not stuck, and why they do not count.
    pub(super) fn describe_others(&self, draft: &mut Draft) {
        match self.verdict {
            Verdict::Everybody => {
                draft.line("every thread of the process waits for another one: nobody is left to help");
            }
            Verdict::Proof => {}
            Verdict::Suspicion => {
                let runs = |(node, stuck): (&Node, &bool)| (!stuck && node.task().is_some()).then(|| node.name());
                let others: Vec<String> = self.graph.nodes.iter().zip(&self.stuck).filter_map(runs).collect();
                draft.line(&match others.as_slice() {
                    [] => {
                        "note: other threads run that lockscope knows nothing of; one of them may help yet".to_owned()
                    }
                    [one] => format!("note: {one} runs, but is not known to be able to help; it may yet"),
                    [a, b, c, d, ..] => format!(
                        "note: {} threads run, such as {}, but are not known to be able to help; one of them may yet",
                        others.len(),
                        join(&[a, b, c, d].map(Clone::clone)[..3])
                    ),
                    few => {
                        format!("note: {} run, but are not known to be able to help; one of them may yet", join(few))
                    }
                });
            }
        }
    }
}

fn waits_for_messages(waiting: &Waiting) -> bool {
    let Target::Objects { objects, .. } = &waiting.target else { return false };
    objects.iter().any(|(_, need)| matches!(need, Need::Message | Need::Room))
}

/// Something that others wait for.
struct Wanted {
    what: String,
    how: &'static str,
    site: Site,
    since: u64,
}

fn describe_permits(draft: &mut Draft, semaphore: &LockFacts, known: &Known) {
    if let (Some(capacity), 1..) = (known.capacity, known.forgotten) {
        let name = semaphore.describe();
        let added = if known.added > 0 { format!(", {} were added since", known.added) } else { String::new() };
        draft.line(&format!("  {name} had {capacity} permits{added}; {} were forgotten", known.forgotten));
    }
}

/// What a thread is known by to be able to help.
fn able_words(need: Need) -> &'static str {
    match need {
        Need::Notify => "has notified it before",
        Need::Message => "has a sender",
        Need::Room => "has a receiver",
        Need::Permits(_) => "has added permits before",
        Need::Party => "has been there before",
        Need::Init => "initialises it",
    }
}

fn past_words(need: Need) -> &'static str {
    match need {
        Need::Notify => "had notified it",
        Need::Message => "had a sender",
        Need::Room => "had a receiver",
        Need::Permits(_) => "had added permits",
        Need::Party => "had been there",
        Need::Init => "initialised it",
    }
}

impl Node {
    /// How reports call the thread.
    pub(super) fn name(&self) -> String {
        match self.who {
            Who::Thread(info) | Who::Ended(info) => thread_name(info),
            Who::Task(task) => {
                // The name that the kernel keeps, which is cut at 15 bytes.
                let name = std::fs::read_to_string(format!("/proc/self/task/{task}/comm")).unwrap_or_default();
                let name = lockscope_trace::Definitions::clean(name.trim_end());
                let main = if task == std::process::id() { "the main thread" } else { "thread" };
                format!("{main} \"{name}\"")
            }
        }
    }

    /// The notification that this thread missed, if that is why it waits.
    pub(super) fn unheard(&self) -> Option<helpers::Unheard> {
        let waiting = self.waiting.as_ref()?;
        let Target::Objects { objects, mutex: Some(mutex) } = &waiting.target else { return None };
        let [(condvar, Need::Notify)] = objects.as_slice() else { return None };
        let unheard = helpers::known(condvar.lock).unheard?;
        // Who has looked at the data after that (or may have: acquisitions are not always timed) has not missed anything.
        let has_looked = mutex.was_read && (mutex.since == 0 || unheard.at <= mutex.since);
        (unheard.at <= waiting.since && !has_looked).then_some(unheard)
    }
}
