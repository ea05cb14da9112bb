//! Accounts of any size, made at once: what a client would have uploaded, with keys that open and MACs that
//! agree.

mod file;
mod node;

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;

use rusqlite::{Connection, params};
use subtle::ConstantTimeEq;
use supermega_crypto::{
    FolderKey, KdfVersion, Link, MasterKey, NodeKey, PasswordKey, Salt, ShareKey, derive_v2,
};
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle, base64};
use supermega_protocol::tree::NodeType;
use zeroize::Zeroizing;

pub use file::GeneratedFile;
pub(crate) use file::generate_file;

use crate::builder::{NewUser, add_user};
use crate::error::ServerError;
use crate::state::State;
use crate::store::links::{self, Export};
use crate::store::nodes::{self, Node};
use crate::store::shares::{self, OwnerKey};
use crate::store::users::{self, User};
use crate::store::{blobs, now, share_keys};

/// A tree to be made in an account: files of up to 4 KiB whose content can be downloaded and verified, in
/// nested folders.
///
/// Clients that are connected learn of it when they load the tree anew.
#[derive(Clone)]
pub struct GeneratedTree {
    /// The account, which is made if there is none.
    pub email: String,
    /// Its password: node keys are wrapped by the key behind it.
    pub password: Zeroizing<String>,
    /// How many nodes, the folder that holds the others included.
    pub nodes: u32,
    /// How many nodes a folder holds.
    pub per_folder: u32,
    /// Whether the folder gets a public link.
    pub link: bool,
}

impl fmt::Debug for GeneratedTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratedTree")
            .field("email", &self.email)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

/// What was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generated {
    /// The folder that holds everything.
    pub folder: NodeHandle,
    /// The folder's public link, with its key.
    pub link: Option<Zeroizing<String>>,
}

/// Makes a tree. Blocks.
pub(crate) fn generate(state: &State, tree: &GeneratedTree) -> Result<Generated, ServerError> {
    let (user, master) = account(state, &tree.email, &tree.password)?;
    let share = tree.link.then(ShareKey::generate).transpose()?;
    let (folder, link) = state.store.write(|tx| {
        let blob = blobs::insert(tx, node::CONTENT)?;
        let path = state.blob_path(blob);
        File::create(&path)
            .and_then(|file| file.set_len(node::CONTENT))
            .map_err(|source| ServerError::Data { path, source })?;
        let share = share.as_ref();
        Forest { db: tx, user: user.handle, master: &master, share, blob, begun: now() }.grow(tree)
    })?;
    let link = match (link, share) {
        (Some(handle), Some(key)) => {
            Some(Link::Folder { handle, key: Some(key), inside: None }.to_url())
        }
        _ => None,
    };
    Ok(Generated { folder, link: link.map(Zeroizing::new) })
}

/// An account, which is made if there is none, and its master key.
fn account(
    state: &State,
    email: &str,
    password: &Zeroizing<String>,
) -> Result<(User, MasterKey), ServerError> {
    if find(state, email)?.is_none() {
        add_user(state, &NewUser::new(email, password.clone(), KdfVersion::V2))?;
    }
    let user = find(state, email)?.ok_or_else(|| ServerError::NoUser(email.to_owned()))?;
    let master = master_key(&user, password)?;
    Ok((user, master))
}

fn find(state: &State, email: &str) -> Result<Option<User>, ServerError> {
    Ok(state.store.read(|db| users::by_email(db, email))?)
}

/// Opens the account's master key, as its client does.
fn master_key(user: &User, password: &str) -> Result<MasterKey, ServerError> {
    let wrong = || ServerError::WrongPassword(user.email.clone().unwrap_or_default());
    let salt = user.salt.as_ref().and_then(|salt| salt.as_slice().try_into().ok());
    let (key, proof) = if let Some(salt) = salt {
        let (key, proof) = derive_v2(password, &Salt::from_bytes(salt));
        (key, proof.hashed().as_bytes().to_vec())
    } else {
        let key = PasswordKey::v1(password);
        let proof = key.user_hash(user.email.as_deref().unwrap_or_default());
        (key, proof.as_bytes().to_vec())
    };
    if !bool::from(proof.ct_eq(&user.proof)) {
        return Err(wrong());
    }
    let wrapped = user.k.as_slice().try_into().map_err(|_| wrong())?;
    Ok(key.unwrap(&wrapped))
}

