//! The one integration binary: a list of modules.

mod deployment;
mod layering;
mod leftovers;
mod migrations;
mod settings;
mod sizes;
mod tree;
