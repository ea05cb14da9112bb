//! What belongs to a file beside its content: thumbnails, previews and the like, read and written
//! (`protocol-api.md` 4.7, `protocol-auth.md` 5.5).

#[cfg(feature = "thumbnails")]
mod make;
#[cfg(feature = "thumbnails")]
mod picture;
mod transfer;

use supermega_crypto::FileKey;
use supermega_protocol::file_attribute::{FileAttribute, FileAttributes, PutFileAttributes};

use crate::error::{Error, Result};
use crate::session::{Session, change};
use crate::share::{Access, must_allow};
use crate::transport::Channel;
use crate::tree::{Aspect, Node, Row};

#[cfg(feature = "thumbnails")]
pub(crate) use make::of_local;
#[cfg(feature = "thumbnails")]
pub use picture::{Pictures, is_picture_name};
pub(crate) use transfer::upload;

/// What an attribute of a file is: a number, of which two stand for pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileAttributeKind(u16);

impl FileAttributeKind {
    /// A small picture: JPEG, a square of 200 pixels.
    pub const THUMBNAIL: Self = Self(0);
    /// A larger picture: JPEG, at most 1000 pixels wide and high.
    pub const PREVIEW: Self = Self(1);

    /// Any other. 8 and 9, what is known of sounds and films, have no content of their own and can neither be
    /// read nor written here.
    #[must_use]
    pub const fn other(number: u16) -> Self {
        Self(number)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for FileAttributeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::THUMBNAIL => f.write_str("thumbnail"),
            Self::PREVIEW => f.write_str("preview"),
            Self(number) => write!(f, "attribute {number}"),
        }
    }
}

/// Those of a file, as they were received; none if they cannot be read.
pub(crate) fn parse(text: &str) -> FileAttributes {
    text.parse().unwrap_or_default()
}

/// The attribute of a kind, decrypted: `label` is the file's name for errors.
pub(crate) async fn fetch(
    channel: &Channel,
    (label, key, attributes): (&str, &FileKey, &str),
    kind: FileAttributeKind,
) -> Result<Vec<u8>> {
    let missing = || Error::not_found(format!("a {kind} of {label}"));
    let entries = parse(attributes).0;
    let entry = entries.iter().find(|entry| entry.kind == kind.0).ok_or_else(missing)?;
    let handle = entry.handle().ok_or_else(missing)?;
    let encrypted = transfer::download(channel, handle).await?.ok_or_else(missing)?;
    Ok(supermega_crypto::file_attribute::decrypt(key, &encrypted))
}

impl Node {
    /// What there is beside the content of a file.
    #[must_use]
    pub fn file_attributes(&self) -> Vec<FileAttributeKind> {
        let entries = parse(&self.row().file_attributes).0;
        entries.iter().map(|entry| FileAttributeKind(entry.kind)).collect()
    }
}

impl Session {
    /// Reads an attribute of a file, as its thumbnail.
    ///
    /// Up to fifteen zeros may follow what was stored, since its length is kept nowhere; readers of JPEG do not
    /// mind. Nothing proves that an attribute is genuine: treat a picture as one of a stranger's.
    pub async fn file_attribute(&self, file: &Node, kind: FileAttributeKind) -> Result<Vec<u8>> {
        let key = file.file_key().ok_or_else(|| no_file(file))?;
        let what = (&*file.label(), key, &*file.row().file_attributes);
        fetch(self.channel(), what, kind).await
    }

    /// Gives a file an attribute, in place of another of its kind. Only the owner of a file can.
    pub async fn set_file_attribute(
        &self,
        file: &Node,
        kind: FileAttributeKind,
        content: &[u8],
    ) -> Result<Node> {
        self.set_file_attributes(file, &[(kind, content)]).await
    }

    /// Gives a file several attributes at once.
    pub(crate) async fn set_file_attributes(
        &self,
        file: &Node,
        contents: &[(FileAttributeKind, &[u8])],
    ) -> Result<Node> {
        self.must_be_account()?;
        must_allow(&self.tree().await?, file, Access::Owner)?;
        let key = file.file_key().ok_or_else(|| no_file(file))?;
        let entries = contents
            .iter()
            .map(|(kind, content)| upload(self, key, Some(file.handle()), *kind, content));
        let fa = FileAttributes(futures_util::future::try_join_all(entries).await?);
        self.put_file_attributes(file, fa).await
    }

    /// Names attributes that were stored as those of a file.
    pub(crate) async fn put_file_attributes(
        &self,
        file: &Node,
        fa: FileAttributes,
    ) -> Result<Node> {
        let request = PutFileAttributes { n: file.handle(), fa, i: None };
        let named = self.channel().call_tagged(&request).await;
        let (all, tag) = named.map_err(|e| change::missing(e, file))?;
        let row = self.current(file).await?.row().clone();
        let row = Row { file_attributes: all.to_string(), ..row };
        Ok(self.show_changed(tag.as_ref(), row, Aspect::FileAttributes))
    }
}

fn no_file(node: &Node) -> Error {
    match node.is_file() {
        true => change::unreadable(node),
        false => Error::Refused(format!("{} is not a file", node.label())),
    }
}

/// An entry that names an attribute.
fn entry(kind: FileAttributeKind, value: String) -> FileAttribute {
    FileAttribute { cluster: None, kind: kind.0, value }
}
