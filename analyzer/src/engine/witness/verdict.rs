//! Judges where a replayed order has led: whether the claimed threads are stuck, or race.

use lockscope_trace::{How, LockId, Mode, Op, ThreadId};

use super::{
    End,
    check::Fact,
    world::{Broken, World},
};

/// What the claimed threads would do next, in the order of the claim; `None` where the trace has nothing more of them.
pub(super) type Next<'a> = &'a [Option<Fact>];

/// Checks that the world and what comes next are what was claimed.
///
/// # Errors
///
/// What is not as claimed.
pub(super) fn judge(world: &World, end: &End, next: Next<'_>) -> Result<(), Broken> {
    let next: Vec<&Fact> = next.iter().flatten().collect();
    let claimed = end.threads();
    let are_distinct = (0..claimed.len()).all(|a| (0..a).all(|b| claimed[a].0 != claimed[b].0));
    if !are_distinct {
        return Err("one thread has two parts");
    }
    if next.len() != claimed.len() || claimed.len() < 2 {
        return Err("a thread has nothing more to do");
    }
    if next.iter().zip(&claimed).any(|(next, &(thread, event))| (next.event.thread, next.position) != (thread, event)) {
        return Err("a thread would do something else next");
    }
    match end {
        End::Deadlock(requests) => {
            for (index, (fact, &(thread, lock, _))) in next.iter().zip(requests).enumerate() {
                let (holder, ..) = requests[(index + 1) % requests.len()];
                is_stuck(world, fact, thread, lock, holder)?;
            }
            Ok(())
        }
        End::Race(var, _) => {
            let writes = |fact: &Fact| match fact.event.op {
                Op::Read { var: read } if read == *var => Ok(false),
                Op::Write { var: written } if written == *var => Ok(true),
                _ => Err("a thread would access another location"),
            };
            let (first, second) = (writes(next[0])?, writes(next[1])?);
            if first || second { Ok(()) } else { Err("both threads would read") }
        }
    }
}

/// The thread asks for the lock, in a call that waits for as long as it takes, and the holder keeps it from getting it.
fn is_stuck(world: &World, fact: &Fact, thread: ThreadId, lock: LockId, holder: ThreadId) -> Result<(), Broken> {
    let Op::Acquired { lock: wanted, mode, how, .. } = fact.event.op else {
        return Err("a thread would do something else than to ask for a lock");
    };
    if wanted != lock || !waits(how) {
        return Err("a thread would ask for another lock, or not wait for it");
    }
    let has = |owner: ThreadId, mode: Mode| {
        world.held(lock).iter().any(|hold| hold.owner == owner && !hold.mode.compatible(mode))
    };
    // A lock that one holds oneself is one that may be taken again, or it would be no matter of two threads.
    if how != How::Upgrade && world.held(lock).iter().any(|hold| hold.owner == thread) {
        return Err("a thread would ask for what it holds");
    }
    if !has(holder, mode) {
        return Err("the lock is not held by the next thread");
    }
    Ok(())
}

fn waits(how: How) -> bool {
    match how {
        How::Lock | How::Recursive | How::Upgrade | How::CondvarReacquire => true,
        How::Try | How::Timed | How::RecursiveTimed | How::Downgrade => false,
    }
}
