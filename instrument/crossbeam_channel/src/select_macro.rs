//! The macros `select!` and `select_biased!`, with crossbeam-channel's grammar.
//!
//! crossbeam-channel's own macros name its own types, so they cannot be used on this crate's. Theirs and these do
//! the same in the same order: the expressions of all channels are evaluated first, then that of the time limit; what is to be sent only
//! when its send was selected; temporaries live until the body has run; the list of operations is gone before the body runs, so that the
//! body may move or drop the channels.

/// Waits until one of several sends and receives can be done, and does it. Of several a random one is chosen.
///
/// ```
/// use lockscope_crossbeam_channel::{select, unbounded};
///
/// let (to_do, jobs) = unbounded();
/// let (done, results) = unbounded();
/// to_do.send(20).unwrap();
///
/// select! {
///     recv(jobs) -> job => assert_eq!(job, Ok(20)),
///     recv(results) -> result => unreachable!("there are no results: {result:?}"),
/// }
/// select! {
///     recv(jobs) -> _ => unreachable!("there are no jobs"),
///     send(done, 40) -> sent => {
///         sent.unwrap();
///         assert_eq!(results.recv(), Ok(40));
///     }
///     default => unreachable!("there is room without limit"),
/// }
/// ```
///
/// With `default => ...` it does not wait, with `default(timeout) => ...` not longer than that.
#[macro_export]
macro_rules! select {
    ($($cases:tt)*) => {{ $crate::__lockscope_select!(@parse { $crate::Select::new() } () () $($cases)*) }};
}

/// [`select!`] that chooses the first of several operations that can be done.
#[macro_export]
macro_rules! select_biased {
    ($($cases:tt)*) => {{ $crate::__lockscope_select!(@parse { $crate::Select::new_biased() } () () $($cases)*) }};
}

/// crossbeam-channel's macro of this name, which its documentation hides and some programs use all the same.
#[doc(hidden)]
#[macro_export]
macro_rules! crossbeam_channel_internal {
    ($($cases:tt)*) => {
        $crate::__lockscope_select!(
            @parse { if _IS_BIASED { $crate::Select::new_biased() } else { $crate::Select::new() } } () () $($cases)*
        )
    };
}

