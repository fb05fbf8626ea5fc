//! Torn windows and regions as findings: one for each set of places, and on request every occurrence.

use std::collections::hash_map::Entry;

use lockscope_trace::{Definitions, SiteId, StringId, ThreadId, defs::short_paths};
use rustc_hash::FxHashMap;

use super::{deed::Done, windows::Torn};
use crate::{
    detect::text,
    engine::EngineId,
    finding::{Accessed, Code, Confidence, Evidence, Finding, Participant, Severity, Touch, What},
};

/// A region that is not atomic.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub thread: ThreadId,
    pub name: Option<StringId>,
    pub site: Option<SiteId>,
    /// What the thread did in the region, what others did to the same data, and so on round to the thread.
    pub deeds: Vec<Done>,
}

/// One occurrence.
#[derive(Clone, Debug)]
pub(super) enum Case {
    Torn(Torn),
    Broken(Broken),
}

/// What was found so far.
#[derive(Debug)]
pub(super) struct Cases {
    /// Tell also what only could happen and is often harmless.
    thorough: bool,
    all: Option<Vec<Case>>,
    bugs: Vec<Case>,
    /// How often each of them was seen.
    counts: Vec<u64>,
    bug_of: FxHashMap<Key, usize>,
    /// Occurrences beyond the bugs that are told apart.
    dropped: u64,
}

/// Where it is, and the data where that does not tell.
#[derive(PartialEq, Eq, Hash, Debug)]
enum Key {
    Torn([Option<SiteId>; 3], Option<What>),
    Broken(Option<StringId>, Option<SiteId>, Vec<(Option<SiteId>, Touch)>, Option<What>),
}

/// Most bugs that are told apart.
const MOST_BUGS: usize = 1000;

impl Cases {
    pub fn new(all: bool, thorough: bool) -> Self {
        Cases {
            thorough,
            all: all.then(Vec::new),
            bugs: Vec::new(),
            counts: Vec::new(),
            bug_of: FxHashMap::default(),
            dropped: 0,
        }
    }

    /// Takes a case in. Returns its bug if that is known to have happened, now or before: then those of the same places that only could
    /// happen change nothing, and others can be told by [`again`](Self::again).
    pub fn add(&mut self, case: Case) -> Option<u32> {
        let bug = match self.bug_of.entry(case.key()) {
            Entry::Occupied(known) => {
                let bug = *known.get();
                let (first, count) = (&mut self.bugs[bug], &mut self.counts[bug]);
                // What happened says more than what could.
                match (&*first, &case) {
                    (Case::Torn(could), Case::Torn(now)) if now.happened && !could.happened => {
                        (*first, *count) = (case.clone(), 1);
                    }
                    (Case::Torn(known), Case::Torn(could)) if known.happened && !could.happened => {}
                    _ => *count += 1,
                }
                Some(bug)
            }
            Entry::Vacant(_) if self.bugs.len() == MOST_BUGS => {
                self.dropped += 1;
                None
            }
            Entry::Vacant(place) => {
                self.bugs.push(case.clone());
                self.counts.push(1);
                Some(*place.insert(self.bugs.len() - 1))
            }
        };
        if let Some(all) = &mut self.all {
            all.push(case);
        }
        let has_happened = |bug: &usize| matches!(&self.bugs[*bug], Case::Torn(torn) if torn.happened);
        bug.filter(|bug| self.all.is_none() && has_happened(bug)).map(|bug| bug as u32)
    }

    /// A bug that has happened did so once more.
    #[inline]
    pub fn again(&mut self, bug: u32) {
        self.counts[bug as usize] += 1;
    }

    pub fn findings(&self, definitions: &Definitions) -> Vec<Finding> {
        let bugs = self.bugs.iter().zip(&self.counts);
        let told = bugs.filter(|(case, _)| self.thorough || !case.is_weak(definitions));
        told.map(|(case, &count)| Finding { count, ..case.finding(definitions) }).collect()
    }

    pub fn occurrences(&self, definitions: &Definitions) -> Vec<Finding> {
        let mut all: Vec<Finding> = self.all.iter().flatten().map(|case| case.finding(definitions)).collect();
        for finding in &mut all {
            // What is said for people would be said for each.
            (finding.notes, finding.help) = Default::default();
        }
        all.sort_by_key(|finding| finding.events.last().copied());
        all
    }

    pub fn bytes(&self) -> u64 {
        let all = self.all.as_ref().map_or(0, |all| all.capacity() * size_of::<Case>());
        (all + self.bugs.capacity() * (size_of::<(Case, u64)>() + size_of::<(Key, usize)>())) as u64
    }

