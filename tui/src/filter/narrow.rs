//! Whether a filter keeps nothing that another one leaves out: who types on need not look at all rows again.

use super::expr::{Expr, Pattern, Term, is_handle};

/// Whether whatever `new` keeps is kept by `old`, as far as that is seen from how they are written. False may mean that it is not seen.
pub(super) fn narrows(new: &Expr, old: &Expr) -> bool {
    match (new, old) {
        _ if new == old => true,
        (_, Expr::All(parts)) => parts.iter().all(|part| narrows(new, part)),
        (Expr::Any(parts), _) => parts.iter().all(|part| narrows(part, old)),
        (Expr::All(parts), _) if parts.iter().any(|part| narrows(part, old)) => true,
        (_, Expr::Any(parts)) => parts.iter().any(|part| narrows(new, part)),
        (Expr::Term(Term::Text(key, new)), Expr::Term(Term::Text(old_key, old))) if key == old_key => {
            let (Pattern::Word(new), Pattern::Word(old)) = (new, old) else { return false };
            // `T3` is not in `T31`, and so neither is what it keeps.
            !is_handle(old) && new.contains(old.as_str())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::parse;

    fn check(old: &str, new: &str, expected: bool) {
        let [old, new] = [old, new].map(|text| parse(text).expect("it is a filter"));
        assert_eq!(new.narrows(&old), expected, "{old} and then {new}");
    }

    #[test]
    fn typing_on_narrows() {
        for (old, new) in [
            ("", "x"),
            ("", ""),
            ("mut", "mutex"),
            ("mu", "muTex"),
            ("a", "a b"),
            ("a b", "ab bc d"),
            ("site:ma", "site:main"),
            ("wait > 5ms a", "wait > 5ms ab"),
            ("a or b", "ab or b"),
            ("a or b", "a"),
            ("-a b", "-a bc"),
            ("t", "t3"),
        ] {
            check(old, new, true);
        }
        for (old, new) in [
            ("x", ""),
            ("mutex", "mut"),
            ("-a", "-ab"),
            ("a", "a or b"),
            ("a b", "a"),
            ("T3", "T31"),
            ("wait > 5ms", "wait > 5s"),
            ("site:ma", "main"),
            ("ma", "site:main"),
            ("code:lock*", "code:lock*x"),
        ] {
            check(old, new, false);
        }
    }
}
