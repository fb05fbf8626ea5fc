//! Locks of three majors of parking_lot, with all features that there are, taken in a circle.

use std::sync::Arc;

type Oldest = parking_lot_11::Mutex<u32>;
type Middle = parking_lot_12::RwLock<u32>;
type Newest = parking_lot_13::Mutex<u32>;
/// Another type than `parking_lot_13::Mutex<u32>` while lockscope is on.
type Spelled = lock_api_05::Mutex<parking_lot_13::RawMutex, u32>;

static CELL: once_cell::sync::OnceCell<u32> = once_cell::sync::OnceCell::new();
static CONSTANT: Oldest = parking_lot_11::const_mutex(1);

fn alone(f: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(f).join().expect("it does not panic"));
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
    let spelled = Spelled::new(4);
    alone(|| {
        let _spelled = spelled.lock();
        *newest.lock() += 1; // lock_api 0.5 then 0.13
    });
    alone(|| {
        let _newest = newest.lock();
        *spelled.lock() += 1; // 0.13 then lock_api 0.5
    });
    assert_eq!(*CELL.get_or_init(|| 1), 1);
    *CONSTANT.lock() += 1;

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
