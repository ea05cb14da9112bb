//! Folders for what only their owner may see.

use std::path::Path;

/// Makes a folder that only its owner can enter, and those around it that do not exist. One that is there stays
/// as it is.
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
