//! Takes locks in both orders while it builds, which is nobody's business.

use parking_lot::{const_mutex, Mutex};

static ONE: Mutex<()> = const_mutex(());
static OTHER: Mutex<()> = const_mutex(());

fn main() {
    let both = |first: &'static Mutex<()>, second: &'static Mutex<()>| {
        std::thread::spawn(move || drop((first.lock(), second.lock()))).join().expect("it does not panic");
    };
    both(&ONE, &OTHER);
    both(&OTHER, &ONE);
    // With every build.
    println!("cargo::rerun-if-changed=nowhere");
    println!("cargo::warning=the build script took its locks");
}
