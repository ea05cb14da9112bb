//! Sessions that begin with what the last run has kept, and ask only for what has changed since.
//!
//! Of an account that is its own data, its keys as they were received, and its tree. Packets bring the tree up
//! to date, and say when the account has to be asked for anew. What is kept was checked when it came, and its
//! keyed hash proves that nobody has changed it; what comes later must continue it, as in one long session.

mod offered;

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use supermega_crypto::{CacheKey, MasterKey, SavedSession, SessionId, ShareKey, WriteAuth};
use supermega_encoding::{Base64, EventCursor, PublicHandle, UserHandle};
use supermega_protocol::account::{FetchUser, UserData};
use supermega_protocol::event::{EventReply, Events};
use supermega_protocol::packet::PacketBody;
use supermega_protocol::tree::OwnerKey;
use supermega_protocol::user_attribute::{AttributeName, KEYS};
use supermega_protocol::{ErrorCode, Flag, is_set};

use super::account::Account;
use super::login::{check_public_key, unwrap_private_key};
use super::{Fetched, Identity, Session, fetch};
use crate::blocking::blocking;
use crate::cache::{Added, Batch, Cache, Kept, Loader};
use crate::client::Client;
use crate::error::{AuthenticationError, Result};
use crate::events::{Poll, apply, poll};
use crate::keys::{AccountKeys, KEY_ATTRIBUTES, KeyRing, KeyStore};
use crate::transport::{Authentication, Backoff, Channel};
use crate::tree::{Facts, LinkRoot, Tree};

use self::offered::brings_keys;

/// What a session keeps, and where.
pub(super) struct Cached {
    cache: Arc<Cache>,
    /// Nothing for a folder link.
    account: Mutex<Option<KeptAccount>>,
    /// The tree as packets have told it: without changes of one's own that none has told of yet.
    told: Mutex<Option<Tree>>,
}

/// What the service says of an account, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptAccount {
    data: UserData,
    /// The RSA key under the master key.
    privk: Option<Base64>,
    /// Share keys of accounts without a key container.
    ok: Vec<OwnerKey>,
}

/// How a session came back.
pub(super) enum Return {
    Session(Session),
    /// In the usual way, since nothing is kept that could be continued. Of a key container that was kept, its
    /// generation.
    Usual(u32),
}

/// Where catching up has led.
enum CaughtUp {
    /// Up to now; whether the account has to be asked for anew.
    Now { stale: bool },
    /// Nowhere: too much has happened, or the service is not to be reached in this way.
    No,
}

impl KeptAccount {
    /// What is worth keeping of an account. What only a password opens is not.
    pub(super) fn new(mut data: UserData) -> Self {
        data.k = None;
        data.privk = None;
        data.attributes.retain(|name, _| KEY_ATTRIBUTES.iter().any(|kept| name.as_str() == *kept));
        Self { data, privk: None, ok: Vec::new() }
    }

    fn keys(&self, master: MasterKey) -> Result<KeyRing> {
        let privk = self.privk.as_ref();
        let rsa = privk.map(|key| master.unwrap_own_private_key(key.as_bytes())).transpose()?;
        let account = AccountKeys { user: self.data.u, master, rsa };
        let store = KeyStore::read(&self.data, &account)?;
        let mut ring = KeyRing::of_account(account, store);
        ring.learn(&self.ok);
        Ok(ring)
    }

    /// The version of the key container.
    fn version(&self) -> Option<&str> {
        self.data.attributes.get(&AttributeName::new(KEYS)?)?.version()
    }

    /// Puts what the service says now in the place of what it said before.
    async fn renew(&mut self, data: UserData, ring: &mut KeyRing) -> Result<()> {
        if let Some(account) = &mut ring.account {
            if account.rsa.is_none()
                && let Some(privk) = &data.privk
            {
                account.rsa = Some(unwrap_private_key(&account.master, privk).await?);
            }
            check_public_key(&data, account.user, account.rsa.as_ref())?;
            ring.store.renew(&data, account)?;
        }
        ring.take_from_store();
        let ok = std::mem::take(&mut self.ok);
        *self = Self { ok, ..Self::new(data) };
        Ok(())
    }

