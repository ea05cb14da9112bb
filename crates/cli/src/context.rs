//! What a verb needs besides its arguments: the client, the login, the output.

use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use supermega::{
    AuthenticationError, Client, Error, Inside, Link, Node, RemotePath, Session, Tree,
};
use zeroize::Zeroizing;

use crate::arguments::Global;
use crate::error::{CommandError, Result};
use crate::output::Output;
use crate::place::Place;
use crate::profile::Profile;

/// For scripts that keep their session themselves.
const SESSION: &str = "SUPERMEGA_SESSION";
const EMAIL: &str = "SUPERMEGA_EMAIL";
const PASSWORD: &str = "SUPERMEGA_PASSWORD";

/// What a verb needs besides its arguments.
#[derive(Debug)]
pub struct Context {
    pub global: Global,
    pub output: Output,
}

/// A node, and the session and tree that it was found in.
#[derive(Debug)]
pub struct Found {
    pub session: Session,
    pub tree: Tree,
    pub node: Node,
}

impl Context {
    pub fn new(global: Global, output: Output) -> Self {
        Self { global, output }
    }

    /// A client for the service that was named.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::builder()
            .api_url(&self.global.api_url)
            .timeout(Duration::from_secs(self.global.timeout))
            .patience(Duration::from_secs(self.global.patience))
            .build()?)
    }

    pub fn profile(&self) -> Result<Profile> {
        Profile::new(&self.global)
    }

    /// The session of whoever is logged in: that of the environment, that of the profile, or, when there is
    /// none or it is over, a new one if the environment says how to log in.
    pub async fn session(&self) -> Result<Session> {
        let client = self.client()?;
        if let Some(saved) = secret_variable(SESSION) {
            return Ok(client.resume(&saved).await?);
        }
        let kept = match self.profile()?.load() {
            Ok(Some(saved)) => client.resume(&saved).await.map_err(CommandError::from),
            Ok(None) => Err(CommandError::NotLoggedIn(String::new())),
            Err(error) => Err(error),
        };
        let email = std::env::var(EMAIL).ok().filter(|email| !email.is_empty());
        match (kept, email, secret_variable(PASSWORD)) {
            (Err(error), Some(email), Some(password)) if needs_login(&error) => {
                Ok(client.login(&email, &password).await?)
            }
            (kept, ..) => kept,
        }
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
            Place::Link(link) => self.open_folder(&link).await,
            Place::Path(path) => {
                let session = match session {
                    Some(session) => session.clone(),
                    None => session.insert(self.session().await?).clone(),
                };
                let tree = session.tree().await?;
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

/// A secret of the environment; an empty one counts as none.
pub fn secret_variable(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new)
}

/// Reads a secret: from standard input when asked, else from the environment, else from the terminal.
pub async fn read_secret(
    prompt: &str,
    from_stdin: bool,
    variable: Option<&'static str>,
) -> Result<Zeroizing<String>> {
    if !from_stdin && let Some(secret) = variable.and_then(secret_variable) {
        return Ok(secret);
    }
    let prompt = prompt.to_owned();
    let read = move || {
        if from_stdin {
            let mut line = Zeroizing::new(String::new());
            std::io::stdin().lock().read_line(&mut line)?;
            let length = line.trim_end_matches(['\r', '\n']).len();
            line.truncate(length);
            return Ok(line);
        }
        if !std::io::stdin().is_terminal() {
            return Err(CommandError::Usage(
                "there is no terminal to ask for the password: use --password-stdin or \
                 SUPERMEGA_PASSWORD"
                    .into(),
            ));
        }
        Ok(Zeroizing::new(rpassword::prompt_password(prompt)?))
    };
    tokio::task::spawn_blocking(read).await.map_err(CommandError::local)?
}
