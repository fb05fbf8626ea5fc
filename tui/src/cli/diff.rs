//! `lockscope diff`: what two recordings differ in: findings that are new, gone or changed, and how long locks were waited for.
//!
//! Findings are the same when their fingerprints are, which survive recompilation; locks are when their classes have the same name.

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use clap::{ArgMatches, Args, ValueEnum, ValueHint};
use lockscope_analyzer::{finding::Finding, stats::LockStats};
use lockscope_trace::{Definitions, Nanos};
use serde::Serialize;

use crate::cli::{
    Failure, Global, check,
    engines::EngineArgs,
    exit,
    lint::LintArgs,
    load::Checked,
    report::{Counts, grouped},
    rules::{Rules, VerdictArgs},
    style::{self, Look},
    table::{Align, Cell, Table},
};

/// Arguments of `diff`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope diff main.lks branch.lks\n  lockscope diff --format json before.lks after.lks | jq '.new[].title'\n\nExit codes: 0 nothing new at or above --fail-on, 1 new findings, 2 usage, 3 unreadable trace"
)]
pub struct DiffArgs {
    /// The trace to compare with
    #[arg(value_hint = ValueHint::FilePath)]
    old: PathBuf,
    /// The trace that is compared
    #[arg(value_hint = ValueHint::FilePath)]
    new: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    verdict: VerdictArgs,
    #[command(flatten)]
    lint: LintArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For programs; `tui/schema/diff-1.json` in the source describes it
    Json,
}

/// Locks beyond these are not listed for people.
const MAX_LOCKS: usize = 20;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    old_trace: String,
    new_trace: String,
    new: Vec<Item<'a>>,
    fixed: Vec<Item<'a>>,
    changed: Vec<Change<'a>>,
    contention: Vec<Contention>,
}

#[derive(Serialize)]
struct Item<'a> {
    code: &'static str,
    severity: &'static str,
    confidence: &'static str,
    fingerprint: &'a str,
    title: &'a str,
    count: u64,
}

#[derive(Serialize)]
struct Change<'a> {
    #[serde(flatten)]
    item: Item<'a>,
    old_severity: &'static str,
    old_confidence: &'static str,
    old_count: u64,
}

/// What became of a class of locks.
#[derive(Serialize)]
struct Contention {
    lock: String,
    old: Numbers,
    new: Numbers,
}

#[derive(Serialize, Default, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    acquisitions: u64,
    contended: u64,
    /// `None` in traces without times.
    waited_ns: Option<u64>,
    longest_hold_ns: Option<u64>,
}

/// A trace with the numbers of its classes of locks.
struct Side {
    checked: Checked,
    classes: BTreeMap<String, Numbers>,
}

/// Runs the verb.
pub fn run(args: &DiffArgs, matches: &ArgMatches, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let rules = Rules::new(&args.verdict, matches, &global.config()?)?;
    let (old, new) = (side(&args.old, &rules, global)?, side(&args.new, &rules, global)?);
    let find = |side: &'_ Side, finding: &Finding| -> Option<usize> {
        let is_same = |other: &Finding| other.fingerprint == finding.fingerprint && other.code == finding.code;
        side.checked.findings.iter().position(is_same)
    };
    let only = |here: &'_ Side, there: &Side| -> Vec<usize> {
        (0..here.checked.findings.len()).filter(|&idx| find(there, &here.checked.findings[idx]).is_none()).collect()
    };
    let (added, gone) = (only(&new, &old), only(&old, &new));
    let changed: Vec<(usize, usize)> = new
        .checked
        .findings
        .iter()
        .enumerate()
        .filter_map(|(idx, finding)| {
            let before = find(&old, finding)?;
            let was = &old.checked.findings[before];
            let is_changed =
                (was.severity, was.confidence, was.count) != (finding.severity, finding.confidence, finding.count);
            is_changed.then_some((before, idx))
        })
        .collect();
    let is_failure = added.iter().any(|&idx| rules.fail_on.applies(&new.checked.findings[idx]));
    let document = Document {
        version: 1,
        old_trace: args.old.to_string_lossy().into_owned(),
        new_trace: args.new.to_string_lossy().into_owned(),
        new: added.iter().map(|&idx| item(&new.checked.findings[idx])).collect(),
        fixed: gone.iter().map(|&idx| item(&old.checked.findings[idx])).collect(),
        changed: changed
            .iter()
            .map(|&(before, after)| {
                let was = &old.checked.findings[before];
                Change {
                    item: item(&new.checked.findings[after]),
                    old_severity: was.severity.as_str(),
                    old_confidence: was.confidence.as_str(),
                    old_count: was.count,
                }
            })
            .collect(),
        contention: contention(&old, &new),
    };
    match args.format {
        Format::Json => {
            crate::json::write_pretty(&mut *out, &document)?;
            writeln!(out)?;
        }
        Format::Human => {
            human(&document, &global.stdout(), out)?;
            let counts = Counts::new(added.iter().map(|&idx| &new.checked.findings[idx]));
            writeln!(out, "new: {counts}; {} gone, {} changed", document.fixed.len(), document.changed.len())?;
        }
    }
    for remark in rules.finish()?.iter().filter(|_| !global.quiet) {
        writeln!(std::io::stderr(), "{} {remark}", global.stderr().paint(style::NOTE, "note:"))?;
    }
    Ok(if is_failure { exit::FINDINGS } else { exit::OK })
}

