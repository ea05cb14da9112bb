//! Files up and down: a bounded pipeline of ranged requests, cryptography off the async threads, and
//! files that get their name only once they are verified.
//!
//! Memory does not grow with the file: transfers to and from files share the memory and the connections of
//! their client ([`ClientBuilder`](crate::ClientBuilder)), and a stream holds at most as many segments of
//! [`SEGMENT`] bytes as it has connections.

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

/// How many requests one file keeps under way unless said otherwise.
pub const CONNECTIONS: usize = 8;

/// The greatest number of bytes in one request.
pub const SEGMENT: u64 = 4 << 20;
