mod client;
mod http;
mod models;
mod prediction;
mod signature;
