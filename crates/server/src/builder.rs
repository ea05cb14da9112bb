//! Starts a server and holds it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use supermega_crypto::{CryptoError, KdfVersion, NewAccount, PrivateKey};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fault::Fault;
use crate::http;
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::users;

/// What an account may hold unless said otherwise: what a free account has.
const QUOTA: u64 = 20 << 30;

/// A local server, see [`Server::builder`].
#[derive(Debug)]
pub enum Server {}

impl Server {
    /// Chooses how a server runs: on a random port of this machine, with data that go away with it, unless
    /// said otherwise.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: None,
            users: Vec::new(),
            faults: Vec::new(),
            quota: QUOTA,
            allow_remote: false,
        }
    }
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Others than this machine could reach it.
    #[error("{0} can be reached from other machines; allow that explicitly")]
    NotLoopback(SocketAddr),
    /// The data folder cannot be used.
    #[error("{}: {source}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A user's keys could not be made.
    #[error("user: {0}")]
    Keys(#[from] CryptoError),
    /// The e-mail address has an account already, with another password.
    #[error("{0} has an account already")]
    UserExists(String),
}

/// How a server runs.
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    listen: SocketAddr,
    data: Option<PathBuf>,
    users: Vec<NewUser>,
    faults: Vec<Fault>,
    quota: u64,
    allow_remote: bool,
}

/// A user to be made.
struct NewUser {
    email: String,
    password: zeroize::Zeroizing<String>,
    kdf: KdfVersion,
    rsa: Option<PrivateKey>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").field("email", &self.email).finish_non_exhaustive()
    }
}

impl ServerBuilder {
    /// Where to listen; port 0 means any.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Keeps everything in a folder, to be found again by a later server.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data = Some(path.into());
        self
    }

    /// Keeps everything in a temporary folder, which goes away with the server. This is the default.
    pub fn in_memory(mut self) -> Self {
        self.data = None;
        self
    }

    /// Makes an account of the current version. If the data folder has it already, it stays as it is.
    pub fn user(self, email: &str, password: &str) -> Self {
        self.user_with(email, password, KdfVersion::V2)
    }

    /// Makes an account of a chosen version.
    pub fn user_with(mut self, email: &str, password: &str, kdf: KdfVersion) -> Self {
        let (email, password) = (email.to_owned(), zeroize::Zeroizing::new(password.to_owned()));
        self.users.push(NewUser { email, password, kdf, rsa: None });
        self
    }

    /// Makes an account with a given RSA key: making one takes a moment, which tests can save.
    pub fn user_with_key(
        mut self,
        email: &str,
        password: &str,
        kdf: KdfVersion,
        rsa: PrivateKey,
    ) -> Self {
        self = self.user_with(email, password, kdf);
        if let Some(user) = self.users.last_mut() {
            user.rsa = Some(rsa);
        }
        self
    }

    /// How many bytes an account may hold.
    pub fn quota(mut self, bytes: u64) -> Self {
        self.quota = bytes;
        self
    }

    /// Misbehaves from the start.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Lets other machines in.
    pub fn allow_remote(mut self) -> Self {
        self.allow_remote = true;
        self
    }

    /// Starts the server on the current runtime. It listens when this returns.
    pub async fn spawn(self) -> Result<ServerHandle, ServerError> {
        if !self.allow_remote && !self.listen.ip().is_loopback() {
            return Err(ServerError::NotLoopback(self.listen));
        }
        let (quota, users) = (self.quota, self.users);
        let data = self.data;
        let opened = tokio::task::spawn_blocking(move || {
            let state = State::open(data, quota)?;
            users.into_iter().try_for_each(|user| add_user(&state, user))?;
            Ok::<_, ServerError>(state)
        });
        let state = Arc::new(
            opened.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?,
        );
        self.faults.into_iter().for_each(|fault| state.faults.add(fault));
        let failed = |source| ServerError::Listen { address: self.listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
        let url = format!("http://{}/", listener.local_addr().map_err(failed)?);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(http::serve(listener, state.clone(), stopped));
        Ok(ServerHandle { url, state, stop, task })
    }
}

fn add_user(state: &State, user: NewUser) -> Result<(), ServerError> {
    let known = state.store.read(|db| users::by_email(db, &user.email))?;
    if known.is_some() {
        return Ok(());
    }
    let rsa = match user.rsa {
        Some(rsa) => rsa,
        None => PrivateKey::generate()?,
    };
    let account = NewAccount::generate(&user.email, &user.password, user.kdf, rsa)?;
    state.store.write(|tx| users::insert_account(tx, &user.email, &account, state.quota))?;
    Ok(())
}

/// A running server. Dropping it stops it, without waiting for requests under way.
#[derive(Debug)]
pub struct ServerHandle {
    url: String,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl ServerHandle {
    /// The API address, with a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an account of the current version while the server runs.
    pub async fn add_user(&self, email: &str, password: &str) -> Result<(), ServerError> {
        let user = NewUser {
            email: email.to_owned(),
            password: zeroize::Zeroizing::new(password.to_owned()),
            kdf: KdfVersion::V2,
            rsa: None,
        };
        let state = self.state.clone();
        let added = tokio::task::spawn_blocking(move || add_user(&state, user)).await;
        added.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Misbehaves from now on.
    pub fn add_fault(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Behaves again.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// What clients have asked so far, in order.
    #[must_use]
    pub fn request_log(&self) -> Vec<LoggedRequest> {
        self.state.log.entries()
    }

    /// Forgets what clients have asked.
    pub fn clear_request_log(&self) {
        self.state.log.clear();
    }

    /// Stops listening, lets requests under way finish, and returns when that is done.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.task.abort();
    }
}