    fn to_bytes(&self, keys: &KeyRing) -> Vec<u8> {
        let account = keys.account();
        let wrap = |account: &AccountKeys| {
            let rsa = account.rsa.as_ref()?;
            account.master.wrap_private_key(rsa).ok().map(Base64)
        };
        let privk = account.and_then(wrap);
        // Texts and numbers can always be written.
        serde_json::to_vec(&Self { privk, ..self.clone() }).unwrap_or_default()
    }
}

impl Cached {
    pub(super) fn of_account(client: &Client, master: &MasterKey, data: &UserData) -> Option<Self> {
        let cache = account_cache(client, master)?;
        Some(Self::new(cache, Some(KeptAccount::new(data.clone())), None))
    }

    fn new(cache: Arc<Cache>, account: Option<KeptAccount>, told: Option<Tree>) -> Self {
        Self { cache, account: Mutex::new(account), told: Mutex::new(told) }
    }

    fn account(&self) -> Option<KeptAccount> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn account_bytes(&self, keys: &KeyRing) -> Vec<u8> {
        self.account().map(|account| account.to_bytes(keys)).unwrap_or_default()
    }

    /// Whether what the session knows of the keys is newer than what would be kept.
    fn is_behind(&self, keys: &KeyRing) -> bool {
        self.account().is_some_and(|account| {
            account.version() != keys.store.version()
                || account.data.pubk.is_none() && keys.account().is_some_and(|a| a.rsa.is_some())
        })
    }

    fn set_told(&self, tree: Option<Tree>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = tree;
    }
}

impl Client {
    /// Comes back to an account by what was kept of it, with one request if nothing happened to its keys.
    pub(super) async fn return_to_account(
        &self,
        master: &MasterKey,
        sid: &SessionId,
    ) -> Result<Return> {
        let Some(cache) = account_cache(self, master) else { return Ok(Return::Usual(0)) };
        let Some(kept) = open(&cache).await? else { return Ok(Return::Usual(0)) };
        let read = || {
            let account: KeptAccount = serde_json::from_slice(&kept.account).ok()?;
            let ring = account.keys(master.clone()).ok()?;
            Some((account, ring))
        };
        let Some((mut account, mut ring)) = read() else {
            cache.reject("the account in it cannot be read");
            return Ok(Return::Usual(0));
        };
        let was_stale = kept.head.stale;
        let generation = ring.store.generation().unwrap_or(0);
        let authentication = Authentication::Account(sid.clone());
        let channel = self.channel(&authentication)?;
        let keys = Arc::new(ring.clone());
        let load = self.loader(&authentication, &keys, None, &cache, kept.account.clone());
        let mut tree = kept.tree(keys, load);
        let stale = match self.catch_up(&channel, &cache, &mut tree, Some(&account)).await? {
            CaughtUp::Now { stale } => stale,
            CaughtUp::No => return Ok(Return::Usual(generation)),
        };
        if stale || was_stale {
            account.renew(channel.call(&FetchUser { v: Flag::SET }).await?, &mut ring).await?;
            keep_account(&cache, account.to_bytes(&ring)).await?;
            tree.set_keys(Arc::new(ring.clone()));
        }
        let sid = sid.clone();
        let identity =
            Identity::Account { account: Account::new(&account.data), sid, session_key: None };
        let channels = (channel, self.channel(&authentication)?);
        let cached = Cached::new(cache, Some(account), Some(tree.clone()));
        let session = Session::new(self, identity, channels, Arc::new(ring), Some(tree));
        Ok(Return::Session(session.with_cache(cached)))
    }

