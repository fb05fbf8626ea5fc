//! The function under the attribute, taken apart no further than necessary: what is inside is the compiler's business.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::error::Error;

/// `#[…] pub async fn name() -> T where … { … }`.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    /// What stands before `fn`, `async` included.
    pub(crate) qualifiers: Vec<TokenTree>,
    pub(crate) asynchronous: Option<Span>,
    pub(crate) fn_token: TokenTree,
    pub(crate) name: Ident,
    pub(crate) arguments: Group,
    /// What stands between the arguments and the body.
    pub(crate) output: Vec<TokenTree>,
    pub(crate) body: Group,
}

/// `#[path(…)]`.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) tokens: [TokenTree; 2],
    /// The last name of its path, and how many names that has.
    pub(crate) name: String,
    pub(crate) path: String,
}

impl Attribute {
    /// By the convention of test attributes, which other crates' macros rely on too.
    pub(crate) fn is_test(&self) -> bool {
        self.name == "test"
    }
}

impl Function {
    pub(crate) fn parse(item: TokenStream) -> Result<Self, Error> {
        let mut tokens = item.into_iter().peekable();
        let mut attributes = Vec::new();
        while let Some(hash) =
            tokens.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#'))
        {
            let Some(group @ TokenTree::Group(_)) = tokens.next() else { return Err(not_a_function(&hash)) };
            let (path, name) = path(&group);
            attributes.push(Attribute { tokens: [hash, group], name, path });
        }
        let first = tokens.peek().cloned();
        let mut qualifiers = Vec::new();
        let mut asynchronous = None;
        let fn_token = loop {
            let Some(token) = tokens.next() else {
                return Err(first
                    .as_ref()
                    .map_or_else(|| Error::new(Span::call_site(), NOT_A_FUNCTION), not_a_function));
            };
            match &token {
                TokenTree::Ident(word) if word.to_string() == "fn" => break token,
                TokenTree::Ident(word) if word.to_string() == "async" => asynchronous = Some(word.span()),
                // Of an item that has functions inside.
                TokenTree::Ident(word)
                    if ["mod", "impl", "trait", "struct", "enum", "union", "macro_rules", "static"]
                        .contains(&&*word.to_string()) =>
                {
                    return Err(not_a_function(first.as_ref().unwrap_or(&token)));
                }
                _ => {}
            }
            qualifiers.push(token);
        };
        let Some(TokenTree::Ident(name)) = tokens.next() else { return Err(not_a_function(&fn_token)) };
        let arguments = match tokens.next() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => group,
            Some(other) => return Err(Error::new(other.span(), "a test has no type parameters")),
            None => return Err(not_a_function(&fn_token)),
        };
        let mut output: Vec<TokenTree> = tokens.collect();
        match output.pop() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                Ok(Self { attributes, qualifiers, asynchronous, fn_token, name, arguments, output, body })
            }
            _ => Err(Error::new(name.span(), "a test has a body")),
        }
    }

    /// The attribute below, or above and already carried out, that makes this function a test.
    pub(crate) fn test_attribute(&self) -> Option<String> {
        let below = self.attributes.iter().find(|attribute| attribute.is_test());
        below
            .map(|attribute| attribute.path.clone())
            .or_else(|| self.rewritten_by().filter(|path| last(path) == "test"))
    }

    /// The path of an attribute that has rewritten the body: what a macro adds has the place of the macro.
    fn rewritten_by(&self) -> Option<String> {
        let foreign = |token: TokenTree| {
            let source = token.span().source_text()?;
            let path = source.strip_prefix("#[")?;
            Some(path.split(['(', ']', '=']).next()?.trim().to_owned())
        };
        self.body.stream().into_iter().find_map(foreign)
    }

    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.path == name)
    }
}

const NOT_A_FUNCTION: &str = "`#[lockscope::test]` is for functions";

fn not_a_function(token: &TokenTree) -> Error {
    Error::new(token.span(), NOT_A_FUNCTION)
}

/// The path of an attribute, and its last name.
fn path(attribute: &TokenTree) -> (String, String) {
    let TokenTree::Group(group) = attribute else { return Default::default() };
    let is_path = |token: &TokenTree| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    };
    let path: String = group.stream().into_iter().take_while(is_path).map(|token| token.to_string()).collect();
    let name = last(&path).to_owned();
    (path, name)
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path).trim()
}
