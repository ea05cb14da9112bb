//! The server from outside, spoken to by hand: what clients depend on, byte by byte.

mod access;
mod dialect;
mod events;
mod hostile;
mod storage;
mod wire;
