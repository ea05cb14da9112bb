//! A session: what a caller holds of an account or of a folder link.

mod account;
#[cfg(feature = "cache")]
mod cached;
pub(crate) mod change;
mod copy;
mod key_store;
mod life;
mod login;
mod marks;
mod older_keys;
mod put;
mod reminder;
mod saved;
mod session_list;
mod trash;
mod versions;

use std::sync::{Arc, PoisonError, RwLock, Weak};

use supermega_crypto::{SessionId, ShareKey, WriteAuth};
use supermega_encoding::{NodeHandle, PublicHandle};
use supermega_protocol::SequenceTag;
use supermega_protocol::tree::{FetchNodes, OwnerKey};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::events::Feed;
use crate::keys::KeyRing;
use crate::transport::Channel;
use crate::tree::{Aspect, LinkRoot, Node, NodeSieve, Row, Tree, load};

pub use account::{Account, Quota};
pub use login::Credentials;
pub use marks::{Label, Marks};
pub(crate) use put::{Draft, Origin};
pub use session_list::SessionInfo;

/// An account that is logged in, or an open folder link. Cheap to clone, and to be shared between tasks.
///
/// Dropping it logs nothing out: see [`Session::logout`].
#[derive(Clone)]
pub struct Session(Arc<State>);

struct State {
    client: Client,
    identity: Identity,
    channel: Channel,
    lockless: Channel,
    keys: RwLock<Arc<KeyRing>>,
    tree: RwLock<Option<Tree>>,
    /// Held while the tree is fetched, so that callers at the same time fetch it once.
    loading: tokio::sync::Mutex<()>,
    feed: Feed,
    #[cfg(feature = "cache")]
    cached: Option<cached::Cached>,
}

/// A session that goes when nobody else holds it.
pub(crate) struct WeakSession(Weak<State>);

impl WeakSession {
    pub(crate) fn upgrade(&self) -> Option<Session> {
        self.0.upgrade().map(Session)
    }
}

enum Identity {
    Account {
        account: Account,
        sid: SessionId,
        session_key: Option<[u8; 16]>,
    },
    FolderLink {
        handle: PublicHandle,
        root: NodeHandle,
        key: ShareKey,
        /// What lets it write.
        auth: Option<WriteAuth>,
    },
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Session");
        match &self.0.identity {
            Identity::Account { account, .. } => debug.field("user", &account.user),
            Identity::FolderLink { handle, .. } => debug.field("link", handle),
        };
        debug.finish_non_exhaustive()
    }
}

impl Session {
    /// `channels` are the ordinary one and the lock-free one.
    fn new(
        client: &Client,
        identity: Identity,
        (channel, lockless): (Channel, Channel),
        keys: Arc<KeyRing>,
        tree: Option<Tree>,
    ) -> Self {
        Self(Arc::new(State {
            client: client.clone(),
            identity,
            channel,
            lockless,
            keys: RwLock::new(keys),
            tree: RwLock::new(tree),
            loading: tokio::sync::Mutex::default(),
            feed: Feed::default(),
            #[cfg(feature = "cache")]
            cached: None,
        }))
    }

    /// The same session, which keeps its tree for the next run. Only for one that nobody else holds yet.
    #[cfg(feature = "cache")]
    fn with_cache(mut self, cached: impl Into<Option<cached::Cached>>) -> Self {
        if let Some(state) = Arc::get_mut(&mut self.0) {
            state.cached = cached.into();
        }
        self
    }

    #[cfg(feature = "cache")]
    fn cached(&self) -> Option<&cached::Cached> {
        self.0.cached.as_ref()
    }

    /// The client it came from.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Whether it is the same session as another: moves stay within one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it is a folder link, which is changed only with an authorisation of its own.
    #[must_use]
    pub fn is_folder_link(&self) -> bool {
        matches!(self.0.identity, Identity::FolderLink { .. })
    }

    /// A consistent snapshot of all nodes. The first call fetches them; later ones show them with this
    /// session's own changes. [`Session::refresh`] shows those of others.
    pub async fn tree(&self) -> Result<Tree> {
        if let Some(tree) = self.known_tree() {
            return Ok(tree);
        }
        let _loading = self.0.loading.lock().await;
        match self.known_tree() {
            Some(tree) => Ok(tree),
            None => self.first_tree().await,
        }
    }

    /// What was kept with what has changed since; all of it where nothing was kept.
    async fn first_tree(&self) -> Result<Tree> {
        #[cfg(feature = "cache")]
        if let Some(tree) = self.kept_tree().await? {
            self.set_tree(&tree);
            return Ok(tree);
        }
        self.fetch_tree().await
    }

    /// Fetches all nodes anew.
    pub async fn refresh(&self) -> Result<Tree> {
        let _loading = self.0.loading.lock().await;
        self.fetch_tree().await
    }

    pub(crate) fn downgrade(&self) -> WeakSession {
        WeakSession(Arc::downgrade(&self.0))
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.0.feed
    }

