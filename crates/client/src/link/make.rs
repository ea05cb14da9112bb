//! Public links made and ended (`protocol-api.md` 2.8, `protocol-auth.md` 4.13).

use std::time::SystemTime;

use supermega_crypto::link::{Link, WriteAuth};
use supermega_protocol::link::{LinkReply, SetLink};
use supermega_protocol::{Flag, Malformed, Timestamp};

use crate::error::{Error, Result};
use crate::session::{Session, change};
use crate::share::Access;
use crate::tree::Node;
use crate::unix_time;

/// What a link is to be like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkOptions {
    /// When it ends. Accounts without a plan get no links that end.
    pub expires: Option<SystemTime>,
    /// Lets everybody who has the link and its authorisation put files into the folder.
    pub writable: bool,
}

/// A link that was made.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MadeLink {
    /// The link, with its key.
    pub link: Link,
    /// What it takes to write through it, if it is writable: a secret of its own.
    pub write_auth: Option<WriteAuth>,
}

impl std::fmt::Debug for MadeLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeLink").field("link", &self.link).finish_non_exhaustive()
    }
}

impl Session {
    /// Makes the public link of a file or a folder, or finds the one it has. The link of a file contains the
    /// file's key, that of a folder a key made for the purpose, which is kept in the account's key container.
    pub async fn make_link(&self, node: &Node) -> Result<Link> {
        Ok(self.make_link_with(node, LinkOptions::default()).await?.link)
    }

    /// Makes a public link as [`make_link`](Self::make_link) does, or changes the one there is.
    pub async fn make_link_with(&self, node: &Node, options: LinkOptions) -> Result<MadeLink> {
        self.must_be_account()?;
        let access = if options.writable { Access::Full } else { Access::Read };
        let (file_key, share_key) = match (node.is_file(), node.file_key()) {
            (true, Some(key)) => (Some(key.clone()), None),
            (true, None) => return Err(change::unreadable(node)),
            (false, _) => (None, Some(self.export(node, access).await?)),
        };
        if node.is_file() && options.writable {
            return Err(Error::Refused(format!(
                "{} is a file: it cannot be written to",
                node.label()
            )));
        }
        let request = SetLink {
            ets: options.expires.and_then(unix_time::of).map(Timestamp),
            w: options.writable.then_some(Flag(true)),
            ..SetLink::make(node.handle())
        };
        let made = self.channel().call_tagged(&request).await;
        let (reply, tag) = made.map_err(|e| change::missing(e, node))?;
        let (handle, write_auth) = match reply {
            LinkReply::Made(handle) => (handle, None),
            LinkReply::Writable(handle, auth) => {
                let bad = |_| Malformed::new("l", "w", "no authorisation to write");
                (handle, Some(auth.parse().map_err(bad)?))
            }
            LinkReply::Removed => {
                return Err(Malformed::new("l", ".", "no public handle").into());
            }
        };
        self.apply_result(tag.as_ref(), |tree| tree.set_link(node.handle(), Some(handle)));
        let link = match share_key {
            Some(key) => Link::Folder { handle, key: Some(key), inside: None },
            None => Link::File { handle, key: file_key },
        };
        Ok(MadeLink { link, write_auth })
    }

    /// Ends the public link of a file or a folder.
    pub async fn remove_link(&self, node: &Node) -> Result<()> {
        self.must_be_account()?;
        if !node.is_file() {
            // What came through a writable link stays, and its owner must be able to read it.
            self.rewrite_foreign_keys(&self.tree().await?.subtree(node)).await?;
        }
        let removed = self.channel().call_tagged(&SetLink::remove(node.handle())).await;
        let (_, tag) = removed.map_err(|e| change::missing(e, node))?;
        self.apply_result(tag.as_ref(), |tree| tree.set_link(node.handle(), None));
        match node.is_file() {
            true => Ok(()),
            false => self.end_export(node).await,
        }
    }
}
