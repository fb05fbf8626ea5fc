//! Never built: it is about what is locked.

fn main() {
    *parking_lot::Mutex::new(1).lock() += 1;
}
