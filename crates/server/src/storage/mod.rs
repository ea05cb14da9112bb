//! The storage side: ciphertext in and out, without ever holding a file in memory.

mod attribute;
mod download;
mod journal;
mod medium;
mod open_uploads;
mod piece;
mod raid;
mod ranges;
mod receive;
mod tokens;
mod upload;

pub(crate) use attribute::{AttributeAccess, attribute};
pub(crate) use download::download;
pub(crate) use journal::path as journal_path;
pub(crate) use open_uploads::OpenUploads;
pub(crate) use piece::Pieces;
pub(crate) use raid::Part;
pub(crate) use tokens::{Access, Download, Tokens};
pub(crate) use upload::{abandon, upload};
