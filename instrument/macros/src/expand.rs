//! What becomes of the function.
//!
//! An attribute that makes it a test, below or above, wins: it has the body in its hands, and often a runtime around it. So where one is
//! below, ours goes behind it (`#[lockscope::testing::body]`), and is carried out on what that makes of the function.

use proc_macro::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

use crate::{
    arguments::Arguments,
    error::Error,
    function::{Attribute, Function},
};

/// `#[lockscope::test]`.
pub(crate) fn attribute(arguments: &Arguments, function: Function) -> Result<TokenStream, Error> {
    let is_ours = |attribute: &&Attribute| ["lockscope::test", "::lockscope::test"].contains(&&*attribute.path);
    if let Some(twice) = function.attributes.iter().find(is_ours) {
        return Err(Error::over(&twice.tokens, "`#[lockscope::test]` stands here twice"));
    }
    if function.attributes.iter().any(Attribute::is_test) {
        return Ok(behind_others(arguments, function));
    }
    if function.test_attribute().is_some() {
        return body(arguments, function);
    }
    if let Some(span) = function.asynchronous {
        let message =
            "an `async` test needs a runtime: put its attribute beside `#[lockscope::test]`, such as `#[tokio::test]`";
        return Err(Error::new(span, message));
    }
    let mut tokens = parse("#[::core::prelude::v1::test]", Span::call_site());
    tokens.extend(body(arguments, function)?);
    Ok(tokens)
}

/// The function as it is, with our part behind its other attributes.
fn behind_others(arguments: &Arguments, function: Function) -> TokenStream {
    let mut tokens = TokenStream::new();
    function.attributes.iter().for_each(|attribute| tokens.extend(attribute.tokens.clone()));
    let mut ours = parse("::lockscope::testing::body", Span::call_site());
    ours.extend([TokenTree::from(Group::new(Delimiter::Parenthesis, arguments.tokens.clone()))]);
    tokens.extend(parse("#", Span::call_site()));
    tokens.extend([TokenTree::from(Group::new(Delimiter::Bracket, ours))]);
    tokens.extend(signature(&function));
    tokens.extend([TokenTree::from(function.body)]);
    tokens
}

/// The function with its body in a session. The body becomes a function in it, so that `return` and `?` mean what they meant.
pub(crate) fn body(arguments: &Arguments, function: Function) -> Result<TokenStream, Error> {
    if !function.arguments.stream().is_empty() {
        let message = "a test takes no arguments; an attribute that supplies them stands above `#[lockscope::test]`";
        return Err(Error::new(function.arguments.span(), message));
    }
    let name = function.name.to_string();
    // What goes wrong is shown at the test's name.
    let span = Span::call_site().located_at(function.name.span());
    let mut inner: TokenStream = signature(&function).into_iter().skip(n_visibility(&function.qualifiers)).collect();
    inner.extend([TokenTree::from(function.body.clone())]);
    let to_panic = if function.attribute("should_panic").is_some() { "_to_panic" } else { "" };
    let allow: Vec<String> = arguments.allow.iter().map(|code| format!("{code:?}")).collect();
    let name = Literal::string(name.trim_start_matches("r#"));
    let path = format!("::core::concat!(::core::module_path!(), \"::\", {name})");
    let allow = allow.join(", ");
    inner.extend(parse(&format!("::lockscope::testing::Test::new({path}, &[{allow}])"), span));
    let run = if function.asynchronous.is_some() { format!("run_future{to_panic}") } else { format!("run{to_panic}") };
    inner.extend(parse(".", span));
    inner.extend([TokenTree::from(Ident::new(&run, span))]);
    let mut body_function = TokenStream::from(TokenTree::from(function.name.clone()));
    if function.asynchronous.is_some() {
        body_function.extend(parse("()", span));
    }
    let mut passed = Group::new(Delimiter::Parenthesis, body_function);
    passed.set_span(span);
    inner.extend([TokenTree::from(passed)]);
    if function.asynchronous.is_some() {
        inner.extend(parse(".await", span));
    }
    let mut body = Group::new(Delimiter::Brace, inner);
    body.set_span(function.body.span());
    let mut tokens = TokenStream::new();
    function.attributes.iter().for_each(|attribute| tokens.extend(attribute.tokens.clone()));
    tokens.extend(signature(&function));
    tokens.extend([TokenTree::from(body)]);
    Ok(tokens)
}

/// All between the attributes and the body.
fn signature(function: &Function) -> TokenStream {
    let mut tokens: TokenStream = function.qualifiers.iter().cloned().collect();
    tokens.extend([function.fn_token.clone(), function.name.clone().into(), function.arguments.clone().into()]);
    tokens.extend(function.output.iter().cloned());
    tokens
}

/// How many tokens `pub` or `pub(…)` has.
fn n_visibility(qualifiers: &[TokenTree]) -> usize {
    match qualifiers {
        [TokenTree::Ident(word), rest @ ..] if word.to_string() == "pub" => {
            1 + usize::from(matches!(rest.first(), Some(TokenTree::Group(_))))
        }
        _ => 0,
    }
}

/// Code of ours, at a place.
fn parse(code: &str, span: Span) -> TokenStream {
    let tokens: TokenStream = code.parse().expect("it is written in this file");
    at(tokens, span)
}

fn at(tokens: TokenStream, span: Span) -> TokenStream {
    let place = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut group = Group::new(group.delimiter(), at(group.stream(), span));
            group.set_span(span);
            group.into()
        }
        mut token => {
            token.set_span(span);
            token
        }
    };
    tokens.into_iter().map(place).collect()
}
