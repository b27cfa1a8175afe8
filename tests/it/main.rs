//! The one integration binary: a list of modules.

mod accuracy;
mod browser;
mod check;
mod credit;
mod deployment;
mod emulator;
mod hosts;
mod kills;
mod layering;
mod leftovers;
mod migrations;
mod outages;
mod program;
mod queues;
mod scenario;
mod settings;
mod site;
mod sizes;
mod traces;
mod tree;
mod versions;
