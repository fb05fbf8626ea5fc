//! The lock hierarchy as a file: which classes of locks are nested, in which order, and the places that prove it.
//!
//! The runtime reads the same file (`instrument/src/rt/hierarchy.rs`) and finds a lock by its name, or by file and line of its creation.

mod file;
mod levels;

use std::collections::BTreeMap;

use lockscope_analyzer::OrderGraph;
use lockscope_trace::{Definitions, LockId, SiteId};

pub use self::file::File;

/// What stands for a class of locks in the file.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Key {
    /// A name that the program gives.
    Name(String),
    /// `FILE:LINE` of the creation, with the path as the compiler recorded it.
    Made(String),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Name(name) => write!(f, "`{name}`"),
            Key::Made(place) => write!(f, "the lock made at {place}"),
        }
    }
}

/// What proves that one class is taken while another is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// How often.
    pub count: u64,
    /// Where the first was taken.
    pub held_at: String,
    /// Where the second was taken.
    pub taken_at: String,
    /// Who did it first.
    pub thread: String,
}

/// The order of all traces together.
#[derive(Clone, Debug, Default)]
pub struct Order {
    kinds: BTreeMap<Key, String>,
    edges: BTreeMap<(Key, Key), Proof>,
    /// Classes that have neither a name nor a place.
    n_nameless: usize,
}

impl Order {
    /// Adds the order between the classes of a trace.
    pub fn add(&mut self, graph: &OrderGraph, defs: &Definitions) {
        let keys: Vec<Option<Key>> = graph.nodes.iter().map(|node| key(node.lock, defs)).collect();
        self.n_nameless += keys.iter().filter(|key| key.is_none()).count();
        for (node, key) in graph.nodes.iter().zip(&keys) {
            if let (Some(key), Some(def)) = (key, defs.lock(node.lock)) {
                self.kinds.insert(key.clone(), def.kind.describe(&def.type_name));
            }
        }
        for edge in &graph.edges {
            let (Some(held), Some(taken)) = (&keys[edge.from], &keys[edge.to]) else { continue };
            let place = |site: Option<SiteId>| {
                site.and_then(|site| defs.site(site)).map_or("?".to_owned(), ToString::to_string)
            };
            let proof = Proof {
                count: edge.count,
                held_at: place(edge.held_site),
                taken_at: place(edge.site),
                thread: defs.thread_name(edge.thread),
            };
            let known = self.edges.entry((held.clone(), taken.clone())).or_insert_with(|| Proof { count: 0, ..proof });
            known.count += edge.count;
        }
    }

    /// Every pair of classes, held and then taken.
    pub fn edges(&self) -> impl Iterator<Item = (&Key, &Key, &Proof)> {
        self.edges.iter().map(|((held, taken), proof)| (held, taken, proof))
    }

    /// Whether a class is nested with others.
    pub fn has(&self, key: &Key) -> bool {
        self.kinds.contains_key(key)
    }

    /// Ranks of the classes: 10, 20, ... by the longest way from a class that is taken first. Those in a circle, or nested in
    /// themselves, have none.
    pub fn ranks(&self) -> BTreeMap<&Key, Option<u32>> {
        let keys: Vec<&Key> = self.kinds.keys().collect();
        let index: BTreeMap<&Key, usize> = keys.iter().enumerate().map(|(idx, key)| (*key, idx)).collect();
        let edges: Vec<(usize, usize)> = self.edges.keys().map(|(from, to)| (index[from], index[to])).collect();
        let levels = levels::levels(keys.len(), &edges);
        keys.into_iter().zip(levels).map(|(key, level)| (key, level.map(|level| (level + 1) * 10))).collect()
    }

    /// The file.
    pub fn toml(&self, programs: &[String]) -> String {
        file::write(self, programs)
    }
}

/// What stands for the class of a lock.
fn key(lock: LockId, defs: &Definitions) -> Option<Key> {
    let def = defs.lock(lock)?;
    if let Some(name) = &def.name {
        return Some(Key::Name(name.to_string()));
    }
    let site = def.created.and_then(|site| defs.site(site))?;
    Some(Key::Made(format!("{}:{}", site.file, site.line)))
}
