//! What a configuration says of the dashboard: theme, colours, keys, mouse, editor.
//!
//! Sections and keys are in [`sections`], made from the tables of actions and of tones, so that each key and each colour can be
//! set and none is forgotten.

use crate::{
    config::{
        Config, Kind,
        schema::{Section, Spec},
    },
    dashboard::{
        draw::theme::{self, Palette, TONES, Theme},
        keys::{self, Keys, TABLE},
    },
};

/// How the dashboard is to look and to be used.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Styles and characters.
    pub theme: Theme,
    /// Which key does what.
    pub keys: Keys,
    /// The mouse is listened to.
    pub mouse: bool,
    /// Command of the editor, with `{file}` and `{line}`; else `$VISUAL` or `$EDITOR`.
    pub editor: Option<String>,
    /// What was configured, in words.
    pub settings: Vec<String>,
}

impl Looks {
    /// As it is configured. `is_light` finds out about the terminal's background, and is asked only where that matters.
    ///
    /// # Errors
    ///
    /// A key that means two things in one place.
    pub fn new(color: bool, ascii: bool, is_light: impl FnOnce() -> bool, config: &Config) -> Result<Looks, String> {
        let by_itself = || if is_light() { Palette::Light } else { Palette::Dark };
        let chosen = config.text("dashboard", "theme").and_then(|name| name.parse().ok());
        // Whoever wants no colours gets none.
        let palette = if color { chosen.unwrap_or_else(by_itself) } else { Palette::Mono };
        let ascii = ascii || config.flag("dashboard", "ascii").unwrap_or(false);
        let mut looks = Looks {
            theme: Theme::new(palette, ascii),
            keys: Keys::default(),
            mouse: config.flag("dashboard", "mouse").unwrap_or(true),
            editor: config.text("dashboard", "editor").filter(|text| !text.is_empty()).map(str::to_owned),
            settings: Vec::new(),
        };
        for section in ["dashboard", "colors", "keys"] {
            for setting in config.section(section) {
                let (key, place) = (&setting.key, crate::source::short_path(&setting.file.to_string_lossy()));
                match section {
                    "colors" => looks.theme.set(key, setting.value.text().unwrap_or_default())?,
                    "keys" => {
                        let names: Vec<String> = setting.value.texts().into_iter().map(str::to_owned).collect();
                        looks.keys.bind(key, &names)?;
                    }
                    _ => {}
                }
                looks.settings.push(format!("{section}.{key} = {}  {place}:{}", setting.value, setting.line));
            }
        }
        match looks.keys.clash() {
            Some((key, one, other)) => Err(format!("the key `{key}` is both `{one}` and `{other}`")),
            None => Ok(looks),
        }
    }
}

/// Sections of the configuration file that the dashboard reads.
pub fn sections() -> Vec<Section> {
    let spec = |name, kind, default: &str, help: &str, is_private| Spec {
        name,
        kind,
        default: default.to_owned(),
        help: help.to_owned(),
        is_private,
    };
    let colors = TONES.iter().map(|(name, _, help)| {
        spec(
            name,
            Kind::Checked(theme::check_style),
            "\"\"",
            &format!("{help}, as `light-blue bold` or `#ff8800 on black`"),
            false,
        )
    });
    let keys = TABLE.iter().map(|binding| {
        spec(binding.name, Kind::Texts(keys::check), &format!("{:?}", binding.keys), binding.help, false)
    });
    vec![
        Section {
            name: "dashboard",
            help: "The dashboard, `lockscope top`",
            keys: vec![
                spec("theme", Kind::Choice(THEMES), "\"auto\"", "its colours; NO_COLOR wins", false),
                spec("ascii", Kind::Flag, "false", "whether it draws with ASCII characters only", false),
                spec("mouse", Kind::Flag, "true", "whether it listens to the mouse", false),
                spec(
                    "editor",
                    Kind::Text,
                    "\"\"",
                    "command that opens a place, with {file} and {line}; else $VISUAL or $EDITOR",
                    true,
                ),
            ],
            others: None,
        },
        Section {
            name: "colors",
            help: "Colours of the dashboard, over those of its theme",
            keys: colors.collect(),
            others: None,
        },
        Section {
            name: "keys",
            help: "Keys of the dashboard, by the names of actions",
            keys: keys.collect(),
            others: None,
        },
    ]
}

/// Names of themes; `auto` asks the terminal.
const THEMES: &[&str] = &["auto", "dark", "light", "high-contrast", "colour-blind", "mono"];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dashboard::state::{Action, View};

    fn looks(text: &str) -> Result<Looks, String> {
        Looks::new(true, false, || false, &Config::parse(Path::new("c.toml"), text)?)
    }

    #[test]
    fn every_key_and_colour_can_be_set() {
        let looks = looks(
            "[dashboard]\ntheme = \"high-contrast\"\nmouse = false\neditor = \"hx {file}:{line}\"\n\
             [colors]\nbad = \"magenta\"\n[keys]\nquit = [\"ctrl-q\", \"f10\"]\nhelp = \"f1\"\n",
        )
        .expect("all of it is right");
        assert_eq!((looks.theme.palette, looks.mouse), (Palette::HighContrast, false));
        assert_eq!(looks.keys.lookup(View::Overview, false, "f10"), Some(Action::Quit));
        assert_eq!(looks.keys.lookup(View::Overview, false, "?"), None);
        assert_eq!(looks.editor.as_deref(), Some("hx {file}:{line}"));
        assert!(looks.settings.iter().any(|line| line.contains("colors.bad") && line.contains("c.toml:6")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("[keys]\nqiut = \"x\"", "quit"),
            ("[keys]\nquit = \"meta-x\"", "meta-x"),
            ("[keys]\nquit = \"?\"", "both"),
            ("[colors]\nbad = \"blau\"", "blau"),
            ("[colours]\nbad = \"blue\"", "colors"),
            ("[dashboard]\ntheme = \"beige\"", "mono"),
        ] {
            let error = looks(text).expect_err("it is wrong");
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn themes_are_those_that_there_are() {
        let names: Vec<&str> = Palette::ALL.iter().map(|palette| palette.name()).collect();
        assert_eq!(THEMES[1..], names);
    }
}
