//! What a command sees of the server, and how it refuses.

use supermega_crypto::CryptoError;
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};
use supermega_protocol::packet::{ActionPacket, PacketBody};
use supermega_protocol::wire::Grammar;
use supermega_protocol::{Command, ErrorCode, Failure, Malformed, SequenceTag};

use super::access::Access;
use super::view::View;
use crate::state::State;
use crate::store::events::{self, Stream};
use crate::store::sessions::Session;
use crate::store::{self, links, shares};

/// On whose behalf a request comes.
#[derive(Clone, Copy)]
pub(crate) enum Caller {
    Anonymous,
    Session(Session),
    /// A folder link.
    Link {
        handle: PublicHandle,
        root: NodeHandle,
        access: Access,
    },
}

/// No address is looked up in a list of countries: this code says that the country is not known.
pub(super) const COUNTRY: &str = "ZZ";

/// Who sends a request, as far as it shows without a session.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    /// What it calls itself.
    pub agent: &'a str,
    /// Its address.
    pub ip: &'a str,
}

/// A command being carried out.
pub(crate) struct Call<'a> {
    pub state: &'a State,
    pub db: &'a rusqlite::Connection,
    pub caller: Caller,
    pub grammar: Grammar,
    /// Scheme, host and port that the client reached us by.
    pub base: &'a str,
    pub client: Client<'a>,
    pub originator: Option<String>,
    pub tag: Option<SequenceTag>,
    /// Whether the caller himself gets a packet with the tag: without one he would wait for it for ever.
    pub acknowledged: bool,
    /// Blobs to delete once the transaction stands.
    pub unused: Vec<i64>,
    /// Whether somebody who waits for events must be told.
    pub announced: bool,
}

/// Carries out one command.
pub(super) trait Handle: Command {
    fn handle(self, call: &mut Call<'_>) -> Result<Self::Response, ApiError>;
}

/// Why a command has no result.
#[derive(Debug)]
pub(crate) enum ApiError {
    Refused(Failure),
    Broken(String),
}

impl ApiError {
    /// What the client is told.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Refused(failure) => failure,
            Self::Broken(error) => {
                tracing::error!(error, "a command broke");
                ErrorCode::Internal.into()
            }
        }
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        if store::code_of(&error) == ErrorCode::Again {
            return ErrorCode::Again.into();
        }
        Self::Broken(error.to_string())
    }
}

impl From<CryptoError> for ApiError {
    fn from(error: CryptoError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<Malformed> for ApiError {
    fn from(error: Malformed) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Call<'_> {
    /// Those who can see what is in a folder: its owner, those with whom it is shared, and those who watch
    /// a folder link around it.
    pub(super) fn readers(
        &self,
        owner: UserHandle,
        folder: NodeHandle,
    ) -> Result<Vec<Stream>, ApiError> {
        let mut streams = vec![Stream::User(owner)];
        streams.extend(shares::readers(self.db, folder)?.into_iter().map(Stream::User));
        streams.extend(links::around(self.db, folder)?.into_iter().map(Stream::Link));
        Ok(streams)
    }

    /// Gives a packet to everybody who can see what is in a folder. The first packet of a command draws
    /// its tag.
    pub(super) fn tell(
        &mut self,
        owner: UserHandle,
        folder: NodeHandle,
        tagged: bool,
        body: impl Fn(&View<'_>) -> Result<PacketBody, ApiError>,
    ) -> Result<(), ApiError> {
        for stream in self.readers(owner, folder)? {
            let body = body(&View::new(self.db, stream)?)?;
            self.send(stream, tagged, body)?;
        }
        Ok(())
    }

    /// The caller's own stream of packets.
    pub(super) fn own_stream(&self) -> Option<Stream> {
        match self.caller {
            Caller::Session(session) => Some(Stream::User(session.user)),
            Caller::Link { handle, .. } => Some(Stream::Link(handle)),
            Caller::Anonymous => None,
        }
    }

    /// Gives a packet to one stream.
    pub(super) fn send(
        &mut self,
        stream: Stream,
        tagged: bool,
        body: PacketBody,
    ) -> Result<(), ApiError> {
        if self.tag.is_none() {
            self.tag = Some(events::next_tag(self.db)?);
        }
        let packet = ActionPacket {
            originator: self.originator.clone(),
            tag: self.tag.clone().filter(|_| tagged),
            body,
        };
        events::append(self.db, stream, &packet.encode()?, self.state.config.packets_kept)?;
        self.announced = true;
        self.acknowledged |= tagged && self.own_stream() == Some(stream);
        Ok(())
    }
}
