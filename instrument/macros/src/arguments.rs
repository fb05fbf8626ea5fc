//! What stands in the attribute's parentheses.

use proc_macro::{Literal, TokenStream, TokenTree};

use crate::error::Error;

/// What a process finds by itself. `lockscope explain` has a page about each.
const CODES: [&str; 11] = [
    "busy-wait",
    "deadlock",
    "guard-leak",
    "hierarchy-violation",
    "lock-order-inversion",
    "lock-timeout",
    "lost-wakeup",
    "poisoned",
    "self-deadlock",
    "semaphore-leak",
    "unchecked-wakeup",
];

/// The attribute's arguments.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Codes of findings that are no reason to fail.
    pub(crate) allow: Vec<String>,
    /// As they were written.
    pub(crate) tokens: TokenStream,
}

impl Arguments {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self, Error> {
        const EXPECTED: &str = "expected `allow = \"CODE, …\"` with codes of findings that are to be left out";
        let mut arguments = Self { tokens: tokens.clone(), ..Self::default() };
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        for argument in all.split(|token| is_punct(token, ',')).filter(|argument| !argument.is_empty()) {
            match argument {
                [TokenTree::Ident(key), equals, TokenTree::Literal(value)]
                    if key.to_string() == "allow" && is_punct(equals, '=') =>
                {
                    arguments.allow.extend(codes(value)?);
                }
                [TokenTree::Ident(key), ..] if key.to_string() == "allow" => {
                    return Err(Error::over(argument, EXPECTED));
                }
                _ => {
                    let what = match &argument[0] {
                        TokenTree::Ident(key) => format!("there is no argument `{key}`; {EXPECTED}"),
                        _ => EXPECTED.to_owned(),
                    };
                    return Err(Error::over(argument, what));
                }
            }
        }
        Ok(arguments)
    }
}

fn is_punct(token: &TokenTree, symbol: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == symbol)
}

/// The codes in a string literal.
fn codes(value: &Literal) -> Result<Vec<String>, Error> {
    let text = value.to_string();
    let Some(list) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return Err(Error::new(value.span(), "expected codes in a string, such as \"busy-wait, poisoned\""));
    };
    let codes = list.split(',').map(str::trim).filter(|code| !code.is_empty());
    let check = |code: &str| {
        if CODES.contains(&code) {
            return Ok(code.to_owned());
        }
        let all = CODES.join(", ");
        Err(Error::new(value.span(), format!("`{code}` is nothing that a running program finds; codes are {all}")))
    };
    codes.map(check).collect()
}