    /// Opens a folder link by what was kept of it, if something was.
    pub(super) async fn return_to_link(
        &self,
        handle: PublicHandle,
        key: &ShareKey,
        auth: Option<&WriteAuth>,
    ) -> Result<Option<Session>> {
        let Some(cache) = link_cache(self, handle, key) else { return Ok(None) };
        let Some(kept) = open(&cache).await? else { return Ok(None) };
        let Some(root) = kept.root() else { return Ok(None) };
        let authentication = Authentication::FolderLink(handle, auth.cloned());
        let channel = self.channel(&authentication)?;
        let keys = Arc::new(KeyRing::of_link(root, key.clone()));
        let link = LinkRoot::new(root, auth);
        let load = self.loader(&authentication, &keys, Some(link), &cache, Vec::new());
        let mut tree = kept.tree(keys.clone(), load);
        tree.facts().link = Some(link.access);
        let caught_up = self.catch_up(&channel, &cache, &mut tree, None).await?;
        if matches!(caught_up, CaughtUp::No) || tree.root()?.problem().is_some() {
            return Ok(None);
        }
        let auth = auth.cloned();
        let identity = Identity::FolderLink { handle, root, key: key.clone(), auth };
        let channels = (channel, self.channel(&authentication)?);
        let cached = Cached::new(cache, None, Some(tree.clone()));
        let session = Session::new(self, identity, channels, keys, Some(tree));
        Ok(Some(session.with_cache(cached)))
    }

    /// Where a folder link is to be kept.
    pub(super) fn cached_link(&self, handle: PublicHandle, key: &ShareKey) -> Option<Cached> {
        link_cache(self, handle, key).map(|cache| Cached::new(cache, None, None))
    }

    /// Removes what was kept of a saved session's tree, if that can be told from the text.
    pub fn forget(&self, saved: &str) {
        let cache = match saved.trim().parse() {
            Ok(SavedSession::Account { master, .. }) => account_cache(self, &master),
            Ok(SavedSession::FolderLink { handle, key, .. }) => link_cache(self, handle, &key),
            _ => None,
        };
        if let Some(cache) = cache {
            cache.remove();
        }
    }

    /// Brings a tree that was kept up to date, and its file with it.
    async fn catch_up(
        &self,
        channel: &Channel,
        cache: &Arc<Cache>,
        tree: &mut Tree,
        account: Option<&KeptAccount>,
    ) -> Result<CaughtUp> {
        let mut stale = false;
        let mut backoff = Backoff::new(channel.options().busy_patience);
        loop {
            let Some(cursor) = tree.cursor() else { return Ok(CaughtUp::No) };
            let failure = match poll(channel, cursor, None).await {
                Poll::Reply(EventReply::KeepAlive) => return Ok(CaughtUp::Now { stale }),
                Poll::Reply(EventReply::Events(events)) => {
                    let more = is_set(events.ir) && events.sn != Some(cursor);
                    if brings_keys(&events, account) {
                        return Ok(CaughtUp::No);
                    }
                    stale |= keep(cache, tree, cursor, &events, account).await?;
                    if more {
                        continue;
                    }
                    return Ok(CaughtUp::Now { stale });
                }
                Poll::Reply(EventReply::Refused(failure)) => failure,
                Poll::Failed => return Ok(CaughtUp::No),
            };
            match failure.code {
                ErrorCode::Session if account.is_some() => {
                    return Err(AuthenticationError::SessionEnded.into());
                }
                ErrorCode::Again | ErrorCode::RateLimit if backoff.wait().await => {}
                _ => return Ok(CaughtUp::No),
            }
        }
    }

    /// What loads a tree where its file turns out to be damaged, and writes the file anew.
    fn loader(
        &self,
        authentication: &Authentication,
        keys: &Arc<KeyRing>,
        link: Option<LinkRoot>,
        cache: &Arc<Cache>,
        account: Vec<u8>,
    ) -> Loader {
        let (client, keys, cache) = (self.apart(), keys.clone(), cache.clone());
        let authentication = authentication.clone();
        Box::new(move || {
            cache.reject("it is damaged");
            let (client, keys, cache) = (client.clone(), keys.clone(), cache.clone());
            let (authentication, account) = (authentication.clone(), account.clone());
            let load = move || {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                runtime.enable_all().build().ok()?.block_on(async {
                    let channel = client.channel(&authentication).ok()?;
                    let mut keys = KeyRing::clone(&keys);
                    let tree = fetch(&channel, link, |ok| {
                        keys.learn(ok);
                        Arc::new(keys)
                    });
                    let tree = tree.await.ok()?.tree;
                    // The account may have changed meanwhile, too.
                    tree.with_arena(|arena, facts| cache.write(arena, facts, &account, true));
                    Some(tree)
                })
            };
            // Whoever looks may be on a thread that must not wait for a runtime of its own.
            std::thread::spawn(load).join().ok()?
        })
    }
}

