//! Which files of a folder are meant: patterns, lists and depth.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::arguments::Choice;
use crate::error::{CommandError, Result};
use crate::pattern::Pattern;

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
        let patterns = |texts: &[String]| -> Result<Vec<Pattern>> {
            let texts = texts.iter().filter(|text| !text.is_empty());
            texts.map(|text| Pattern::of_path(text)).collect()
        };
        let listed = choice.files_from.as_deref().map(read_list).transpose()?;
        let (include, exclude) = (patterns(&choice.include)?, patterns(&choice.exclude)?);
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

    /// Whether a folder is made, given those around files that are meant: an empty one only if every file would be.
    pub fn has_folder(&self, path: &Path, holding: &HashSet<&Path>) -> bool {
        let selective = !self.include.is_empty() || self.listed.is_some();
        path.as_os_str().is_empty() || holding.contains(path) || (!selective && self.is_open(path))
    }

    /// Whether a folder is reached and a file in it would be too, whatever its name.
    fn is_open(&self, folder: &Path) -> bool {
        let inside = folder.join("x");
        let by_place = self.exclude.iter().filter(|pattern| !pattern.is_of_name());
        self.max_depth.is_none_or(|max| inside.components().count() <= max)
            && self.is_reached(folder)
            && !by_place.into_iter().any(|pattern| pattern.means(&inside))
    }

    fn is_reached(&self, path: &Path) -> bool {
        let depth = path.components().count();
        let above = path.ancestors().filter(|part| !part.as_os_str().is_empty());
        self.max_depth.is_none_or(|max| depth <= max)
            && !above.into_iter().any(|part| matches_any(&self.exclude, part))
    }
}

/// The folders around files, at any depth.
pub fn folders_around<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> HashSet<&'a Path> {
    let mut folders = HashSet::new();
    for file in files {
        // Around a folder that is known all are.
        let _ = file.ancestors().skip(1).all(|folder| folders.insert(folder));
    }
    folders
}

fn read_list(file: &Path) -> Result<HashSet<PathBuf>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CommandError::Local(format!("{}: {error}", file.display())))?;
    let lines = text.lines().map(|line| line.trim_start_matches("./").trim_matches('/'));
    Ok(lines.filter(|line| !line.is_empty()).map(PathBuf::from).collect())
}

fn matches_any(patterns: &[Pattern], path: &Path) -> bool {
    patterns.iter().any(|pattern| pattern.means(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_an_excluded_folder_is_left_out() {
        let selection = Selection {
            exclude: vec![Pattern::of_path("cache").unwrap(), Pattern::of_path("*.tmp").unwrap()],
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
        let none = HashSet::new();
        assert!(selection.has_folder(Path::new("a/b"), &none));
        assert!(!selection.has_folder(Path::new("a/b/c"), &none));
        assert!(!selection.has_folder(Path::new("cache"), &none));
    }

    #[test]
    fn patterns_for_files_leave_no_folder_out() {
        let exclude = ["x", "[!a]*", "/b/**"].map(|text| Pattern::of_path(text).unwrap());
        let selection = Selection { exclude: exclude.into(), ..Selection::default() };
        let files = [PathBuf::from("ab/a")];
        assert!(selection.has_file(&files[0]));
        assert!(selection.has_folder(Path::new("ab"), &folders_around(&files)));
        assert!(selection.has_folder(Path::new("a"), &HashSet::new()));
        assert!(!selection.has_folder(Path::new("b"), &HashSet::new()));
    }

    #[test]
    fn folders_are_made_for_the_files_that_are_meant() {
        let include = vec![Pattern::of_path("*.jpg").unwrap()];
        let selection = Selection { include, ..Selection::default() };
        let files = ["a/b/x.jpg", "a/b/y.jpg", "a/d/z.jpg"].map(PathBuf::from);
        assert!(selection.has_file(&files[0]) && !selection.has_file(Path::new("a/x.png")));
        let holding = folders_around(&files);
        for (folder, made) in
            [("a", true), ("a/b", true), ("a/d", true), ("a/c", false), ("", true)]
        {
            assert_eq!(selection.has_folder(Path::new(folder), &holding), made, "{folder}");
        }
    }
}
