use std::time::{Duration, Instant};

use super::super::subject::{Condvar, Mutex};

#[test]
fn a_time_out_is_one_also_when_the_condition_holds_no_longer() {
    let (asked, never) = (Mutex::new(0), Condvar::new());
    let mut guard = asked.lock();
    // True when it is asked first, false from then on.
    let first = |asked: &mut i32| {
        *asked += 1;
        *asked == 1
    };
    assert!(never.wait_while_for(&mut guard, first, Duration::from_millis(1)).timed_out());
    *guard = 0;
    assert!(never.wait_while_until(&mut guard, first, Instant::now()).timed_out());
    // It was not asked again.
    assert_eq!(*guard, 1);
}
