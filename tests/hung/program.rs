//! A test that hangs, and in no deadlock: who has the lock is busy with something else. `tests/hung/main.rs` runs it.

use std::{env, fs, os::unix::process::parent_id, sync::mpsc, thread, time::Duration};

use lockscope_parking_lot::{Mutex, named};

static LEDGER: Mutex<u32> = named("ledger").mutex(0);

#[test]
#[ignore = "hangs; tests/hung/main.rs runs it"]
fn hangs() {
    let Some(path) = env::var_os("LOCKSCOPE_TEST_HUNG") else { return };
    let (take, taken) = mpsc::channel();
    let auditor = thread::Builder::new().name("auditor".to_owned()).spawn(move || {
        let _ledger = LEDGER.lock();
        take.send(()).expect("somebody listens");
        // Ten minutes at most, should nobody end it.
        (0..12_000).for_each(|_| thread::sleep(Duration::from_millis(50)));
    });
    taken.recv().expect("the auditor has the ledger");
    let program = env::current_exe().expect("this test");
    // Whole or not at all, for whoever waits for it.
    let unfinished = format!("{}.unfinished", path.display());
    fs::write(&unfinished, format!("{}\n{}\n", parent_id(), program.display())).expect("the folder is the test's");
    fs::rename(unfinished, path).expect("the folder is the test's");
    *LEDGER.lock() += 1;
    auditor.expect("threads can be made").join().expect("it does not panic");
}