impl Session {
    /// The tree by what was kept of it, if something was.
    pub(super) async fn kept_tree(&self) -> Result<Option<Tree>> {
        let Some(cached) = self.cached() else { return Ok(None) };
        let Some(kept) = open(&cached.cache).await? else { return Ok(None) };
        let was_stale = kept.head.stale;
        // A folder link has its tree from the beginning.
        let Identity::Account { sid, .. } = &self.0.identity else { return Ok(None) };
        let authentication = Authentication::Account(sid.clone());
        if let Ok(KeptAccount { ok, .. }) = serde_json::from_slice(&kept.account) {
            self.update_keys(|keys| keys.learn(&ok));
            if let Some(account) =
                &mut *cached.account.lock().unwrap_or_else(PoisonError::into_inner)
            {
                account.ok = ok;
            }
        }
        let keys = self.keys();
        let bytes = cached.account_bytes(&keys);
        let is_same = bytes == kept.account;
        let load = self.client().loader(&authentication, &keys, None, &cached.cache, bytes.clone());
        let mut tree = kept.tree(keys, load);
        let account = cached.account();
        let client = self.client();
        match client.catch_up(self.channel(), &cached.cache, &mut tree, account.as_ref()).await? {
            CaughtUp::No => return Ok(None),
            CaughtUp::Now { stale: true } => self.renew_account().await?,
            // The account was asked for when the session began.
            CaughtUp::Now { stale: false } if account.is_some() && (was_stale || !is_same) => {
                keep_account(&cached.cache, bytes).await?;
            }
            CaughtUp::Now { .. } => {}
        }
        cached.set_told(Some(tree.clone()));
        tree.set_keys(self.keys());
        Ok(Some(tree))
    }

    /// Holds the tree in memory from now on. A session that lasts must not hold the state of a file that others
    /// write: the file could not give up what they replace.
    pub(crate) async fn hold_in_memory(&self) -> Result<()> {
        let Some(cached) = self.cached() else { return Ok(()) };
        let told = cached.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(told) = told.filter(|told| !told.is_in_memory()) else { return Ok(()) };
        let held = blocking(move || Ok(told.in_memory())).await?;
        self.apply(|tree| tree.stand_on(&held));
        cached.set_told(Some(held));
        Ok(())
    }

    /// Removes what was kept, and keeps nothing more.
    pub(super) fn forget(&self) {
        if let Some(cached) = self.cached() {
            cached.set_told(None);
            cached.cache.remove();
        }
    }

    /// Keeps a tree that was loaded as a whole.
    pub(super) async fn keep_tree(&self, fetched: &Fetched) -> Result<()> {
        let Some(cached) = self.cached() else { return Ok(()) };
        if let Some(account) = &mut *cached.account.lock().unwrap_or_else(PoisonError::into_inner) {
            account.ok.clone_from(&fetched.share_keys);
        }
        cached.set_told(Some(fetched.tree.clone()));
        let keys = self.keys();
        let (bytes, stale) = (cached.account_bytes(&keys), cached.is_behind(&keys));
        let (cache, tree) = (cached.cache.clone(), fetched.tree.clone());
        blocking(move || {
            tree.with_arena(|arena, facts| cache.write(arena, facts, &bytes, stale));
            Ok(())
        })
        .await
    }

    /// Keeps what packets tell, and asks for the account anew where they say so.
    pub(crate) async fn keep_packets(&self, from: EventCursor, events: &Events) -> Result<()> {
        let Some(cached) = self.cached() else { return Ok(()) };
        let told = cached.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Whoever has loaded the tree anew meanwhile has these already.
        let Some(mut tree) = told.filter(|tree| tree.cursor() == Some(from)) else { return Ok(()) };
        cached.set_told(None);
        let stale = keep(&cached.cache, &mut tree, from, events, cached.account().as_ref()).await?;
        cached.set_told(Some(tree));
        self.keep_offered(events).await?;
        match stale {
            true => self.renew_account().await,
            false => Ok(()),
        }
    }

