//! How detectors name things, and fingerprints.

use std::collections::BTreeSet;

use lockscope_trace::{ClassId, Definitions, LockId, LockKind, Mode, SiteId, defs::short_paths};

use crate::finding::{Code, Participant};

/// `a`, `a and b`, `a, b and c`.
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// A list of locks: those of one name are counted, `2 locks of Mutex<u32> (src/bank.rs:12) and log`.
pub fn list_locks(names: &[String]) -> String {
    let mut counted: Vec<(&String, usize)> = Vec::new();
    for name in names {
        match counted.iter_mut().find(|(known, _)| *known == name) {
            Some((_, n)) => *n += 1,
            None => counted.push((name, 1)),
        }
    }
    let words = |(name, n): (&String, usize)| if n == 1 { name.clone() } else { format!("{n} locks of {name}") };
    list(&counted.into_iter().map(words).collect::<Vec<_>>())
}

/// `1 thread`, `2 threads`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `once`, `twice`, `3 times`.
pub fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// The site as a report shows it, or `an unknown place`.
pub fn place(definitions: &Definitions, site: Option<SiteId>) -> String {
    site.and_then(|site| definitions.site(site)).map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

/// How a lock is held: `holds it for reading`.
pub fn held(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive => "for writing",
        Mode::Shared => "for reading",
        Mode::Upgradable => "for upgradable reading",
    }
}

/// How a lock is asked for: `asks to read it`.
pub fn asked(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive => "to write",
        Mode::Shared => "to read",
        Mode::Upgradable => "to read upgradably",
    }
}

/// Advice to keep one order of the locks of a circle, each taken before the next. `places` are where the next one is
/// asked for; the last one asks for the first lock after the last.
pub fn one_order(definitions: &Definitions, names: &[String], places: &[Option<SiteId>]) -> String {
    let distinct: BTreeSet<_> = names.iter().collect();
    if distinct.len() < names.len() {
        return "take locks of one kind in a fixed order, for example by address or by an id of their own".to_owned();
    }
    let order = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" before ");
    match places {
        [first @ .., Some(last)] if !first.is_empty() && first.iter().all(|place| *place == Some(*last)) => format!(
            "{} takes them in an order that varies: sort them there before locking, {order} for example",
            place(definitions, Some(*last))
        ),
        [.., Some(last)] => format!("take {order} everywhere; {} does not", place(definitions, Some(*last))),
        _ => format!("take {order} everywhere"),
    }
}

/// Advice where one of the locks of a circle is what an initialiser holds while it runs; `None` where none is.
pub fn initialise_first(definitions: &Definitions, locks: &[LockId]) -> Option<String> {
    let is_once = |lock: &&LockId| {
        let kind = definitions.lock(**lock).map(|lock| lock.kind);
        matches!(kind, Some(LockKind::Once | LockKind::OnceLock | LockKind::LazyLock))
    };
    let once = definitions.class_name(*locks.iter().find(is_once)?);
    let others: Vec<String> =
        locks.iter().filter(|lock| !is_once(lock)).map(|&lock| definitions.class_name(lock)).collect();
    Some(match others.as_slice() {
        [] => format!("let the initialiser of `{once}` do without what is initialised in the same way"),
        others => format!("initialise `{once}` before {} is taken, or without taking it", list(others)),
    })
}

/// A class of locks. A lock that is not defined is a class of its own, told apart by its id.
pub type Class = Result<ClassId, LockId>;

/// The class of a lock.
pub fn class(definitions: &Definitions, lock: LockId) -> Class {
    definitions.lock(lock).map(|lock| lock.class).ok_or(lock)
}

/// Hash over the code and what survives recompilation of the locks and sites: names, types and files. Independent of the
/// order of participants, so that it does not matter which one was seen first.
pub fn fingerprint<'a>(
    definitions: &Definitions,
    code: Code,
    locks: &[LockId],
    participants: impl IntoIterator<Item = &'a Participant>,
) -> String {
    // Without the folder where cargo keeps dependencies, which differs by machine.
    let file = |site: Option<SiteId>| site.and_then(|site| definitions.site(site)).map(|site| short_paths(&site.file));
    let mut lines = BTreeSet::new();
    for &lock in locks {
        if let Some(def) = definitions.lock(lock) {
            let name = def.name.as_deref().unwrap_or_default();
            let made = file(def.created).unwrap_or_default();
            lines.insert(format!("lock {name}\0{}\0{made}", def.type_name));
        }
    }
    for participant in participants {
        let held = participant.held.iter().map(|held| held.site);
        let wanted = participant.wanted.iter().map(|wanted| wanted.site);
        lines.extend(held.chain(wanted).filter_map(file).map(|file| format!("site {file}")));
    }
    let mut hash = Fnv::default();
    hash.write(code.as_str());
    lines.iter().for_each(|line| hash.write(line));
    format!("{:016x}", hash.0)
}

/// Hash over the code and a text.
pub fn fingerprint_of_text(code: Code, text: &str) -> String {
    let mut hash = Fnv::default();
    hash.write(code.as_str());
    hash.write(text);
    format!("{:016x}", hash.0)
}

/// FNV-1a: written down here once and for all, since fingerprints are kept in files between versions.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&names[..1]), "a");
        assert_eq!(list(&names[..2]), "a and b");
        assert_eq!(list(&names), "a, b and c");
        let names = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(list_locks(&names), "2 locks of a and b");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Fnv::default();
        "foobar".bytes().for_each(|byte| hash.0 = (hash.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        assert_eq!(hash.0, 0x8594_4171_f739_67e8, "published test vector");
    }
}
