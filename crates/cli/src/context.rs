//! What a verb needs besides its arguments: the client, the login, the output.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use supermega::{
    AuthenticationError, Client, Error, Inside, Link, Node, RemotePath, Session, Tree,
};

use crate::arguments::{Global, Pace};
use crate::error::{CommandError, Result};
use crate::output::Output;
use crate::place::Place;
use crate::profile::{self, Profile};
use crate::secret;

/// For scripts that keep their session themselves.
pub const SESSION: &str = "SUPERMEGA_SESSION";
const EMAIL: &str = "SUPERMEGA_EMAIL";
const PASSWORD: &str = "SUPERMEGA_PASSWORD";

/// What a verb needs besides its arguments.
#[derive(Debug)]
pub struct Context {
    /// The flags of every verb.
    pub global: Global,
    /// Where output goes.
    pub output: Output,
    /// How many bytes a second may move.
    rate: Option<NonZero<u64>>,
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
        Self { global, output, rate: None }
    }

    /// The same for transfers at a certain pace.
    pub fn paced(&self, pace: &Pace) -> Self {
        Self { global: self.global.clone(), output: self.output.clone(), rate: pace.limit_rate }
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
        Ok(client.build()?)
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
        let kept = match profile.load() {
            Ok(Some(saved)) => client.resume(&saved).await.map_err(CommandError::from),
            Ok(None) => Err(CommandError::NotLoggedIn(String::new())),
            Err(error) => Err(error),
        };
        let email = std::env::var(EMAIL).ok().filter(|email| !email.is_empty());
        let session = match (kept, email, secret::variable(PASSWORD)) {
            (Err(error), Some(email), Some(password)) if needs_login(&error) => {
                client.login(&email, &password).await?
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
    pub async fn open_folder(&self, link: &Link) -> Result<Found> {
        let session = self.client()?.open_folder(link).await?;
        let tree = session.tree().await?;
        let inside = match link {
            Link::Folder {
                inside: Some(Inside::File(handle) | Inside::Folder(handle)), ..
            } => RemotePath::handle(*handle),
            _ => RemotePath::root(),
        };
        let node = tree.at(&inside)?;
        Ok(Found { session, tree, node })
    }

    /// Finds a node of the account or of a folder link.
    pub async fn find(&self, session: &mut Option<Session>, text: &str) -> Result<Found> {
        match Place::read(text)? {
            Place::Link(link) => self.open_folder(&secret::unlock(link, false).await?).await,
            Place::Path(path) => {
                let session = match session {
                    Some(session) => session.clone(),
                    None => session.insert(self.session().await?).clone(),
                };
                let tree = self.tree(&session).await?;
                let node = tree.at(&path)?;
                Ok(Found { session, tree, node })
            }
        }
    }
}

fn needs_login(error: &CommandError) -> bool {
    let over = AuthenticationError::SessionEnded;
    matches!(error, CommandError::NotLoggedIn(_))
        || matches!(error, CommandError::Library(Error::Authentication(e)) if *e == over)
}
