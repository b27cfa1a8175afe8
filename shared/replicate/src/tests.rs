mod client;
mod models;
mod prediction;
mod signature;
