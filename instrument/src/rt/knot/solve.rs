//! Which of several waiting threads are stuck, and why: on numbers, without threads.

/// What a thread waits for, in terms of others. One that does not wait has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    /// All of these must act: one that is stuck is enough to be stuck.
    pub all: Vec<usize>,
    /// And some of these.
    pub some: Option<Help>,
}

/// A wait that several can end.
#[derive(Clone, Debug)]
pub(super) struct Help {
    /// Who can help, and with how much.
    pub from: Vec<(usize, u64)>,
    /// How much is needed of them.
    pub need: u64,
    /// Whoever is not stuck can help as well.
    pub anyone: bool,
}

/// The largest set of threads of which none can be helped by one outside of it. `others` says that there are threads outside of those
/// given, which can help whoever anyone can help.
///
/// Linear in the number of relations, but for waits that several can end: quadratic in the number of those.
pub(super) fn stuck(demands: &[Option<Demand>], others: bool) -> Vec<bool> {
    let mut stuck: Vec<bool> = demands.iter().map(Option::is_some).collect();
    let mut anyone = others || stuck.contains(&false);
    let mut waits_for: Vec<Vec<usize>> = vec![Vec::new(); demands.len()];
    for (waiter, demand) in demands.iter().enumerate() {
        let Some(demand) = demand else { continue };
        targets(demand).for_each(|target| waits_for[target].push(waiter));
    }
    let mut suspects: Vec<usize> = (0..demands.len()).filter(|&index| stuck[index]).collect();
    while let Some(suspect) = suspects.pop() {
        if !stuck[suspect] || demands[suspect].as_ref().is_some_and(|demand| is_stuck(demand, &stuck, anyone)) {
            continue;
        }
        stuck[suspect] = false;
        suspects.extend(&waits_for[suspect]);
        if !std::mem::replace(&mut anyone, true) {
            // The first one that is free can help all whom anyone can help.
            suspects.extend(0..demands.len());
        }
    }
    stuck
}

fn targets(demand: &Demand) -> impl Iterator<Item = usize> + '_ {
    demand.all.iter().copied().chain(demand.some.iter().flat_map(|some| some.from.iter().map(|(from, _)| *from)))
}

fn is_stuck(demand: &Demand, stuck: &[bool], anyone: bool) -> bool {
    demand.all.iter().any(|&target| stuck[target])
        || demand.some.as_ref().is_some_and(|some| {
            let help: u64 = some.from.iter().filter(|(from, _)| !stuck[*from]).map(|(_, n)| *n).sum();
            help < some.need && !(some.anyone && anyone)
        })
}

/// The knots: smallest groups of stuck threads that wait for no stuck thread outside of their group. Everybody else who is stuck waits for one
/// of them.
pub(super) fn knots(demands: &[Option<Demand>], stuck: &[bool]) -> Vec<Vec<usize>> {
    let edges = |index: usize| -> Vec<usize> {
        let Some(demand) = demands[index].as_ref().filter(|_| stuck[index]) else { return Vec::new() };
        // Where something that must happen cannot, it does not matter who could do the rest.
        let hopeless: Vec<usize> = demand.all.iter().copied().filter(|&target| stuck[target]).collect();
        if !hopeless.is_empty() {
            return hopeless;
        }
        targets(demand).filter(|&target| stuck[target]).collect()
    };
    let edges: Vec<Vec<usize>> = (0..demands.len()).map(edges).collect();
    let (group_of, groups) = components(&edges, stuck);
    let is_closed =
        |group: &Vec<usize>| group.iter().all(|&index| edges[index].iter().all(|&to| group_of[to] == group_of[index]));
    let mut knots: Vec<Vec<usize>> = groups.into_iter().filter(is_closed).collect();
    knots.iter_mut().for_each(|knot| knot.sort_unstable());
    knots.sort_unstable();
    knots
}

