//! The storage side: ciphertext in and out, without ever holding a file in memory.

mod download;
mod receive;
mod tokens;
mod upload;

pub(crate) use download::download;
pub(crate) use tokens::DownloadTokens;
pub(crate) use upload::{abandon, upload};

/// How much of a body is read or written at once.
const PIECE: usize = 1 << 20;
