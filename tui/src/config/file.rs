//! Reads one file and compares it with the schema.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Kind, Section, Setting, Source, Spec, Value, at};
use crate::filter::key::similar;

/// Settings of a file.
pub(super) fn parse(source: &Source, text: &str, sections: &[Section]) -> Result<Vec<Setting>, String> {
    let file = File { path: &source.path, text, is_trusted: source.is_trusted };
    let table = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        file.error(start, error.message())
    })?;
    let mut settings = Vec::new();
    for (name, content) in table.get_ref() {
        let section = sections.iter().find(|section| section.name == name.get_ref().as_ref());
        let Some(section) = section else {
            return Err(file.unknown(name, "section", sections.iter().map(|section| section.name)));
        };
        let DeValue::Table(content) = content.get_ref() else {
            return Err(file.error(name.span().start, &format!("`{}` is a section, write [{0}]", section.name)));
        };
        for (key, value) in content {
            settings.push(file.setting(section, key, value)?);
        }
    }
    settings.sort_by_key(|setting| setting.line);
    Ok(settings)
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    is_trusted: bool,
}

type Name<'a> = Spanned<std::borrow::Cow<'a, str>>;

impl File<'_> {
    fn setting(&self, section: &Section, key: &Name<'_>, value: &Spanned<DeValue<'_>>) -> Result<Setting, String> {
        let name: &str = key.get_ref();
        let spec = section.keys.iter().find(|spec| spec.name == name);
        let kind = match (spec, section.others) {
            (Some(Spec { is_private: true, .. }), _) if !self.is_trusted => {
                let what = format!("`{name}` can be set in your own configuration only, not in a project's");
                return Err(self.error(key.span().start, &what));
            }
            (Some(spec), _) => spec.kind,
            (None, Some(kind)) => kind,
            (None, None) => {
                let what = format!("key of [{}]", section.name);
                return Err(self.unknown(key, &what, section.keys.iter().map(|spec| spec.name)));
            }
        };
        let value_at = value.span().start;
        let value = convert(kind, value.get_ref())
            .map_err(|expected| self.error(value_at, &format!("`{name}` expects {expected}")))?;
        Ok(Setting {
            section: section.name.to_owned(),
            key: name.to_owned(),
            value,
            file: self.path.to_owned(),
            line: self.line(key.span().start),
        })
    }

    fn unknown<'n>(&self, name: &Name<'_>, what: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
        let text = name.get_ref();
        let advice = match similar(text, known.clone()) {
            Some(like) => format!(", did you mean `{like}`?"),
            None => format!("; there are {}", known.collect::<Vec<_>>().join(", ")),
        };
        self.error(name.span().start, &format!("there is no {what} `{text}`{advice}"))
    }

    fn line(&self, byte: usize) -> usize {
        1 + self.text.as_bytes().iter().take(byte).filter(|&&byte| byte == b'\n').count()
    }

    fn error(&self, byte: usize, message: &str) -> String {
        at(self.path, self.line(byte), message)
    }
}

/// The value, or what was expected.
fn convert(kind: Kind, value: &DeValue<'_>) -> Result<Value, String> {
    let text = value.as_str();
    match kind {
        Kind::Flag => value.as_bool().map(Value::Flag).ok_or_else(|| "true or false".to_owned()),
        Kind::Text => text.map(|text| Value::Text(text.to_owned())).ok_or_else(|| "a text in quotes".to_owned()),
        Kind::Choice(words) => match text.filter(|text| words.contains(text)) {
            Some(text) => Ok(Value::Text(text.to_owned())),
            None => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                Err(format!("one of {}", words.join(", ")))
            }
        },
        Kind::Checked(check) => {
            let text = text.ok_or_else(|| "a text in quotes".to_owned())?;
            check(text).map(|()| Value::Text(text.to_owned()))
        }
        Kind::Texts(check) => {
            if let Some(text) = text {
                return check(text).map(|()| Value::Texts(vec![text.to_owned()]));
            }
            let list = value.as_array().ok_or_else(|| "a text, or a list of texts".to_owned())?;
            let texts = list.iter().map(|item| {
                let text = item.get_ref().as_str().ok_or_else(|| "texts in its list".to_owned())?;
                check(text).map(|()| text.to_owned())
            });
            texts.collect::<Result<_, _>>().map(Value::Texts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema;

    fn check(text: &str, is_trusted: bool, expected: Result<&str, &str>) {
        // One that says yes to less than the dashboard's does.
        let mut sections = schema::sections();
        sections.retain(|section| !matches!(section.name, "dashboard" | "colors" | "keys"));
        sections.push(Section {
            name: "keys",
            help: "keys",
            keys: vec![Spec {
                name: "quit",
                kind: Kind::Texts(|key| if key.len() == 1 { Ok(()) } else { Err("a key".to_owned()) }),
                default: "[\"q\"]".to_owned(),
                help: "quits".to_owned(),
                is_private: true,
            }],
            others: None,
        });
        let source = Source { path: "x.toml".into(), is_trusted };
        let found = parse(&source, text, &sections).map(|settings| {
            let shown = settings.iter().map(|s| format!("{}.{}={}@{}", s.section, s.key, s.value, s.line));
            shown.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn settings_are_read_and_checked() {
        check("", false, Ok(""));
        check(
            "[check]\nstrict = true\nfail-on = \"warning\"",
            false,
            Ok("check.strict=true@2 check.fail-on=\"warning\"@3"),
        );
        check("[source-map]\n\"/build\" = \"src\"", false, Ok("source-map./build=\"src\"@2"));
        check("[keys]\nquit = [\"q\", \"x\"]", true, Ok("keys.quit=[\"q\", \"x\"]@2"));
        check("[chek]", false, Err("x.toml:1: there is no section `chek`, did you mean `check`?"));
        check(
            "\n[check]\nstrickt = 1",
            false,
            Err("x.toml:3: there is no key of [check] `strickt`, did you mean `strict`?"),
        );
        check("[check]\nstrict = 1", false, Err("x.toml:2: `strict` expects true or false"));
        check(
            "strict = 1",
            false,
            Err("x.toml:1: there is no section `strict`; there are check, lints, source-map, keys"),
        );
        check("check = 1", false, Err("x.toml:1: `check` is a section, write [check]"));
        let choice = "x.toml:2: `deadlock` expects one of \"default\", \"allow\", \"warn\", \"deny\"";
        check("[lints]\ndeadlock = \"off\"", false, Err(choice));
        check("[keys]\nquit = \"qq\"", true, Err("x.toml:2: `quit` expects a key"));
        let private = "x.toml:2: `quit` can be set in your own configuration only, not in a project's";
        check("[keys]\nquit = \"q\"", false, Err(private));
    }

    #[test]
    fn text_that_is_no_toml_is_an_error_with_a_line() {
        for text in ["[check\n", "[check]\nstrict = ", "\u{0}", "[check]\nstrict = true\nstrict = true"] {
            let source = Source { path: "x.toml".into(), is_trusted: true };
            let error = parse(&source, text, &schema::sections()).expect_err(text);
            assert!(error.starts_with("x.toml:"), "{error}");
        }
    }
}
