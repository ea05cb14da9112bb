//! How bytes get to MEGA and back: the API channels and the storage channel over one HTTP interface.

mod batch;
mod budget;
mod channel;
mod connection;
mod direct;
mod hashcash;
pub mod http;
mod http_body;
mod hyper_http;
mod pool;
mod proxy;
mod request_body;
mod retry;
mod sieve;
pub(crate) mod storage;
mod tcp;
mod tls;

pub(crate) use batch::{Repeatable, request_id};
pub(crate) use budget::{Budget, Buffer, Limits};
pub(crate) use channel::{Authentication, Channel, ChannelOptions, host_of};
pub use http::{BoxFuture, Http, HttpBody, HttpError, HttpRequest, HttpResponse};
pub use hyper_http::HyperHttp;
pub use proxy::Proxy;
pub(crate) use retry::Backoff;
pub(crate) use sieve::Sieve;
