//! How fast and how much: what an administrator allows.

use std::time::Duration;

use shared_domain::Reader;

/// In hours.
const YEAR: u64 = 8760;

/// What an administrator allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// `REPLICATE_CREATES_PER_MINUTE`, of all processes together.
    pub creates_per_minute: u32,
    /// `MAX_COST_PER_VIDEO_USD`; none: whatever it takes.
    pub video_usd: Option<f64>,
    /// `REPLICATE_MONTHLY_BUDGET_USD`; none: whatever it takes.
    pub month_usd: Option<f64>,
    /// `COST_CAP_WAIT_HOURS`: how long a capped video waits for a higher cap before its report says
    /// what was not checked.
    pub wait: Duration,
}

impl Budget {
    /// Reads the settings.
    pub fn read(reader: &Reader<'_>) -> Self {
        let creates_per_minute = reader.parse_or("REPLICATE_CREATES_PER_MINUTE", 600_u32);
        if !(1..=100_000).contains(&creates_per_minute) {
            reader.problem("REPLICATE_CREATES_PER_MINUTE", "is not 1 to 100000");
        }
        let hours = reader.parse_or("COST_CAP_WAIT_HOURS", 24_u64);
        if hours > YEAR {
            reader.problem("COST_CAP_WAIT_HOURS", "is more than a year");
        }
        Self {
            creates_per_minute,
            video_usd: dollars(reader, "MAX_COST_PER_VIDEO_USD"),
            month_usd: dollars(reader, "REPLICATE_MONTHLY_BUDGET_USD"),
            wait: Duration::from_secs(hours.min(YEAR) * 3600),
        }
    }
}

fn dollars(reader: &Reader<'_>, name: &str) -> Option<f64> {
    reader.find(name)?;
    let usd = reader.parse_or(name, 0.0_f64);
    if !usd.is_finite() || usd < 0.0 {
        reader.problem(name, "is not a sum of dollars");
    }
    Some(usd)
}
