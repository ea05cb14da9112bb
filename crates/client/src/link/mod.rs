//! Public links: made, listed, opened, imported (`protocol-api.md` 2.8, `protocol-auth.md` 7.5).

mod import;
mod list;
mod make;

use std::time::SystemTime;

use supermega_crypto::link::Link;
use supermega_crypto::{Attributes, FileKey, NodeKey};
use supermega_encoding::PublicHandle;
use supermega_protocol::transfer::RequestDownload;
use supermega_protocol::{ErrorCode, Malformed, Verbatim};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::file_attribute::{self, FileAttributeKind};
use crate::transfer::{Download, RemoteFile, Target};
use crate::transport::{Authentication, Channel};
use crate::unix_time;

pub use import::Imported;
pub use list::PublicLink;
pub use make::{LinkOptions, MadeLink};

/// A file behind a public link.
#[derive(Clone)]
pub struct PublicFile {
    handle: PublicHandle,
    key: FileKey,
    size: u64,
    attributes: Attributes,
    /// Thumbnails and the like.
    file_attributes: String,
    channel: Channel,
}

impl std::fmt::Debug for PublicFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicFile")
            .field("handle", &self.handle)
            .field("name", &self.name())
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl PublicFile {
    /// The name. It is somebody else's text: see [`crate::name`] before it becomes a local path.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.attributes.name()
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The link's handle.
    #[must_use]
    pub fn handle(&self) -> PublicHandle {
        self.handle
    }

    /// Modification time in seconds since 1970, if whoever uploaded the file wrote it.
    #[must_use]
    pub fn modified(&self) -> Option<i64> {
        self.attributes.fingerprint().map(|fingerprint| fingerprint.mtime)
    }

    /// The same as a time.
    #[must_use]
    pub fn modified_at(&self) -> Option<SystemTime> {
        self.modified().and_then(unix_time::to_system)
    }

    /// Reads an attribute of the file, as its thumbnail: see [`Session::file_attribute`](crate::Session::file_attribute).
    pub async fn file_attribute(&self, kind: FileAttributeKind) -> Result<Vec<u8>> {
        let label = self.name().map_or_else(|| self.handle.to_string(), str::to_owned);
        let what = (&*label, &self.key, &*self.file_attributes);
        file_attribute::fetch(&self.channel, what, kind).await
    }

    /// Prepares a download.
    pub fn download(&self) -> Result<Download> {
        Ok(Download::new(RemoteFile {
            label: self.name().map_or_else(|| self.handle.to_string(), str::to_owned),
            channel: self.channel.clone(),
            target: Target::Public(self.handle),
            key: self.key.clone(),
            size: self.size,
            fingerprint: self.attributes.fingerprint(),
        }))
    }
}

impl Client {
    /// Opens the link of a file: learns its name and size. No account is needed.
    pub async fn open_file(&self, link: &Link) -> Result<PublicFile> {
        let (handle, key) = match link {
            Link::File { handle, .. } => (*handle, link.file_key()?.clone()),
            _ => return Err(Error::Input("the link is not that of a file".into())),
        };
        let channel = self.channel(&Authentication::Anonymous)?;
        let request = RequestDownload { p: Some(handle), ..RequestDownload::default() };
        let reply = channel.call(&request).await.map_err(|e| gone(e, handle))?;
        if let Some(code) = reply.e {
            return Err(gone(Error::from_failure("g", code.into()), handle));
        }
        let missing = |field| Malformed::new("g", field, "missing");
        let size = reply.s.ok_or_else(|| missing("s"))?;
        let attributes = reply.at.as_ref().and_then(|at: &Verbatim| at.decode().ok());
        let attributes = attributes.ok_or_else(|| missing("at"))?;
        let node_key = NodeKey::File(key.clone());
        let attributes =
            Attributes::decrypt(&node_key.attribute_key(), &attributes).map_err(|_| {
                let what = format!("link {handle}");
                Error::Integrity { what, why: "its key does not open the file" }
            })?;
        let file_attributes = reply.fa.clone().unwrap_or_default();
        Ok(PublicFile { handle, key, size, attributes, file_attributes, channel })
    }
}

fn gone(error: Error, handle: PublicHandle) -> Error {
    match error.code() {
        Some(ErrorCode::NotFound | ErrorCode::Blocked | ErrorCode::Access) => {
            Error::not_found(format!("link {handle}"))
        }
        _ => error,
    }
}
