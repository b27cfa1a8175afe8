use std::time::Duration;

use serde_json::Value;
use shared_domain::{MediaKind, Settings, Span, Target, Task};

use crate::hosted::KNOWN;
use crate::models::hosted_entry;
use crate::{Budget, Prices, RegistryConfig};

fn read(text: &str) -> Result<Prices, String> {
    let mut settings = Settings::default();
    settings.set("REPLICATE_PRICES_USD", text);
    let reader = settings.reader();
    let prices = Prices::read(&reader);
    let finished = reader.finish();
    finished.map(|()| prices).map_err(|error| error.to_string())
}

fn target(media: MediaKind, seconds: i64) -> Target {
    Target {
        media,
        object_key: String::new(),
        content_hash: String::new(),
        spans: vec![Span {
            start_ms: 0,
            end_ms: seconds * 1000,
        }],
        width: 0,
        height: 0,
    }
}

/// Section 4.1 of the contract.
#[test]
fn the_table_holds_the_published_prices_and_their_date() {
    let table: Value = serde_json::from_str(include_str!("../../prices.json")).unwrap();
    assert!(table["as_of"].as_str().unwrap().len() == 10 && table["source"].is_string());
    let prices = Prices::default();
    for (hardware, usd) in [
        ("cpu", 0.0001),
        ("gpu-t4", 0.000_225),
        ("gpu-l40s", 0.000_975),
        ("gpu-a100-large", 0.0014),
        ("gpu-h100", 0.001_525),
    ] {
        assert!(
            (prices.of(hardware) - usd).abs() < f64::EPSILON,
            "{hardware}"
        );
    }
    assert!((prices.of("gpu-of-tomorrow") - 0.001_525).abs() < f64::EPSILON);
    for known in KNOWN {
        assert!(
            table["usd_per_second"][known.hardware].is_number(),
            "{}",
            known.model
        );
        assert!(known.seconds > 0.0);
    }
}

#[test]
fn prices_of_the_settings_take_the_place_of_the_table() {
    let prices = read("gpu-t4=0.5, cpu = 0").unwrap();
    assert!((prices.of("gpu-t4") - 0.5).abs() < f64::EPSILON);
    assert!(prices.of("cpu").abs() < f64::EPSILON);
    assert!((prices.of("gpu-l40s") - 0.000_975).abs() < f64::EPSILON);
    for bad in ["gpu-t4", "gpu-t4=x", "gpu-t4=-1", "gpu-t4=inf"] {
        assert!(read(bad).unwrap_err().contains("hardware=dollars"), "{bad}");
    }
    assert!(read("gpu-t5=1").unwrap_err().contains("gpu-t4"));
}

#[test]
fn an_estimate_and_a_cost_follow_hardware_and_time() {
    let config = RegistryConfig::default();
    let entry = |name: &str, task| hosted_entry(name, task, &config).unwrap();
    let nudity = entry("falcons-ai/nsfw_image_detection", Task::Nudity);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert!(close(
        nudity.estimate_usd(&target(MediaKind::Frame, 30)),
        0.6 * 0.000_225
    ));
    assert!(close(
        nudity.cost_usd(Duration::from_secs(2)),
        2.0 * 0.000_225
    ));
    let speech = entry("thomasmol/whisper-diarization", Task::Speech);
    let usd = speech.estimate_usd(&target(MediaKind::Audio, 600));
    assert!(close(usd, 600.0 * 0.1 * 0.000_225), "{usd}");
    assert!(speech.estimate_usd(&target(MediaKind::Audio, 0)) > 0.0);
}

#[test]
fn caps_and_the_rate_are_read_and_their_faults_named() {
    let settings = Settings::default();
    let reader = settings.reader();
    let budget = Budget::read(&reader);
    reader.finish().unwrap();
    assert_eq!((budget.creates_per_minute, budget.video_usd), (600, None));
    assert_eq!(budget.month_usd, None);

    let mut settings = Settings::default();
    for (name, value) in [
        ("REPLICATE_CREATES_PER_MINUTE", "0"),
        ("MAX_COST_PER_VIDEO_USD", "-1"),
        ("REPLICATE_MONTHLY_BUDGET_USD", "much"),
        ("COST_CAP_WAIT_HOURS", "99999999999999"),
        ("REPLICATE_TIMEOUT", "0"),
    ] {
        settings.set(name, value);
    }
    let reader = settings.reader();
    Budget::read(&reader);
    RegistryConfig::read(&reader);
    let named: Vec<String> = reader
        .finish()
        .unwrap_err()
        .0
        .into_iter()
        .map(|p| p.name)
        .collect();
    assert_eq!(named.len(), 5, "{named:?}");
}
