//! Where trees are kept between runs: whether they can be, whose they are, how much room they take.

use std::path::Path;

use supermega::KeptTrees;

use super::Finding;
use super::here::open_to_others;
use crate::context::Context;
use crate::output::size;

const CHECK: &str = "cache";

/// Looks at the folder, if trees are kept.
pub fn folder(context: &Context) -> Finding {
    match context.trees() {
        Some(folder) => look(&folder),
        None if context.global.no_cache => Finding::ok(CHECK, "turned off: no tree is kept"),
        None => Finding::warning(
            CHECK,
            "this system has no place for it: each run asks for the whole tree",
            "set HOME, or --cache-dir",
        ),
    }
}

fn look(folder: &Path) -> Finding {
    let shown = folder.display();
    // What does not exist yet is made below the next folder that does.
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let probe = match tempfile::tempfile_in(there) {
        Ok(probe) => probe,
        Err(error) => {
            let text =
                format!("{shown} cannot be written: {error}; each run asks for the whole tree");
            return Finding::warning(CHECK, text, "choose another place: --cache-dir");
        }
    };
    if folder.is_dir() && !is_of_same_owner(folder, &probe) {
        let text = format!("{shown} belongs to another user");
        return Finding::wrong(CHECK, text, "choose another place: --cache-dir");
    }
    if let Some(file) = open_to_others(folder) {
        let text = format!("others can read {}", file.display());
        return Finding::wrong(CHECK, text, format!("chmod -R go= {shown}"));
    }
    match KeptTrees::in_dir(folder) {
        Err(error) => {
            let text = format!("{shown} cannot be read: {error}");
            Finding::warning(CHECK, text, "choose another place: --cache-dir")
        }
        Ok(kept) => found(&kept, folder),
    }
}

fn found(kept: &KeptTrees, folder: &Path) -> Finding {
    let shown = folder.display();
    let all = format!("{} trees, {} in {shown}", kept.trees, size(kept.bytes, true));
    match kept.unusable.first() {
        None => Finding::ok(CHECK, all),
        Some(first) => Finding::warning(
            CHECK,
            format!(
                "{all}; {} files of another format, or damaged: {}",
                kept.unusable.len(),
                first.display()
            ),
            "delete them; what is needed is made anew",
        ),
    }
}

/// Whether a folder belongs to whoever made a file just now.
#[cfg(unix)]
fn is_of_same_owner(folder: &Path, probe: &std::fs::File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(folder), probe.metadata()) {
        (Ok(folder), Ok(probe)) => folder.uid() == probe.uid(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_of_same_owner(_: &Path, _: &std::fs::File) -> bool {
    true
}
