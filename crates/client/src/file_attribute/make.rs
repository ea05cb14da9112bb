//! Thumbnails and previews: made of local files that are uploaded, and of remote ones later.

use std::io::{BufReader, Cursor};
use std::path::Path;

use supermega_crypto::FileKey;
use supermega_protocol::file_attribute::FileAttribute;

use super::picture::{FILE, Pictures};
use super::{FileAttributeKind, upload};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::share::{Access, must_allow};
use crate::tree::Node;

/// Stores the pictures of a local file that is uploaded, and names them. A file without pictures is better than
/// none: what fails here is left out.
pub(crate) async fn of_local(session: &Session, key: &FileKey, path: &Path) -> Vec<FileAttribute> {
    let opened = path.to_owned();
    let read = move || {
        let file = std::fs::File::open(&opened).ok()?;
        let length = file.metadata().ok()?.len();
        (length <= FILE).then(|| Pictures::of(BufReader::new(file)))?
    };
    let Some(pictures) = made(session, read).await else { return Vec::new() };
    let stored = futures_util::future::try_join_all(
        contents(&pictures).map(|(kind, content)| upload(session, key, None, kind, content)),
    );
    stored.await.unwrap_or_else(|error| {
        tracing::debug!(%error, "a thumbnail was not stored");
        Vec::new()
    })
}

impl Session {
    /// Makes the thumbnail and the preview of a picture that is in the account, for which it is downloaded. An
    /// upload can do the same at once: [`Upload::thumbnails`](crate::transfer::Upload::thumbnails).
    pub async fn make_thumbnails(&self, file: &Node) -> Result<Node> {
        let unfit = || Error::Refused(format!("{} is no picture that can be read", file.label()));
        must_allow(&self.tree().await?, file, Access::Owner)?;
        if file.size() > FILE {
            return Err(unfit());
        }
        let mut bytes = Vec::new();
        self.download(file)?.to_writer(&mut bytes).await?;
        let pictures = made(self, move || Pictures::of(Cursor::new(bytes))).await;
        self.set_file_attributes(file, &contents(&pictures.ok_or_else(unfit)?)).await
    }
}

fn contents(pictures: &Pictures) -> [(FileAttributeKind, &[u8]); 2] {
    [
        (FileAttributeKind::THUMBNAIL, &pictures.thumbnail),
        (FileAttributeKind::PREVIEW, &pictures.preview),
    ]
}

/// Makes pictures off the async threads, few at a time.
async fn made(
    session: &Session,
    make: impl FnOnce() -> Option<Pictures> + Send + 'static,
) -> Option<Pictures> {
    let _turn = session.channel().options().budget.picture().await;
    blocking(move || Ok(make())).await.ok().flatten()
}
