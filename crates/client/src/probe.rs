//! Looking at the service from outside, for whoever wants to know what is wrong.

use std::time::{Duration, SystemTime};

use supermega_crypto::SavedSession;
use supermega_protocol::service::{FetchBlockReason, FetchFlags};
use supermega_protocol::session::Prelogin;

use crate::client::Client;
use crate::error::{Error, NetworkError, Result};
use crate::transport::http::HttpRequest;
use crate::transport::{Authentication, host_of};

/// What a single request to the service showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The status of HTTP; 402 asks for a proof of work.
    pub status: u16,
    /// The service's clock, to the second.
    pub clock: Option<SystemTime>,
    /// How long the answer took.
    pub took: Duration,
}

/// Why an account is suspended (`protocol-auth.md` 2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockReason {
    /// Copyright infringement.
    Copyright,
    /// The e-mail address must be verified again.
    EmailVerification,
    /// A business account's administrator disabled it.
    Disabled,
    /// It is not suspended, or the service does not say.
    None,
    /// A number that is not known.
    Other(u16),
    /// A business account's administrator removed it.
    Removed,
    /// A telephone number must be verified.
    SmsVerification,
    /// Another breach of the terms of service.
    Terms,
}

impl Client {
    /// Sends one request, without an account, and does not try again whatever comes.
    pub async fn probe(&self) -> Result<Probe> {
        let options = self.options();
        let address = format!("{}cs?id=1&v=3", options.api_url);
        let address =
            address.parse().map_err(|_| Error::Input("the API address is no URL".into()))?;
        let request = HttpRequest {
            uri: address,
            body: Some(bytes::Bytes::from_static(b"[{\"a\":\"gmf\"}]")),
            content_type: "application/json",
            hashcash: None,
            stall_timeout: options.connect_patience,
        };
        let begun = tokio::time::Instant::now();
        let answer = options.http.send(request).await;
        let answer = answer
            .map_err(|error| NetworkError { host: host_of(&options.api_url), kind: error.0 })?;
        let clock = answer.header("Date").and_then(|date| httpdate::parse_http_date(date).ok());
        Ok(Probe { status: answer.status, clock, took: begun.elapsed() })
    }

    /// Asks what the service offers, patiently and with proofs of work if it wants them: whether it answers.
    pub async fn check_service(&self) -> Result<()> {
        self.channel(&Authentication::Anonymous)?.call(&FetchFlags {}).await?;
        Ok(())
    }

    /// The version of an account's password derivation, 1 or 2. The service may answer for addresses without
    /// an account too.
    pub async fn password_version(&self, email: &str) -> Result<u8> {
        let channel = self.channel(&Authentication::Anonymous)?;
        Ok(channel.call(&Prelogin { user: email.to_lowercase() }).await?.v)
    }

    /// Why the account of a saved session is suspended.
    pub async fn block_reason(&self, saved: &str) -> Result<BlockReason> {
        let saved: SavedSession = saved
            .trim()
            .parse()
            .map_err(|_| Error::Input("the saved session cannot be read".into()))?;
        let (SavedSession::Account { sid, .. } | SavedSession::AccountUnderSessionKey { sid, .. }) =
            saved
        else {
            return Ok(BlockReason::None);
        };
        let channel = self.channel(&Authentication::Account(sid))?;
        Ok(match channel.call(&FetchBlockReason {}).await? {
            0 => BlockReason::None,
            200 => BlockReason::Copyright,
            300 => BlockReason::Terms,
            400 => BlockReason::Disabled,
            401 => BlockReason::Removed,
            500 => BlockReason::SmsVerification,
            700 => BlockReason::EmailVerification,
            other => BlockReason::Other(other),
        })
    }
}
