//! What changes while one looks: the event channel, followed in the background (`protocol-api.md` 5).

mod apply;
mod follow;

#[cfg(feature = "cache")]
pub(crate) use apply::apply;
#[cfg(feature = "cache")]
pub(crate) use follow::{Poll, poll};

use std::sync::{Mutex, PoisonError};

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::ErrorCode;
use tokio::sync::{broadcast, watch};

use crate::session::Session;
use crate::tree::Node;

/// Events that a slow reader may leave unread.
const UNREAD: usize = 4096;

/// Something that changed in the account or folder link, whoever did it.
///
/// The session's tree shows it already when the event comes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A node is new.
    Added(Node),
    /// A node lies in another folder; its name may be another one too.
    Moved {
        /// The node as it is now.
        node: Node,
        /// Where it lay.
        from: Option<NodeHandle>,
    },
    /// A node has another name.
    Renamed {
        /// The node as it is now.
        node: Node,
        /// The former name, if it could be read.
        from: Option<String>,
    },
    /// Something else about a node changed: other attributes, thumbnails, access.
    Changed(Node),
    /// A node is gone, with everything below it. It is shown as it was.
    Removed(Node),
    /// The public link of a node was made, changed or removed.
    LinkChanged(NodeHandle),
    /// A share of a folder was made, changed or ended.
    ShareChanged(NodeHandle),
    /// Contacts or contact requests changed.
    ContactsChanged,
    /// Attributes of a user changed.
    UserAttributesChanged {
        /// Whose.
        user: UserHandle,
        /// Their names.
        names: Vec<String>,
    },
    /// The tree was loaded anew, since too much had happened. What exactly is not known.
    Reloaded,
    /// A packet of a kind that nobody here knows.
    Other(String),
    /// The channel has ended, and nothing more will come: the session or the link is over, or the service
    /// refuses with this number.
    Ended(ErrorCode),
}

/// The events of a session, from when it was asked for.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event; nothing when the session is gone. Whoever reads too slowly gets [`Event::Reloaded`] for
    /// what he missed. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Event::Reloaded),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// What a session has to do with its events.
pub(crate) struct Feed {
    sender: Mutex<Option<broadcast::Sender<Event>>>,
    /// Goes with the session: whoever follows stops then.
    alive: watch::Sender<()>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { sender: Mutex::default(), alive: watch::Sender::new(()) }
    }
}

impl Session {
    /// Follows the event channel: from now on [`Session::tree`] shows what others do, within a second or so of
    /// their doing it, and the events tell of it. The channel is followed until the session is dropped.
    ///
    /// ```
    /// # use supermega_server::Server;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder().user("me@example.org", "secret").spawn().await?;
    /// # let client = supermega::Client::builder().api_url(server.url()).build()?;
    /// let watching = client.login("me@example.org", "secret").await?;
    /// let mut events = watching.events().await?;
    ///
    /// let other = client.login("me@example.org", "secret").await?;
    /// other.make_folder(&"/Photos".parse()?).await?;
    /// let Some(supermega::Event::Added(node)) = events.next().await else { panic!() };
    /// assert_eq!(node.name(), Some("Photos"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn events(&self) -> crate::error::Result<Events> {
        // What comes later differs from this.
        self.tree().await?;
        #[cfg(feature = "cache")]
        self.hold_in_memory().await?;
        let feed = self.feed();
        let mut sender = feed.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.get_or_insert_with(|| {
            let (sender, _) = broadcast::channel(UNREAD);
            tokio::spawn(follow::follow(self.downgrade(), sender.clone(), feed.alive.subscribe()));
            sender
        });
        Ok(Events(sender.subscribe()))
    }
}
