//! The command from outside: the real binary against a real server, in another process.

mod bad_input;
mod cache;
mod copying;
mod crash;
mod crash_upload;
mod damage;
mod doctor;
mod interface;
mod json;
mod kill;
mod life;
mod listing;
mod login;
mod machine;
mod middle;
mod notes;
mod partly;
mod profiles;
mod query;
mod round_trip;
mod server_orders;
mod sharing;
mod world;
