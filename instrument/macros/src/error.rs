//! Misuse, told where it is.

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct Error {
    message: String,
    start: Span,
    end: Span,
}

impl Error {
    pub(crate) fn new(at: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), start: at, end: at }
    }

    /// Of several tokens.
    pub(crate) fn over(tokens: &[TokenTree], message: impl Into<String>) -> Self {
        let at = |token: Option<&TokenTree>| token.map_or_else(Span::call_site, TokenTree::span);
        Self { message: message.into(), start: at(tokens.first()), end: at(tokens.last()) }
    }

    /// `::core::compile_error! { "…" }`. The compiler underlines from the first token to the last.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let punct = |symbol, spacing, span| {
            let mut punct = Punct::new(symbol, spacing);
            punct.set_span(span);
            TokenTree::from(punct)
        };
        let mut message = Literal::string(&self.message);
        message.set_span(self.end);
        let mut body = Group::new(Delimiter::Brace, TokenTree::from(message).into());
        body.set_span(self.end);
        [
            punct(':', Spacing::Joint, self.start),
            punct(':', Spacing::Alone, self.start),
            Ident::new("core", self.start).into(),
            punct(':', Spacing::Joint, self.start),
            punct(':', Spacing::Alone, self.start),
            Ident::new("compile_error", self.start).into(),
            punct('!', Spacing::Alone, self.start),
            body.into(),
        ]
        .into_iter()
        .collect()
    }
}
