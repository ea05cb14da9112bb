//! A running server, as the one who started it holds it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use supermega_crypto::KdfVersion;
use supermega_encoding::NodeHandle;
use supermega_encoding::PublicHandle;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::admin::TOKEN_FILE;
use crate::api::take_down;
use crate::builder::{NewUser, add_user};
use crate::error::ServerError;
use crate::fault::{Fault, FaultReport};
use crate::generate::{Generated, GeneratedFile, GeneratedTree, generate, generate_file};
use crate::hold::{Hold, HoldPoint};
use crate::http::FAREWELL;
use crate::mail::Mail;
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::outbox;
use crate::tls::CA_FILE;

/// A running server. Dropping it stops it, without waiting for requests under way.
#[derive(Debug)]
pub struct ServerHandle {
    url: String,
    tls_url: Option<String>,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl ServerHandle {
    pub(crate) fn new(
        url: String,
        tls_url: Option<String>,
        state: Arc<State>,
        task: JoinHandle<()>,
    ) -> Self {
        Self { url, tls_url, state, task }
    }

    /// The API address, with a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The API address with TLS, if the server listens with it.
    #[must_use]
    pub fn tls_url(&self) -> Option<&str> {
        self.tls_url.as_deref()
    }

    /// The certificate, in PEM, that a client has to trust if it comes by TLS.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls_url.is_some().then(|| self.state.data().join(CA_FILE))
    }

    /// Makes an account of the current version while the server runs. An e-mail address that has one
    /// already is an error.
    pub async fn add_user(&self, email: &str, password: &str) -> Result<(), ServerError> {
        let password = Zeroizing::new(password.to_owned());
        let user = NewUser::new(email, password, KdfVersion::V2);
        self.blocking(move |state| add_user(state, &user).map(|_| ())).await
    }

    /// Makes a tree of any size in an account, which is made if there is none.
    pub async fn generate(&self, tree: GeneratedTree) -> Result<Generated, ServerError> {
        self.blocking(move |state| generate(state, &tree)).await
    }

    /// The mails that would have gone out, the oldest first.
    pub async fn outbox(&self) -> Result<Vec<Mail>, ServerError> {
        self.blocking(|state| {
            let mut mails = Vec::new();
            state.store.read(|db| {
                outbox::each(db, |mail| {
                    mails.push(mail);
                    Ok::<_, rusqlite::Error>(())
                })
            })?;
            Ok(mails)
        })
        .await
    }

    /// Takes a public link down, or lets it up again; says whether there is one. Whoever opens it meanwhile
    /// is told -16.
    pub async fn take_down(&self, link: PublicHandle, down: bool) -> Result<bool, ServerError> {
        self.blocking(move |state| take_down(state, link, down)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<T, ServerError> + Send + 'static,
    ) -> Result<T, ServerError> {
        let state = self.state.clone();
        let done = tokio::task::spawn_blocking(move || work(&state)).await;
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Makes a file of any size in an account, which is made if there is none; it takes no space.
    pub async fn generate_file(&self, file: GeneratedFile) -> Result<NodeHandle, ServerError> {
        let state = self.state.clone();
        let made = tokio::task::spawn_blocking(move || generate_file(&state, &file)).await;
        made.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// What requests to `/admin` must carry in the header `X-Admin-Token`: a secret.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        &self.state.admin_token
    }

    /// The file that holds this token while the server runs.
    #[must_use]
    pub fn admin_token_file(&self) -> PathBuf {
        self.state.data().join(TOKEN_FILE)
    }

    /// Misbehaves from now on.
    pub fn add_fault(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// What misbehaviour there is, and how often each has happened.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultReport> {
        self.state.faults.reports()
    }

    /// Holds all requests that come to a point from now on, until the hold is released or dropped.
    ///
    /// ```
    /// # use supermega_server::{HoldPoint, Server};
    /// # async fn example() -> Result<(), supermega_server::ServerError> {
    /// let server = Server::builder().user("me@example.org", "secret").spawn().await?;
    /// let hold = server.hold(HoldPoint::PutCommitted);
    /// // … start a client that makes a folder …
    /// hold.reached().await;
    /// // … end it: the folder is there, and the client does not know …
    /// hold.release();
    /// # Ok(())
    /// # }
    /// ```
    pub fn hold(&self, point: HoldPoint) -> Hold {
        self.state.holds.hold(point)
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

    /// How many connections clients have made so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Stops listening, ends polls for events, lets other requests under way finish, and
    /// returns when that is done.
    pub async fn shutdown(mut self) {
        self.state.stop.send_replace(true);
        let _ = (&mut self.task).await;
        let mut gone = self.state.gone.subscribe();
        drop(self);
        // Work that outlived its request has the data folder until it is done.
        let _ = tokio::time::timeout(FAREWELL, gone.changed()).await;
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.state.stop.send_replace(true);
        self.task.abort();
    }
}
