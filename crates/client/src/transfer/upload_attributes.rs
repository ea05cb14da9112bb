//! What an upload gives its file beside the content: attributes that the caller has, thumbnails that are made here.

use supermega_crypto::FileKey;
use supermega_protocol::file_attribute::FileAttributes;

use super::upload::Upload;
use crate::error::Result;
use crate::file_attribute::{self, FileAttributeKind};
use crate::share::Access;
use crate::tree::Node;

impl Upload {
    /// Stores what belongs to the file under the file's key, but for kinds that are there already.
    pub(super) async fn store_attributes(
        &self,
        key: &FileKey,
        there: &[FileAttributeKind],
    ) -> Result<FileAttributes> {
        let given = self.attributes.iter().filter(|(kind, _)| !there.contains(kind));
        let given = given.map(|(kind, content)| {
            file_attribute::upload(&self.session, key, None, *kind, content)
        });
        let entries = futures_util::future::try_join_all(given).await?;
        #[cfg(feature = "thumbnails")]
        let entries = match &self.picture {
            Some(path) => {
                let made = file_attribute::of_local(&self.session, key, path).await;
                let known = |kind| entries.iter().any(|entry| entry.kind == kind);
                let made = made.into_iter().filter(|entry| {
                    !known(entry.kind) && there.iter().all(|kind| kind.number() != entry.kind)
                });
                let made: Vec<_> = made.collect();
                [entries, made].concat()
            }
            None => entries,
        };
        Ok(FileAttributes(entries))
    }

    /// Gives a file that is there already what it lacks. In somebody else's share nobody can, and it stays without.
    pub(super) async fn attach(&self, node: Node, key: &FileKey) -> Result<Node> {
        let nothing = self.attributes.is_empty();
        #[cfg(feature = "thumbnails")]
        let nothing = nothing && self.picture.is_none();
        if nothing || self.session.tree().await?.access(&node) != Access::Owner {
            return Ok(node);
        }
        let entries = self.store_attributes(key, &node.file_attributes()).await?;
        if entries.0.is_empty() {
            return Ok(node);
        }
        match self.session.put_file_attributes(&node, entries).await {
            // A file without a thumbnail is better than none.
            Err(_) if self.attributes.is_empty() => Ok(node),
            attached => attached,
        }
    }
}
