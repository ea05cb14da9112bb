//! What a command sees of the server, and how it refuses.

use supermega_crypto::CryptoError;
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};
use supermega_protocol::packet::{ActionPacket, PacketBody};
use supermega_protocol::wire::Grammar;
use supermega_protocol::{Command, ErrorCode, Failure, Malformed, SequenceTag};

use crate::state::State;
use crate::store::events::{self, Stream};
use crate::store::links;
use crate::store::nodes::{self, Node};
use crate::store::sessions::Session;

/// On whose behalf a request comes.
#[derive(Clone, Copy)]
pub(crate) enum Caller {
    Anonymous,
    Session(Session),
    /// A folder link: its handle and its root.
    Link(PublicHandle, NodeHandle),
}

impl Caller {
    /// The stream of packets that it may read.
    pub(crate) fn stream(&self) -> Option<Stream> {
        match self {
            Self::Anonymous => None,
            Self::Session(session) => Some(Stream::User(session.user)),
            Self::Link(handle, _) => Some(Stream::Link(*handle)),
        }
    }
}

/// A command being carried out.
pub(crate) struct Call<'a> {
    pub state: &'a State,
    pub db: &'a rusqlite::Connection,
    pub caller: Caller,
    pub grammar: Grammar,
    /// Scheme, host and port that the client reached us by.
    pub base: &'a str,
    pub originator: Option<String>,
    pub tag: Option<SequenceTag>,
    /// Blobs to delete once the transaction stands.
    pub unused: Vec<i64>,
    /// Uploads that became blobs, to be renamed before the transaction stands.
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
    /// The user who is logged in.
    pub(super) fn user(&self) -> Result<UserHandle, ApiError> {
        match self.caller {
            Caller::Session(session) => Ok(session.user),
            Caller::Link(..) => Err(ErrorCode::Access.into()),
            Caller::Anonymous => Err(ErrorCode::Session.into()),
        }
    }

    /// A node of the user who is logged in.
    pub(super) fn own_node(&self, handle: NodeHandle) -> Result<Node, ApiError> {
        let user = self.user()?;
        let node = nodes::get(self.db, handle)?.ok_or(ErrorCode::NotFound)?;
        if node.owner == user { Ok(node) } else { Err(ErrorCode::Access.into()) }
    }

    /// A node that the caller may read.
    pub(super) fn readable_node(&self, handle: NodeHandle) -> Result<Node, ApiError> {
        let Caller::Link(_, root) = self.caller else { return self.own_node(handle) };
        let node = nodes::get(self.db, handle)?.ok_or(ErrorCode::NotFound)?;
        let inside = nodes::ancestors(self.db, handle)?.contains(&root);
        if inside { Ok(node) } else { Err(ErrorCode::Access.into()) }
    }

    /// Gives a packet about `node` to everybody who can see the node: its owner, and those who watch a
    /// folder link around it. The first packet of a command draws its tag.
    pub(super) fn tell(
        &mut self,
        owner: UserHandle,
        node: NodeHandle,
        tagged: bool,
        body: impl Fn(Stream) -> Result<PacketBody, ApiError>,
    ) -> Result<(), ApiError> {
        self.send(Stream::User(owner), tagged, body(Stream::User(owner))?)?;
        for around in nodes::ancestors(self.db, node)? {
            if let Some(link) = links::of_node(self.db, around)?
                && links::is_exported(self.db, around)?
            {
                let stream = Stream::Link(link.handle);
                self.send(stream, tagged, body(stream)?)?;
            }
        }
        Ok(())
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
        events::append(self.db, stream, &packet.encode()?)?;
        self.announced = true;
        Ok(())
    }
}
