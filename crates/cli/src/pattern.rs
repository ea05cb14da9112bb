//! Patterns for names and paths: `*`, `?`, `[..]`, `{..}` and `**`.

use std::path::Path;

use globset::GlobBuilder;
use regex::{Regex, RegexBuilder};

use crate::error::{CommandError, Result};

/// What a name or a path has to look like. `*`, `?` and `[..]` stay within a name, `**` does not.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    of_name: bool,
}

impl Pattern {
    /// Reads a pattern for paths. Without a slash it is for names anywhere, with one it counts from the top.
    pub fn of_path(text: &str) -> Result<Self> {
        let inner = text.trim_end_matches('/');
        let of_name = !inner.contains('/');
        Ok(Self { regex: read(inner.trim_start_matches('/'), true, false)?, of_name })
    }

    /// Reads a pattern for names, in which no slash divides anything; `fold` says that case does not matter.
    pub fn of_name(text: &str, fold: bool) -> Result<Self> {
        Ok(Self { regex: read(text, false, fold)?, of_name: true })
    }

    /// Whether it is for names, wherever they stand.
    pub fn is_of_name(&self) -> bool {
        self.of_name
    }

    /// Whether it means this path.
    pub fn means(&self, path: &Path) -> bool {
        let subject = if self.of_name { path.file_name().map(Path::new) } else { Some(path) };
        let subject = subject.unwrap_or(path).to_string_lossy();
        match cfg!(windows) {
            true => self.means_name(&subject.replace('\\', "/")),
            false => self.means_name(&subject),
        }
    }

    /// Whether it means this name. There may be millions of them: nothing is allocated.
    pub fn means_name(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }
}

fn read(text: &str, slash_divides: bool, fold: bool) -> Result<Regex> {
    let mut builder = GlobBuilder::new(text);
    builder.literal_separator(slash_divides).backslash_escape(true).empty_alternates(true);
    let glob = builder.build().map_err(|error| CommandError::Usage(error.to_string()))?;
    let mut builder = RegexBuilder::new(&of_characters(glob.regex()));
    builder.dot_matches_new_line(true).case_insensitive(fold);
    builder.build().map_err(|_| CommandError::Usage(format!("the pattern {text} is too large")))
}

/// The expression that a pattern was made into is for bytes, and a `?` would be a part of `ä`: those bytes stand in it as
/// `\xNN`, whole characters side by side, and become characters again.
fn of_characters(of_bytes: &str) -> String {
    let mut rest = of_bytes.trim_start_matches("(?-u)");
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at..];
        let digits = escape.strip_prefix("\\x").and_then(|digits| digits.get(..2));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let length = if let Some(byte) = byte {
            bytes.push(byte);
            4
        } else {
            let length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
            bytes.extend_from_slice(&escape.as_bytes()[..length]);
            length
        };
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, path: &str) -> bool {
        Pattern::of_path(pattern).unwrap().means(Path::new(path))
    }

    #[test]
    fn patterns_match_names_and_paths() {
        for (pattern, path) in [
            ("*.jpg", "a.jpg"),
            ("*.jpg", "deep/er/a.jpg"),
            ("a?c", "x/abc"),
            ("/a/*.txt", "a/b.txt"),
            ("a/**", "a/b/c"),
            ("**/x", "x"),
            ("**/x", "a/b/x"),
            ("a/**/z*", "a/b/c/zoo"),
            ("a/**/z*", "a/zoo"),
            ("**/cache/", "a/cache"),
            ("*a*b*", "xaxbx"),
            ("*", "anything"),
            ("*", "two\nlines"),
            ("[a-cx]", "b"),
            ("[!a-c]?", "d/xy"),
            ("[]]", "]"),
            (r"\[x\]", "[x]"),
            ("*.{jpg,jp?g,tar.*}", "a/b.jpeg"),
            ("*.{jpg,jp?g,tar.*}", "b.tar.gz"),
            ("a{,.bak}", "a"),
            ("/{a,b/**}/[0-9]*", "b/c/d/7up"),
            ("/{a,b/**}/[0-9]*", "a/7up"),
            (r"\x41", "x41"),
            (r"\\xe4", r"\xe4"),
        ] {
            assert!(is_match(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.jpg", "a.jpeg"),
            ("/a/*.txt", "x/a/b.txt"),
            ("/a/*.txt", "a/c/b.txt"),
            ("a?c", "ac"),
            ("/*", "a/b"),
            ("a/**/z", "a/xz"),
            ("", "x"),
            ("/a?c", "a/c"),
            ("/a[!b]c", "a/c"),
            ("[a-c]", "d"),
            ("[x]", "[x]"),
            ("*.{jpg,png}", "a.gif"),
            ("a+", "aa"),
        ] {
            assert!(!is_match(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn what_stands_for_a_character_stands_for_any() {
        for (pattern, path) in [
            ("?", "ä"),
            ("??", "日本"),
            ("[äö]", "ö"),
            ("[α-ω]*", "λόγος"),
            ("[!a]", "ä"),
            ("{ä,日}.txt", "日.txt"),
        ] {
            assert!(is_match(pattern, path), "{pattern} {path}");
        }
        assert!(!is_match("??", "ä") && !is_match("[äö]", "ü"));
    }

    #[test]
    fn names_are_matched_with_and_without_case() {
        let folded =
            |pattern: &str, name: &str| Pattern::of_name(pattern, true).unwrap().means_name(name);
        assert!(folded("*.jpg", "A.JPG") && folded("[a-c]ä{x,y}", "BÄY"));
        assert!(!Pattern::of_name("*.jpg", false).unwrap().means_name("A.JPG"));
        // A remote name may hold a slash.
        assert!(folded("a*c", "a/b/c") && folded("a/?", "a/b"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["[a", "{a,b", "a}", "[z-a]", "\\"] {
            assert!(matches!(Pattern::of_path(bad), Err(CommandError::Usage(_))), "{bad}");
        }
    }
}
