//! Logins between runs: a file a profile, readable by its owner alone, with the secrets in it or in the
//! keyring.

use std::io::Write;
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy, AppStrategyArgs};
use serde::{Deserialize, Serialize};
use supermega::{Session, make_private_folder};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::arguments::Global;
use crate::error::{CommandError, Result};
use crate::keyring::Keyring;

/// What a profile's file holds. A session is good for the service that it came from, and no other.
#[derive(Serialize, Deserialize)]
struct Stored {
    api_url: String,
    /// Whose login it is, for people.
    #[serde(rename = "as", default)]
    whose: String,
    /// Under which name the keyring has the secrets, unless they are here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    keyring: Option<String>,
    #[serde(flatten)]
    secrets: Option<Secrets>,
}

/// What must stay secret of a login.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Secrets {
    /// The session, in the form that official clients use.
    pub session: String,
    /// The secret of the second factor, if it is kept for logins that nobody watches.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub totp_secret: Option<String>,
}

/// A login as it is listed.
#[derive(Debug)]
pub struct Listed {
    /// The profile.
    pub name: String,
    /// The service.
    pub api_url: String,
    /// Who is logged in.
    pub whose: String,
    /// Whether the keyring has its secrets.
    pub in_keyring: bool,
}

/// A profile's file.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    folder: PathBuf,
    api_url: String,
    keyring: Keyring,
}

impl Profile {
    /// Finds the place of a profile. Nothing is read or made yet.
    pub fn new(global: &Global) -> Result<Self> {
        let name = global.profile.clone();
        if !is_name(&name) {
            let text = format!("{name:?} is no name of a profile: use letters, digits, - and _");
            return Err(CommandError::Usage(text));
        }
        let mut api_url = global.api_url.clone();
        if !api_url.ends_with('/') {
            api_url.push('/');
        }
        let keyring = Keyring::new(global.keyring);
        Ok(Self { name, folder: config_place(global.config_dir.as_deref())?, api_url, keyring })
    }

    fn file(&self) -> PathBuf {
        self.folder.join("sessions").join(format!("{}.json", self.name))
    }

    /// The session that was kept for this service, and what belongs to it.
    pub async fn load(&self) -> Result<Option<Secrets>> {
        let Some(stored) = self.stored()? else { return Ok(None) };
        if stored.api_url != self.api_url {
            return Err(CommandError::NotLoggedIn(format!(
                " at {}: this profile's login is for {}",
                self.api_url, stored.api_url
            )));
        }
        let Some(entry) = &stored.keyring else { return Ok(stored.secrets) };
        let Some(text) = self.keyring.get(entry).await? else {
            return Err(CommandError::NotLoggedIn(": the keyring has lost this login".into()));
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| CommandError::Local("the keyring: what it has cannot be read".into()))
    }

    /// Who is logged in, without asking for secrets.
    pub fn whose(&self) -> Result<Option<Listed>> {
        Ok(self.stored()?.map(|stored| Listed {
            name: self.name.clone(),
            api_url: stored.api_url.clone(),
            whose: stored.whose.clone(),
            in_keyring: stored.keyring.is_some(),
        }))
    }

    /// All profiles that have a login, in the order of names.
    pub fn all(&self) -> Result<Vec<Listed>> {
        let folder = self.folder.join("sessions");
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed(&folder))?,
        };
        let mut listed = Vec::new();
        for entry in entries {
            let file = entry.map_err(failed(&folder))?.path();
            let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if file.extension().is_some_and(|ending| ending == "json") && is_name(name) {
                listed.extend(Self { name: name.to_owned(), ..self.clone() }.whose()?);
            }
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    fn stored(&self) -> Result<Option<Stored>> {
        let file = self.file();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&file)(error)),
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| CommandError::Local(format!("{}: cannot be read", file.display())))
    }

    /// Holds the account's key container against the newest that was seen before, by whatever profile, and
    /// notes it. A service that gives an older one tries to bring back keys that were given up.
    pub fn check_generation(&self, session: &Session) -> Result<()> {
        let Some(account) = session.account() else { return Ok(()) };
        let file = self.folder.join("generations").join(account.user.to_string());
        let seen = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
        let seen = seen.unwrap_or(0);
        session.expect_key_generation(seen)?;
        match session.key_generation() {
            Some(now) if now > seen => write(&file, now.to_string().as_bytes()),
            _ => Ok(()),
        }
    }

    /// Keeps a login, in place of the one before.
    pub async fn save(&self, whose: &str, secrets: Secrets) -> Result<()> {
        let known = self.stored().ok().flatten().and_then(|stored| stored.keyring.clone());
        let mut stored = Stored {
            api_url: self.api_url.clone(),
            whose: whose.to_owned(),
            keyring: None,
            secrets: None,
        };
        if self.keyring.is_wanted() {
            let entry = match &known {
                Some(entry) => entry.clone(),
                None => format!("{} {:016x}", self.name, random()),
            };
            let text =
                Zeroizing::new(serde_json::to_string(&secrets).map_err(CommandError::local)?);
            match self.keyring.put(&entry, &text).await {
                Ok(()) => stored.keyring = Some(entry),
                Err(error) if self.keyring.is_required() => return Err(error),
                Err(error) => tracing::info!("{error}; the login goes to a file"),
            }
        }
        if stored.keyring.is_none() {
            tracing::info!("the login is kept in {}", self.file().display());
            stored.secrets = Some(secrets);
        }
        let text = Zeroizing::new(serde_json::to_string(&stored).map_err(CommandError::local)?);
        write(&self.file(), text.as_bytes())
    }

    /// Forgets the login.
    pub async fn forget(&self) -> Result<()> {
        let file = self.file();
        let known = self.stored().ok().flatten().and_then(|stored| stored.keyring.clone());
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(&file)(error));
            }
            _ => {}
        }
        match known {
            Some(entry) => self.keyring.remove(&entry).await,
            None => Ok(()),
        }
    }
}

/// A number that tells entries of the keyring apart: of profiles below different folders, say.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

/// Writes a file with mode 0600 that is never half written under its own name.
fn write(target: &Path, bytes: &[u8]) -> Result<()> {
    let folder = target.parent().unwrap_or(Path::new("."));
    make_private_folder(folder).map_err(failed(folder))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed(folder))?;
    file.write_all(bytes).map_err(failed(target))?;
    file.as_file().sync_all().map_err(failed(target))?;
    file.persist(target).map_err(|e| failed(target)(e.error))?;
    Ok(())
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> CommandError {
    move |error| CommandError::Local(format!("{}: {error}", path.display()))
}

/// Whether a profile may be called so.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

/// Where logins and defaults are kept.
pub fn config_place(chosen: Option<&Path>) -> Result<PathBuf> {
    match chosen {
        Some(folder) => Ok(folder.to_owned()),
        None => Ok(strategy()?.config_dir()),
    }
}

/// Where things are kept that a later run needs, and nobody else.
pub fn usual_state_place() -> Result<PathBuf> {
    let strategy = strategy()?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()))
}

/// Where things are kept that can be had again; nowhere if the system has no such place.
pub fn usual_cache_place() -> Option<PathBuf> {
    strategy().ok().map(|strategy| strategy.cache_dir())
}

fn strategy() -> Result<impl AppStrategy> {
    let arguments = AppStrategyArgs {
        top_level_domain: "org".into(),
        author: "supermega".into(),
        app_name: "supermega".into(),
    };
    etcetera::choose_app_strategy(arguments).map_err(CommandError::local)
}
