//! Lock orders: a thread's cache of chains in front of the graph that all threads share, and the end of a lock's life.
//!
//! The chains and the table of present locks are the runtime's own; the graph is a set of edges here, behind a lock as there.

#[path = "../../src/rt/chains.rs"]
#[allow(dead_code, reason = "the owner's short way to it is explored by nobody: it is the owner's alone")]
mod chains;
#[path = "../../src/rt/order/present.rs"]
mod present;

use std::{collections::HashSet, sync::atomic::Ordering};

use chains::{Chain, Chains, mix};
use lockscope_trace::Mode;
use loom::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, fence},
    },
    thread,
};
use present::Present;

/// What all threads share.
struct Orders {
    present: Present<1>,
    graph: Mutex<Graph>,
    /// Users of a lock, the last of which ends its life, as in an `Arc`.
    users: AtomicU32,
}

#[derive(Default)]
struct Graph {
    edges: HashSet<(u32, u32)>,
    inversions: u32,
}

impl Orders {
    fn new(users: u32) -> Arc<Self> {
        let present = Present { words: [AtomicU64::new(0)] };
        Arc::new(Self { present, graph: Mutex::default(), users: AtomicU32::new(users) })
    }

    /// Asks for a lock while another one is held, as `Op::check_order` and `order::check` do.
    fn ask(&self, chains: &mut Chains, held: u32, lock: u32) {
        let chain = Chain::new(mix(held, Mode::Exclusive), lock, Mode::Exclusive, false);
        if chains.contains(chain) {
            return;
        }
        {
            let mut graph = self.graph.lock().unwrap();
            self.present.note(held);
            self.present.note(lock);
            if graph.edges.insert((held, lock)) && graph.edges.contains(&(lock, held)) {
                graph.inversions += 1;
            }
        }
        chains.insert(chain);
    }

    /// A user is done with a lock; the last one ends its life, as `order::forget_lock` has it.
    fn drop_user(&self, lock: u32) {
        if self.users.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        if self.present.may_have(lock) {
            self.graph.lock().unwrap().edges.retain(|&(from, to)| from != lock && to != lock);
        }
    }
}

/// Two threads take two locks in opposite orders, twice each: it is reported by one of them, once, and what a cache has is in the
/// graph.
#[test]
fn an_inversion_is_seen_once() {
    loom::model(|| {
        let orders = Orders::new(0);
        let run = |orders: &Orders, held, lock| {
            let mut chains = Chains::default();
            orders.ask(&mut chains, held, lock);
            assert!(orders.graph.lock().unwrap().edges.contains(&(held, lock)));
            orders.ask(&mut chains, held, lock);
        };
        let thread = {
            let orders = Arc::clone(&orders);
            thread::spawn(move || run(&orders, 2, 1))
        };
        run(&orders, 1, 2);
        thread.join().unwrap();
        assert_eq!(orders.graph.lock().unwrap().inversions, 1);
    });
}

/// Two threads use a lock, one of them in an order, while the other one notes other locks in the same word. Whoever is last ends the lock's life:
/// the graph has it no more.
#[test]
fn a_lock_that_ends_leaves_the_graph() {
    const LOCK: u32 = 3;
    loom::model(|| {
        let orders = Orders::new(2);
        let thread = {
            let orders = Arc::clone(&orders);
            thread::spawn(move || {
                orders.ask(&mut Chains::default(), 1, LOCK);
                orders.drop_user(LOCK);
            })
        };
        orders.present.note(2);
        orders.drop_user(LOCK);
        thread.join().unwrap();
        assert_eq!(orders.graph.lock().unwrap().edges.len(), 0);
    });
}
