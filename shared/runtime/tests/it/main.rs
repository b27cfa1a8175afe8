//! The runtime over a database server that fails.

mod restarts;
mod undone;
