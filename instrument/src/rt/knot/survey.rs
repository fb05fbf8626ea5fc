//! A look at the threads of the process in the kernel, and what it adds to the relations.

use std::collections::{BTreeMap, HashSet};

use super::{
    Memory,
    graph::{Graph, Helpers, Node, Relation, Why},
    still_wait,
};
use crate::rt::{
    kernel::{self, Look, Rest},
    recorder,
    thread::Entered,
};

/// What was seen.
#[derive(Debug)]
pub(super) struct Survey {
    /// The watch itself, which does not count.
    own: u32,
    /// All other threads; `None` when they cannot be read.
    tasks: Option<HashSet<u32>>,
    /// `None` for a thread that had ended by then.
    looks: BTreeMap<u32, Option<Look>>,
    /// Threads that wait in line without sleeping, and have done nothing else for long.
    spinning: HashSet<u32>,
    /// Every thread rests, or waits for what another one that is known holds.
    pub all_rest: bool,
}

impl Survey {
    /// Looks at all threads until one is found that does not rest; then only at those that could help others and do not wait
    /// themselves as far as lockscope knows.
    pub(super) fn take(entered: &Entered, memory: &mut Memory) -> Self {
        let graph = Graph::read();
        let own = entered.info.os_id.load(std::sync::atomic::Ordering::Relaxed);
        let tasks: Option<HashSet<u32>> = tasks_but(own);
        let mut survey =
            Self { own, all_rest: tasks.is_some(), tasks, looks: BTreeMap::new(), spinning: HashSet::new() };
        let by_task = graph.by_task();
        // One that was awake last time mostly still is.
        let mut tasks: Vec<u32> = survey.tasks.iter().flatten().copied().collect();
        tasks.sort_unstable_by_key(|&task| (Some(task) != memory.awake, task));
        memory.awake = None;
        for task in tasks {
            if survey.look(task).is_none_or(|look| survey.rests(&look)) {
                continue;
            }
            let in_line = by_task.get(&task).map(|&index| &graph.nodes[index]).filter(|node| is_in_line(node));
            match in_line {
                Some(node) if memory.spins(task, node) => {
                    // Two looks at it would differ.
                    survey.looks.remove(&task);
                    survey.spinning.insert(task);
                }
                Some(_) => survey.all_rest = false,
                None => {
                    memory.awake = Some(task);
                    survey.all_rest = false;
                    break;
                }
            }
        }
        if survey.all_rest && survey.spinning.is_empty() {
            memory.awake_in_line.clear();
        }
        survey.look_for_joins(&graph);
        survey
    }

    /// Looks at threads that others wait for and that do not wait as far as lockscope knows: they may join others unseen.
    fn look_for_joins(&mut self, graph: &Graph) {
        let by_task = graph.by_task();
        let waiting = graph.nodes.iter().filter(|node| node.waiting.is_some());
        let mut open: Vec<usize> = waiting.flat_map(Node::relations).map(|relation| relation.to).collect();
        let mut seen = HashSet::new();
        while let Some(index) = open.pop() {
            let node = &graph.nodes[index];
            if node.waiting.is_none()
                && seen.insert(index)
                && let Some(task) = node.task()
                && let Some(Look { rest: Rest::Joins(joined), .. }) = self.look(task)
            {
                open.extend(by_task.get(&joined));
            }
        }
    }

    fn look(&mut self, task: u32) -> Option<Look> {
        *self.looks.entry(task).or_insert_with(|| kernel::look(task))
    }

    /// Whether only another thread can make it run.
    fn rests(&self, look: &Look) -> bool {
        match look.rest {
            Rest::Endless => true,
            // Else it is some other value that processes share.
            Rest::Joins(joined) => self.tasks.as_ref().is_some_and(|tasks| tasks.contains(&joined)),
            Rest::None | Rest::Limited => false,
        }
    }

    /// The relations now, with the joins that were seen in the kernel.
    pub(super) fn graph(&self) -> Graph {
        let mut graph = Graph::read();
        let by_task = graph.by_task();
        for (&task, look) in &self.looks {
            let Some(look) = look.filter(|look| self.rests(look)) else { continue };
            let Rest::Joins(joined) = look.rest else { continue };
            let [from, to] = [task, joined].map(|task| by_task.get(&task).copied().unwrap_or_else(|| graph.task(task)));
            if graph.nodes[from].waiting.is_none() {
                graph.nodes[from].all = vec![Relation { to, why: Why::Lives }];
            }
        }
        graph
    }