fn side(path: &std::path::Path, rules: &Rules, global: &Global) -> Result<Side, Failure> {
    let mut classes = BTreeMap::new();
    let (checked, _) =
        check::check_with(path, rules, &EngineArgs::default(), global, &mut |_, _, _| {}, &mut |analysis, source| {
            let defs = source.definitions();
            for (class, stats) in analysis.stats().classes(defs) {
                let name = defs.classes.get(class.0 as usize).map(|&lock| defs.class_name(lock)).unwrap_or_default();
                add(classes.entry(name).or_default(), &stats, source.info().has_times);
            }
        })?;
    Ok(Side { checked, classes })
}

fn add(numbers: &mut Numbers, stats: &LockStats, has_times: bool) {
    numbers.acquisitions += stats.acquisitions;
    numbers.contended += stats.contended;
    if has_times {
        *numbers.waited_ns.get_or_insert(0) += stats.wait.total.0;
        let longest = numbers.longest_hold_ns.get_or_insert(0);
        *longest = (*longest).max(stats.hold.max.0);
    }
}

fn item(finding: &Finding) -> Item<'_> {
    Item {
        code: finding.code.as_str(),
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        fingerprint: &finding.fingerprint,
        title: &finding.title,
        count: finding.count,
    }
}

/// Classes that anybody waited for in either trace, those with the greatest difference first.
fn contention(old: &Side, new: &Side) -> Vec<Contention> {
    let names: std::collections::BTreeSet<&String> = old.classes.keys().chain(new.classes.keys()).collect();
    let numbers = |side: &Side, name: &String| side.classes.get(name).copied().unwrap_or_default();
    let mut list: Vec<Contention> = names
        .into_iter()
        .map(|name| Contention { lock: name.clone(), old: numbers(old, name), new: numbers(new, name) })
        .filter(|contention| {
            contention.old.contended + contention.new.contended > 0 && contention.old != contention.new
        })
        .collect();
    let change = |contention: &Contention| {
        let waited = |numbers: Numbers| numbers.waited_ns.unwrap_or(numbers.contended);
        waited(contention.old).abs_diff(waited(contention.new))
    };
    list.sort_by_key(|contention| std::cmp::Reverse(change(contention)));
    list
}

fn human(document: &Document<'_>, look: &Look, out: &mut dyn Write) -> Result<(), Failure> {
    for (word, style, items) in [("new", style::ERROR, &document.new), ("fixed", style::NOTE, &document.fixed)] {
        for item in items {
            let what = format!("{}[{}]: {}", item.severity, item.code, Definitions::clean(item.title));
            writeln!(out, "{} {what}", look.paint(style, &format!("{word}:")))?;
        }
    }
    for Change { item, old_severity, old_confidence, old_count } in &document.changed {
        let mut changes = Vec::new();
        for (before, now) in [(*old_severity, item.severity), (*old_confidence, item.confidence)] {
            if before != now {
                changes.push(format!("{before} is now {now}"));
            }
        }
        if *old_count != item.count {
            changes.push(format!("seen {} instead of {} times", grouped(item.count), grouped(*old_count)));
        }
        let what = format!("{}[{}]: {}", item.severity, item.code, Definitions::clean(item.title));
        writeln!(out, "{} {what}: {}", look.paint(style::WARNING, "changed:"), changes.join(", "))?;
    }
    if !document.contention.is_empty() {
        let mut table = Table::new(&[
            ("waits for", Align::Left),
            ("had to wait", Align::Right),
            ("before", Align::Right),
            ("waited", Align::Right),
            ("before", Align::Right),
            ("longest hold", Align::Right),
            ("before", Align::Right),
        ]);
        let time = |nanos: Option<u64>| nanos.map_or("-".to_owned(), |nanos| Nanos(nanos).to_string());
        for Contention { lock, old, new } in document.contention.iter().take(MAX_LOCKS) {
            table.row([
                Cell::styled(lock.as_str(), style::LOCK),
                grouped(new.contended).into(),
                Cell::styled(grouped(old.contended), style::DIM),
                time(new.waited_ns).into(),
                Cell::styled(time(old.waited_ns), style::DIM),
                time(new.longest_hold_ns).into(),
                Cell::styled(time(old.longest_hold_ns), style::DIM),
            ]);
        }
        table.write(out, look)?;
        if document.contention.len() > MAX_LOCKS {
            writeln!(out, "and {} more; see --format json", document.contention.len() - MAX_LOCKS)?;
        }
        writeln!(out)?;
    }
    Ok(())
}