/// Strongly connected components (Tarjan 1972, without recursion): of each node, and all of them.
fn components(edges: &[Vec<usize>], among: &[bool]) -> (Vec<usize>, Vec<Vec<usize>>) {
    const NEW: usize = usize::MAX;
    let n = edges.len();
    let (mut order, mut low, mut group_of) = (vec![NEW; n], vec![NEW; n], vec![NEW; n]);
    let (mut groups, mut stack, mut path) = (Vec::new(), Vec::new(), Vec::<(usize, usize)>::new());
    let mut next = 0;
    for start in (0..n).filter(|&index| among[index]) {
        if order[start] != NEW {
            continue;
        }
        path.push((start, 0));
        while let Some(&mut (node, ref mut tried)) = path.last_mut() {
            if *tried == 0 {
                (order[node], low[node]) = (next, next);
                next += 1;
                stack.push(node);
            }
            if let Some(&to) = edges[node].get(*tried) {
                *tried += 1;
                if order[to] == NEW {
                    path.push((to, 0));
                } else if group_of[to] == NEW {
                    low[node] = low[node].min(order[to]);
                }
                continue;
            }
            path.pop();
            if let Some(&(before, _)) = path.last() {
                low[before] = low[before].min(low[node]);
            }
            if low[node] == order[node] {
                let from = stack.iter().rposition(|&member| member == node).expect("it was pushed when it was new");
                let group: Vec<usize> = stack.split_off(from);
                group.iter().for_each(|&member| group_of[member] = groups.len());
                groups.push(group);
            }
        }
    }
    (group_of, groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One word a thread: `run`, or what it waits for: `all:1,2`, `any:0,3` (of these), `2of:0*1,3*1`, `anyone`, joined by `+`.
    fn parse(text: &str) -> Vec<Option<Demand>> {
        let numbers = |list: &str| list.split(',').filter_map(|n| n.parse().ok()).collect::<Vec<usize>>();
        let part = |demand: &mut Demand, part: &str| {
            let (how, who) = part.split_once(':').unwrap_or((part, ""));
            match how {
                "all" => demand.all = numbers(who),
                "any" => {
                    let from = numbers(who).into_iter().map(|n| (n, 1)).collect();
                    demand.some = Some(Help { from, need: 1, anyone: false });
                }
                "anyone" => demand.some = Some(Help { from: Vec::new(), need: 1, anyone: true }),
                n => {
                    let one =
                        |item: &str| item.split_once('*').map(|(n, of)| (n.parse().unwrap(), of.parse().unwrap()));
                    let need = n.strip_suffix("of").unwrap().parse().unwrap();
                    demand.some = Some(Help { from: who.split(',').filter_map(one).collect(), need, anyone: false });
                }
            }
        };
        let thread = |word: &str| {
            (word != "run").then(|| {
                let mut demand = Demand::default();
                word.split('+').for_each(|text| part(&mut demand, text));
                demand
            })
        };
        text.split_ascii_whitespace().map(thread).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let demands = parse(text);
        let stuck = stuck(&demands, false);
        let knots: Vec<String> = knots(&demands, &stuck)
            .iter()
            .map(|knot| knot.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            .collect();
        let members: Vec<String> = (0..stuck.len()).filter(|&n| stuck[n]).map(|n| n.to_string()).collect();
        assert_eq!(format!("{} | {}", members.join(","), knots.join(" ")), expected, "{text}");
    }

    #[test]
    fn cycles_of_locks() {
        check("all:1 all:0", "0,1 | 0,1");
        check("all:1 all:2 run", " | ");
        // Somebody who waits for them is stuck too, but not the reason.
        check("all:1 all:0 all:0", "0,1,2 | 0,1");
        // One holder of two is enough to be stuck.
        check("all:1,2 all:0 run", "0,1 | 0,1");
        check("all:0", "0 | 0");
        // A lock that was released a moment ago.
        check("all: all:0", " | ");
    }

    #[test]
    fn who_can_be_helped_by_one_outside_is_free() {
        check("any:1,2 all:0 run", " | ");
        check("any:1,2 all:0 all:1", "0,1,2 | 0,1,2");
        check("any:1 all:0", "0,1 | 0,1");
        // Nobody can help the first.
        check("any: all:0 run", "0,1 | 0");
        check("any: any:0 any:1", "0,1,2 | 0");
        // Two groups that have nothing to do with one another.
        check("any:1 any:0 all:3 all:2 run", "0,1,2,3 | 0,1 2,3");
    }

    #[test]
    fn what_must_happen_cannot_be_helped() {
        // A condition variable may be notified, but its mutex is not to be had.
        check("all:1+any:2 all:0 run", "0,1 | 0,1");
        check("all:2+any:2 all:0 run", " | ");
        // The knot is the reason, not who could have notified.
        check("all:1+any:2 all:0 all:2", "0,1,2 | 0,1 2");
    }

    #[test]
    fn permits_are_added_up() {
        check("1of:1*1,2*1 all:0 all:0", "0,1,2 | 0,1,2");
        check("1of:1*1,2*1 all:0 run", " | ");
        check("2of:1*1,2*1 all:0 run", "0,1 | 0,1");
        check("2of:1*1,2*2 all:0 run", " | ");
        // More than there is.
        check("3of:1*1,2*1 run run", "0 | 0");
    }

    #[test]
    fn anyone_helps_unless_all_are_stuck() {
        check("anyone anyone", "0,1 | 0 1");
        check("anyone anyone run", " | ");
        check("anyone all:0 anyone", "0,1,2 | 0 2");
        check("anyone all:0 run", " | ");
        // The first is free because the second is.
        check("anyone all:", " | ");
        let others = stuck(&parse("anyone all:2 all:1"), true);
        assert_eq!(others, [false, true, true]);
    }

    #[test]
    fn long_chains_take_no_recursion() {
        let n = 100_000;
        let chain = (0..n).map(|i| Some(Demand { all: vec![(i + 1) % n], some: None })).collect::<Vec<_>>();
        let stuck = stuck(&chain, false);
        assert!(stuck.iter().all(|&stuck| stuck));
        assert_eq!(knots(&chain, &stuck).len(), 1);
    }
}
