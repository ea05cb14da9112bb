//! Keys of nodes in shares: each under every share key around it, and in the end under the owner's own
//! (`protocol-auth.md` 4.3).

use supermega_crypto::{NodeKey, ShareKey};
use supermega_encoding::{NodeHandle, UserHandle, base64};
use supermega_protocol::Verbatim;
use supermega_protocol::key::SetKeys;
use supermega_protocol::put::NodeSource;
use supermega_protocol::share::{KeyTriple, KeyTriples, ShareNodeKeys};
use supermega_protocol::tree::{KeyOwner, NodeKeys};

use super::Access;
use crate::error::Result;
use crate::session::Session;
use crate::tree::{Node, Tree};

/// Nodes whose keys travel in one command.
const TOGETHER: usize = 2000;

impl Session {
    /// The keys of a folder and of everything in it under a share key. What cannot be read is left out.
    pub(super) async fn keys_below(
        &self,
        folder: &Node,
        share: &ShareKey,
    ) -> Result<ShareNodeKeys> {
        let nodes = self.tree().await?.subtree(folder);
        let keys: Vec<(NodeHandle, &NodeKey)> =
            nodes.iter().filter_map(|node| Some((node.handle(), node.key()?))).collect();
        Ok(under(folder.handle(), share, &keys))
    }

    /// Gives the owner of a share keys of his own to what others put into it, since the share's count no more
    /// when it has ended.
    pub(crate) async fn rewrite_foreign_keys(&self, nodes: &[Node]) -> Result<()> {
        let pairs = self.with_account(|account, _| {
            let mut pairs = Vec::new();
            for node in nodes {
                // A key that does not open the node's attributes must not be written under the master key.
                let Some(key) = node.key() else { continue };
                if !has_own_key(&node.row().node_keys(), account.user) {
                    let wrapped = base64::encode(&account.master.wrap_node_key(key));
                    pairs.extend([node.handle().to_string(), wrapped]);
                }
            }
            pairs
        })?;
        for pairs in pairs.chunks(2 * TOGETHER) {
            let request = SetKeys { nk: Some(pairs.to_vec()), ..SetKeys::default() };
            self.channel().call(&request).await?;
        }
        Ok(())
    }

    /// Gives what others put into shares the keys of the shares around it that they knew nothing of: the folder
    /// in which they put it may be shared further.
    pub(super) async fn supply_node_keys(&self) -> Result<()> {
        let tree = self.tree().await?;
        let user = self.with_account(|account, _| account.user)?;
        for root in tree.shared_roots() {
            let share = self.with_keys(|keys| keys.share(root.handle()).cloned());
            let Some(share) = share.filter(|_| tree.access(&root) == Access::Owner) else {
                continue;
            };
            let nodes = lacking(&tree, &root, user);
            let keys: Vec<_> =
                nodes.iter().filter_map(|node| Some((node.handle(), node.key()?))).collect();
            for keys in keys.chunks(TOGETHER) {
                let cr = Some(under(root.handle(), &share, keys));
                self.channel().call(&SetKeys { cr, ..SetKeys::default() }).await?;
            }
        }
        Ok(())
    }
}

/// What others put into a shared folder without a key under its share key.
fn lacking(tree: &Tree, root: &Node, user: UserHandle) -> Vec<Node> {
    let lacks = |keys: &NodeKeys| {
        !has_own_key(keys, user)
            && !keys.entries().any(|(owner, _)| owner == KeyOwner::Share(root.handle()))
    };
    tree.subtree_where(root, |row| lacks(&row.node_keys()))
}

fn has_own_key(keys: &NodeKeys, user: UserHandle) -> bool {
    let is_own = |owner| owner == KeyOwner::Unnamed || owner == KeyOwner::User(user);
    keys.entries().any(|(owner, _)| is_own(owner))
}

/// Keys of nodes under one share key.
fn under(root: NodeHandle, share: &ShareKey, keys: &[(NodeHandle, &NodeKey)]) -> ShareNodeKeys {
    let wrap = |(node, (_, key)): (usize, &(NodeHandle, &NodeKey))| {
        let key = Verbatim::from(&share.wrap_node_key(key)[..]);
        KeyTriple { share: 0, node, key }
    };
    let triples = keys.iter().enumerate().map(wrap).collect();
    let handles = keys.iter().map(|(node, _)| NodeSource::Node(*node)).collect();
    ShareNodeKeys(vec![root], handles, KeyTriples(triples))
}
