//! What a second on each kind of hardware costs.
//!
//! The surprise: a prediction says neither what it ran on nor what that costs, so that both are our
//! own knowledge, with a date. Prices move: the settings override the table.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared_domain::Reader;

const TABLE: &str = include_str!("../prices.json");
const SETTING: &str = "REPLICATE_PRICES_USD";

/// US dollars per second of active time, by hardware.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices(BTreeMap<String, f64>);

#[derive(Deserialize)]
struct Table {
    usd_per_second: BTreeMap<String, f64>,
}

impl Default for Prices {
    /// The table that is compiled in; a test reads it.
    fn default() -> Self {
        let table: Option<Table> = serde_json::from_str(TABLE).ok();
        Self(table.map(|table| table.usd_per_second).unwrap_or_default())
    }
}

impl Prices {
    /// The table that is compiled in, with what `REPLICATE_PRICES_USD` (`gpu-t4=0.0003,…`) says
    /// otherwise.
    pub fn read(reader: &Reader<'_>) -> Self {
        let Self(mut prices) = Self::default();
        for text in reader.list("REPLICATE_PRICES_USD", "") {
            match parse(&text) {
                Some((hardware, usd)) if prices.contains_key(hardware) => {
                    prices.insert(hardware.to_owned(), usd);
                }
                Some((hardware, _)) => {
                    let known: Vec<&str> = prices.keys().map(String::as_str).collect();
                    let known = known.join(", ");
                    reader.problem(
                        SETTING,
                        &format!("names {hardware}, which is none of {known}"),
                    );
                }
                None => reader.problem(SETTING, &format!("{text:?} is not hardware=dollars")),
            }
        }
        Self(prices)
    }

    /// Dollars per second; hardware that nobody knows costs what the dearest does, so that a cap
    /// errs on the safe side.
    pub(crate) fn of(&self, hardware: &str) -> f64 {
        let dearest = || self.0.values().copied().fold(0.0, f64::max);
        self.0.get(hardware).copied().unwrap_or_else(dearest)
    }
}

fn parse(text: &str) -> Option<(&str, f64)> {
    let (hardware, usd) = text.split_once('=')?;
    let usd: f64 = usd.trim().parse().ok()?;
    (usd.is_finite() && usd >= 0.0).then_some((hardware.trim(), usd))
}
