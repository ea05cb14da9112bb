//! Passwords: asked for, never printed, never on a command line.

use std::io::{BufRead, IsTerminal};

use supermega::{Error, Link};
use zeroize::Zeroizing;

use crate::error::{CommandError, Result};

/// Where a password may come from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The flag that makes standard input the source.
    pub flag: &'static str,
    /// Whether that flag was given.
    pub from_stdin: bool,
    /// The environment variable that may hold it.
    pub variable: &'static str,
}

impl Source {
    /// An account's password.
    pub const fn account(from_stdin: bool) -> Self {
        Self { flag: "--password-stdin", from_stdin, variable: "SUPERMEGA_PASSWORD" }
    }

    /// A link's password.
    pub const fn link(from_stdin: bool) -> Self {
        Self { flag: "--link-password-stdin", from_stdin, variable: "SUPERMEGA_LINK_PASSWORD" }
    }

    /// An account's recovery key.
    pub const fn recovery_key(from_stdin: bool) -> Self {
        Self { flag: "--recovery-key-stdin", from_stdin, variable: "SUPERMEGA_RECOVERY_KEY" }
    }

    /// The secret of a second factor.
    pub const fn totp(from_stdin: bool) -> Self {
        Self { flag: "--totp-secret-stdin", from_stdin, variable: "SUPERMEGA_TOTP_SECRET" }
    }

    /// What it takes to write through a folder link.
    pub const fn write_auth(from_stdin: bool) -> Self {
        Self { flag: "--write-auth-stdin", from_stdin, variable: "SUPERMEGA_WRITE_AUTH" }
    }

    /// Whether there is something to read without asking a person.
    pub fn is_given(&self) -> bool {
        self.from_stdin || variable(self.variable).is_some()
    }

    /// Gets the password: a line of standard input when the flag says so, else from the environment, else
    /// from the terminal.
    pub async fn read(self, prompt: String) -> Result<Zeroizing<String>> {
        let read = move || {
            if self.from_stdin {
                return Ok(line_of_stdin()?);
            }
            if let Some(secret) = variable(self.variable) {
                return Ok(secret);
            }
            if !std::io::stdin().is_terminal() {
                return Err(CommandError::Usage(format!(
                    "there is no terminal to ask for what is secret: use {} or {}",
                    self.flag, self.variable
                )));
            }
            Ok(Zeroizing::new(rpassword::prompt_password(prompt)?))
        };
        tokio::task::spawn_blocking(read).await.map_err(CommandError::local)?
    }
}

fn line_of_stdin() -> std::io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

/// A secret of the environment; an empty one counts as none.
pub fn variable(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new)
}

/// Opens a link that a password protects; others stay as they are.
pub async fn unlock(link: Link, from_stdin: bool) -> Result<Link> {
    let Link::Protected(protected) = link else { return Ok(link) };
    let prompt = format!("Password of the link {}: ", protected.handle());
    let password = Source::link(from_stdin).read(prompt).await?;
    let opened = tokio::task::spawn_blocking(move || protected.open(&password)).await;
    Ok(opened.map_err(CommandError::local)?.map_err(Error::from)?)
}

/// The code in the link of a mail; a code alone is that.
pub fn mail_code<'a>(text: &'a str, word: &str) -> &'a str {
    let text = text.trim();
    text.rsplit_once(&format!("#{word}")).map_or(text, |(_, code)| code)
}