/// Steps of [`select!`]:
///
/// | step | takes | does |
/// | --- | --- | --- |
/// | `@parse how (cases) (default)` | what is left of the source | takes one case off it |
/// | `@op`, `@default` | the same, with the head of a case | takes the body of the case |
/// | `@run` | all cases | recognises a single receive, else `@bind` |
/// | `@bind how default (bound)` | the cases left | evaluates the channel of one, then selects |
/// | `@done operation (index)` | the bound cases | does the one that was selected |
///
/// `how` is a block that makes the list. A case is `(recv (channel) (pattern) {body})` or `(send (channel, message) (pattern) {body})`, a bound one has the name of a reference
/// instead of the channel's expression. A default is `(now {body})` or `(limit (timeout) {body})`.
#[doc(hidden)]
#[macro_export]
macro_rules! __lockscope_select {
    (@parse $how:tt () ()) => {
        compile_error!("empty `select!` block")
    };
    (@parse $how:tt $cases:tt $default:tt) => {
        $crate::__lockscope_select!(@run $how $default $cases)
    };
    (@parse $how:tt $cases:tt $default:tt recv($channel:expr $(,)?) -> $pattern:pat => $($rest:tt)+) => {
        $crate::__lockscope_select!(@op $how $cases $default (recv ($channel) ($pattern)) $($rest)+)
    };
    (@parse $how:tt $cases:tt $default:tt send($channel:expr, $message:expr $(,)?) -> $pattern:pat => $($rest:tt)+) => {
        $crate::__lockscope_select!(@op $how $cases $default (send ($channel, $message) ($pattern)) $($rest)+)
    };
    (@parse $how:tt $cases:tt () default $(())? => $($rest:tt)+) => {
        $crate::__lockscope_select!(@default $how $cases (now) $($rest)+)
    };
    (@parse $how:tt $cases:tt () default($timeout:expr $(,)?) => $($rest:tt)+) => {
        $crate::__lockscope_select!(@default $how $cases (limit ($timeout)) $($rest)+)
    };
    // What is wrong.
    (@parse $how:tt $cases:tt ($($default:tt)+) default $($rest:tt)*) => {
        compile_error!("there can be only one `default` case in a `select!` block")
    };
    (@parse $how:tt $cases:tt $default:tt default $(($($args:tt)*))? -> $($rest:tt)*) => {
        compile_error!("expected `=>` after `default` case, found `->`")
    };
    (@parse $how:tt $cases:tt $default:tt $operation:ident ($($args:tt)*) => $($rest:tt)*) => {
        compile_error!(concat!("expected `->` after `", stringify!($operation), "` case, found `=>`"))
    };
    (@parse $how:tt $cases:tt $default:tt $operation:ident ($($args:tt)*) $(-> $pattern:pat)? =>) => {
        compile_error!("expected an expression after `=>`")
    };
    (@parse $how:tt $cases:tt $default:tt recv($($args:tt)*) -> $pattern:pat => $($rest:tt)*) => {
        compile_error!(concat!("invalid argument list in `recv(", stringify!($($args)*), ")`"))
    };
    (@parse $how:tt $cases:tt $default:tt send($($args:tt)*) -> $pattern:pat => $($rest:tt)*) => {
        compile_error!(concat!("invalid argument list in `send(", stringify!($($args)*), ")`"))
    };
    (@parse $how:tt $cases:tt $default:tt $found:tt $($rest:tt)*) => {
        compile_error!(concat!(
            "expected `recv(channel) -> pattern =>`, `send(channel, message) -> pattern =>` or `default =>`, found `",
            stringify!($found $($rest)*), "`"
        ))
    };

    // The body of a send or receive: a block, with a comma or without; an expression with a comma; an expression at the end.
    (@op $how:tt ($($cases:tt)*) $default:tt ($($case:tt)+) { $($body:tt)* }, $($rest:tt)*) => {
        $crate::__lockscope_select!(@parse $how ($($cases)* ($($case)+ { $($body)* })) $default $($rest)*)
    };
    (@op $how:tt ($($cases:tt)*) $default:tt ($($case:tt)+) $body:expr, $($rest:tt)*) => {
        $crate::__lockscope_select!(@parse $how ($($cases)* ($($case)+ { $body })) $default $($rest)*)
    };
    (@op $how:tt ($($cases:tt)*) $default:tt ($($case:tt)+) { $($body:tt)* } $($rest:tt)*) => {
        $crate::__lockscope_select!(@parse $how ($($cases)* ($($case)+ { $($body)* })) $default $($rest)*)
    };
    (@op $how:tt ($($cases:tt)*) $default:tt ($($case:tt)+) $body:expr) => {
        $crate::__lockscope_select!(@parse $how ($($cases)* ($($case)+ { $body })) $default)
    };
    // The body of the default, likewise.
    (@default $how:tt $cases:tt ($($when:tt)+) { $($body:tt)* }, $($rest:tt)*) => {
        $crate::__lockscope_select!(@parse $how $cases ($($when)+ { $($body)* }) $($rest)*)
    };
    (@default $how:tt $cases:tt ($($when:tt)+) $body:expr, $($rest:tt)*) => {
        $crate::__lockscope_select!(@parse $how $cases ($($when)+ { $body }) $($rest)*)
    };
    (@default $how:tt $cases:tt ($($when:tt)+) { $($body:tt)* } $($rest:tt)*) => {
        $crate::__lockscope_select!(@parse $how $cases ($($when)+ { $($body)* }) $($rest)*)
    };
    (@default $how:tt $cases:tt ($($when:tt)+) $body:expr) => {
        $crate::__lockscope_select!(@parse $how $cases ($($when)+ { $body }))
    };
    (@default $($rest:tt)*) => {
        compile_error!("expected a comma after the expression of a case in a `select!` block")
    };
    (@op $($rest:tt)*) => {
        compile_error!("expected a comma after the expression of a case in a `select!` block")
    };

    // One receive is what its own methods do.
    (@run $how:tt () ((recv ($channel:expr) ($pattern:pat) $body:tt))) => {
        match $channel {
            ref _receiver => {
                let _receiver: &$crate::Receiver<_> = _receiver;
                let _result = _receiver.recv();
                let $pattern = _result;
                $body
            }
        }
    };
    (@run $how:tt (now $default:tt) ((recv ($channel:expr) ($pattern:pat) $body:tt))) => {
        match $channel {
            ref _receiver => {
                let _receiver: &$crate::Receiver<_> = _receiver;
                match _receiver.try_recv() {
                    ::std::result::Result::Err($crate::TryRecvError::Empty) => $default,
                    _result => {
                        let _result = _result.map_err(|_| $crate::RecvError);
                        let $pattern = _result;
                        $body
                    }
                }
            }
        }
    };
    (@run $how:tt (limit ($timeout:expr) $default:tt) ((recv ($channel:expr) ($pattern:pat) $body:tt))) => {
        match $channel {
            ref _receiver => {
                let _receiver: &$crate::Receiver<_> = _receiver;
                match _receiver.recv_timeout($timeout) {
                    ::std::result::Result::Err($crate::RecvTimeoutError::Timeout) => $default,
                    _result => {
                        let _result = _result.map_err(|_| $crate::RecvError);
                        let $pattern = _result;
                        $body
                    }
                }
            }
        }
    };
    (@run $how:tt $default:tt ($($case:tt)*)) => {
        $crate::__lockscope_select!(@bind $how $default () $($case)*)
    };

    // The channels, in order.
    (@bind $how:tt $default:tt ($($bound:tt)*) (recv ($channel:expr) $pattern:tt $body:tt) $($rest:tt)*) => {
        match $channel {
            ref _receiver => {
                let _receiver: &$crate::Receiver<_> = _receiver;
                $crate::__lockscope_select!(@bind $how $default ($($bound)* (recv _receiver () $pattern $body)) $($rest)*)
            }
        }
    };
    (@bind $how:tt $default:tt ($($bound:tt)*) (send ($channel:expr, $message:expr) $pattern:tt $body:tt) $($rest:tt)*) => {
        match $channel {
            ref _sender => {
                let _sender: &$crate::Sender<_> = _sender;
                $crate::__lockscope_select!(
                    @bind $how $default ($($bound)* (send _sender ($message) $pattern $body)) $($rest)*
                )
            }
        }
    };
    (@bind $how:tt () ($(($operation:ident $channel:ident $message:tt $pattern:tt $body:tt))*)) => {{
        let _selected = {
            let mut _select = $how;
            $(_select.$operation($channel);)*
            _select.select()
        };
        $crate::__lockscope_select!(@done _selected (0) $(($operation $channel $message $pattern $body))*)
    }};
    // Without a destructor nothing is borrowed when the body of the default runs.
    (@bind $how:tt (now $default:tt) ($(($operation:ident $channel:ident $message:tt $pattern:tt $body:tt))*)) => {{
        let _selected = {
            #[allow(unused_mut)]
            let mut _select = $how;
            $(_select.$operation($channel);)*
            _select.try_select().map(::std::mem::ManuallyDrop::new)
        };
        match _selected {
            ::std::result::Result::Ok(_selected) => {
                let _selected = ::std::mem::ManuallyDrop::into_inner(_selected);
                $crate::__lockscope_select!(@done _selected (0) $(($operation $channel $message $pattern $body))*)
            }
            ::std::result::Result::Err(_) => $default,
        }
    }};
    (
        @bind $how:tt (limit ($timeout:expr) $default:tt)
        ($(($operation:ident $channel:ident $message:tt $pattern:tt $body:tt))*)
    ) => {{
        let _selected = {
            #[allow(unused_mut)]
            let mut _select = $how;
            $(_select.$operation($channel);)*
            _select.select_timeout($timeout).map(::std::mem::ManuallyDrop::new)
        };
        match _selected {
            ::std::result::Result::Ok(_selected) => {
                let _selected = ::std::mem::ManuallyDrop::into_inner(_selected);
                $crate::__lockscope_select!(@done _selected (0) $(($operation $channel $message $pattern $body))*)
            }
            ::std::result::Result::Err(_) => $default,
        }
    }};

    // The one that was selected.
    (@done $selected:ident ($($index:tt)+) (recv $channel:ident () ($pattern:pat) $body:tt) $($rest:tt)*) => {
        if $selected.index() == $($index)+ {
            let _result = $selected.recv($channel);
            let $pattern = _result;
            $body
        } else {
            $crate::__lockscope_select!(@done $selected ($($index)+ + 1) $($rest)*)
        }
    };
    (@done $selected:ident ($($index:tt)+) (send $channel:ident ($message:expr) ($pattern:pat) $body:tt) $($rest:tt)*) => {
        if $selected.index() == $($index)+ {
            let _result = $selected.send($channel, $message);
            let $pattern = _result;
            $body
        } else {
            $crate::__lockscope_select!(@done $selected ($($index)+ + 1) $($rest)*)
        }
    };
    (@done $selected:ident $index:tt) => {
        ::std::unreachable!("one of the operations was selected: {:?}", $selected)
    };
}