/// A tree that grows in one transaction.
struct Forest<'a> {
    db: &'a Connection,
    user: UserHandle,
    master: &'a MasterKey,
    share: Option<&'a ShareKey>,
    blob: i64,
    begun: i64,
}

impl Forest<'_> {
    fn grow(
        &self,
        tree: &GeneratedTree,
    ) -> Result<(NodeHandle, Option<PublicHandle>), ServerError> {
        let root = nodes::root(self.db, self.user, NodeType::Root)?.handle;
        let first = free_handles(self.db, tree.nodes.max(1))?;
        let top = handle(first, 0);
        let key = NodeKey::Folder(FolderKey::generate()?);
        self.insert(top, root, "generated", &key, None, top)?;
        let per_folder = tree.per_folder.max(2);
        // Enough of each folder's nodes are folders for all others to find a place.
        let branches = (per_folder / 25).max(2);
        let mut folders = VecDeque::from([top]);
        for index in 1..tree.nodes {
            let slot = (index - 1) % per_folder;
            if slot == 0 && index > 1 {
                folders.pop_front();
            }
            // Each folder brings at least two more before it is full.
            let parent = folders.front().copied().unwrap_or(top);
            let new = handle(first, index);
            if slot < branches {
                folders.push_back(new);
                let key = NodeKey::Folder(FolderKey::generate()?);
                self.insert(new, parent, &format!("folder {index:07}"), &key, None, top)?;
            } else {
                let size = u64::from(index) * 37 % (node::CONTENT + 1);
                let key = NodeKey::File(file::verifiable_key(size)?);
                self.insert(new, parent, &format!("file {index:07}.bin"), &key, Some(size), top)?;
            }
        }
        let link = self.share.map(|share| self.export(top, share)).transpose()?;
        Ok((top, link))
    }

    fn insert(
        &self,
        handle: NodeHandle,
        parent: NodeHandle,
        name: &str,
        key: &NodeKey,
        size: Option<u64>,
        top: NodeHandle,
    ) -> rusqlite::Result<()> {
        nodes::insert(
            self.db,
            &Node {
                handle,
                parent: Some(parent),
                owner: self.user,
                kind: if size.is_some() { NodeType::File } else { NodeType::Folder },
                a: node::attributes(name, key),
                k: base64::encode(&self.master.wrap_node_key(key)),
                size,
                ts: self.begun,
                fa: None,
                blob: size.map(|_| self.blob),
            },
        )?;
        if let Some(share) = self.share {
            let wrapped = base64::encode(&share.wrap_node_key(key));
            share_keys::set(self.db, handle, top, &wrapped, true)?;
        }
        Ok(())
    }

    fn export(&self, folder: NodeHandle, share: &ShareKey) -> rusqlite::Result<PublicHandle> {
        let ok = Some(base64::encode(&self.master.wrap_share_key(share)));
        let ha = Some(base64::encode(&self.master.handle_auth(&folder)));
        shares::set_owner_key(self.db, &OwnerKey { node: folder, ok, ha })?;
        links::set_export(self.db, &Export { node: folder, level: 0, ts: self.begun })?;
        Ok(links::insert(self.db, folder)?.handle)
    }
}

/// The first of so many handles in a row that nobody has: rows are quickest to add, and to read again, in
/// their order.
fn free_handles(db: &Connection, count: u32) -> rusqlite::Result<u64> {
    loop {
        let random: [u8; 6] = users::random_bytes()?;
        let first = number(random) & !0xffff_ffff;
        let taken: bool = db.query_row(
            "SELECT EXISTS (SELECT 1 FROM nodes WHERE handle BETWEEN ?1 AND ?2)",
            params![handle(first, 0).as_bytes(), handle(first, count).as_bytes()],
            |row| row.get(0),
        )?;
        // The first block holds a handle that clients take for a placeholder.
        if !taken && first != 0 {
            return Ok(first);
        }
    }
}

fn number(bytes: [u8; 6]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn handle(first: u64, index: u32) -> NodeHandle {
    let [_, _, bytes @ ..] = (first + u64::from(index)).to_be_bytes();
    NodeHandle::from_bytes(bytes)
}
