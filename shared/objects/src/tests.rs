//! The real S3 client against the embedded server, and plain HTTP where browsers speak it.

mod config;
mod cors;
mod events;
mod faults;
mod keys;
mod memory;
mod multipart;
mod native;
mod notification;
mod objects;
mod playback;
mod purge;
mod signed;
mod support;
