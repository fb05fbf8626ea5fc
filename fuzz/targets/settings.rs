//! What `LOCKSCOPE` may say, and files with the lock hierarchy.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for complaint in lockscope::fuzzing::settings(&text) {
        assert!(!complaint.is_empty());
    }
    let _ = lockscope::fuzzing::hierarchy(&text);
});
