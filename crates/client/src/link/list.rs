//! The account's own public links.

use std::time::SystemTime;

use supermega_crypto::link::{Link, WriteAuth};
use supermega_encoding::PublicHandle;
use supermega_protocol::is_set;

use crate::error::Result;
use crate::session::Session;
use crate::tree::Node;
use crate::unix_time;

/// A public link of the account.
#[derive(Clone)]
#[non_exhaustive]
pub struct PublicLink {
    /// What it leads to.
    pub node: Node,
    /// Its handle.
    pub handle: PublicHandle,
    /// The link with its key, unless that is not known here.
    pub link: Option<Link>,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// When it ends.
    pub expires: Option<SystemTime>,
    /// What it takes to write through it, if it is writable.
    pub write_auth: Option<WriteAuth>,
    /// Whether the service took it down.
    pub taken_down: bool,
}

impl std::fmt::Debug for PublicLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicLink")
            .field("node", &self.node)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// All public links of the account, as the service has them now.
    pub async fn links(&self) -> Result<Vec<PublicLink>> {
        let (overview, tree) = (self.overview().await?, self.tree().await?);
        let link = |known: &supermega_protocol::tree::PublicLink| {
            let node = tree.node(known.h)?;
            let handle = known.ph;
            let link = match node.is_file() {
                true => node.file_key().map(|key| Link::File { handle, key: Some(key.clone()) }),
                false => self.with_keys(|keys| {
                    let key = Some(keys.share(known.h)?.clone());
                    Some(Link::Folder { handle, key, inside: None })
                }),
            };
            Some(PublicLink {
                node,
                handle,
                link,
                created: known.ts.and_then(|ts| unix_time::to_system(ts.0)),
                expires: known.ets.and_then(|ets| unix_time::to_system(ets.0)),
                write_auth: known.w.as_ref().and_then(|auth| auth.parse().ok()),
                taken_down: known.down.is_some_and(|down| is_set(Some(down))),
            })
        };
        Ok(overview.0.ph.iter().flatten().filter_map(link).collect())
    }
}
