//! What all parts of a running server share.

use std::path::{Path, PathBuf};

use supermega_crypto::random;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::api::Idempotence;
use crate::builder::ServerError;
use crate::fault::{Challenges, Faults};
use crate::request_log::RequestLog;
use crate::storage::DownloadTokens;
use crate::store::Store;

/// The server's parts.
#[derive(Debug)]
pub(crate) struct State {
    pub store: Store,
    pub faults: Faults,
    pub challenges: Challenges,
    pub log: RequestLog,
    pub downloads: DownloadTokens,
    pub idempotence: Idempotence,
    /// Counts commits that made packets: whoever waits for events watches it.
    pub commits: watch::Sender<u64>,
    /// Makes wait addresses and the salts of unknown users unguessable.
    pub secret: [u8; 32],
    pub quota: u64,
    data: PathBuf,
    /// Removes the data of a server that keeps nothing.
    _temporary: Option<TempDir>,
}

impl State {
    pub(crate) fn open(data: Option<PathBuf>, quota: u64) -> Result<Self, ServerError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::Data { path, source }
        };
        let (data, temporary) = if let Some(path) = data {
            (path, None)
        } else {
            let parent = std::env::temp_dir();
            let dir = tempfile::Builder::new().prefix("supermega-server-").tempdir_in(&parent);
            let dir = dir.map_err(failed(&parent))?;
            (dir.path().to_owned(), Some(dir))
        };
        for folder in [data.clone(), data.join("blobs"), data.join("uploads")] {
            std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
        }
        let store = Store::open(&data.join("metadata.sqlite"), temporary.is_none())?;
        let secret = store.write(|tx| crate::store::secret(tx, random::array::<32>()))??;
        Ok(Self {
            store,
            faults: Faults::default(),
            challenges: Challenges::default(),
            log: RequestLog::default(),
            downloads: DownloadTokens::default(),
            idempotence: Idempotence::default(),
            commits: watch::Sender::new(0),
            secret,
            quota,
            data,
            _temporary: temporary,
        })
    }

    /// Where the ciphertext of a complete file is.
    pub(crate) fn blob_path(&self, blob: i64) -> PathBuf {
        self.data.join("blobs").join(blob.to_string())
    }

    /// Where the ciphertext of an upload grows. The token consists of safe characters.
    pub(crate) fn upload_path(&self, token: &str) -> PathBuf {
        self.data.join("uploads").join(token)
    }

    /// Tells whoever waits for events that there are some.
    pub(crate) fn announce(&self) {
        self.commits.send_modify(|count| *count += 1);
    }
}
