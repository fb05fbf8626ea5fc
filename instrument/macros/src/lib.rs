//! The attribute `#[lockscope::test]`. Without any dependency, so that programs that use it have no more to build than this.

mod arguments;
mod error;
mod expand;
mod function;

use proc_macro::TokenStream;

use self::{arguments::Arguments, error::Error, function::Function};

/// A test that fails when lockscope finds something while it runs: a deadlock, two orders of taking locks, a lost wake-up.
///
/// Instead of `#[test]`:
///
/// ```
/// # use lockscope_macros as lockscope;
/// #[lockscope::test]
/// fn accounts_are_locked_in_one_order() {
///     // …
/// }
/// ```
///
/// It makes a session of the test; see `lockscope::session` for which findings are the test's when others run at the same time.
///
/// # With other attributes
///
/// - Runtimes: with `#[tokio::test]` or another attribute whose name ends in `test`, above or below, that one makes the test, and the
///   session is around all of it, its runtime and its threads included.
/// - Attributes that supply arguments or cases, such as `#[rstest]`, stand above.
/// - `#[should_panic]`: the test has to panic, and nothing may be found.
/// - `#[ignore]`, `#[cfg]` and so on do what they always do. Functions may return what tests may return.
/// - `#[test]` itself is not needed; above, it would make a second test of the same name, which fails and says so.
///
/// # Arguments
///
/// `#[lockscope::test(allow = "busy-wait, poisoned")]` leaves findings of these codes out; they are reported still.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(arguments, item, expand::attribute)
}

/// The same behind the attribute that makes it a test: the body alone. Written by [`macro@test`].
#[doc(hidden)]
#[proc_macro_attribute]
pub fn body(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(arguments, item, expand::body)
}

/// The item as it is and an error beside it, where there is one: so that names in it are not missed elsewhere.
fn expand(
    arguments: TokenStream,
    item: TokenStream,
    with: fn(&Arguments, Function) -> Result<TokenStream, Error>,
) -> TokenStream {
    let expanded = Arguments::parse(arguments).and_then(|arguments| {
        let function = Function::parse(item.clone())?;
        with(&arguments, function)
    });
    expanded.unwrap_or_else(|error| {
        let mut tokens = error.into_tokens();
        tokens.extend(item);
        tokens
    })
}
