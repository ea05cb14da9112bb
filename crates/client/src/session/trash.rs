//! The rubbish bin: taken out of, and emptied.

use supermega_protocol::node::EmptyTrash;

use super::Session;
use super::change::RESTORE;
use crate::error::{Error, Result};
use crate::tree::{Node, Removal};

impl Session {
    /// Moves a node out of the rubbish bin, to where it lay before, or into the root folder if that is gone. A
    /// namesake there is an error.
    pub async fn restore(&self, node: &Node) -> Result<Node> {
        let tree = self.tree().await?;
        let trash = tree.trash()?;
        if node.handle() == trash.handle() || !tree.is_within(node, trash.handle()) {
            let text = format!("{} is not in the rubbish bin", node.label());
            return Err(Error::Refused(text));
        }
        let folder = self.lay_before(node).await?.map_or_else(|| tree.root(), Ok)?;
        if let Some(name) = node.name()
            && !tree.children_named(&folder, name).is_empty()
        {
            let path = tree.path_of(&folder).join(name).to_string();
            return Err(Error::AlreadyExists { path });
        }
        drop(tree);
        let node = self.move_to(node, &folder).await?;
        let mut attributes = node.attributes().cloned().unwrap_or_default();
        match attributes.remove(RESTORE) {
            Some(_) => self.set_attributes(&node, attributes).await,
            None => Ok(node),
        }
    }

    /// The folder that a node in the rubbish bin lay in before, unless that is gone or there too.
    pub async fn lay_before(&self, node: &Node) -> Result<Option<Node>> {
        let tree = self.tree().await?;
        let trash = tree.trash()?;
        let handle = node.attributes().and_then(|attributes| attributes.get(RESTORE)?.as_str());
        let folder = handle.and_then(|handle| tree.node(handle.parse().ok()?));
        let stays = |folder: &Node| !folder.is_file() && !tree.is_within(folder, trash.handle());
        Ok(folder.filter(stays))
    }

    /// Deletes everything in the rubbish bin for good.
    pub async fn empty_trash(&self) -> Result<()> {
        self.must_be_account()?;
        let tree = self.tree().await?;
        let inside = tree.children(&tree.trash()?);
        let trash = tree.trash()?.handle();
        drop(tree);
        if inside.is_empty() {
            return Ok(());
        }
        let (_, tag) = self.channel().call_tagged(&EmptyTrash {}).await?;
        let tag = tag.as_ref();
        self.apply_result(tag, |tree| {
            for node in &inside {
                tree.remove_ahead(node.handle(), Removal::From(trash), tag);
            }
        });
        Ok(())
    }
}
