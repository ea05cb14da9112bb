//! Misbehaviour on demand: where, what, how often and how likely.
//!
//! A fault reads `PLACE:ACTION[,ACTION…][*TIMES][+SKIP][%PERCENT]`: all its actions happen to the next `TIMES`
//! requests, or to all there will be, once `SKIP` of them were spared, and to `PERCENT` of a hundred by chance.
//! A script has several steps, `PLACE:STEP;STEP;…`, each of which happens once or `*TIMES`; the step `ok` lets
//! requests be. `docs/server-faults.md` lists places and actions.
//!
//! ```
//! use supermega_server::{Action, Fault, Place};
//!
//! let fault: Fault = "download:flip@1000*2".parse()?;
//! assert_eq!(fault.place, Place::Download);
//! assert_eq!(fault.steps[0].actions, [Action::Flip { offset: 1000 }]);
//! assert_eq!(fault.steps[0].times, Some(2));
//!
//! let script: Fault = "p:lost;ok*2;refuse=17".parse()?;
//! assert_eq!(script.steps.len(), 3);
//! # Ok::<(), supermega_server::FaultSyntaxError>(())
//! ```

mod action;
mod body;
mod challenge;
pub(crate) mod drift;
mod effect;
mod grammar;
mod place;
mod plan;

pub use action::Action;
pub(crate) use body::{BodyFaults, End, Pace, spoil};
pub(crate) use challenge::{Challenges, Proof};
pub(crate) use effect::{delay, instead};
pub use grammar::{Fault, FaultSyntaxError, Step};
pub use place::Place;
pub use plan::FaultReport;
pub(crate) use plan::Faults;