    /// Asks for the account anew, after somebody has changed its keys.
    async fn renew_account(&self) -> Result<()> {
        let Some(cached) = self.cached() else { return Ok(()) };
        let Some(mut account) = cached.account() else { return Ok(()) };
        let writing = self.with_keys(|keys| keys.store.writing.clone());
        // Whoever writes the container just now takes what others wrote; the next run asks for the rest.
        let Ok(_writing) = writing.try_lock() else { return Ok(()) };
        let data = self.channel().call(&FetchUser { v: Flag::SET }).await?;
        let mut ring = KeyRing::clone(&self.keys());
        let renewed = account.renew(data, &mut ring).await;
        // Where it does not continue what was known, nothing must be written any more.
        self.update_keys(|keys| keys.clone_from(&ring));
        renewed?;
        let bytes = account.to_bytes(&ring);
        *cached.account.lock().unwrap_or_else(PoisonError::into_inner) = Some(account);
        keep_account(&cached.cache, bytes).await
    }
}

/// Applies packets to a tree as it was told before, and to its file. Says whether they tell of the account.
async fn keep(
    cache: &Arc<Cache>,
    tree: &mut Tree,
    from: EventCursor,
    events: &Events,
    account: Option<&KeptAccount>,
) -> Result<bool> {
    let own = account.map(|account| account.data.u);
    let packets = events.a.as_deref().unwrap_or_default();
    let version = account.and_then(KeptAccount::version);
    let stale = packets.iter().any(|packet| tells_of_account(&packet.body, own, version));
    let to = events.sn.unwrap_or(from);
    if packets.is_empty() && to == from {
        return Ok(false);
    }
    let before = tree.known().clone();
    tree.begin_journal();
    for packet in packets {
        apply(tree, packet.clone(), own, &mut Vec::new());
    }
    let changes = tree.end_journal();
    tree.facts().cursor = Some(to);
    let (cache, tree) = (cache.clone(), tree.clone());
    blocking(move || {
        // A tree that was loaded anew has been written by whoever did that.
        let Some(changes) = changes else { return Ok(()) };
        let after = tree.known();
        // The cursor stands elsewhere.
        let is_other = before != Facts { cursor: before.cursor, ..after.clone() };
        let facts = is_other.then_some(after);
        let batch = Batch { from, to, changes: &changes, facts, stale };
        if cache.add(&batch) == Some(Added::Crowded) {
            tree.with_arena(|arena, facts| cache.rewrite(arena, facts));
        }
        Ok(())
    })
    .await?;
    Ok(stale)
}

/// Whether a packet says that something about the account is other than it was kept.
fn tells_of_account(packet: &PacketBody, own: Option<UserHandle>, version: Option<&str>) -> bool {
    match packet {
        PacketBody::UserAttributes(changed) if own == Some(changed.u) => {
            let mut changed = changed.ua.iter().zip(0..).map(|(name, i)| (name, changed.v.get(i)));
            changed.any(|(name, now)| {
                let is_known =
                    name == KEYS && version.is_some() && now.map(String::as_str) == version;
                KEY_ATTRIBUTES.contains(&name.as_str()) && !is_known
            })
        }
        PacketBody::Email(changed) => own == Some(changed.u),
        PacketBody::Confirmed(_) => true,
        _ => false,
    }
}

/// Puts what the service says of the account into its file.
async fn keep_account(cache: &Arc<Cache>, account: Vec<u8>) -> Result<()> {
    let cache = cache.clone();
    blocking(move || {
        cache.set_account(&account);
        Ok(())
    })
    .await
}

async fn open(cache: &Arc<Cache>) -> Result<Option<Kept>> {
    let cache = cache.clone();
    blocking(move || Ok(cache.open())).await
}

fn account_cache(client: &Client, master: &MasterKey) -> Option<Arc<Cache>> {
    let key = CacheKey::of_account(master, client.api_url());
    Some(Arc::new(Cache::new(client.cache_dir()?, key)))
}

fn link_cache(client: &Client, handle: PublicHandle, key: &ShareKey) -> Option<Arc<Cache>> {
    let key = CacheKey::of_link(key, &format!("{}\0{handle}", client.api_url()));
    Some(Arc::new(Cache::new(client.cache_dir()?, key)))
}
