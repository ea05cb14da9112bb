//! Misbehaviour on demand: where, what and how often.
//!
//! A fault reads `PLACE:ACTION`, with `*N` for the next N times only and `+N` to spare the first N.
//!
//! | place | what it hits |
//! |---|---|
//! | `api` | every request to `cs` |
//! | a command's name, as `us` or `g` | requests to `cs` that hold this command |
//! | `event` | polls for events |
//! | `upload`, `download`, `attribute` | storage requests: pieces of files, file attributes such as thumbnails |
//! | `part0` to `part5` | downloads of one of a file's six parts; 0 is parity |
//! | `connection` | new connections, before their first request |
//!
//! | action | what happens | where |
//! |---|---|---|
//! | `delay=MS` | the answer (on a connection: all of them) begins so many milliseconds later | everywhere |
//! | `stall` | nothing is answered, and the connection stays | everywhere |
//! | `lost` | the request is carried out, and the connection cut instead of an answer | everywhere |
//! | `status=N` | HTTP status N, and nothing is carried out | requests |
//! | `error=N` | the number `-N` answers the request, which is not carried out | requests |
//! | `again`, `ratelimit` | the same with -3 and -4 | API, events |
//! | `hashcash=E` | a proof of work of easiness E (0 hard, 255 easy) is asked for | API |
//! | `expired` | status 403, and the address stays invalid | storage |
//! | `quota=S` | status 509 with S seconds left | storage |
//! | `bandwidth=N` | N bytes a second go through a request | storage |
//! | `truncate@N` | the body ends after N bytes, and its length says so | downloads |
//! | `cut@N` | the connection is cut after N bytes of the body | downloads |
//! | `stall@N` | nothing comes after N bytes of the body | downloads |
//! | `flip@N` | the lowest bit of byte N of the file is turned | downloads |
//!
//! ```
//! use supermega_server::{Action, Fault, Place};
//!
//! let fault: Fault = "download:flip@1000*2".parse()?;
//! assert_eq!(fault.place, Place::Download);
//! assert_eq!(fault.action, Action::Flip { offset: 1000 });
//! assert_eq!(fault.times, Some(2));
//! # Ok::<(), supermega_server::FaultSyntaxError>(())
//! ```

mod body;
mod challenge;
mod effect;
mod grammar;
mod plan;

pub(crate) use body::{BodyFaults, Pace};
pub(crate) use challenge::{Challenges, Proof};
pub(crate) use effect::instead;
pub use grammar::{Action, Fault, FaultSyntaxError, Place};
pub(crate) use plan::Faults;
