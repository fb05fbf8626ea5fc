//! The file: written with comments for people, read with the line of each mistake.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Key, Order};

/// Version of the format.
const VERSION: u32 = 1;

/// A hierarchy that was checked in.
#[derive(Clone, Debug, Default)]
pub struct File {
    ranks: BTreeMap<Key, Option<u32>>,
}

impl File {
    /// Reads it. The error is a line, from 1, and what is wrong there.
    pub fn parse(text: &str) -> Result<File, (usize, String)> {
        let line = |byte: usize| 1 + text.as_bytes().iter().take(byte).filter(|&&byte| byte == b'\n').count();
        let table = DeTable::parse(text)
            .map_err(|error| (line(error.span().map_or(0, |span| span.start)), error.message().to_owned()))?;
        let mut file = File::default();
        for (name, value) in table.get_ref() {
            let at = line(name.span().start);
            match name.get_ref().as_ref() {
                "version" if value.get_ref().as_integer().is_some_and(|n| n.as_str() == VERSION.to_string()) => {}
                "version" => return Err((at, format!("the version is not {VERSION}"))),
                "order" => {}
                "lock" => {
                    let list = value.get_ref().as_array().ok_or((at, "expected [[lock]]".to_owned()))?;
                    for item in list {
                        file.add(item, &line)?;
                    }
                }
                other => return Err((at, format!("expected [[lock]] or [[order]], not `{other}`"))),
            }
        }
        Ok(file)
    }

    fn add(&mut self, item: &Spanned<DeValue<'_>>, line: &dyn Fn(usize) -> usize) -> Result<(), (usize, String)> {
        let at = line(item.span().start);
        let table = item.get_ref().as_table().ok_or((at, "expected [[lock]]".to_owned()))?;
        let (mut key, mut rank) = (None, None);
        for (name, value) in table {
            let at = line(name.span().start);
            let text = || value.get_ref().as_str().map(str::to_owned);
            let name: &str = name.get_ref();
            match name {
                "name" => key = Some(Key::Name(text().ok_or((at, "`name` expects a text".to_owned()))?)),
                // A name wins, whichever stands first.
                "made" if matches!(key, Some(Key::Name(_))) => {}
                "made" => key = Some(Key::Made(text().ok_or((at, "`made` expects a text".to_owned()))?)),
                "rank" => {
                    let number = value.get_ref().as_integer().and_then(|n| n.as_str().parse::<u32>().ok());
                    let number = number.filter(|&rank| rank < u32::from(u16::MAX));
                    rank = Some(number.ok_or((at, "`rank` expects a number from 0 to 65534".to_owned()))?);
                }
                "kind" => {}
                other => return Err((at, format!("there is no key `{other}` here"))),
            }
        }
        let key = key.ok_or((at, "a lock needs `name` or `made`".to_owned()))?;
        if self.ranks.insert(key.clone(), rank).is_some() {
            return Err((at, format!("{key} is listed twice")));
        }
        Ok(())
    }

    /// The rank of a class, if it has one.
    pub fn rank(&self, key: &Key) -> Option<u32> {
        self.ranks.get(key).copied().flatten()
    }

    /// Whether a class is in it, perhaps without a rank.
    pub fn lists(&self, key: &Key) -> bool {
        self.ranks.contains_key(key)
    }

    /// All classes.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.ranks.keys()
    }
}

/// The file of an order.
pub(super) fn write(order: &Order, programs: &[String]) -> String {
    let of = if programs.is_empty() { String::new() } else { format!(" of {}", programs.join(", ")) };
    let mut out = format!(
        "# Lock hierarchy{of}, as recorded: a lock is taken only while locks of lower rank are held.\n\
         # LOCKSCOPE=hierarchy=FILE enforces it while a program runs; lockscope hierarchy --check FILE TRACE tells when\n\
         # code and file part ways. Locks of equal rank were never held together. Names last longer than lines.\n\
         version = {VERSION}\n"
    );
    if order.n_nameless > 0 {
        out.push_str(&format!("# Left out, since they have neither a name nor a place: {}\n", order.n_nameless));
    }
    let mut ranks: Vec<(&Key, Option<u32>)> = order.ranks().into_iter().collect();
    ranks.sort_by_key(|&(key, rank)| (rank.unwrap_or(u32::MAX), key));
    for (key, rank) in ranks {
        out.push_str("\n[[lock]]\n");
        out.push_str(&match key {
            Key::Name(name) => format!("name = {}\n", quote(name)),
            Key::Made(place) => format!("made = {}\n", quote(place)),
        });
        if let Some(kind) = order.kinds.get(key) {
            out.push_str(&format!("kind = {}\n", quote(kind)));
        }
        match rank {
            Some(rank) => out.push_str(&format!("rank = {rank}\n")),
            None if order.edges.contains_key(&(key.clone(), key.clone())) => {
                out.push_str("# No rank: one of them is taken while another one is held.\n");
            }
            None => out.push_str("# No rank: it is taken in both orders with another lock, which can deadlock.\n"),
        }
    }
    out.push_str(if order.edges.is_empty() { "# No lock was taken while another one was held.\n" } else { "" });
    for (held, taken, proof) in order.edges() {
        let name = |key: &Key| match key {
            Key::Name(text) | Key::Made(text) => quote(text),
        };
        out.push_str(&format!(
            "\n[[order]]\nheld = {}\ntaken = {}\nheld-at = {}\ntaken-at = {}\nthread = {}\ncount = {}\n",
            name(held),
            name(taken),
            quote(&proof.held_at),
            quote(&proof.taken_at),
            quote(&proof.thread),
            proof.count
        ));
    }
    out
}

/// A text as TOML. Names have no control characters; they were cleaned when they were read.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_lines() {
        for (text, line, what) in [
            ("version = 2", 1, "the version is not 1"),
            ("[[loks]]", 1, "expected [[lock]] or [[order]], not `loks`"),
            ("[[lock]]\nrank = 1", 1, "a lock needs `name` or `made`"),
            ("[[lock]]\nname = \"a\"\nrank = -1", 3, "`rank` expects a number from 0 to 65534"),
            ("[[lock]]\nname = \"a\"\n[[lock]]\nname = \"a\"", 3, "`a` is listed twice"),
            ("[[lock]]\nname = 1", 2, "`name` expects a text"),
        ] {
            assert_eq!(File::parse(text).expect_err(text), (line, what.to_owned()), "{text}");
        }
    }

    #[test]
    fn names_are_quoted_so_that_they_are_read_again() {
        for name in ["plain", "with \"quotes\"", r"back\slash", "# no comment"] {
            let text = format!("[[lock]]\nname = {}\nrank = 3\n", quote(name));
            let file = File::parse(&text).expect("a valid file");
            assert_eq!(file.rank(&Key::Name(name.to_owned())), Some(3), "{text}");
        }
    }
}
