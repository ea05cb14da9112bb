//! Orders to a server that runs in another process, over `/admin`.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Method;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use supermega_crypto::KdfVersion;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::TOKEN_HEADER;
use crate::error::ServerError;
use crate::mail::{Mail, MailKind};

/// A server in another process, as the one who runs it reaches it.
///
/// ```
/// use supermega_server::{AccountOrder, AdminClient, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), supermega_server::ServerError> {
/// let server = Server::builder().spawn().await?;
/// // Another process finds the token in the data folder's `admin-token`.
/// let admin = AdminClient::new(server.url(), server.admin_token());
/// admin.add_user(AccountOrder::new("me@example.org", "secret")).await?;
/// assert!(admin.outbox().await?.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct AdminClient {
    url: String,
    token: Zeroizing<String>,
}

impl std::fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminClient").field("url", &self.url).finish_non_exhaustive()
    }
}

/// An account to be made.
#[derive(Clone, Copy)]
pub struct AccountOrder<'a> {
    /// E-mail address.
    pub email: &'a str,
    /// Password.
    pub password: &'a str,
    /// Key derivation.
    pub kdf: KdfVersion,
    /// How many bytes it may hold; nothing means what other accounts may.
    pub quota: Option<u64>,
    /// Whether its logins need a second factor.
    pub second_factor: bool,
}

impl<'a> AccountOrder<'a> {
    /// An account of the current version like others.
    #[must_use]
    pub fn new(email: &'a str, password: &'a str) -> Self {
        Self { email, password, kdf: KdfVersion::V2, quota: None, second_factor: false }
    }
}

impl std::fmt::Debug for AccountOrder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountOrder").field("email", &self.email).finish_non_exhaustive()
    }
}

impl AdminClient {
    /// The server at an address, which begins with `http:`, and the token it gave out.
    #[must_use]
    pub fn new(url: &str, token: &str) -> Self {
        let token = Zeroizing::new(token.trim().to_owned());
        Self { url: url.trim_end_matches('/').to_owned(), token }
    }

    /// Makes an account; gives the secret of its second factor in base32, if it is to have one.
    pub async fn add_user(
        &self,
        account: AccountOrder<'_>,
    ) -> Result<Option<Zeroizing<String>>, ServerError> {
        #[derive(Deserialize)]
        struct Made {
            totp: Option<Zeroizing<String>>,
        }
        let kdf = match account.kdf {
            KdfVersion::V1 => "v1",
            KdfVersion::V2 => "v2",
        };
        let order = json!({
            "email": account.email,
            "password": account.password,
            "kdf": kdf,
            "quota": account.quota,
            "mfa": account.second_factor,
        });
        let made = Zeroizing::new(self.order(Method::POST, "users", &order).await?);
        let made: Made =
            serde_json::from_str(&made).map_err(|error| self.problem(&error.to_string()))?;
        Ok(made.totp)
    }

    /// The mails that would have gone out, the oldest first.
    pub async fn outbox(&self) -> Result<Vec<Mail>, ServerError> {
        #[derive(Deserialize)]
        struct Line {
            to: String,
            kind: String,
            link: String,
            sent: i64,
        }
        let lines = self.order(Method::GET, "outbox", &Value::Null).await?;
        let mail = |line: &str| {
            let Line { to, kind, link, sent } = serde_json::from_str(line).ok()?;
            Some(Mail { to, kind: MailKind::named(&kind)?, link, sent })
        };
        let mails: Option<_> = lines.lines().map(mail).collect();
        mails.ok_or_else(|| self.problem("the list of mails cannot be read"))
    }

    /// Gives an order and the answer's body.
    async fn order(&self, method: Method, name: &str, body: &Value) -> Result<String, ServerError> {
        let lost = |error: &dyn std::fmt::Display| self.problem(&error.to_string());
        let uri: http::Uri =
            format!("{}/admin/{name}", self.url).parse().map_err(|error| lost(&error))?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(self.problem("orders go to an address that begins with http:"));
        };
        let (host, port) = (authority.host(), authority.port_u16().unwrap_or(80));
        let host_and_port = (host.trim_matches(['[', ']']), port);
        let stream = TcpStream::connect(host_and_port).await.map_err(|error| lost(&error))?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| lost(&error))?;
        let connection = tokio::spawn(connection);
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = http::Request::builder()
            .method(method)
            .uri(uri.path())
            .header(http::header::HOST, authority.as_str())
            .header(TOKEN_HEADER, self.token.as_str())
            .body(Full::new(body))
            .map_err(|error| lost(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| lost(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| lost(&error))?.to_bytes();
        connection.abort();
        let text = String::from_utf8_lossy(&body).into_owned();
        if status.is_success() {
            return Ok(text);
        }
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        Err(self.problem(told["error"].as_str().unwrap_or("this is no server of this program")))
    }

    fn problem(&self, reason: &str) -> ServerError {
        ServerError::Admin { url: self.url.clone(), reason: reason.to_owned() }
    }
}
