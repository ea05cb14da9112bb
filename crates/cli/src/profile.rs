//! Logins between runs: one file a profile, readable by its owner alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy, AppStrategyArgs};
use serde::{Deserialize, Serialize};
use supermega::Session;
use zeroize::Zeroizing;

use crate::arguments::Global;
use crate::error::{CommandError, Result};

/// What a profile's file holds. A session is good for the service that it came from, and no other.
#[derive(Serialize, Deserialize)]
struct Stored {
    api_url: String,
    session: String,
}

impl Drop for Stored {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.session);
    }
}

/// A profile's file.
#[derive(Clone, Debug)]
pub struct Profile {
    file: PathBuf,
    generations: PathBuf,
    api_url: String,
}

impl Profile {
    /// Finds the place of a profile. Nothing is read or made yet.
    pub fn new(global: &Global) -> Result<Self> {
        let name = &global.profile;
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            let text = format!("{name:?} is no name of a profile: use letters, digits, - and _");
            return Err(CommandError::Usage(text));
        }
        let folder = match &global.config_dir {
            Some(folder) => folder.clone(),
            None => usual_place()?,
        };
        let mut api_url = global.api_url.clone();
        if !api_url.ends_with('/') {
            api_url.push('/');
        }
        let generations = folder.join("generations");
        Ok(Self {
            generations,
            file: folder.join("sessions").join(format!("{name}.json")),
            api_url,
        })
    }

    /// The session that was kept for this service.
    pub fn load(&self) -> Result<Option<Zeroizing<String>>> {
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        let stored: Stored = serde_json::from_str(&text)
            .map_err(|_| CommandError::Local(format!("{}: cannot be read", self.file.display())))?;
        if stored.api_url != self.api_url {
            return Err(CommandError::NotLoggedIn(format!(
                " at {}: this profile's login is for {}",
                self.api_url, stored.api_url
            )));
        }
        Ok(Some(Zeroizing::new(stored.session.clone())))
    }

    /// Holds the account's key container against the newest that was seen before, by whatever profile, and
    /// notes it. A service that gives an older one tries to bring back keys that were given up.
    pub fn check_generation(&self, session: &Session) -> Result<()> {
        let Some(account) = session.account() else { return Ok(()) };
        let file = self.generations.join(account.user.to_string());
        let seen = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
        let seen = seen.unwrap_or(0);
        session.expect_key_generation(seen)?;
        match session.key_generation() {
            Some(now) if now > seen => self.write(&file, now.to_string().as_bytes()),
            _ => Ok(()),
        }
    }

    /// Keeps a session, in place of the one before.
    pub fn save(&self, session: &str) -> Result<()> {
        let stored = Stored { api_url: self.api_url.clone(), session: session.to_owned() };
        let text = Zeroizing::new(serde_json::to_string(&stored).map_err(CommandError::local)?);
        self.write(&self.file, text.as_bytes())
    }

    /// Writes a file with mode 0600 that is never half written under its own name.
    fn write(&self, target: &Path, bytes: &[u8]) -> Result<()> {
        let folder = target.parent().unwrap_or(Path::new("."));
        make_private_folder(folder).map_err(|e| self.failed(e))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| self.failed(e))?;
        file.write_all(bytes).map_err(|e| self.failed(e))?;
        file.as_file().sync_all().map_err(|e| self.failed(e))?;
        file.persist(target).map_err(|e| self.failed(e.error))?;
        Ok(())
    }

    /// Forgets the session.
    pub fn forget(&self) -> Result<()> {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    #[allow(clippy::needless_pass_by_value, reason = "it is used as a conversion")]
    fn failed(&self, error: std::io::Error) -> CommandError {
        CommandError::Local(format!("{}: {error}", self.file.display()))
    }
}

fn usual_place() -> Result<PathBuf> {
    Ok(strategy()?.config_dir())
}

/// Where things are kept that a later run needs, and nobody else.
pub fn usual_state_place() -> Result<PathBuf> {
    let strategy = strategy()?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()))
}

fn strategy() -> Result<impl AppStrategy> {
    let arguments = AppStrategyArgs {
        top_level_domain: "org".into(),
        author: "supermega".into(),
        app_name: "supermega".into(),
    };
    etcetera::choose_app_strategy(arguments).map_err(CommandError::local)
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
