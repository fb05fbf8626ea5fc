//! Words for places and locks, made once: a filter asks for those of a hundred thousand rows at each key that is pressed.

use std::{cell::RefCell, sync::Arc};

use lockscope_trace::{Definitions, LockId, SiteId};

use crate::source::short_site;

/// Words by id. What ids mean never changes, so neither do these.
#[derive(Debug, Default)]
pub struct Texts {
    sites: RefCell<Vec<Option<Arc<str>>>>,
    /// By class: what is the same for all locks that were made at one place.
    classes: RefCell<Vec<Option<Arc<str>>>>,
}

impl Texts {
    /// A place as people want to read it; empty when the trace does not define it.
    pub fn site(&self, defs: &Definitions, id: SiteId) -> Arc<str> {
        with(&self.sites, id.index(), || defs.site(id).map(short_site).unwrap_or_default().into(), Arc::clone)
    }

    /// Appends what [`phrase::lock_label`](crate::cli::report::phrase::lock_label) says of a lock. By hand, since formatting would take
    /// most of the time.
    pub fn lock_label(&self, defs: &Definitions, id: LockId, out: &mut String) {
        let start = out.len();
        out.push('L');
        push_number(out, id.0);
        let Some(def) = defs.lock(id) else { return };
        let has_others = defs.class_size(def.class) > 1;
        let mut add = |name: &str| {
            if has_others || *name != out[start..] {
                out.push(' ');
                out.push_str(name);
            }
        };
        let is_placed = def.created.is_some_and(|site| defs.site(site).is_some());
        match &def.name {
            Some(name) => add(name),
            None if is_placed => {
                with(&self.classes, def.class.0 as usize, || defs.class_name(id).into(), |name| add(name))
            }
            // Without a name and a place it is its handle.
            None => add(&defs.class_name(id)),
        }
        if has_others {
            out.push_str(" #");
            push_number(out, def.ordinal);
        }
    }
}

fn push_number(out: &mut String, number: u32) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// Uses the text of an index, made when it is asked for first.
fn with<T>(
    texts: &RefCell<Vec<Option<Arc<str>>>>,
    idx: usize,
    make: impl FnOnce() -> Arc<str>,
    used: impl FnOnce(&Arc<str>) -> T,
) -> T {
    let mut texts = texts.borrow_mut();
    if texts.len() <= idx {
        texts.resize((idx + 1).next_power_of_two(), None);
    }
    used(texts[idx].get_or_insert_with(make))
}

#[cfg(test)]
mod tests {
    use lockscope_trace::{LockKind, Site};

    use super::*;
    use crate::cli::report::phrase;

    #[test]
    fn locks_are_called_what_reports_call_them() {
        let mut defs = Definitions::default();
        defs.sites.push(Site { file: "src/bank.rs".into(), line: 7, column: 1 });
        let (place, unknown) = (SiteId::from_index(0), SiteId::from_index(9));
        for (name, kind, created) in [
            (Some("accounts"), "u8", place),
            (None, "alloc::vec::Vec<u8>", place),
            (None, "alloc::vec::Vec<u8>", place),
            (None, "u8", None),
            (Some("same"), "", None),
            (Some("same"), "", None),
            (Some("L6"), "", None),
            (None, "u8", unknown),
            (None, "u8", unknown),
        ] {
            defs.add_lock(LockKind::Mutex, name.map(Into::into), kind.into(), created, None);
        }
        let texts = Texts::default();
        // Twice, since the second time the words are there already; and of one that is not defined.
        for id in (0..10).chain(0..10).map(LockId) {
            let mut label = String::new();
            texts.lock_label(&defs, id, &mut label);
            assert_eq!(label, phrase::lock_label(&defs, id));
        }
    }
}
