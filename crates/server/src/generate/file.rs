//! One generated file, of any size: it takes no space.

use std::fmt;
use std::fs::File;

use supermega_crypto::{
    ContentCipher, ContentKey, CryptoError, FileKey, MetaMacBuilder, NodeKey, Nonce, chunks,
};
use supermega_encoding::{NodeHandle, base64};
use supermega_protocol::tree::NodeType;
use zeroize::Zeroizing;

use super::{account, node};
use crate::error::ServerError;
use crate::state::State;
use crate::store::nodes::{self, Node};
use crate::store::{blobs, now};

/// How much is encrypted at once for the MAC.
const PIECE: usize = 16 << 20;

/// A file to be made in an account's root. Its ciphertext is zeros, of which no disk holds any.
///
/// Clients that are connected learn of it when they load the tree anew.
#[derive(Clone)]
pub struct GeneratedFile {
    /// The account, which is made if there is none.
    pub email: String,
    /// Its password: the file's key is wrapped by the key behind it.
    pub password: Zeroizing<String>,
    /// Its name.
    pub name: String,
    /// How long it is.
    pub size: u64,
    /// Whether the file's MAC is right, which takes some tenths of a second a gigabyte to find out. Without it a client
    /// that reads the file to its end sees that it was tampered with.
    pub with_mac: bool,
}

impl fmt::Debug for GeneratedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratedFile")
            .field("email", &self.email)
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Makes a file. Blocks.
pub(crate) fn generate_file(
    state: &State,
    file: &GeneratedFile,
) -> Result<NodeHandle, ServerError> {
    let (user, master) = account(state, &file.email, &file.password)?;
    let key = if file.with_mac { verifiable_key(file.size)? } else { key()? };
    let key = NodeKey::File(key);
    state.store.write(|tx| {
        let blob = blobs::insert(tx, file.size)?;
        let path = state.blob_path(blob);
        File::create(&path)
            .and_then(|made| made.set_len(file.size))
            .map_err(|source| ServerError::Data { path, source })?;
        let handle = nodes::new_handle(tx)?;
        let root = nodes::root(tx, user.handle, NodeType::Root)?;
        nodes::insert(
            tx,
            &Node {
                handle,
                parent: Some(root.handle),
                owner: user.handle,
                kind: NodeType::File,
                a: node::attributes(&file.name, &key),
                k: base64::encode(&master.wrap_node_key(&key)),
                size: Some(file.size),
                ts: now(),
                fa: None,
                blob: Some(blob),
            },
        )?;
        Ok(handle)
    })
}

/// A new key with the MAC of a file whose ciphertext is `size` zeros.
pub(super) fn verifiable_key(size: u64) -> Result<FileKey, CryptoError> {
    let (content, nonce) = (ContentKey::generate()?, Nonce::generate()?);
    let cipher = ContentCipher::new(&content, nonce);
    let mut mac = MetaMacBuilder::new(&content);
    let mut piece = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for chunk in chunks(size) {
        end = chunk.end();
        // Whole chunks, as many as fit.
        if end - begin >= PIECE as u64 || end == size {
            piece.clear();
            piece.resize(usize::try_from(end - begin).unwrap_or(PIECE), 0);
            cipher.decrypt_chunks(begin, &mut piece).iter().for_each(|chunk| mac.push(chunk));
            begin = end;
        }
    }
    debug_assert_eq!(end, size);
    FileKey::new(&content, nonce, mac.finish())
}

/// A new key whose MAC is that of an empty file.
fn key() -> Result<FileKey, CryptoError> {
    let content = ContentKey::generate()?;
    FileKey::new(&content, Nonce::generate()?, MetaMacBuilder::new(&content).finish())
}
