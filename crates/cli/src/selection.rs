//! Which files of a folder are meant: patterns, lists and depth.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::arguments::Choice;
use crate::error::{CommandError, Result};

/// Files and folders by their path from the top of what is copied.
#[derive(Debug, Default)]
pub struct Selection {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    listed: Option<HashSet<PathBuf>>,
    max_depth: Option<usize>,
}

impl Selection {
    /// Reads what the flags say.
    pub fn new(choice: &Choice) -> Result<Self> {
        let patterns = |texts: &[String]| {
            texts.iter().filter(|text| !text.is_empty()).map(|text| Pattern::new(text)).collect()
        };
        let listed = choice.files_from.as_deref().map(read_list).transpose()?;
        let (include, exclude) = (patterns(&choice.include), patterns(&choice.exclude));
        Ok(Self { include, exclude, listed, max_depth: choice.max_depth })
    }

    /// Whether a file is meant. The path of what was named itself is empty, and that is always meant.
    pub fn has_file(&self, path: &Path) -> bool {
        if path.as_os_str().is_empty() {
            return true;
        }
        let included = self.include.is_empty() || matches_any(&self.include, path);
        let listed = self.listed.as_ref().is_none_or(|listed| listed.contains(path));
        included && listed && self.is_reached(path)
    }

    /// Whether a folder is made, given the files that are meant: an empty one only if every file would be.
    pub fn has_folder<'a>(&self, path: &Path, mut files: impl Iterator<Item = &'a Path>) -> bool {
        if path.as_os_str().is_empty() {
            return true;
        }
        let selective = !self.include.is_empty() || self.listed.is_some();
        match selective {
            true => files.any(|file| file.starts_with(path)),
            // A folder whose files would all lie too deep is not made.
            false => self.is_reached(&path.join("x")),
        }
    }

    fn is_reached(&self, path: &Path) -> bool {
        let depth = path.components().count();
        let above = path.ancestors().filter(|part| !part.as_os_str().is_empty());
        self.max_depth.is_none_or(|max| depth <= max)
            && !above.into_iter().any(|part| matches_any(&self.exclude, part))
    }
}

fn read_list(file: &Path) -> Result<HashSet<PathBuf>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CommandError::Local(format!("{}: {error}", file.display())))?;
    let lines = text.lines().map(|line| line.trim_start_matches("./").trim_matches('/'));
    Ok(lines.filter(|line| !line.is_empty()).map(PathBuf::from).collect())
}

fn matches_any(patterns: &[Pattern], path: &Path) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}

/// `*` and `?` stay within a name, `**` does not. Without a slash a pattern is for names anywhere.
#[derive(Debug)]
pub struct Pattern {
    text: Vec<char>,
    of_name: bool,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Self {
        let inner = text.trim_end_matches('/');
        let of_name = !inner.contains('/');
        Self { text: inner.trim_start_matches('/').chars().collect(), of_name }
    }

    /// Whether it means this path.
    pub fn matches(&self, path: &Path) -> bool {
        let subject = if self.of_name { path.file_name().map(Path::new) } else { Some(path) };
        let subject = subject.unwrap_or(path).to_string_lossy().replace('\\', "/");
        glob(&self.text, &subject.chars().collect::<Vec<_>>())
    }
}

impl Pattern {
    /// Whether it means a name, in which no slash divides anything; `fold` says that case does not matter.
    pub fn means_name(&self, name: &str, fold: bool) -> bool {
        // Nearly all names are short and plain, and there may be millions of them.
        let mut plain = ['\0'; 128];
        let is_plain = name.len() <= plain.len()
            && name.bytes().all(|byte| byte.is_ascii() && byte != b'/' && byte != b'\\');
        if is_plain && self.of_name && !matches!(name, "" | "." | "..") {
            for (place, byte) in plain.iter_mut().zip(name.bytes()) {
                *place = char::from(if fold { byte.to_ascii_lowercase() } else { byte });
            }
            return glob(&self.text, &plain[..name.len()]);
        }
        let name = if fold { name.to_lowercase() } else { name.to_owned() };
        self.matches(Path::new(&name.replace('/', " ")))
    }
}

/// Matches without recursion into every possibility: each star goes back to its last place only.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last `*` and the last `**` stand, and how far each has swallowed.
    let mut star: Option<(usize, usize)> = None;
    let mut deep: Option<(usize, usize)> = None;
    loop {
        match pattern.get(p) {
            Some('*') if pattern.get(p + 1) == Some(&'*') => {
                // `**/` stands for no folder too.
                p += if pattern.get(p + 2) == Some(&'/') { 3 } else { 2 };
                (deep, star) = (Some((p, t)), None);
                continue;
            }
            Some('*') => {
                p += 1;
                star = Some((p, t));
                continue;
            }
            Some(c) if text.get(t).is_some_and(|d| c == d || (*c == '?' && *d != '/')) => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            None if t == text.len() => return true,
            _ => {}
        }
        // A dead end: the nearest star swallows one more.
        if let Some((after, from)) =
            star.filter(|(_, from)| text.get(*from).is_some_and(|c| *c != '/'))
        {
            (p, t, star) = (after, from + 1, Some((after, from + 1)));
        } else if let Some((after, from)) = deep.filter(|(_, from)| *from < text.len()) {
            // Behind `**/` a name begins.
            let whole_names = pattern.get(after.wrapping_sub(1)) == Some(&'/');
            let rest = &text[from + 1..];
            let skip = if whole_names {
                match text[from..].iter().position(|c| *c == '/') {
                    Some(slash) => slash + 1,
                    None => rest.len() + 1,
                }
            } else {
                1
            };
            (p, t, star, deep) = (after, from + skip, None, Some((after, from + skip)));
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern).matches(Path::new(path))
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
            ("[x]", "[x]"),
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
        ] {
            assert!(!is_match(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_below_an_excluded_folder_is_left_out() {
        let selection = Selection {
            exclude: vec![Pattern::new("cache"), Pattern::new("*.tmp")],
            max_depth: Some(3),
            ..Selection::default()
        };
        for (path, meant) in [
            ("a", true),
            ("cache/x", false),
            ("a/cache/x", false),
            ("a/x.tmp", false),
            ("a/b/c", true),
            ("a/b/c/d", false),
            ("", true),
        ] {
            assert_eq!(selection.has_file(Path::new(path)), meant, "{path}");
        }
        assert!(selection.has_folder(Path::new("a/b"), std::iter::empty()));
        assert!(!selection.has_folder(Path::new("a/b/c"), std::iter::empty()));
        assert!(!selection.has_folder(Path::new("cache"), std::iter::empty()));
    }

    #[test]
    fn folders_are_made_for_the_files_that_are_meant() {
        let selection = Selection { include: vec![Pattern::new("*.jpg")], ..Selection::default() };
        let file = Path::new("a/b/x.jpg");
        assert!(selection.has_file(file) && !selection.has_file(Path::new("a/x.png")));
        for (folder, made) in [("a", true), ("a/b", true), ("a/c", false), ("", true)] {
            let files = std::iter::once(file);
            assert_eq!(selection.has_folder(Path::new(folder), files), made, "{folder}");
        }
    }
}
