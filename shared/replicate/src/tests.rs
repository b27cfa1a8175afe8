mod client;
mod http;
mod models;
mod output;
mod prediction;
mod prices;
mod signature;
