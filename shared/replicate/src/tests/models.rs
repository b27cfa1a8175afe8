use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared_domain::{MediaKind, Settings, Target, Task};

use crate::hosted::{DEFAULTS, KNOWN};
use crate::models::hosted_entry;
use crate::tests::client::{Api, answer};
use crate::{Adapter, Provider, Registry, RegistryConfig, RegistryError};

const HASH: &str = "97116600cabd3037e5f22ca08ffcc33b92cfacebf7ccd3609e9c1d29e43d3a8d";

fn read(name: &str, value: &str) -> Result<RegistryConfig, String> {
    let mut settings = Settings::default();
    settings.set(name, value);
    let reader = settings.reader();
    let config = RegistryConfig::read(&reader);
    reader
        .finish()
        .map(|()| config)
        .map_err(|error| error.to_string())
}

fn card(name: &str, task: &str, adapter: &str) -> Value {
    json!({
        "owner": "local", "name": name, "latest_version": { "id": HASH },
        "card": { "task": task, "adapter": adapter, "file_field": "image", "licence": "MIT",
                  "limits": ["ru_text_not_checked"] },
    })
}

#[test]
fn every_hosted_model_is_pinned_and_readable() {
    let mut names = HashSet::new();
    for known in KNOWN {
        assert!(names.insert(known.model));
        assert_eq!(known.version.len(), 64);
        assert!(known.version.bytes().all(|b| b.is_ascii_hexdigit()));
        let fixed: Value = serde_json::from_str(known.fixed).expect(known.model);
        assert!(fixed.is_object() && fixed[known.file_field].is_null());
    }
    for (task, model) in DEFAULTS {
        let known = KNOWN.iter().find(|known| known.model == model).unwrap();
        assert!(known.tasks.contains(&task), "{model}");
    }
}

#[test]
fn adapters_survive_their_names() {
    for adapter in Adapter::ALL {
        assert_eq!(adapter.as_str().parse(), Ok(*adapter));
    }
    assert!("crystal-ball".parse::<Adapter>().is_err());
}

#[test]
fn bad_references_are_problems_with_the_settings() {
    for bad in [
        "owner/name",
        "name:latest",
        "a/b:latest",
        "a/b/c:0",
        &format!("/b:{HASH}"),
    ] {
        assert!(
            read("NSFW_MODEL_ID", bad)
                .unwrap_err()
                .contains("64 hex digits"),
            "{bad}"
        );
    }
    let invented = read("YOLO_MODEL_ID", &format!("some/body:{HASH}")).unwrap_err();
    assert!(invented.contains("some/body") && invented.contains("zsxkib/yolo-world"));
    assert!(read("OCR_MODEL_ID", "").unwrap().chosen.is_empty());
    let misplaced = format!("thomasmol/whisper-diarization:{HASH}");
    let misplaced = read("NSFW_MODEL_ID", &misplaced).unwrap_err();
    assert!(
        misplaced.contains("NSFW_MODEL_ID") && misplaced.contains("says nothing of nudity"),
        "{misplaced}"
    );
    assert!(misplaced.contains("falcons-ai") && !misplaced.contains("zsxkib/yolo-world"));
    read("WHISPER_MODEL_ID", &format!("openai/whisper:{HASH}")).unwrap();
}

#[tokio::test]
async fn gateway_without_cards_gets_the_hosted_models() {
    let listing = json!({ "results": [{ "owner": "meta", "name": "sam-2" }] });
    let api = Api::start(vec![answer(200, listing)]).await;
    let model = format!("lucataco/qwen2-vl-7b-instruct:{HASH}");
    let config = read("VIOLENCE_MODEL_ID", &model).unwrap();
    let registry = Registry::connect(&api.client(), config).await.unwrap();

    let speech = registry.find(Task::Speech).unwrap();
    assert_eq!(
        (speech.provider, speech.adapter),
        (Provider::Replicate, Adapter::WhisperDiarization)
    );
    let input = speech.input("https://objects/a.flac");
    assert_eq!(input["file_url"], "https://objects/a.flac");
    assert_eq!(input["transcript_output_format"], "both");
    assert!((speech.cost_usd(Duration::from_secs(100)) - 0.0225).abs() < 1e-9);
    let violence = registry.find(Task::Violence).unwrap();
    assert_eq!(
        (violence.version.as_str(), violence.adapter),
        (HASH, Adapter::Prose)
    );
    let prompt = violence.input("u")["prompt"].as_str().unwrap().to_owned();
    assert!(prompt.contains("{\"violence\": p"), "{prompt}");
    assert_eq!(
        registry.find(Task::Text).unwrap().limits,
        ["ru_text_not_checked"]
    );
    assert_eq!(registry.find(Task::Context), None);
}

