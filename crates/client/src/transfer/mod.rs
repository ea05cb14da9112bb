//! Files up and down: a bounded pipeline of ranged requests, cryptography off the async threads, and
//! files that get their name only once they are verified.
//!
//! Memory does not grow with the file: a transfer holds at most [`CONNECTIONS`] segments of
//! [`SEGMENT`] bytes, and one more that is being written or read.

mod download;
mod download_plan;
mod local_file;
mod progress;
mod segment;
mod target_state;
mod upload;
mod upload_plan;

pub use download::{Download, PlainChunks};
pub(crate) use download::{RemoteFile, Target};
pub use download_plan::{DownloadPlan, PlannedDownload, RenamedLocally};
pub use local_file::Existing;
pub use progress::{NoProgress, Progress, TransferEvent};
pub use target_state::TargetState;
pub use upload::Upload;
pub use upload_plan::{PlannedUpload, UploadPlan};

/// How many requests one file keeps under way.
pub const CONNECTIONS: usize = 4;

/// The greatest number of bytes in one request.
pub const SEGMENT: u64 = 4 << 20;