    pub fn limits(&self) -> Vec<String> {
        let text = || format!("{} more lost updates and the like at other places are not listed", self.dropped);
        (self.dropped > 0 && self.all.is_none()).then(text).into_iter().collect()
    }
}

impl Case {
    fn key(&self) -> Key {
        fn data(deeds: &[Done]) -> Option<What> {
            let known = deeds.iter().all(|deed| deed.site.is_some());
            (!known).then(|| deeds.first().map(|deed| deed.target.what())).flatten()
        }
        match self {
            Case::Torn(torn) => {
                let deeds = [torn.read, torn.other, torn.write];
                Key::Torn(deeds.map(|deed| deed.site), data(&deeds))
            }
            Case::Broken(broken) => {
                let places = broken.deeds.iter().map(|deed| (deed.site, deed.touch)).collect();
                Key::Broken(broken.name, broken.site, places, data(&broken.deeds))
            }
        }
    }

    /// Whether it only could happen, to data of which one section may use another part than the other one.
    fn is_weak(&self, definitions: &Definitions) -> bool {
        let Case::Torn(torn) = self else { return false };
        let what = torn.read.target.what();
        !torn.happened && matches!(what, What::Data(_)) && code(definitions, what) == Code::CheckThenAct
    }

    fn finding(&self, definitions: &Definitions) -> Finding {
        match self {
            Case::Torn(torn) => window(definitions, torn),
            Case::Broken(broken) => region(definitions, broken),
        }
    }
}

/// Numbers are updated; on everything else one acts.
fn code(definitions: &Definitions, what: What) -> Code {
    let name = what.type_name(definitions);
    // A cell is called by its own type and a lock by that of its data, in which a number may be only a parameter.
    let inner = match what {
        What::Var(_) => name.split_once('<').map_or(name, |(_, rest)| rest.trim_end_matches('>')),
        What::Data(_) => name,
    };
    let number = inner.strip_prefix("Atomic").unwrap_or(inner).to_ascii_lowercase();
    const NUMBERS: [&str; 14] =
        ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64"];
    // In a foreign trace nothing is known of a location but that it is read and written.
    let is_foreign = matches!(what, What::Var(_)) && !name.contains('<') && !name.starts_with("Atomic");
    if is_foreign || NUMBERS.contains(&number.as_str()) { Code::LostUpdate } else { Code::CheckThenAct }
}

/// Whether data is used as a whole, so that whoever writes it writes what others read: numbers, flags, collections. Of other types one
/// section may use one field and the other section another one.
fn is_whole(what: What, code: Code, type_name: &str) -> bool {
    const WHOLE: [&str; 12] = [
        "bool",
        "Option",
        "Vec",
        "VecDeque",
        "HashMap",
        "HashSet",
        "BTreeMap",
        "BTreeSet",
        "BinaryHeap",
        "String",
        "LinkedList",
        "char",
    ];
    let head = type_name.split(['<', ' ']).next().unwrap_or_default();
    let name = head.rsplit("::").next().unwrap_or_default();
    code == Code::LostUpdate || matches!(what, What::Var(_)) || WHOLE.contains(&name)
}

fn window(definitions: &Definitions, torn: &Torn) -> Finding {
    let deeds = [torn.read, torn.other, torn.write].map(|done| done.accessed());
    let what = deeds[0].what;
    let code = code(definitions, what);
    let [me, other] = [&deeds[0], &deeds[1]].map(|deed| definitions.thread_name(deed.thread));
    let data = what.name(definitions);
    let is_lost = code == Code::LostUpdate;
    let title = match (is_lost, torn.happened) {
        (true, true) => {
            format!("what {other} wrote to {data} was lost: {me} overwrote it with what it made of an older value")
        }
        (true, false) => format!(
            "what {other} writes to {data} can be lost: {me} writes what it made of a value that it read before"
        ),
        (false, true) => format!("{me} acted on what it had seen of {data}, which {other} had changed meanwhile"),
        (false, false) => format!("{me} acts on what it saw of {data}, which {other} can change meanwhile"),
    };
    let mut notes = Vec::new();
    if let What::Data(lock) = what {
        let lock = definitions.lock_name(lock);
        notes.push(format!("{me} gave {lock} back in between, and did not look again when it had it once more"));
    }
    if !torn.happened {
        let order = if torn.other.end < torn.read.end { "before" } else { "after" };
        notes.push(format!(
            "in this run {other} wrote {order} that; no lock that both hold, and nothing else that every schedule keeps, says that it must"
        ));
    }
    let help = window_help(what, &data, is_lost);
    let mut finding = finding(definitions, code, title, deeds.to_vec(), torn.happened, notes, help);
    if !is_whole(what, code, what.type_name(definitions)) {
        finding.severity = Severity::Note;
    }
    finding
}