    pub(crate) fn known_tree(&self) -> Option<Tree> {
        self.0.tree.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch_tree(&self) -> Result<Tree> {
        let link = match &self.0.identity {
            Identity::Account { .. } => None,
            Identity::FolderLink { root, auth, .. } => Some(LinkRoot::new(*root, auth.as_ref())),
        };
        let fetched = fetch(&self.0.channel, link, |keys| {
            self.update_keys(|ring| ring.learn(keys));
            self.keys()
        });
        let fetched = fetched.await?;
        self.set_tree(&fetched.tree);
        #[cfg(feature = "cache")]
        self.keep_tree(&fetched).await?;
        Ok(fetched.tree)
    }

    fn set_tree(&self, tree: &Tree) {
        *self.0.tree.write().unwrap_or_else(PoisonError::into_inner) = Some(tree.clone());
    }

    /// Applies a change of one's own to the tree, if it is known.
    pub(crate) fn apply(&self, change: impl FnOnce(&mut Tree)) {
        let mut tree = self.0.tree.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = tree.as_mut() {
            change(tree);
        }
    }

    /// Applies what a result tells, unless packets have told of it before: they may have told what came after it,
    /// too.
    pub(crate) fn apply_result(&self, tag: Option<&SequenceTag>, change: impl FnOnce(&mut Tree)) {
        self.apply(|tree| {
            if tag.is_none_or(|tag| !tree.has_passed(tag)) {
                change(tree);
            }
        });
    }

    /// Shows a node of one's own making in the tree.
    pub(crate) fn show(&self, tag: Option<&SequenceTag>, row: Row) -> Node {
        self.apply_result(tag, |tree| tree.insert(row.clone()));
        Node::open(&self.keys(), row)
    }

    /// Shows a node of which a result has told something anew.
    pub(crate) fn show_changed(&self, tag: Option<&SequenceTag>, row: Row, what: Aspect) -> Node {
        self.apply_result(tag, |tree| tree.insert_ahead(row.clone(), what, tag));
        Node::open(&self.keys(), row)
    }

    /// A node as the tree has it now; as it is given, where the tree has it no more.
    pub(crate) async fn current(&self, node: &Node) -> Result<Node> {
        Ok(self.tree().await?.node(node.handle()).unwrap_or_else(|| node.clone()))
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.0.channel
    }

    pub(crate) fn lockless(&self) -> &Channel {
        &self.0.lockless
    }

    pub(crate) fn with_keys<T>(&self, read: impl FnOnce(&KeyRing) -> T) -> T {
        read(&self.keys())
    }

    /// The keys as they are now.
    pub(crate) fn keys(&self) -> Arc<KeyRing> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the keys; the tree opens nodes with them from now on.
    pub(crate) fn update_keys<T>(&self, change: impl FnOnce(&mut KeyRing) -> T) -> T {
        let (keys, result) = {
            let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
            let result = change(Arc::make_mut(&mut keys));
            (keys.clone(), result)
        };
        self.apply(|tree| tree.set_keys(keys));
        result
    }

    /// Tells it from sessions of other accounts and links.
    pub(crate) fn whose(&self) -> &[u8] {
        match &self.0.identity {
            Identity::Account { account, .. } => account.user.as_bytes(),
            Identity::FolderLink { handle, .. } => handle.as_bytes(),
        }
    }

    /// An error for what belongs to an account.
    pub(crate) fn must_be_account(&self) -> Result<()> {
        match self.0.identity {
            Identity::Account { .. } => Ok(()),
            Identity::FolderLink { .. } => {
                Err(Error::Refused("a folder link is no account: this needs one".into()))
            }
        }
    }

    /// An error for a folder link that lets nobody write.
    pub(crate) fn must_write(&self) -> Result<()> {
        match self.0.identity {
            Identity::Account { .. } | Identity::FolderLink { auth: Some(_), .. } => Ok(()),
            Identity::FolderLink { auth: None, .. } => Err(Error::Refused(
                "a folder link is read-only without the authorisation to write, which its owner has"
                    .into(),
            )),
        }
    }
}

/// A tree that was fetched as a whole.
struct Fetched {
    tree: Tree,
    /// The share keys that came with it.
    #[cfg(feature = "cache")]
    share_keys: Vec<OwnerKey>,
}

/// Fetches all nodes. `ring` is given the share keys that came with them, and gives the keys to open nodes with.
async fn fetch(
    channel: &Channel,
    link: Option<LinkRoot>,
    ring: impl FnOnce(&[OwnerKey]) -> Arc<KeyRing>,
) -> Result<Fetched> {
    let sieve = NodeSieve::new(channel.options().drift.clone());
    let rest = channel.call_through(&FetchNodes::whole(), sieve.clone()).await?;
    let (nodes, _) = sieve.finish().await?;
    let offered = sieve.offered().await;
    let owned = rest.ok0.iter().chain(&rest.ok).flatten().cloned();
    let share_keys: Vec<OwnerKey> = owned.chain(offered).collect();
    let tree = load(ring(&share_keys), nodes, &rest, link).await?;
    Ok(Fetched {
        tree,
        #[cfg(feature = "cache")]
        share_keys,
    })
}
