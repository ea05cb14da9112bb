//! New nodes: made here, put by the service, shown in the tree (`protocol-api.md` 2.6).

use std::time::SystemTime;

use supermega_crypto::{Attributes, NodeKey};
use supermega_encoding::{NodeHandle, PublicHandle, UploadToken, base64};
use supermega_protocol::put::{NewNode, NodeSource, PutNodes, PutNodesReply, PutTarget};
use supermega_protocol::share::{KeyTriple, KeyTriples, ShareNodeKeys};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Flag, SequenceTag, Verbatim};

use super::Session;
use crate::error::{Error, Result};
use crate::share::{Access, must_allow};
use crate::transport::Repeatable;
use crate::tree::{Aspect, Node, NodeKind, Row};
use crate::unix_time;

/// The handle that stands for a folder that has none yet.
const PLACEHOLDER: NodeHandle = NodeHandle::from_bytes([0; 6]);

/// An answer that tells of no node.
fn nothing() -> Error {
    Error::from_failure("p", ErrorCode::Internal.into())
}

/// A node to be made.
pub(crate) struct Draft {
    pub origin: Origin,
    pub key: NodeKey,
    pub attributes: Attributes,
    pub size: u64,
    /// The file that becomes an old version of this one.
    pub replaces: Option<NodeHandle>,
    /// Thumbnails and the like: of an upload they are given, of a copy they come along.
    pub file_attributes: String,
}

/// What a node is made from.
pub(crate) enum Origin {
    Folder,
    /// Another node's content.
    Node(NodeHandle),
    Upload(UploadToken),
    PublicFile(PublicHandle),
}

impl Session {
    /// Puts nodes into `parent` and gives each as it then is, or why it was not made.
    pub(crate) async fn put(&self, parent: &Node, drafts: Vec<Draft>) -> Result<Vec<Result<Node>>> {
        let request = self.put_request(parent, &drafts).await?;
        let (reply, tag) = self.channel().call_tagged(&request).await?;
        Ok(self.outcomes(parent, &drafts, request.n, &reply, tag.as_ref()))
    }

    /// Puts one node.
    pub(crate) async fn put_one(&self, parent: &Node, draft: Draft) -> Result<Node> {
        self.put(parent, vec![draft]).await?.pop().unwrap_or_else(|| Err(nothing()))
    }

    /// Puts one node in a request of its own, so that a later run can send the same again. `id_for` gives the id
    /// for a request of this digest.
    pub(crate) async fn put_repeatable(
        &self,
        parent: &Node,
        draft: Draft,
        id_for: impl AsyncFnOnce([u8; 16]) -> Result<u64>,
    ) -> Result<Node> {
        let drafts = [draft];
        let request = self.put_request(parent, &drafts).await?;
        let repeatable = Repeatable::new(&request)?;
        let id = id_for(repeatable.digest()).await?;
        let (reply, tag) = self.channel().call_once(&repeatable, id).await?;
        let mut outcomes = self.outcomes(parent, &drafts, request.n, &reply, tag.as_ref());
        outcomes.pop().unwrap_or_else(|| Err(nothing()))
    }

    /// The same drafts give the same request, as long as the shares around the target are the same.
    async fn put_request(&self, parent: &Node, drafts: &[Draft]) -> Result<PutNodes> {
        self.must_write()?;
        must_allow(&self.tree().await?, parent, Access::Write)?;
        let keys: Vec<&NodeKey> = drafts.iter().map(|draft| &draft.key).collect();
        let cr = self.share_node_keys(parent, &keys, Vec::new()).await?;
        let replaces = drafts.iter().any(|draft| draft.replaces.is_some());
        Ok(PutNodes {
            t: PutTarget::Folder(parent.handle()),
            n: drafts.iter().map(|draft| self.new_node(draft)).collect::<Vec<_>>(),
            v: Some(4),
            sm: Flag::SET,
            vb: if replaces { Flag::SET } else { None },
            vw: None,
            p: None,
            cr,
            cauth: None,
            cip: None,
            i: None,
        })
    }

    fn outcomes(
        &self,
        parent: &Node,
        drafts: &[Draft],
        new: Vec<NewNode>,
        reply: &PutNodesReply,
        tag: Option<&SequenceTag>,
    ) -> Vec<Result<Node>> {
        let made = drafts.iter().zip(new).zip(reply.outcomes(drafts.len()));
        made.map(|((draft, new), outcome)| match outcome {
            Ok(handle) => Ok(self.made(parent, draft, new, handle, tag)),
            Err(code) => Err(Error::from_failure("p", code.into())),
        })
        .collect()
    }