fn window_help(what: What, data: &str, is_lost: bool) -> Vec<String> {
    match (what, is_lost) {
        (What::Data(_), true) => {
            vec![format!("read and write {data} under one guard: keep the lock until it is written")]
        }
        (What::Data(_), false) => vec![
            "keep the lock from the check until the act is done".to_owned(),
            format!("or look again: read {data} once more under the guard that writes"),
        ],
        (What::Var(_), true) => {
            vec!["update it in one step: `fetch_add` and the like, or a `compare_exchange` in a loop".to_owned()]
        }
        (What::Var(_), false) => {
            vec!["check and act in one step: `swap` or `compare_exchange`, and go on what that returns".to_owned()]
        }
    }
}

fn region(definitions: &Definitions, broken: &Broken) -> Finding {
    let deeds: Vec<Accessed> = broken.deeds.iter().map(Done::accessed).collect();
    let me = definitions.thread_name(broken.thread);
    let region = match broken.name.and_then(|name| definitions.string(name)) {
        Some(name) => format!("region \"{name}\""),
        None => "region".to_owned(),
    };
    let mut others: Vec<String> = Vec::new();
    for deed in deeds.iter().filter(|deed| deed.thread != broken.thread) {
        let other = definitions.thread_name(deed.thread);
        if !others.contains(&other) {
            others.push(other);
        }
    }
    let title = format!("the {region} of {me} was not atomic: {} came between its steps", text::list(&others));
    let steps: Vec<String> = deeds
        .iter()
        .map(|deed| {
            let verb = if deed.touch == Touch::Read { "reads" } else { "writes" };
            format!("{} {verb} {}", definitions.thread_name(deed.thread), deed.what.name(definitions))
        })
        .collect();
    let notes = vec![
        format!("{}: no order in which one is done after the other gives the same", steps.join(", ")),
        format!("the {region} began at {}", text::place(definitions, broken.site)),
    ];
    let help = vec![format!("hold one lock throughout the {region}, and wherever else this data is used")];
    finding(definitions, Code::AtomicityViolation, title, deeds, true, notes, help)
}

fn finding(
    definitions: &Definitions,
    code: Code,
    title: String,
    deeds: Vec<Accessed>,
    happened: bool,
    notes: Vec<String>,
    help: Vec<String>,
) -> Finding {
    let mut participants: Vec<Participant> = Vec::new();
    for deed in &deeds {
        if participants.iter().all(|part| part.thread != deed.thread) {
            participants.push(Participant { thread: deed.thread, held: Vec::new(), wanted: None });
        }
    }
    let mut locks: Vec<_> =
        deeds.iter().filter_map(|deed| if let What::Data(lock) = deed.what { Some(lock) } else { None }).collect();
    locks.sort_unstable();
    locks.dedup();
    let mut events: Vec<u64> = deeds.iter().map(|deed| deed.event).collect();
    events.sort_unstable();
    events.dedup();
    Finding {
        code,
        severity: match code {
            // The program said that this must not be.
            Code::AtomicityViolation => Severity::Error,
            _ if happened => Severity::Warning,
            _ => Severity::Note,
        },
        confidence: if happened { Confidence::Actual } else { Confidence::Potential },
        title,
        participants,
        variants: Vec::new(),
        locks,
        first_seen: deeds.iter().map(|deed| deed.time).max().unwrap_or_default(),
        events,
        count: 1,
        fingerprint: fingerprint(definitions, code, &deeds),
        notes,
        help,
        evidence: Evidence { engines: vec![EngineId::Atomicity], accesses: deeds, ..Evidence::default() },
    }
}

/// By what survives recompilation: what kind of data it is, what is done to it and in which files.
fn fingerprint(definitions: &Definitions, code: Code, deeds: &[Accessed]) -> String {
    let file = |site: Option<SiteId>| site.and_then(|site| definitions.site(site)).map(|site| short_paths(&site.file));
    let lines = deeds.iter().map(|deed| {
        let made = deed.what.created(definitions);
        let type_name = deed.what.type_name(definitions);
        [deed.touch.as_str(), &file(deed.site).unwrap_or_default(), type_name, &file(made).unwrap_or_default()]
            .join(" ")
    });
    text::fingerprint_of_text(code, &lines.collect::<Vec<_>>().join("\n"))
}
