//! The storage side: ciphertext in and out, without ever holding a file in memory.

mod attribute;
mod download;
mod journal;
mod open_uploads;
mod raid;
mod ranges;
mod receive;
mod tokens;
mod upload;

pub(crate) use attribute::{AttributeAccess, attribute};
pub(crate) use download::download;
pub(crate) use journal::path as journal_path;
pub(crate) use open_uploads::OpenUploads;
pub(crate) use raid::Part;
pub(crate) use tokens::{Access, Download, Tokens};
pub(crate) use upload::{abandon, upload};

/// How much of a body is read or written at once.
const PIECE: usize = 1 << 20;
/// The same for a part of a file, which takes five times as much to make.
const PART_PIECE: usize = 256 << 10;
