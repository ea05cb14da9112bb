//! What others made public, copied into the account on the server: no byte is downloaded
//! (`protocol-auth.md` 7.5).

use std::collections::VecDeque;

use supermega_crypto::FolderKey;
use supermega_crypto::{Attributes, NodeKey};

use super::PublicFile;
use crate::error::{Error, Result};
use crate::session::{Draft, Origin, Session, change};
use crate::tree::Node;

/// How many nodes one request makes.
const BATCH: usize = 500;

/// What became of an import.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The copy.
    pub node: Node,
    /// What cannot be read, and is not in the copy, nor anything below it.
    pub left_out: Vec<Node>,
}

impl Session {
    /// Copies a public file into a folder of this account.
    pub async fn import(&self, file: &PublicFile, folder: &Node) -> Result<Node> {
        change::must_be_folder(folder)?;
        let draft = Draft {
            origin: Origin::PublicFile(file.handle),
            key: NodeKey::File(file.key.clone()),
            attributes: public(&file.attributes),
            size: file.size,
            replaces: None,
            file_attributes: file.file_attributes.clone(),
        };
        self.put_one(folder, draft).await
    }

    /// Copies a file or folder, with everything in it, from an open folder link into a folder of this account.
    /// Nodes that cannot be read are left out, and named. A failure leaves what was copied until then.
    pub async fn import_from(
        &self,
        link: &Session,
        source: &Node,
        folder: &Node,
    ) -> Result<Imported> {
        change::must_be_folder(folder)?;
        let tree = link.tree().await?;
        let top = self.put_one(folder, draft(source)?).await?;
        let mut left_out = Vec::new();
        let mut pending = VecDeque::from([(source.clone(), top.clone())]);
        while let Some((source, copy)) = pending.pop_front() {
            let children = tree.children(&source);
            let mut readable = Vec::with_capacity(children.len());
            for child in &children {
                match draft(child) {
                    Ok(draft) => readable.push((child, draft)),
                    Err(Error::Integrity { .. }) => left_out.push(child.clone()),
                    Err(error) => return Err(error),
                }
            }
            let mut rest = readable.into_iter().peekable();
            while rest.peek().is_some() {
                let (sources, drafts): (Vec<&Node>, Vec<Draft>) = rest.by_ref().take(BATCH).unzip();
                for (source, made) in sources.into_iter().zip(self.put(&copy, drafts).await?) {
                    let made = made?;
                    if !source.is_file() {
                        pending.push_back((source.clone(), made));
                    }
                }
            }
        }
        Ok(Imported { node: top, left_out })
    }
}

/// What makes a copy of a node: a file keeps its key, which its content is encrypted with; a folder gets another.
fn draft(source: &Node) -> Result<Draft> {
    let unreadable = || change::unreadable(source);
    let attributes = public(source.attributes().ok_or_else(unreadable)?);
    let (origin, key) = match source.key().ok_or_else(unreadable)? {
        NodeKey::File(key) => (Origin::Node(source.handle()), NodeKey::File(key.clone())),
        NodeKey::Folder(_) => (Origin::Folder, NodeKey::Folder(FolderKey::generate()?)),
    };
    if attributes.name().is_none() {
        let (what, why) = (source.label(), "it has no name");
        return Err(Error::Integrity { what, why });
    }
    let file_attributes = source.row().file_attributes.clone();
    Ok(Draft { origin, key, attributes, size: source.size(), replaces: None, file_attributes })
}

/// The attributes that mean something in another account.
fn public(attributes: &Attributes) -> Attributes {
    let mut attributes = attributes.clone();
    // Where the original lay before it was thrown away, and what its owner thought of it.
    for private in ["rr", "fav", "lbl", "sen", "tags", "des", "gp"] {
        attributes.remove(private);
    }
    attributes
}
