//! Files up and down: a bounded pipeline of ranged requests, cryptography off the async threads, and
//! files that get their name only once they are verified.
//!
//! Memory does not grow with the file: transfers to and from files share the memory and the connections of
//! their client ([`ClientBuilder`](crate::ClientBuilder)), and a stream holds at most as many segments of
//! [`SEGMENT`] bytes as it has connections.
//!
//! Whoever wants to know how it goes implements [`Progress`]. Dropping a transfer's future ends it: what a file has got
//! by then stays for the next run.
//!
//! ```
//! # use supermega_server::Server;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::builder().user("me@example.org", "secret").spawn().await?;
//! # let client = supermega::Client::builder().api_url(server.url()).build()?;
//! # let session = client.login("me@example.org", "secret").await?;
//! # let dir = tempfile::tempdir()?;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use std::time::Duration;
//! use supermega::transfer::{Progress, TransferEvent};
//!
//! #[derive(Default)]
//! struct Arrived(AtomicU64);
//!
//! impl Progress for Arrived {
//!     fn event(&self, event: TransferEvent<'_>) {
//!         if let TransferEvent::Advanced { bytes } = event {
//!             self.0.fetch_add(bytes, Ordering::Relaxed);
//!         }
//!     }
//! }
//!
//! let root = session.tree().await?.root()?;
//! let file = session.upload(&root).name("film").from_reader(5, &b"bytes"[..]).await?;
//!
//! let arrived = Arc::new(Arrived::default());
//! let download = session.download(&file)?.progress(arrived.clone()).connections(4);
//! tokio::select! {
//!     done = download.to_path(dir.path().join("film")) => done?,
//!     () = tokio::time::sleep(Duration::from_secs(60)) => println!("given up for now"),
//! }
//! assert_eq!(arrived.0.load(Ordering::Relaxed), 5);
//! # Ok(())
//! # }
//! ```

mod download;
mod download_file;
mod download_plan;
mod fetcher;
mod genuine;
mod local_file;
mod locked_file;
mod part_file;
mod positioned;
mod progress;
mod quota;
mod raid;
mod raid_fetch;
mod reader;
mod segment;
mod sender;
mod source_file;
mod target_state;
mod upload;
mod upload_attributes;
mod upload_file;
mod upload_journal;
mod upload_plan;
mod upload_sweep;
mod writer;

pub use download::{Download, PlainChunks};
pub(crate) use download::{RemoteFile, Target};
pub use download_plan::{DownloadPlan, PlannedDownload, RenamedLocally};
pub use local_file::Existing;
pub use progress::{NoProgress, Progress, TransferEvent};
pub use quota::OnQuota;
pub use reader::RemoteReader;
pub use target_state::TargetState;
pub use upload::Upload;
pub use upload_plan::{PlannedUpload, UploadPlan};
pub use upload_sweep::sweep_journals;
pub use writer::RemoteWriter;

/// How many requests one file keeps under way unless said otherwise.
pub const CONNECTIONS: usize = 8;

/// The greatest number of bytes in one request.
pub const SEGMENT: u64 = 4 << 20;
