//! Levels of a graph that may have circles.

/// The longest way to each node from a node that no edge leads to, over nodes that are in no circle; `None` for those that are.
///
/// O(nodes + edges).
pub(super) fn levels(n: usize, edges: &[(usize, usize)]) -> Vec<Option<u32>> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); n];
    let mut previous: Vec<Vec<usize>> = vec![Vec::new(); n];
    for &(from, to) in edges {
        next[from].push(to);
        previous[to].push(from);
    }
    // Kosaraju: in the order in which a search is done with the nodes, backwards along the edges.
    let mut done = Vec::with_capacity(n);
    let mut is_seen = vec![false; n];
    for root in 0..n {
        search(root, &next, &mut is_seen, &mut done);
    }
    let mut component = vec![usize::MAX; n];
    let mut sizes = Vec::new();
    let mut is_seen = vec![false; n];
    for &root in done.iter().rev() {
        let mut members = Vec::new();
        search(root, &previous, &mut is_seen, &mut members);
        if !members.is_empty() {
            members.iter().for_each(|&node| component[node] = sizes.len());
            sizes.push(members.len());
        }
    }
    let is_circular = |node: usize| sizes[component[node]] > 1 || next[node].contains(&node);
    // Components are numbered so that edges lead from lower to higher numbers.
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&node| component[node]);
    // A circle as a whole has a level, although its nodes have none.
    let mut levels = vec![0_u32; sizes.len()];
    for &node in &order {
        let (here, step) = (component[node], u32::from(!is_circular(node)));
        for &to in next[node].iter().filter(|&&to| component[to] != here) {
            levels[component[to]] = levels[component[to]].max(levels[here] + step);
        }
    }
    // What comes after a circle comes after all that leads into it.
    (0..n).map(|node| (!is_circular(node)).then_some(levels[component[node]])).collect()
}

/// Appends the nodes that can be reached from `root` and were not seen, each after those that it leads to.
fn search(root: usize, next: &[Vec<usize>], is_seen: &mut [bool], done: &mut Vec<usize>) {
    if std::mem::replace(&mut is_seen[root], true) {
        return;
    }
    let mut path = vec![(root, 0)];
    while let Some((node, at)) = path.last_mut() {
        match next[*node].get(*at) {
            Some(&to) => {
                *at += 1;
                if !std::mem::replace(&mut is_seen[to], true) {
                    path.push((to, 0));
                }
            }
            None => {
                done.push(*node);
                path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_longest_ways() {
        for (n, edges, expected) in [
            (0, &[][..], &[][..]),
            (3, &[(0, 1), (1, 2), (0, 2)], &[Some(0), Some(1), Some(2)]),
            (3, &[(2, 1), (1, 0)], &[Some(2), Some(1), Some(0)]),
            (2, &[(0, 1), (1, 0)], &[None, None]),
            (1, &[(0, 0)], &[None]),
            (4, &[(0, 1), (1, 2), (2, 1), (2, 3)], &[Some(0), None, None, Some(1)]),
        ] {
            assert_eq!(levels(n, edges), expected, "{edges:?}");
        }
    }
}
