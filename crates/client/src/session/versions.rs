//! Old versions of files: made current again, and deleted (`protocol-api.md` 6.3).

use supermega_protocol::Flag;
use supermega_protocol::node::DeleteNode;

use super::{Session, change};
use crate::error::{Error, Result};
use crate::share::{Access, must_allow};
use crate::tree::{Aspect, Node, Removal, Row};

impl Session {
    /// Makes an old version of a file current again, as a copy on the server: what was current becomes an old
    /// version, and nothing is lost.
    pub async fn restore_version(&self, file: &Node, version: &Node) -> Result<Node> {
        self.must_be_version(file, version).await?;
        self.copy_over(version, file).await
    }

    /// Deletes an old version of a file for good; the others stay.
    pub async fn delete_version(&self, file: &Node, version: &Node) -> Result<()> {
        self.must_be_version(file, version).await?;
        must_allow(&self.tree().await?, file, Access::Full)?;
        let request = DeleteNode { n: version.handle(), v: Flag::SET, vw: None, i: None };
        let deleted = self.channel().call_tagged(&request).await;
        let (_, tag) = deleted.map_err(|e| change::missing(e, version))?;
        let newer = version.parent();
        let tag = tag.as_ref();
        self.apply_result(tag, |tree| {
            // The next older one hangs on the next newer one now.
            if let Some(older) = tree.versions(version).first() {
                let older = Row { parent: newer, ..older.row().clone() };
                tree.insert_ahead(older, Aspect::Place, tag);
            }
            tree.remove_ahead(version.handle(), Removal::Itself, tag);
        });
        Ok(())
    }

    async fn must_be_version(&self, file: &Node, version: &Node) -> Result<()> {
        self.must_write()?;
        let versions = self.tree().await?.versions(file);
        match versions.iter().any(|known| known.handle() == version.handle()) {
            true => Ok(()),
            false => Err(Error::not_found(format!(
                "a version H:{} of {}",
                version.handle(),
                file.label()
            ))),
        }
    }
}
