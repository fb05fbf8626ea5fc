//! Locks of three majors of parking_lot, with all features that there are, taken in a circle.

mod types;

use std::sync::Arc;

type Oldest = parking_lot_11::Mutex<u32>;
type Middle = parking_lot_12::RwLock<u32>;
type Newest = parking_lot_13::Mutex<u32>;
type Spelled = lock_api_05::Mutex<parking_lot_13::RawMutex, u32>;

static CELL: once_cell::sync::OnceCell<u32> = once_cell::sync::OnceCell::new();
static CONSTANT: Oldest = parking_lot_11::const_mutex(1);

fn alone(f: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(f).join().expect("it does not panic"));
}

/// Code that is generic over lock_api 0.5 is given parking_lot's locks as they are.
#[track_caller]
fn take<R: lock_api_05::RawMutex>(mutex: &lock_api_05::Mutex<R, u32>) -> lock_api_05::MutexGuard<'_, R, u32> {
    mutex.lock()
}

fn main() {
    let (oldest, middle, newest) = (Oldest::new(1), Middle::new(2), Newest::new(3));
    alone(|| {
        let _oldest = oldest.lock();
        *middle.write() += 1; // 0.11 then 0.12
    });
    alone(|| {
        let _middle = middle.upgradable_read();
        *newest.lock() += 1; // 0.12 then 0.13
    });
    alone(|| {
        let _newest = newest.lock();
        *oldest.lock() += 1;
    });
    let (spelled, called): (Spelled, Newest) = (Newest::new(4), Spelled::new(5));
    alone(|| {
        let _called = called.lock();
        *take(&spelled) += 1; // 0.13 then lock_api 0.5
    });
    alone(|| {
        let _spelled = spelled.lock();
        *take(&called) += 1; // lock_api 0.5 then 0.13
    });
    assert_eq!(*CELL.get_or_init(|| 1), 1);
    *CONSTANT.lock() += 1;

    // What lock_api does not have, and its condition variable over parking_lot's.
    static START: parking_lot_13::Once = parking_lot_13::Once::new();
    START.call_once(|| ());
    START.wait();
    assert!(START.is_completed() && START.state().done());
    let changed = lock_api_05::Condvar::<parking_lot_13::RawCondvar>::new();
    std::thread::scope(|scope| {
        let mut guard = newest.lock();
        scope.spawn(|| {
            *newest.lock() = 0;
            parking_lot_13::Condvar::notify_all(&changed)
        });
        changed.wait_while(&mut guard, |newest| *newest != 0);
    });

    // What only a feature has.
    assert!(parking_lot_11::deadlock::check_deadlock().is_empty());
    assert!(parking_lot_12::deadlock::check_deadlock().is_empty());
    assert!(parking_lot_13::deadlock::check_deadlock().is_empty());
    let guard = middle.write();
    alone(|| drop(guard));
    let shared = Arc::new(parking_lot_12::Mutex::new(1));
    drop(shared.lock_arc());
    println!("done");
}
