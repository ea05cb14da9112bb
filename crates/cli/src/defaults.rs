//! Defaults for flags from a file: a flag counts more than its variable, and that more than the file.
//!
//! A key is a flag's long name. At the top it means every verb that has the flag; in a table with a verb's name,
//! that verb, and a table in it a verb of that.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::OsStr as Default;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use crate::arguments::Arguments;
use crate::profile;

const USUAL: &str = "config.toml";

/// Reads the command line, with the defaults of the file if there is one.
pub fn parse() -> Result<Arguments, clap::Error> {
    let mut command = Arguments::command();
    if let Some(file) = file()
        && let Some(text) = read(&file)?
    {
        let wrong = |why: String| failed(&format!("{}: {why}", file.display()));
        let table: Table = text.parse().map_err(|e: toml::de::Error| wrong(e.to_string()))?;
        command = with_defaults(command, &table).map_err(wrong)?;
    }
    Arguments::from_arg_matches(&command.try_get_matches()?)
}

fn failed(text: &str) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::InvalidValue, format!("{text}\n"))
}

/// The file that is named, which must be there, or the usual one, which may be.
struct DefaultsFile {
    path: PathBuf,
    is_named: bool,
}

impl DefaultsFile {
    fn display(&self) -> std::path::Display<'_> {
        self.path.display()
    }
}

/// Finds the file before the command line is read, since what it says is needed for that.
fn file() -> Option<DefaultsFile> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let setting = |flag: &str, variable: &str| {
        flag_of(&arguments, flag).or_else(|| std::env::var_os(variable)).filter(|v| !v.is_empty())
    };
    if let Some(file) = setting("--config", "SUPERMEGA_CONFIG") {
        return Some(DefaultsFile { path: file.into(), is_named: true });
    }
    let folder = setting("--config-dir", "SUPERMEGA_CONFIG_DIR").map(PathBuf::from);
    let folder = profile::config_place(folder.as_deref()).ok()?;
    Some(DefaultsFile { path: folder.join(USUAL), is_named: false })
}

/// The value of a flag, as `--flag VALUE` or `--flag=VALUE`.
fn flag_of(arguments: &[OsString], flag: &str) -> Option<OsString> {
    let flags = || arguments.iter().take_while(|argument| *argument != "--");
    let after = flags().position(|argument| argument == flag).and_then(|at| arguments.get(at + 1));
    let joined = |argument: &OsString| {
        let value = argument.to_str()?.strip_prefix(flag)?.strip_prefix('=')?;
        Some(OsStr::new(value).to_owned())
    };
    after.cloned().or_else(|| flags().find_map(joined))
}

fn read(file: &DefaultsFile) -> Result<Option<String>, clap::Error> {
    match std::fs::read_to_string(&file.path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !file.is_named => Ok(None),
        Err(error) => Err(failed(&format!("{}: {error}", file.display()))),
    }
}

fn with_defaults(mut command: Command, table: &Table) -> Result<Command, String> {
    for (key, value) in table {
        if let Value::Table(inner) = value {
            if command.find_subcommand(key).is_none() {
                return Err(format!("{key:?} is no verb"));
            }
            let mut result = Ok(());
            command =
                command.mut_subcommand(key, |verb| match with_defaults(verb.clone(), inner) {
                    Ok(changed) => changed,
                    Err(why) => {
                        result = Err(why);
                        verb
                    }
                });
            result?;
        } else {
            let values = texts(value).ok_or_else(|| format!("{key:?} has no usable value"))?;
            let mut found = false;
            command = everywhere(command, key, &values, &mut found);
            if !found {
                return Err(format!("{key:?} is no flag"));
            }
        }
    }
    Ok(command)
}

/// Sets a flag's default here and in all verbs below.
fn everywhere(command: Command, key: &str, values: &[Default], found: &mut bool) -> Command {
    let is_it = |arg: &Arg| arg.get_long() == Some(key) && !is_of_no_default(key);
    let here = command.get_arguments().find(|arg| is_it(arg)).map(|arg| arg.get_id().clone());
    let command = match here {
        Some(id) => {
            *found = true;
            command.mut_arg(id, |arg| match arg.get_action() {
                ArgAction::Append => arg.default_values(values.to_vec()),
                _ => arg.default_values(values.iter().take(1).cloned().collect::<Vec<_>>()),
            })
        }
        None => command,
    };
    let verbs: Vec<String> =
        command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.into_iter().fold(command, |command, verb| {
        command.mut_subcommand(verb, |verb| everywhere(verb, key, values, found))
    })
}

/// Where the file itself is, and what would leave no choice.
fn is_of_no_default(key: &str) -> bool {
    matches!(key, "config" | "config-dir" | "help" | "version")
}

fn texts(value: &Value) -> Option<Vec<Default>> {
    let text = |value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Boolean(yes) => yes.to_string(),
            _ => return None,
        };
        // A default lives as long as the command, which is read once.
        let text: &'static str = text.leak();
        Some(Default::from(text))
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => Some(vec![text(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Command as Verb;

    fn parsed(file: &str, line: &[&str]) -> Result<Arguments, String> {
        let command = with_defaults(Arguments::command(), &file.parse().unwrap())?;
        let matches = command.try_get_matches_from(line).map_err(|e| e.to_string())?;
        Arguments::from_arg_matches(&matches).map_err(|e| e.to_string())
    }

    #[test]
    fn the_file_gives_defaults_and_flags_count_more() {
        let file = "timeout = 7\nquiet = true\nprofile = 'work'\n[get]\noverwrite = 'never'\n\
                    include = ['*.a', '*.b']\n[link.make]\nexpires = '30d'\n";
        let arguments = parsed(file, &["supermega", "get", "/x"]).unwrap();
        assert_eq!((arguments.global.timeout, arguments.global.quiet), (7, true));
        assert_eq!(arguments.global.profile, "work");
        let Verb::Get(get) = arguments.command else { panic!() };
        assert_eq!(get.choice.include, ["*.a", "*.b"]);
        assert_eq!(get.overwrite, crate::arguments::Overwrite::Never);
        let arguments = parsed(file, &["supermega", "--timeout", "9", "put", "x"]).unwrap();
        assert_eq!(arguments.global.timeout, 9);
        assert_eq!(Arguments::try_parse_from(["supermega", "df"]).unwrap().global.timeout, 15);
    }

    #[test]
    fn what_is_no_flag_or_verb_is_told() {
        for (file, told) in [
            ("tmeout = 1", "\"tmeout\" is no flag"),
            ("[gett]\nquiet = true", "\"gett\" is no verb"),
            ("config = 'x'", "\"config\" is no flag"),
            ("[get]\ntimeot = 1", "\"timeot\" is no flag"),
            ("timeout = 1.5", "\"timeout\" has no usable value"),
        ] {
            let error = parsed(file, &["supermega", "df"]).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        assert!(parsed("timeout = 'soon'", &["supermega", "df"]).is_err());
    }

    #[test]
    fn the_file_is_found_before_the_rest_is_read() {
        let arguments = |texts: &[&str]| texts.iter().map(OsString::from).collect::<Vec<_>>();
        let flag = |texts| flag_of(&arguments(texts), "--config");
        assert_eq!(flag(&["ls", "--config", "a"]), Some("a".into()));
        assert_eq!(flag(&["--config=b", "ls"]), Some("b".into()));
        assert_eq!(flag(&["ls", "--", "--config", "a"]), None);
        assert_eq!(flag(&["--config-dir", "a"]), None);
    }
}
