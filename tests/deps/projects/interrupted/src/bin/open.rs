//! Takes a lock, says that it is open, and stays so.

fn main() {
    *parking_lot::Mutex::new(1).lock() += 1;
    println!("open");
    std::thread::sleep(std::time::Duration::from_secs(3600));
}
