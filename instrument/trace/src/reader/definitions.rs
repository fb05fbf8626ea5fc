//! Applies definition records.

use std::sync::Arc;

use crate::{
    Definitions, Frame, Site, SiteId, StringId, ThreadDef, ThreadId, VarDef,
    defs::{Module, without_detours},
    format::{code, halves, kind, record_words},
};

/// Applies records to `defs`; returns the bytes that made no sense.
///
/// Ids must come in order: anything else is damage, and so no id can make a table grow by more than the record that names it.
pub(super) fn apply(words: &[u64], defs: &mut Definitions) -> u64 {
    let mut at = 0;
    let mut damaged = 0;
    while at < words.len() {
        let len = record_words(words[at]);
        let Some(record) = words.get(at..at + len).filter(|record| !record.is_empty()) else {
            return damaged + (words.len() - at) as u64 * 8;
        };
        if one(words[at] as u8, &record[1..], defs).is_none() {
            damaged += len as u64 * 8;
        }
        at += len;
    }
    damaged
}

/// Applies records about locks from the chunks of a flight recorder: in any order, of locks that may be known, and of some that are gone.
pub(super) fn apply_locks(words: &[u64], defs: &mut Definitions) -> u64 {
    let mut damaged = 0;
    for is_about_known in [false, true] {
        let mut at = 0;
        while at < words.len() {
            let len = record_words(words[at]);
            let Some(record) = words.get(at..at + len).filter(|record| record.len() > 1) else {
                damaged += if is_about_known { 0 } else { (words.len() - at) as u64 * 8 };
                break;
            };
            at += len;
            let kind = words[at - len] as u8;
            let id = halves(record[1]).0;
            if (kind != kind::LOCK) != is_about_known || (kind == kind::LOCK) == defs.lock_of_file(id).is_some() {
                continue;
            }
            if kind == kind::LOCK && !defs.begin_lock(id) {
                continue;
            }
            if lock(kind, &record[1..], defs).is_none() {
                damaged += len as u64 * 8;
            }
        }
    }
    damaged
}

/// A record about a lock: one that begins now, or one that is known.
fn lock(record_kind: u8, words: &[u64], defs: &mut Definitions) -> Option<()> {
    let word = |index: usize| words.get(index).copied();
    let (id, second) = halves(word(0)?);
    let known = |defs: &Definitions| defs.lock_of_file(id).map(|id| id.0 as usize);
    match record_kind {
        kind::LOCK => {
            let (name, site) = halves(word(1).unwrap_or(0));
            let (rank, lock_kind) = halves(word(2).unwrap_or(0));
            let site = SiteId::from_raw(site).filter(|site| site.index() < defs.sites.len());
            let type_name = text(second, defs).unwrap_or_default();
            let name = text(name, defs);
            defs.add_lock(code::parse_lock_kind(lock_kind as u8), name, type_name, site, rank.checked_sub(1));
            // Shorter than any writer makes it.
            word(2)?;
        }
        kind::CAPACITY => {
            let capacity = word(1)?;
            let index = known(defs)?;
            defs.locks[index].capacity = Some(capacity);
        }
        kind::FIRST_USE => {
            let index = known(defs)?;
            defs.locks[index].is_first_use = true;
        }
        _ => {}
    }
    Some(())
}

fn one(record_kind: u8, words: &[u64], defs: &mut Definitions) -> Option<()> {
    let word = |index: usize| words.get(index).copied();
    let (id, second) = halves(word(0)?);
    match record_kind {
        kind::STRING => {
            in_order(id, defs.string_count() + 1)?;
            let bytes: Vec<u8> = words[1..].iter().flat_map(|word| word.to_le_bytes()).collect();
            defs.add_text(&String::from_utf8_lossy(bytes.get(..second as usize)?));
        }
        kind::SITE => {
            in_order(id, defs.sites.len() + 1)?;
            let (line, column) = halves(word(1)?);
            let file = without_detours(&text(second, defs)?).into();
            defs.sites.push(Site { file, line, column });
        }
        kind::LOCK => {
            in_order(id, defs.locks.len())?;
            if !defs.begin_lock(id) {
                return None;
            }
            lock(record_kind, words, defs)?;
        }
        kind::CAPACITY | kind::FIRST_USE => lock(record_kind, words, defs)?,
        kind::VAR => {
            in_order(id, defs.vars.len())?;
            let (_, site) = halves(word(1)?);
            let created = SiteId::from_raw(site).filter(|site| site.index() < defs.sites.len());
            let name = text(second, defs).unwrap_or_else(|| "?".into());
            defs.vars.push(VarDef { name, created });
        }
        kind::THREAD => {
            in_order(id, defs.threads.len())?;
            let (name, os_id) = halves(word(1)?);
            let parent = second.checked_sub(1).filter(|&parent| parent < id).map(ThreadId);
            let name = text(name, defs);
            defs.threads.push(ThreadDef { name, parent, os_id });
        }
        kind::STACK_DEF => {
            in_order(id, defs.stacks.len() + 1)?;
            let addresses = words.get(1..1 + second as usize)?;
            defs.stacks.push(addresses.iter().map(|&address| Frame { address, ..Frame::default() }).collect());
        }
        kind::MODULE => {
            let path = text(halves(word(3)?).0, defs)?;
            defs.modules.push(Module { start: word(0)?, end: word(1)?, offset: word(2)?, path });
        }
        // A kind of a newer minor version.
        _ => {}
    }
    Some(())
}

fn in_order(id: u32, expected: usize) -> Option<()> {
    (id as usize == expected).then_some(())
}

/// The name with a file's id, which counts from 1. Names have one line.
fn text(id: u32, defs: &Definitions) -> Option<Arc<str>> {
    let text = defs.string(StringId(id.checked_sub(1)?))?;
    Some(if text.contains('\n') { Definitions::clean(text) } else { text.clone() })
}
