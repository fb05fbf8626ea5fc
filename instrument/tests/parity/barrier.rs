use std::{
    sync::{
        BarrierWaitResult,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::subject::sync::Barrier;

static STATIC: Barrier = Barrier::new(1);

#[test]
fn one_thread_does_not_wait() {
    let result: BarrierWaitResult = STATIC.wait();
    assert!(result.is_leader() && STATIC.wait().is_leader());
    assert!(Barrier::new(0).wait().is_leader());
    assert_eq!(format!("{result:?} {STATIC:?}"), "BarrierWaitResult { is_leader: true } Barrier { .. }");
}

#[test]
fn threads_go_on_together_round_by_round() {
    const N: usize = 4;
    const ROUNDS: usize = 50;
    let (barrier, arrived, leaders) = (Barrier::new(N), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..N {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    arrived.fetch_add(1, Ordering::Relaxed);
                    let is_leader = barrier.wait().is_leader();
                    assert!(arrived.load(Ordering::Relaxed) >= N * round);
                    leaders.fetch_add(usize::from(is_leader), Ordering::Relaxed);
                    barrier.wait();
                    assert_eq!(leaders.load(Ordering::Relaxed), round);
                    barrier.wait();
                }
            });
        }
    });
}
