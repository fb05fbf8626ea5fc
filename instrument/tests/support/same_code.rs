//! Whether two functions are the same code: byte by byte, but for where they lie.
//!
//! Each is put into a section of its own, whose ends the linker knows by name. Calls and loads that are relative to the instruction differ in the
//! distance to the same place; such a distance counts as equal when it leads to one place from both.

/// Defines `compare`, which panics when the functions are not the same code. `$first` and `$second` have to lock in exactly the same words.
macro_rules! same_code {
    ($compare:ident: $first:ident as $first_section:literal, $second:ident as $second_section:literal; $lock:ident => $body:expr; $first_type:ty, $second_type:ty) => {
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        fn $compare() {
            #[inline(never)]
            #[unsafe(link_section = $first_section)]
            fn $first($lock: &$first_type) {
                $body
            }
            #[inline(never)]
            #[unsafe(link_section = $second_section)]
            fn $second($lock: &$second_type) {
                $body
            }
            // SAFETY: the linker makes these for every section whose name could be a name in C.
            unsafe extern "C" {
                #[link_name = concat!("__start_", $first_section)]
                static FIRST_START: u8;
                #[link_name = concat!("__stop_", $first_section)]
                static FIRST_STOP: u8;
                #[link_name = concat!("__start_", $second_section)]
                static SECOND_START: u8;
                #[link_name = concat!("__stop_", $second_section)]
                static SECOND_STOP: u8;
            }
            // They are there, and do what they say.
            let (first, second) = (<$first_type>::new(1), <$second_type>::new(1));
            std::hint::black_box($first as fn(&$first_type))(&first);
            std::hint::black_box($second as fn(&$second_type))(&second);
            // SAFETY: from start to stop there is the program's code, which nobody changes.
            let (first, second) = unsafe {
                (
                    same_code::bytes(&raw const FIRST_START, &raw const FIRST_STOP),
                    same_code::bytes(&raw const SECOND_START, &raw const SECOND_STOP),
                )
            };
            if let Err(what) = same_code::compare(first, second) {
                panic!("{what}\n{first:02x?}\n{second:02x?}");
            }
        }
    };
}

pub(crate) use same_code;

/// The bytes from `start` to `stop`.
///
/// # Safety
///
/// They are part of the program and never change.
pub(crate) unsafe fn bytes(start: *const u8, stop: *const u8) -> &'static [u8] {
    // SAFETY: this function's contract.
    unsafe { std::slice::from_raw_parts(start, stop.offset_from_unsigned(start)) }
}

pub(crate) fn compare(first: &'static [u8], second: &'static [u8]) -> Result<(), String> {
    if first.is_empty() || first.len() != second.len() {
        return Err(format!("{} and {} bytes of code", first.len(), second.len()));
    }
    let mut at = 0;
    while at < first.len() {
        if first[at] == second[at] {
            at += 1;
        } else {
            // The lowest bytes of two distances may be equal by chance.
            let from = at.saturating_sub(3);
            at = (from..=at)
                .find(|&from| target(first, from).is_some_and(|place| Some(place) == target(second, from)))
                .map(|from| from + 4)
                .ok_or(format!("the code differs at byte {at}"))?;
        }
    }
    Ok(())
}

/// Where a distance of 32 bits at `at` leads to, but for what lies between its end and that of its instruction, which is the same in both.
fn target(code: &[u8], at: usize) -> Option<usize> {
    let distance = i32::from_le_bytes(code.get(at..at + 4)?.try_into().ok()?);
    Some((code.as_ptr() as usize).wrapping_add(at).wrapping_add_signed(distance as isize))
}