    fn new_node(&self, draft: &Draft) -> NewNode {
        let (h, ph, t) = match &draft.origin {
            Origin::Folder => (Some(NodeSource::Node(PLACEHOLDER)), None, NodeType::Folder),
            Origin::Node(handle) => (Some(NodeSource::Node(*handle)), None, NodeType::File),
            Origin::Upload(token) => {
                (Some(NodeSource::Upload(token.as_str().into())), None, NodeType::File)
            }
            Origin::PublicFile(handle) => (None, Some(*handle), NodeType::File),
        };
        // Through a folder link there is no key of one's own: `cr` has the link's.
        let wrapped =
            self.with_keys(|keys| keys.account().map(|keys| keys.master.wrap_node_key(&draft.key)));
        let attributes = draft.attributes.encrypt(&draft.key.attribute_key());
        NewNode {
            h,
            ph,
            p: None,
            t,
            a: Verbatim::from(&attributes[..]),
            k: wrapped.map(|wrapped| Verbatim::from(&wrapped[..])),
            fa: match &draft.origin {
                Origin::Upload(_) => {
                    Some(draft.file_attributes.clone()).filter(|fa| !fa.is_empty())
                }
                _ => None,
            },
            ov: draft.replaces,
        }
    }

    fn made(
        &self,
        parent: &Node,
        draft: &Draft,
        new: NewNode,
        handle: NodeHandle,
        tag: Option<&SequenceTag>,
    ) -> Node {
        if let Some(old) = draft.replaces {
            // It hangs on the new one as its old version, unless it was moved or replaced meanwhile.
            self.apply_result(tag, |tree| {
                if let Some(old) = tree.node(old)
                    && old.parent() == Some(parent.handle())
                {
                    let old = Row { parent: Some(handle), ..old.row().clone() };
                    tree.insert_ahead(old, Aspect::Place, tag);
                }
            });
        }
        let keys = match (self.account(), new.k) {
            (Some(account), Some(key)) => format!("{}:{}", account.user, key.0),
            _ => self
                .with_keys(|keys| {
                    let (link, share) = keys.link()?;
                    Some(format!("{link}:{}", base64::encode(&share.wrap_node_key(&draft.key))))
                })
                .unwrap_or_default(),
        };
        let row = Row {
            handle,
            parent: Some(parent.handle()),
            kind: match draft.origin {
                Origin::Folder => NodeKind::Folder,
                Origin::Node(_) | Origin::Upload(_) | Origin::PublicFile(_) => NodeKind::File,
            },
            owner: parent.owner(),
            size: draft.size,
            created: unix_time::of(SystemTime::now()),
            sharer: None,
            access: None,
            attributes: new.a.decode().unwrap_or_default(),
            keys,
            file_attributes: draft.file_attributes.clone(),
        };
        self.show(tag, row)
    }

    /// The keys that every share around `parent` needs of new or moved nodes. A share whose key is not
    /// known makes the change impossible: the others would see nodes that they cannot open
    /// (`protocol-auth.md` 4.15).
    pub(crate) async fn share_node_keys(
        &self,
        parent: &Node,
        keys: &[&NodeKey],
        handles: Vec<NodeHandle>,
    ) -> Result<Option<ShareNodeKeys>> {
        let tree = self.tree().await?;
        let shares = tree.shares_around(parent);
        if shares.is_empty() {
            return Ok(None);
        }
        let mut triples = Vec::with_capacity(shares.len() * keys.len());
        self.with_keys(|ring| {
            for (share, root) in shares.iter().enumerate() {
                let is_incoming = tree.node(*root).is_some_and(|root| root.sharer().is_some());
                let share_key = ring.share_to_write(*root, is_incoming).ok_or_else(|| {
                    Error::Refused(format!(
                        "H:{root} is shared, and its share key is not known, or only the service \
                         vouches for it: what is put below it could not be read by the others, or by \
                         more than them"
                    ))
                })?;
                for (node, key) in keys.iter().enumerate() {
                    let key = Verbatim::from(&share_key.wrap_node_key(key)[..]);
                    triples.push(KeyTriple { share, node, key });
                }
            }
            Ok::<_, Error>(())
        })?;
        let nodes = handles.into_iter().map(NodeSource::Node).collect();
        Ok(Some(ShareNodeKeys(shares, nodes, KeyTriples(triples))))
    }
}
