//! A local server that speaks MEGA.
