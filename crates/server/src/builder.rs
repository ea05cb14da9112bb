//! Chooses how a server runs, and starts it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use supermega_crypto::{KdfVersion, NewAccount, PrivateKey, TotpSecret};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::error::ServerError;
use crate::fault::Fault;
use crate::handle::ServerHandle;
use crate::http::{self, Door};
use crate::state::{Config, State};
use crate::store::second_factors::{self, SecondFactor};
use crate::store::users;
use crate::tls::Authority;

/// What an account may hold unless said otherwise: what a free account has.
const QUOTA: u64 = 20 << 30;
/// Official clients give a silent poll up after 40 seconds (`protocol-api.md` 5.1).
const HOLD: Duration = Duration::from_secs(30);
/// A hundred megabytes of them or so.
const PACKETS_KEPT: u32 = 250_000;
/// Official clients use an address again for just under two days (`protocol-api.md` 3.4, 4.4).
const URL_LIFETIME: Duration = Duration::from_hours(48);

/// A local server, see [`Server::builder`].
#[derive(Debug)]
pub enum Server {}

impl Server {
    /// Chooses how a server runs: on a random port of this machine, with data that go away with it, unless
    /// said otherwise.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
            tls_names: Vec::new(),
            data: None,
            users: Vec::new(),
            faults: Vec::new(),
            config: Config {
                quota: QUOTA,
                hold: HOLD,
                packets_kept: PACKETS_KEPT,
                cloudraid: false,
                url_lifetime: URL_LIFETIME,
                fault_seed: 0,
            },
            allow_remote: false,
        }
    }
}

/// How a server runs.
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    listen: SocketAddr,
    tls: Option<SocketAddr>,
    tls_names: Vec<String>,
    data: Option<PathBuf>,
    users: Vec<NewUser>,
    faults: Vec<Fault>,
    config: Config,
    allow_remote: bool,
}

/// A user to be made.
pub(crate) struct NewUser {
    pub email: String,
    pub password: Zeroizing<String>,
    pub kdf: KdfVersion,
    /// The account's key; without one a new one is made.
    pub rsa: Option<PrivateKey>,
    /// How many bytes it may hold, if that differs from other accounts.
    pub quota: Option<u64>,
    /// Whether its logins need a second factor from the start.
    pub second_factor: bool,
}

impl NewUser {
    pub(crate) fn new(email: &str, password: Zeroizing<String>, kdf: KdfVersion) -> Self {
        let email = email.to_owned();
        Self { email, password, kdf, rsa: None, quota: None, second_factor: false }
    }
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

    /// Listens with TLS too; port 0 means any. Clients need to trust the certificate of
    /// [`ServerHandle::ca_file`], which is made for this server alone.
    pub fn tls_listen(mut self, address: SocketAddr) -> Self {
        self.tls = Some(address);
        self
    }

    /// Another host that the server proves to be by TLS; `localhost` and the loopback addresses need no
    /// mention.
    pub fn tls_name(mut self, name: impl Into<String>) -> Self {
        self.tls_names.push(name.into());
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
        self.users.push(NewUser::new(email, Zeroizing::new(password.to_owned()), kdf));
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

    /// How many bytes a new account may hold; 20 GiB unless said otherwise.
    pub fn quota(mut self, bytes: u64) -> Self {
        self.config.quota = bytes;
        self
    }

    /// How long a poll for events is held when there are none; 30 seconds unless said otherwise.
    pub fn event_hold(mut self, hold: Duration) -> Self {
        self.config.hold = hold;
        self
    }

    /// About how many action packets are kept for clients that were away, of all users together; 250,000
    /// unless said otherwise. Clients that missed more are told to load the tree anew.
    pub fn packets_kept(mut self, packets: u32) -> Self {
        self.config.packets_kept = packets;
        self
    }

    /// Gives files in six parts to clients that can put them together (`protocol-api.md` 3.7).
    pub fn cloudraid(mut self, on: bool) -> Self {
        self.config.cloudraid = on;
        self
    }

    /// How long addresses of transfers are good, those of uploads from their last use on; 48 hours unless said
    /// otherwise.
    pub fn url_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.url_lifetime = lifetime;
        self
    }

    /// Misbehaves from the start.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Faults that happen by chance happen in another way for each seed; it is 0 unless said otherwise.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.config.fault_seed = seed;
        self
    }

    /// Lets other machines in.
    pub fn allow_remote(mut self) -> Self {
        self.allow_remote = true;
        self
    }

    /// Starts the server on the current runtime. It listens when this returns.
    pub async fn spawn(self) -> Result<ServerHandle, ServerError> {
        for address in [Some(self.listen), self.tls].into_iter().flatten() {
            if !self.allow_remote && !address.ip().is_loopback() {
                return Err(ServerError::NotLoopback(address));
            }
        }
        let (config, users, data) = (self.config, self.users, self.data);
        let names = self.tls.map(|_| self.tls_names);
        let opened = tokio::task::spawn_blocking(move || {
            let state = State::open(data, config)?;
            for user in &users {
                match add_user(&state, user) {
                    Ok(_) | Err(ServerError::UserExists(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            let tls = names.map(|names| Authority::open(state.data())?.acceptor(&names));
            Ok((state, tls.transpose()?))
        });
        let opened = opened.await;
        let (state, acceptor) =
            opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let state = Arc::new(state);
        self.faults.into_iter().for_each(|fault| state.faults.add(fault));
        let (plain, address) = listen(self.listen).await?;
        let url = format!("http://{address}/");
        let mut doors = vec![Door { listener: plain, tls: None }];
        let mut tls_url = None;
        if let (Some(address), Some(acceptor)) = (self.tls, acceptor) {
            let (listener, address) = listen(address).await?;
            tls_url = Some(format!("https://{address}/"));
            doors.push(Door { listener, tls: Some(acceptor) });
        }
        let task = tokio::spawn(http::serve(doors, state.clone()));
        Ok(ServerHandle::new(url, tls_url, state, task))
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Makes an account; gives the secret of its second factor, if it has one. Blocks: the keys take a moment.
pub(crate) fn add_user(state: &State, user: &NewUser) -> Result<Option<TotpSecret>, ServerError> {
    if state.store.read(|db| users::by_email(db, &user.email))?.is_some() {
        return Err(ServerError::UserExists(user.email.clone()));
    }
    let rsa = match &user.rsa {
        Some(rsa) => rsa.clone(),
        None => PrivateKey::generate()?,
    };
    let account = NewAccount::generate(&user.email, &user.password, user.kdf, rsa)?;
    let secret = user.second_factor.then(TotpSecret::generate).transpose()?;
    let quota = user.quota.unwrap_or(state.config.quota);
    state.store.write(|tx| {
        let handle = users::insert_account(tx, &user.email, &account, quota)?;
        if let Some(secret) = &secret {
            let factor = SecondFactor { secret: secret.clone(), active: true };
            second_factors::set(tx, handle, &factor)?;
        }
        Ok::<_, rusqlite::Error>(())
    })?;
    Ok(secret)
}
