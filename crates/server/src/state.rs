//! What all parts of a running server share.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use supermega_crypto::random;
use supermega_encoding::base64;
use tempfile::TempDir;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::admin::TOKEN_FILE;
use crate::ephemeral;
use crate::error::ServerError;
use crate::fault::{Challenges, Faults};
use crate::hold::Holds;
use crate::request_log::RequestLog;
use crate::storage::{AttributeAccess, Download, OpenUploads, Pieces, Tokens, journal_path};
use crate::store::{Store, blobs, file_attributes, secret};
use crate::tls::write_secret;

/// How a server behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    /// How many bytes a new account may hold.
    pub quota: u64,
    /// How long a poll for events is held when there are none.
    pub hold: Duration,
    /// How many packets are kept for clients that were away.
    pub packets_kept: u32,
    /// Whether clients that can put a file together get it in six parts.
    pub cloudraid: bool,
    /// How long addresses of transfers are good.
    pub url_lifetime: Duration,
    /// What chance there is in faults depends on this alone.
    pub fault_seed: u64,
}

/// The server's parts.
#[derive(Debug)]
pub(crate) struct State {
    pub store: Store,
    pub config: Config,
    pub faults: Faults,
    pub holds: Holds,
    pub challenges: Challenges,
    pub log: RequestLog,
    pub downloads: Tokens<Download>,
    pub attributes: Tokens<AttributeAccess>,
    pub uploads: OpenUploads,
    /// Buffers of downloads.
    pub pieces: Arc<Pieces>,
    /// Connections that were accepted so far.
    pub connections: AtomicU64,
    /// Counts commits that made packets: whoever waits for events watches it.
    pub commits: watch::Sender<u64>,
    /// Whether the server is to stop: whoever waits for anything else than work watches it.
    pub stop: watch::Sender<bool>,
    /// Makes wait addresses and the salts of unknown users unguessable.
    pub secret: [u8; 32],
    /// What orders to the running server must name.
    pub admin_token: Zeroizing<String>,
    data: PathBuf,
    /// Keeps other servers away from the data.
    _lock: File,
    /// Tells other servers that the data of one that keeps nothing are in use.
    _alive: Option<File>,
    /// Removes the data of a server that keeps nothing.
    _temporary: Option<TempDir>,
    /// Whoever watches it learns when all of the above is gone: it must stay the last.
    pub gone: watch::Sender<()>,
}

impl State {
    pub(crate) fn open(data: Option<PathBuf>, config: Config) -> Result<Self, ServerError> {
        let (data, temporary, alive) = if let Some(path) = data {
            (path, None, None)
        } else {
            let parent = std::env::temp_dir();
            let made = ephemeral::make(&parent);
            let (dir, alive) = made.map_err(|source| ServerError::Data { path: parent, source })?;
            (dir.path().to_owned(), Some(dir), Some(alive))
        };
        let blobs = data.join("blobs");
        std::fs::create_dir_all(&blobs)
            .map_err(|source| ServerError::Data { path: blobs.clone(), source })?;
        let lock = lock(&data)?;
        if temporary.is_none() {
            ephemeral::keep(&data);
        }
        let store = Store::open(&data.join("metadata.sqlite"), temporary.is_none())?;
        let secret =
            store.write(|tx| secret(tx, random::array::<32>()).map_err(ServerError::from))??;
        remove_orphans(&store, &blobs)?;
        let admin_token = admin_token(&data)?;
        Ok(Self {
            store,
            config,
            faults: Faults::new(config.fault_seed),
            holds: Holds::default(),
            challenges: Challenges::default(),
            log: RequestLog::default(),
            downloads: Tokens::new(config.url_lifetime),
            attributes: Tokens::new(config.url_lifetime),
            uploads: OpenUploads::new(config.url_lifetime),
            pieces: Arc::default(),
            connections: AtomicU64::new(0),
            commits: watch::Sender::new(0),
            stop: watch::Sender::new(false),
            secret,
            admin_token,
            data,
            _lock: lock,
            _alive: alive,
            _temporary: temporary,
            gone: watch::Sender::new(()),
        })
    }

    /// The folder that holds everything.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The folder that holds the ciphertext of files.
    pub(crate) fn blob_folder(&self) -> PathBuf {
        self.data.join("blobs")
    }

    /// Where the ciphertext of a file is, or grows.
    pub(crate) fn blob_path(&self, blob: i64) -> PathBuf {
        self.blob_folder().join(blob.to_string())
    }

    /// Removes the files of blobs that nobody needs any more.
    pub(crate) fn remove_blobs(&self, unused: &[i64]) {
        for blob in unused {
            // Whatever stays behind is removed at the next start.
            let path = self.blob_path(*blob);
            let _ = std::fs::remove_file(journal_path(&path));
            let _ = std::fs::remove_file(path);
        }
    }

    /// Tells whoever waits for events that there are some.
    pub(crate) fn announce(&self) {
        self.commits.send_modify(|count| *count += 1);
    }

    /// Counts a connection.
    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns when the server is to stop.
    pub(crate) async fn stopped(&self) {
        // The sender lives as long as `self`, so that waiting ends for this reason alone.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}

/// Takes the data folder for this server alone; a crash gives it back.
fn lock(data: &Path) -> Result<File, ServerError> {
    let path = data.join("lock");
    let failed = |source| ServerError::Data { path: path.clone(), source };
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServerError::DataInUse(data.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// A new token for this run, which whoever may read the data folder can read there.
fn admin_token(data: &Path) -> Result<Zeroizing<String>, ServerError> {
    let token = Zeroizing::new(base64::encode(&random::array::<24>()?));
    let path = data.join(TOKEN_FILE);
    let written = write_secret(&path, &token);
    written.map_err(|source| ServerError::Data { path, source })?;
    Ok(token)
}

/// Removes what a crash, or a client that never came back, left behind.
fn remove_orphans(store: &Store, folder: &Path) -> Result<(), ServerError> {
    let (known, growing): (HashSet<i64>, HashSet<i64>) = store.write(|tx| {
        blobs::forget_old_uploads(tx)?;
        file_attributes::forget_unattached(tx)?;
        Ok::<_, rusqlite::Error>((blobs::all(tx)?, blobs::growing(tx)?))
    })?;
    let failed = |source| ServerError::Data { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let blob =
            path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        let needed = if path.extension().is_some() { &growing } else { &known };
        if blob.is_some_and(|blob: i64| !needed.contains(&blob)) {
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}
