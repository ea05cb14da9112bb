//! What a verb needs besides its arguments: the client, the login, the output.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use supermega::{
    AuthenticationError, Client, Credentials, Error, Inside, Link, Node, RemotePath, Session, Tree,
    WriteAuth,
};

use zeroize::Zeroizing;

use crate::arguments::{Global, Pace};
use crate::command::login;
use crate::error::{CommandError, Result};
use crate::output::Output;
use crate::place::Place;
use crate::profile::{self, Profile};
use crate::proxy;
use crate::secret;

/// For scripts that keep their session themselves.
pub const SESSION: &str = "SUPERMEGA_SESSION";
const EMAIL: &str = "SUPERMEGA_EMAIL";
const PASSWORD: &str = "SUPERMEGA_PASSWORD";
const TOTP_SECRET: &str = "SUPERMEGA_TOTP_SECRET";

/// What a verb needs besides its arguments.
#[derive(Debug)]
pub struct Context {
    /// The flags of every verb.
    pub global: Global,
    /// Where output goes.
    pub output: Output,
    /// How many bytes a second may move.
    rate: Option<NonZero<u64>>,
    /// The sessions that were opened already, each under its profile or link.
    open: Arc<tokio::sync::Mutex<HashMap<String, Session>>>,
}

/// A node, and the session and tree that it was found in.
#[derive(Debug)]
pub struct Found {
    /// The account or folder link.
    pub session: Session,
    /// The tree as it was when the node was found.
    pub tree: Tree,
    /// The node.
    pub node: Node,
}

impl Context {
    /// Puts them together.
    pub fn new(global: Global, output: Output) -> Self {
        Self { global, output, rate: None, open: Arc::default() }
    }

    /// The same for transfers at a certain pace.
    pub fn paced(&self, pace: &Pace) -> Self {
        Self {
            global: self.global.clone(),
            output: self.output.clone(),
            rate: pace.limit_rate,
            open: Arc::default(),
        }
    }

    /// A client for the service that was named.
    pub fn client(&self) -> Result<Client> {
        let mut client = Client::builder()
            .api_url(&self.global.api_url)
            .timeout(Duration::from_secs(self.global.timeout))
            .stall_timeout(Duration::from_secs(self.global.stall_timeout))
            .patience(Duration::from_secs(self.global.patience));
        if let Some(rate) = self.rate {
            client = client.limit_rate(rate);
        }
        if let Some(proxy) = proxy::of(self.global.proxy.as_deref()) {
            client = client.proxy(proxy);
        }
        if let Some(file) = &self.global.ca_file {
            let pem = std::fs::read(file)
                .map_err(|error| CommandError::Local(format!("{}: {error}", file.display())))?;
            client = client.trust(pem);
        }
        if let Some(folder) = self.trees() {
            client = client.cache_dir(folder);
        }
        Ok(client.build()?)
    }

    /// Where trees are kept, if they are.
    pub fn trees(&self) -> Option<PathBuf> {
        let folder = self.global.cache_dir.clone().or_else(profile::usual_cache_place);
        folder.filter(|_| !self.global.no_cache).map(|folder| folder.join("trees"))
    }

    /// Where unfinished uploads are noted.
    pub fn journals(&self) -> Result<PathBuf> {
        let folder = match &self.global.state_dir {
            Some(folder) => folder.clone(),
            None => profile::usual_state_place()?,
        };
        Ok(folder.join("uploads"))
    }

    /// The profile that was named.
    pub fn profile(&self) -> Result<Profile> {
        Profile::new(&self.global)
    }

