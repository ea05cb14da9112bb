//! The keyring of the operating system, where there is one: what must stay secret lies there rather than in a
//! file.
//!
//! It is asked only when a login is made, or when a profile says that its login lies there: commands that need no
//! keyring do not wait for one.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::arguments::UseKeyring;
use crate::error::{CommandError, Result};

/// A person may have to unlock it.
const PATIENCE: Duration = Duration::from_mins(2);

/// Whether logins go to the keyring, as the caller wants and the system allows.
#[derive(Clone, Copy, Debug)]
pub struct Keyring(UseKeyring);

impl Keyring {
    /// As the caller wants it.
    pub fn new(wanted: UseKeyring) -> Self {
        Self(wanted)
    }

    /// Whether to try.
    pub fn is_wanted(self) -> bool {
        match self.0 {
            UseKeyring::Auto => is_likely(),
            UseKeyring::Off => false,
            UseKeyring::On => true,
        }
    }

    /// Whether a login must not lie anywhere else.
    pub fn is_required(self) -> bool {
        self.0 == UseKeyring::On
    }

    /// An error if it cannot be reached.
    pub async fn check(self) -> Result<()> {
        self.with_entry("check", |_| Ok(())).await
    }

    /// Keeps a secret under a name.
    pub async fn put(self, name: &str, secret: &Zeroizing<String>) -> Result<()> {
        let secret = secret.clone();
        self.with_entry(name, move |entry| entry.put(&secret)).await
    }

    /// The secret of a name.
    pub async fn get(self, name: &str) -> Result<Option<Zeroizing<String>>> {
        self.with_entry(name, |entry| entry.get()).await
    }

    /// Forgets the secret of a name.
    pub async fn remove(self, name: &str) -> Result<()> {
        self.with_entry(name, |entry| entry.remove()).await
    }

    async fn with_entry<T: Send + 'static>(
        self,
        name: &str,
        work: impl FnOnce(Entry) -> Result<T, String> + Send + 'static,
    ) -> Result<T> {
        if self.0 == UseKeyring::Off {
            let text = "it is turned off (--keyring off)";
            return Err(failed(text));
        }
        let name = name.to_owned();
        let work = tokio::task::spawn_blocking(move || work(Entry::new(&name)?));
        let done = tokio::time::timeout(PATIENCE, work).await;
        let done = done.map_err(|_| failed("no answer; is it locked?"))?;
        done.map_err(CommandError::local)?.map_err(|why| failed(&why))
    }
}

fn failed(why: &str) -> CommandError {
    CommandError::Local(format!("the keyring: {why}"))
}

/// Whether there may be a keyring. A Secret Service is reached by D-Bus; where the session has none, nobody asks.
fn is_likely() -> bool {
    let built = cfg!(feature = "keyring");
    let bus = || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|bus| !bus.is_empty());
    built && (cfg!(any(target_os = "macos", windows)) || bus())
}

/// One secret in the keyring.
#[cfg(feature = "keyring")]
struct Entry(keyring::v1::Entry);

#[cfg(feature = "keyring")]
impl Entry {
    fn new(name: &str) -> Result<Self, String> {
        if let Err(error) = keyring::v1::Entry::store_status() {
            return Err(error.to_string());
        }
        keyring::v1::Entry::new("supermega", name).map(Self).map_err(|e| e.to_string())
    }

    fn put(&self, secret: &str) -> Result<(), String> {
        self.0.set_password(secret).map_err(|e| e.to_string())
    }

    fn get(&self) -> Result<Option<Zeroizing<String>>, String> {
        match self.0.get_password() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring::v1::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn remove(&self) -> Result<(), String> {
        match self.0.delete_credential() {
            Ok(()) | Err(keyring::v1::Error::NoEntry) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The same for a command that was built without: there is none.
#[cfg(not(feature = "keyring"))]
enum Entry {}

#[cfg(not(feature = "keyring"))]
impl Entry {
    fn new(_: &str) -> Result<Self, String> {
        Err("this command was built without it".into())
    }

    fn put(&self, _: &str) -> Result<(), String> {
        match *self {}
    }

    fn get(&self) -> Result<Option<Zeroizing<String>>, String> {
        match *self {}
    }

    fn remove(&self) -> Result<(), String> {
        match *self {}
    }
}
