//! Who shares what with whom, as the service knows it now.

use std::collections::BTreeMap;

use supermega_crypto::key_manager::{PendingOutShare, Recipient};
use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::share::EXPORT;
use supermega_protocol::tree::{FetchNodes, Tree as Snapshot};

use super::Access;
use crate::error::Result;
use crate::session::Session;
use crate::tree::{Node, Tree};

/// A share of one's own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutgoingShare {
    /// The folder.
    pub folder: Node,
    /// With whom.
    pub with: SharedWith,
    /// What is allowed.
    pub access: Access,
}

/// With whom a folder is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharedWith {
    /// A user, with the address if it is known.
    User(UserHandle, Option<String>),
    /// Somebody who has not accepted the invitation yet.
    Invited(Option<String>),
}

/// A share of somebody else's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IncomingShare {
    /// Its root.
    pub folder: Node,
    /// Whose it is.
    pub sharer: UserHandle,
    /// The sharer's address, if it is known.
    pub email: Option<String>,
    /// What is allowed.
    pub access: Access,
}

/// Everything that the service says beside the nodes.
pub(crate) struct Overview(pub Snapshot);

impl Overview {
    /// Whether a folder is shared with anybody, will be, or has a folder link.
    pub(crate) fn is_shared(&self, folder: NodeHandle) -> bool {
        let Self(snapshot) = self;
        snapshot.s.iter().flatten().any(|share| share.h == folder)
            || snapshot.ps.iter().flatten().any(|share| share.h == folder)
    }

    pub(crate) fn is_shared_with(&self, folder: NodeHandle, user: UserHandle) -> bool {
        let user = user.to_string();
        self.0.s.iter().flatten().any(|share| share.h == folder && share.u == user)
    }

    /// Whether a share may still come to life that waits for its key to be handed over.
    pub(crate) fn expects(&self, share: &PendingOutShare) -> bool {
        match &share.to {
            Recipient::User(user) => self.is_shared_with(share.folder, *user),
            Recipient::Address(address) => {
                let by_name = self.user(address).map(|user| user.u);
                by_name.is_some_and(|user| self.is_shared_with(share.folder, user))
                    || self.is_invited(share.folder, address)
            }
        }
    }

    fn is_invited(&self, folder: NodeHandle, address: &str) -> bool {
        let invited = self.invited();
        let mut pending = self.0.ps.iter().flatten();
        pending.any(|share| {
            share.h == folder && invited.get(&share.p.to_string()).is_some_and(|to| to == address)
        })
    }

    /// The addresses of one's own contact requests.
    fn invited(&self) -> BTreeMap<String, String> {
        let requests = self.0.opc.iter().flatten();
        requests.filter_map(|request| Some((request.p.to_string(), request.m.clone()?))).collect()
    }

    pub(crate) fn user(&self, address: &str) -> Option<&supermega_protocol::tree::User> {
        let mut users = self.0.u.iter().flatten();
        users.find(|user| user.m.as_deref().is_some_and(|m| m.eq_ignore_ascii_case(address)))
    }

    pub(crate) fn address(&self, user: UserHandle) -> Option<String> {
        self.0.u.iter().flatten().find(|known| known.u == user)?.m.clone()
    }
}

impl Session {
    /// Asks the service for shares, links and contacts; they come with all nodes.
    pub(crate) async fn overview(&self) -> Result<Overview> {
        self.must_be_account()?;
        Ok(Overview(self.channel().call(&FetchNodes::whole()).await?))
    }

    /// What this account shares with others, those who are invited among them. Folder links are listed by
    /// [`links`](Self::links).
    pub async fn outgoing_shares(&self) -> Result<Vec<OutgoingShare>> {
        let (overview, tree) = (self.overview().await?, self.tree().await?);
        let mut shares = Vec::new();
        for share in overview.0.s.iter().flatten().filter(|share| share.u != EXPORT) {
            let (Some(folder), Ok(user)) = (tree.node(share.h), share.u.parse()) else { continue };
            let with = SharedWith::User(user, overview.address(user));
            shares.push(OutgoingShare { folder, with, access: Access::of_level(share.r) });
        }
        let invited = overview.invited();
        for share in overview.0.ps.iter().flatten() {
            let Some(folder) = tree.node(share.h) else { continue };
            let with = SharedWith::Invited(invited.get(&share.p.to_string()).cloned());
            shares.push(OutgoingShare { folder, with, access: Access::of_level(share.r) });
        }
        Ok(shares)
    }

    /// What others share with this account.
    pub async fn incoming_shares(&self) -> Result<Vec<IncomingShare>> {
        let (overview, tree) = (self.overview().await?, self.tree().await?);
        let share = |folder: Node| {
            let sharer = folder.sharer()?;
            let (email, access) = (overview.address(sharer), Tree::access(&tree, &folder));
            Some(IncomingShare { folder, sharer, email, access })
        };
        Ok(tree.incoming().into_iter().filter_map(share).collect())
    }
}