    /// Whether the threads that join others unseen, of those that are stuck, have done so ever since they were looked at.
    pub(super) fn still_joins(&self, graph: &Graph, stuck: &[bool]) -> bool {
        let unseen = graph.nodes.iter().zip(stuck).filter(|(node, stuck)| **stuck && node.waiting.is_none());
        unseen.filter_map(|(node, _)| node.task()).all(|task| self.looks_the_same(task))
    }

    fn looks_the_same(&self, task: u32) -> bool {
        self.looks.get(&task) == Some(&kernel::look(task))
    }

    /// The relations of all threads, when every thread rests for certain: from before `graph` was read until now.
    pub(super) fn everybody(&self, mut graph: Graph) -> Option<Graph> {
        let tasks = self.tasks.as_ref()?;
        let by_task = graph.by_task();
        let mut is_any_unknown = false;
        for &task in tasks {
            let index = by_task.get(&task).copied();
            if self.spinning.contains(&task) && index.is_some_and(|index| is_in_line(&graph.nodes[index])) {
                continue;
            }
            // One that was in line before, spinning, and is not any more was not looked at.
            let Some(look) = self.looks.get(&task)? else { continue };
            let index = index.unwrap_or_else(|| graph.task(task));
            let node = &mut graph.nodes[index];
            if node.all.is_empty() && node.some.is_none() {
                is_any_unknown |= look.rest == Rest::Endless;
                node.some = Some(Helpers::unknown());
            }
        }
        let has_thread = |node: &Node| node.task().is_none_or(|task| tasks.contains(&task));
        let stuck = vec![true; graph.nodes.len()];
        // A thread that waits for something lockscope does not know may wait for what a handler of a signal does.
        let is_sure = graph.nodes.iter().all(has_thread)
            && !(is_any_unknown && kernel::has_signal_handlers())
            && still_wait(&graph, &stuck)
            && tasks_but(self.own).as_ref() == Some(tasks)
            && self.looks.keys().all(|&task| self.looks_the_same(task));
        is_sure.then_some(graph)
    }

    /// Looks at those threads of a knot that have to sleep if they are in it, which is all but those that wait for what a stuck thread
    /// holds. `None` when one of them does not.
    pub(super) fn look_at_sleepers(&self, graph: &Graph, stuck: &[bool], knot: &[usize]) -> Option<Vec<(u32, Look)>> {
        let Some(tasks) = &self.tasks else { return Some(Vec::new()) };
        let must_sleep = |node: &&Node| node.waiting.is_none() || !node.all.iter().any(|relation| stuck[relation.to]);
        let sleepers = knot.iter().map(|&index| &graph.nodes[index]).filter(must_sleep);
        let look = |task: u32| {
            let look = kernel::look(task).filter(|look| self.rests(look))?;
            tasks.contains(&task).then_some((task, look))
        };
        sleepers.filter_map(Node::task).map(look).collect()
    }

    /// Whether all threads that are not stuck are asleep, until some time or until another thread of the process wakes them.
    pub(super) fn is_quiet(&self, graph: &Graph, stuck: &[bool]) -> bool {
        let by_task = graph.by_task();
        let is_stuck = |task: &u32| by_task.get(task).is_some_and(|&index| stuck[index]);
        let is_quiet =
            |task: u32| kernel::look(task).is_none_or(|look| look.rest == Rest::Limited || self.rests(&look));
        self.tasks.iter().flatten().filter(|task| !is_stuck(task)).all(|&task| is_quiet(task))
    }
}

/// Whether the thread waits for what others that are known hold, or for their end. It cannot go on then; but what it does meanwhile may
/// let others go on: it says that it waits before it does, and may have something of lockscope's or of the allocator's until then that
/// somebody sleeps for. So it has to sleep as well, or to [spin](Memory::spins).
fn is_in_line(node: &Node) -> bool {
    node.waiting.is_some() && !node.all.is_empty()
}

fn tasks_but(own: u32) -> Option<HashSet<u32>> {
    // Nor does the recorder's helper count while it sleeps. When it is awake, somebody may be waiting for what it has.
    Some(kernel::tasks()?.into_iter().filter(|&task| task != own && !recorder::is_asleep(task)).collect())
}