    /// The session of whoever is logged in: that of the environment, that of the profile, or, when there is
    /// none or it is over, a new one if the environment says how to log in.
    pub async fn session(&self) -> Result<Session> {
        let client = self.client()?;
        if let Some(saved) = secret::variable(SESSION) {
            return Ok(client.resume(&saved).await?);
        }
        let profile = self.profile()?;
        let (kept, totp_secret) = match profile.load().await {
            Ok(Some(secrets)) => {
                let kept = client.resume(&secrets.session).await.map_err(CommandError::from);
                (kept, secrets.totp_secret.clone().map(Zeroizing::new))
            }
            Ok(None) => (Err(CommandError::NotLoggedIn(String::new())), None),
            Err(error) => (Err(error), None),
        };
        let email = std::env::var(EMAIL).ok().filter(|email| !email.is_empty());
        let session = match (kept, email, secret::variable(PASSWORD)) {
            (Err(error), Some(email), Some(password)) if needs_login(&error) => {
                let mut credentials = Credentials::new(&email, &password);
                if let Some(secret) = secret::variable(TOTP_SECRET).or(totp_secret) {
                    credentials = credentials.totp_secret(login::totp_secret(&secret)?);
                }
                client.login_with(credentials).await?
            }
            (kept, ..) => kept?,
        };
        profile.check_generation(&session)?;
        Ok(session)
    }

    /// The tree with everything that others share. Where a share's key has been left for this account and not
    /// taken yet, it is taken.
    async fn tree(&self, session: &Session) -> Result<Tree> {
        let tree = session.tree().await?;
        let locked = tree.incoming().iter().any(|root| root.problem().is_some());
        if locked && session.complete_shares().await? {
            return Ok(session.tree().await?);
        }
        Ok(tree)
    }

    /// Opens a folder link and finds what it points to.
    pub async fn open_folder(&self, link: &Link, auth: Option<&WriteAuth>) -> Result<Found> {
        let client = self.client()?;
        let session = match auth {
            Some(auth) => client.open_writable_folder(link, auth).await?,
            None => client.open_folder(link).await?,
        };
        let tree = session.tree().await?;
        let node = tree.at(&inside(link))?;
        Ok(Found { session, tree, node })
    }

    /// The same for another profile.
    pub fn of_profile(&self, name: &str) -> Self {
        let global = Global { profile: name.to_owned(), ..self.global.clone() };
        Self { global, output: self.output.clone(), rate: self.rate, open: Arc::default() }
    }

    /// The same for whoever wants to know soon what is wrong.
    pub fn hasty(&self) -> Self {
        let patience = self.global.patience.min(15);
        let global = Global { patience, ..self.global.clone() };
        Self { global, output: self.output.clone(), rate: self.rate, open: Arc::default() }
    }

    /// The same at another service.
    pub fn at_service(&self, api_url: &str) -> Self {
        let global = Global { api_url: api_url.to_owned(), ..self.global.clone() };
        Self { global, output: self.output.clone(), rate: self.rate, open: Arc::default() }
    }

    /// The session of a place, and the path in it: of a profile, or of a folder link. Each is opened once.
    pub async fn enter(&self, text: &str) -> Result<(Session, RemotePath)> {
        let (key, path, link) = match Place::read(text)? {
            Place::Path { profile, path } => {
                (profile.unwrap_or_else(|| self.global.profile.clone()), path, None)
            }
            Place::Link(link, auth) => (format!("{text} "), RemotePath::root(), Some((link, auth))),
        };
        let mut open = self.open.lock().await;
        let session = match (open.get(&key), &link) {
            (Some(session), _) => session.clone(),
            (None, Some((link, auth))) => {
                let link = secret::unlock(link.clone(), false).await?;
                self.open_folder(&link, auth.as_ref()).await?.session
            }
            (None, None) => self.of_profile(&key).session().await?,
        };
        open.insert(key, session.clone());
        Ok((session, link.map_or(path, |(link, _)| inside(&link))))
    }

    /// Finds a node of the account or of a folder link.
    pub async fn find(&self, text: &str) -> Result<Found> {
        let (session, path) = self.enter(text).await?;
        let tree = self.tree(&session).await?;
        let node = tree.at(&path)?;
        Ok(Found { session, tree, node })
    }
}

/// What a folder link points to.
fn inside(link: &Link) -> RemotePath {
    match link {
        Link::Folder { inside: Some(Inside::File(handle) | Inside::Folder(handle)), .. } => {
            RemotePath::handle(*handle)
        }
        _ => RemotePath::root(),
    }
}

fn needs_login(error: &CommandError) -> bool {
    let over = AuthenticationError::SessionEnded;
    matches!(error, CommandError::NotLoggedIn(_))
        || matches!(error, CommandError::Library(Error::Authentication(e)) if *e == over)
}
