//! What a command sees of the server, and how it refuses.

use supermega_crypto::CryptoError;
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};
use supermega_protocol::packet::{ActionPacket, PacketBody};
use supermega_protocol::tree::NodeType;
use supermega_protocol::wire::Grammar;
use supermega_protocol::{Command, ErrorCode, Failure, Flag, Malformed, SequenceTag, is_set};

use super::view::View;
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

    /// A node of the user who is logged in, to be changed. The vault is for clients that mean it.
    pub(super) fn changeable_node(
        &self,
        handle: NodeHandle,
        vault: Option<Flag>,
    ) -> Result<Node, ApiError> {
        let node = self.own_node(handle)?;
        if !is_set(vault) {
            let root = nodes::ancestors(self.db, handle)?.last().copied();
            let vault = nodes::root(self.db, node.owner, NodeType::Vault)?;
            if root == Some(vault.handle) {
                return Err(ErrorCode::Access.into());
            }
        }
        Ok(node)
    }

    /// Gives a packet to everybody who can see what is in a folder: its owner, and those who watch a
    /// folder link around it. The first packet of a command draws its tag.
    pub(super) fn tell(
        &mut self,
        owner: UserHandle,
        folder: NodeHandle,
        tagged: bool,
        body: impl Fn(&View<'_>) -> Result<PacketBody, ApiError>,
    ) -> Result<(), ApiError> {
        let mut streams = vec![Stream::User(owner)];
        streams.extend(links::around(self.db, folder)?.into_iter().map(Stream::Link));
        for stream in streams {
            let body = body(&View::new(self.db, stream)?)?;
            self.send(stream, tagged, body)?;
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
        events::append(self.db, stream, &packet.encode()?, self.state.config.packets_kept)?;
        self.announced = true;
        Ok(())
    }
}
