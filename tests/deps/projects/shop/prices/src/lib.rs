//! A procedural macro that takes locks in both orders, in the compiler.

use parking_lot::{const_mutex, Mutex};
use proc_macro::TokenStream;

static ONE: Mutex<u32> = const_mutex(3);
static OTHER: Mutex<u32> = const_mutex(4);

#[proc_macro]
pub fn price(_: TokenStream) -> TokenStream {
    let sum = |first: &'static Mutex<u32>, second: &'static Mutex<u32>| {
        std::thread::spawn(move || {
            let first = first.lock();
            *first + *second.lock()
        })
        .join()
        .expect("it does not panic")
    };
    assert_eq!(sum(&ONE, &OTHER), sum(&OTHER, &ONE));
    sum(&ONE, &OTHER).to_string().parse().expect("a number")
}
