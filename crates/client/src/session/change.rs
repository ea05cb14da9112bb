//! Changes of the tree: folders made, nodes renamed, moved, thrown away (`protocol-api.md` 2.7).

use supermega_crypto::{Attributes, FolderKey, NodeKey};
use supermega_protocol::node::{DeleteNode, MoveNode, SetAttributes};
use supermega_protocol::{ErrorCode, Verbatim};

use super::Session;
use super::put::{Draft, Origin};
use crate::error::{Error, Result};
use crate::share::{Access, must_allow, must_allow_move};
use crate::tree::{Aspect, Node, NodeKind, RemotePath, Removal, Row};

/// The attribute that remembers where a node lay before it was thrown away.
pub(super) const RESTORE: &str = "rr";

impl Session {
    /// Makes the folder at `path`; the folder around it must exist.
    pub async fn make_folder(&self, path: &RemotePath) -> Result<Node> {
        let tree = self.tree().await?;
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::AlreadyExists { path: path.to_string() });
        };
        let parent = tree.at(&parent)?;
        if !tree.children_named(&parent, name).is_empty() {
            return Err(Error::AlreadyExists { path: path.to_string() });
        }
        // A snapshot that is held while the tree changes is copied.
        drop(tree);
        self.make_folder_in(&parent, name).await
    }

    /// Makes the folder at `path` and those around it, as far as they do not exist.
    pub async fn make_folders(&self, path: &RemotePath) -> Result<Node> {
        let tree = self.tree().await?;
        let (mut around, mut missing) = (path.clone(), Vec::new());
        let mut folder = loop {
            let error = match tree.at(&around) {
                Ok(node) if !node.is_file() => break node,
                Ok(_) => Error::AlreadyExists { path: around.to_string() },
                Err(error) => error,
            };
            match (error, around.parent(), around.file_name()) {
                (Error::NotFound { .. }, Some(parent), Some(name)) => {
                    missing.push(name.to_owned());
                    around = parent;
                }
                (error, ..) => return Err(error),
            }
        };
        // A snapshot that is held while the tree changes is copied.
        drop(tree);
        while let Some(name) = missing.pop() {
            folder = self.make_folder_in(&folder, &name).await?;
        }
        Ok(folder)
    }

    /// Makes a folder of this name, whether there is a namesake or not.
    pub async fn make_folder_in(&self, parent: &Node, name: &str) -> Result<Node> {
        must_be_folder(parent)?;
        let draft = Draft {
            origin: Origin::Folder,
            key: NodeKey::Folder(FolderKey::generate()?),
            attributes: Attributes::new(name),
            size: 0,
            replaces: None,
            file_attributes: String::new(),
        };
        self.put_one(parent, draft).await
    }

    /// Gives a node another name. All its other attributes stay as they are.
    pub async fn rename(&self, node: &Node, name: &str) -> Result<Node> {
        let mut attributes = readable(node)?.clone();
        attributes.set_name(name);
        self.set_attributes(node, attributes).await
    }

    /// Replaces all attributes of a node.
    pub(super) async fn set_attributes(&self, node: &Node, attributes: Attributes) -> Result<Node> {
        self.must_write()?;
        must_allow(&self.tree().await?, node, Access::Full)?;
        let key = node.key().ok_or_else(|| unreadable(node))?.clone();
        let encrypted = attributes.encrypt(&key.attribute_key());
        let request = SetAttributes {
            n: node.handle(),
            at: Verbatim::from(&encrypted[..]),
            key: None,
            vw: None,
            i: None,
        };
        let (_, tag) = self.channel().call_tagged(&request).await.map_err(|e| missing(e, node))?;
        let current = self.current(node).await?;
        let row = current.row().clone().with_attributes(&request.at);
        Ok(self.show_changed(tag.as_ref(), row, Aspect::Attributes))
    }

    /// Moves a node into another folder; its handle stays the same.
    pub async fn move_to(&self, node: &Node, folder: &Node) -> Result<Node> {
        self.must_write()?;
        must_be_folder(folder)?;
        let tree = self.tree().await?;
        if tree.is_within(folder, node.handle()) {
            let text = format!("{} cannot be moved into itself", node.label());
            return Err(Error::Refused(text));
        }
        must_allow_move(&tree, node, folder)?;
        let moved: Vec<Node> = tree.subtree(node);
        if tree.access(node) == Access::Owner && !tree.shares_around(node).is_empty() {
            // A share that ends for them may have held the only keys.
            self.rewrite_foreign_keys(&moved).await?;
        }
        let (handles, keys): (Vec<_>, Vec<_>) =
            moved.iter().filter_map(|node| Some((node.handle(), node.key()?))).unzip();
        let cr = self.share_node_keys(folder, &keys, handles).await?;
        let request = MoveNode { n: node.handle(), t: folder.handle(), cr, vw: None, i: None };
        let (_, tag) = self.channel().call_tagged(&request).await.map_err(|e| missing(e, node))?;
        let row = self.current(node).await?.row().clone();
        let row = Row { parent: Some(folder.handle()), ..row };
        Ok(self.show_changed(tag.as_ref(), row, Aspect::Place))
    }

    /// Moves a node to the rubbish bin, where it remembers its former folder. Its public link, and those
    /// below it, end.
    pub async fn trash(&self, node: &Node) -> Result<Node> {
        self.must_write()?;
        if self.is_folder_link() {
            let text = "a folder link has no rubbish bin: delete for good instead";
            return Err(Error::Refused(text.into()));
        }
        self.must_be_disposable(node).await?;
        let tree = self.tree().await?;
        if tree.access(node) != Access::Owner {
            let text = format!(
                "{} belongs to somebody else and cannot go to your rubbish bin: it can be deleted for good",
                node.label()
            );
            return Err(Error::Refused(text));
        }
        let trash = tree.trash()?;
        for linked in tree.subtree(node).iter().filter(|node| tree.link_of(node).is_some()) {
            self.remove_link(linked).await?;
        }
        let mut node = node.clone();
        if let (Some(attributes), Some(parent)) = (node.attributes(), node.parent()) {
            let mut attributes = attributes.clone();
            attributes.set(RESTORE, parent.to_string().into());
            node = self.set_attributes(&node, attributes).await?;
        }
        self.move_to(&node, &trash).await
    }

    /// Deletes a node with everything below it, for good.
    pub async fn delete(&self, node: &Node) -> Result<()> {
        self.must_be_disposable(node).await?;
        let request = DeleteNode { n: node.handle(), v: None, vw: None, i: None };
        let (_, tag) = self.channel().call_tagged(&request).await.map_err(|e| missing(e, node))?;
        let tag = tag.as_ref();
        self.apply_result(tag, |tree| tree.remove_ahead(node.handle(), Removal::Itself, tag));
        Ok(())
    }

    /// Whoever a folder is shared with should not lose it by accident: the share is to be ended first.
    async fn must_be_disposable(&self, node: &Node) -> Result<()> {
        self.must_write()?;
        if matches!(node.kind(), NodeKind::Root | NodeKind::Vault | NodeKind::Trash) {
            return Err(Error::Refused(format!("{} is a root and stays", node.label())));
        }
        let tree = self.tree().await?;
        if self.is_folder_link() && tree.root()?.handle() == node.handle() {
            return Err(Error::Refused(format!("{} is the link's folder and stays", node.label())));
        }
        if node.sharer().is_some() {
            let text =
                format!("{} belongs to somebody else: leave the share instead", node.label());
            return Err(Error::Refused(text));
        }
        must_allow(&tree, node, Access::Full)?;
        match tree.subtree(node).iter().find(|node| tree.is_shared(node)) {
            Some(shared) => Err(Error::Refused(format!(
                "{} is shared or has a folder link: end that first",
                shared.label()
            ))),
            None => Ok(()),
        }
    }
}

pub(crate) fn must_be_folder(node: &Node) -> Result<()> {
    match node.is_file() {
        true => Err(Error::Refused(format!("{} is not a folder", node.label()))),
        false => Ok(()),
    }
}

pub(crate) fn unreadable(node: &Node) -> Error {
    let why = "it cannot be decrypted";
    Error::Integrity { what: node.label(), why }
}

fn readable(node: &Node) -> Result<&Attributes> {
    node.attributes().ok_or_else(|| unreadable(node))
}

/// A node that another client removed meanwhile.
pub(crate) fn missing(error: Error, node: &Node) -> Error {
    match error.code() {
        Some(ErrorCode::NotFound) => Error::not_found(node.label()),
        _ => error,
    }
}
