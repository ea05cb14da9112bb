//! Copies on the server: no byte of content travels (`protocol-api.md` 2.6).

use futures_util::{StreamExt, TryStreamExt, stream};
use supermega_crypto::{Attributes, FolderKey, NodeKey};

use super::put::{Draft, Origin};
use super::{Session, change};
use crate::error::{Error, Result};
use crate::tree::Node;

/// Nodes that are made by one command.
const TOGETHER: usize = 1000;
/// Commands on their way at the same time.
const COMMANDS: usize = 16;
/// Where a node lay before it was thrown away, which means nothing to a copy.
const RESTORE: &str = "rr";

impl Session {
    /// Copies a node, with everything below it, into a folder under a name. Old versions stay behind.
    ///
    /// If it fails on the way, what has been copied is there.
    pub async fn copy(&self, node: &Node, folder: &Node, name: &str) -> Result<Node> {
        self.copy_as(node, folder, name, None).await
    }

    /// Copies a file in place of another one, which becomes an old version of the copy.
    pub async fn copy_over(&self, node: &Node, replaced: &Node) -> Result<Node> {
        let tree = self.tree().await?;
        let folder = replaced.parent().and_then(|parent| tree.node(parent));
        let folder = folder.ok_or_else(|| Error::not_found(replaced.label()))?;
        drop(tree);
        if !node.is_file() || !replaced.is_file() {
            return Err(Error::Refused(format!("{} is not a file", replaced.label())));
        }
        self.copy_as(node, &folder, replaced.name().unwrap_or_default(), Some(replaced)).await
    }

    async fn copy_as(
        &self,
        node: &Node,
        folder: &Node,
        name: &str,
        replaced: Option<&Node>,
    ) -> Result<Node> {
        self.must_write()?;
        change::must_be_folder(folder)?;
        let tree = self.tree().await?;
        if tree.is_within(folder, node.handle()) {
            return Err(Error::Refused(format!("{} cannot be copied into itself", node.label())));
        }
        if let Some(bad) = tree.subtree(node).iter().find(|node| node.problem().is_some()) {
            return Err(change::unreadable(bad));
        }
        let mut draft = draft_of(node, name)?;
        draft.replaces = replaced.map(Node::handle);
        // What is copied is the state of now, whatever is added below it meanwhile.
        let children = |folder: &Node| tree.children(folder);
        let top = self.put_one(folder, draft).await?;
        let mut level = vec![(node.clone(), top.clone())];
        while !level.is_empty() {
            let mut commands = Vec::new();
            for (from, to) in &level {
                let inside = if from.is_file() { Vec::new() } else { children(from) };
                commands.extend(inside.chunks(TOGETHER).map(|some| (some.to_vec(), to.clone())));
            }
            let copies = stream::iter(commands)
                .map(|(some, to)| self.copy_some(some, to))
                .buffer_unordered(COMMANDS);
            level = copies.try_concat().await?;
        }
        Ok(top)
    }

    /// Copies nodes without what is below them; gives the folders among them with their copies.
    async fn copy_some(&self, nodes: Vec<Node>, folder: Node) -> Result<Vec<(Node, Node)>> {
        let drafts = nodes.iter().map(|node| draft_of(node, node.name().unwrap_or_default()));
        let made = self.put(&folder, drafts.collect::<Result<_>>()?).await?;
        let made = made.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(nodes.into_iter().zip(made).filter(|(node, _)| !node.is_file()).collect())
    }
}

/// A file keeps its key, which its content is encrypted with; a folder gets a new one.
fn draft_of(node: &Node, name: &str) -> Result<Draft> {
    let (origin, key) = match node.file_key() {
        Some(key) => (Origin::Node(node.handle()), NodeKey::File(key.clone())),
        None => (Origin::Folder, NodeKey::Folder(FolderKey::generate()?)),
    };
    let mut attributes = node.attributes().cloned().unwrap_or_else(|| Attributes::new(name));
    attributes.set_name(name);
    attributes.remove(RESTORE);
    let file_attributes = node.row().file_attributes.clone();
    Ok(Draft { origin, key, attributes, size: node.size(), replaces: None, file_attributes })
}
