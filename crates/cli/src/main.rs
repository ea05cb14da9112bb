//! The supermega command.
fn main() {}
