//! How bytes get to MEGA and back: the API channels and the storage channel over one HTTP interface.

mod channel;
mod hashcash;
pub mod http;
mod hyper_http;
mod pool;
mod retry;
pub(crate) mod storage;

pub(crate) use channel::{Authentication, Channel, ChannelOptions};
pub use http::{Http, HttpBody, HttpError, HttpRequest, HttpResponse};
pub use hyper_http::HyperHttp;
pub(crate) use retry::Backoff;
