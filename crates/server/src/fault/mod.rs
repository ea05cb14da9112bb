//! Misbehaviour on demand: where, what and how often.
//!
//! A fault reads `PLACE:ACTION`, with `*N` for the next N times only and `+N` to spare the first N.
//!
//! | place | what it hits |
//! |---|---|
//! | `api` | every request to `cs` |
//! | a command's name, as `us` or `g` | requests to `cs` that hold this command |
//! | `event` | polls for events |
//! | `upload`, `download` | storage requests |
//!
//! | action | what happens |
//! |---|---|
//! | `again`, `ratelimit` | the whole batch is answered with -3 or -4, and not carried out |
//! | `error=N` | the request is answered with the number `-N`, and not carried out |
//! | `status=N` | HTTP status N |
//! | `hashcash=E` | a proof of work of easiness E (0 hard, 255 easy) is asked for |
//! | `delay=MS` | the answer comes so many milliseconds later |
//! | `lost` | the request is carried out, and the connection cut instead of an answer |
//! | `expired` | status 403, and the address stays invalid |
//! | `quota=S` | status 509 with S seconds left |
//! | `truncate@N` | a download's body ends after N bytes, and says so |
//! | `cut@N` | a download's connection is cut after N bytes |
//! | `flip@N` | the lowest bit of byte N of a downloaded file is turned |
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

mod challenge;
mod grammar;
mod plan;

pub(crate) use challenge::Challenges;
pub use grammar::{Action, Fault, FaultSyntaxError, Place};
pub(crate) use plan::{BodyFault, Faults};