#[tokio::test]
async fn local_models_come_from_their_own_list() {
    let results = json!([
        card("open-nsfw", "nudity", "scores"),
        card("second-opinion", "nudity", "scores"),
        card("odd", "smell", "scores"),
        card("odder", "objects", "crystal-ball"),
        { "owner": "local", "name": "bare" },
    ]);
    let api = Api::start(vec![answer(200, json!({ "results": results }))]).await;
    let registry = Registry::connect(&api.client(), RegistryConfig::default())
        .await
        .unwrap();
    assert_eq!(registry.entries().count(), 1);
    let entry = registry.find(Task::Nudity).unwrap();
    assert_eq!(
        (entry.model.as_str(), entry.provider),
        ("local/open-nsfw", Provider::Local)
    );
    assert_eq!(
        (entry.licence.as_str(), entry.version.as_str()),
        ("MIT", HASH)
    );
    assert_eq!(entry.limits, ["ru_text_not_checked"]);
    assert_eq!(
        Value::from(entry.input("http://x/1.jpg")),
        json!({ "image": "http://x/1.jpg" })
    );
}

#[tokio::test]
async fn choice_among_local_models_must_be_offered() {
    let listing =
        || json!({ "results": [card("a", "nudity", "scores"), card("b", "nudity", "scores")] });
    let api = Api::start(vec![answer(200, listing()), answer(200, listing())]).await;
    let chosen = read("NSFW_MODEL_ID", &format!("local/b:{HASH}")).unwrap();
    let registry = Registry::connect(&api.client(), chosen).await.unwrap();
    assert_eq!(registry.find(Task::Nudity).unwrap().model, "local/b");

    let hosted = read(
        "NSFW_MODEL_ID",
        &format!("falcons-ai/nsfw_image_detection:{HASH}"),
    )
    .unwrap();
    let refused = Registry::connect(&api.client(), hosted).await.unwrap_err();
    assert!(matches!(
        refused,
        RegistryError::NotOffered {
            setting: "NSFW_MODEL_ID",
            ..
        }
    ));
}

#[tokio::test]
async fn empty_list_means_that_nothing_is_run() {
    let api = Api::start(vec![answer(200, json!({ "results": [] }))]).await;
    let registry = Registry::connect(&api.client(), RegistryConfig::default())
        .await
        .unwrap();
    assert_eq!(registry.entries().count(), 0);
}

#[test]
fn a_second_opinion_says_at_least_that_somebody_looked() {
    let target = Target {
        media: MediaKind::Frame,
        object_key: "frames/0.jpg".into(),
        content_hash: "0".repeat(64),
        spans: Vec::new(),
        width: 640,
        height: 360,
    };
    let labels = |task: Task, output: Value| -> Vec<String> {
        let entry = hosted_entry("lucataco/moondream2", task, &RegistryConfig::default()).unwrap();
        let findings = entry.findings(&output, &target).unwrap();
        findings.into_iter().map(|found| found.label).collect()
    };
    let nothing = json!("{\"violence\": 0.0, \"blood\": 0.0, \"weapon\": 0.0}");
    assert_eq!(labels(Task::Context, nothing.clone()), ["looked"]);
    assert!(labels(Task::Violence, nothing).is_empty());
    let blood = json!("{\"violence\": 0.0, \"blood\": 0.9, \"weapon\": 0.0}");
    assert_eq!(labels(Task::Context, blood), ["blood", "looked"]);
}
