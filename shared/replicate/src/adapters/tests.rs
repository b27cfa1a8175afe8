use serde_json::{Value, json};
use shared_domain::{Detection, Finding, MediaKind, Span, Target, Task};

use super::{AdaptError, Adapter};

fn target(media: MediaKind) -> Target {
    Target {
        media,
        object_key: "k".into(),
        content_hash: "h".into(),
        spans: vec![Span {
            start_ms: 0,
            end_ms: 10_000,
        }],
        width: if media == MediaKind::Frame { 1280 } else { 0 },
        height: if media == MediaKind::Frame { 720 } else { 0 },
    }
}

fn parse(fixture: &str) -> Value {
    serde_json::from_str(fixture).unwrap()
}

fn seen(adapter: Adapter, output: &Value) -> Vec<Finding> {
    adapter.adapt(output, &target(MediaKind::Frame)).unwrap()
}

fn heard(fixture: &str, adapter: Adapter) -> Vec<Finding> {
    adapter
        .adapt(&parse(fixture), &target(MediaKind::Audio))
        .unwrap()
}

fn refused(adapter: Adapter, output: &Value) -> AdaptError {
    adapter
        .adapt(output, &target(MediaKind::Frame))
        .unwrap_err()
}

/// `ru 0..2400 Привет`
fn line(finding: &Finding) -> String {
    let within = finding.within.unwrap();
    let text = finding.text.as_deref().unwrap_or("…");
    format!(
        "{} {}..{} {text}",
        finding.label, within.start_ms, within.end_ms
    )
}

fn word_times(finding: &Finding) -> Vec<(&str, i64, i64)> {
    finding
        .words
        .iter()
        .map(|w| (w.text.as_str(), w.start_ms, w.end_ms))
        .collect()
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/", $name, ".json"))
    };
}

#[test]
fn whisper_segments_stay_within_the_sound() {
    let found = heard(fixture!("openai-whisper"), Adapter::Whisper);
    let lines: Vec<String> = found.iter().map(line).collect();
    assert_eq!(
        lines,
        ["ru 0..2400 Привет, друзья!", "ru 2400..10000 Это реклама."]
    );
    assert!((found[0].score - (-0.25_f32).exp()).abs() < 1e-6);
    assert!(found[0].words.is_empty());
}

#[test]
fn fast_whisper_is_read_in_its_three_shapes() {
    let chunks = heard(fixture!("incredibly-fast-whisper"), Adapter::FastWhisper);
    let lines: Vec<String> = chunks.iter().map(line).collect();
    assert_eq!(
        lines,
        ["und 0..1500 Hello there.", "und 2000..10000 Buy now"]
    );
    let diarised = heard(
        fixture!("incredibly-fast-whisper-diarised"),
        Adapter::FastWhisper,
    );
    assert_eq!(line(&diarised[1]), "und 2000..3000 Buy now");
    let words = heard(
        fixture!("incredibly-fast-whisper-words"),
        Adapter::FastWhisper,
    );
    assert_eq!(line(&words[0]), "und 100..900 Hello there.");
    assert_eq!(
        word_times(&words[0]),
        [("Hello", 100, 500), ("there.", 500, 900)]
    );
    assert_eq!(line(&words[1]), "und 4000..10000 Buy");
}

#[test]
fn whisperx_words_without_times_fill_the_gap() {
    let base = heard(fixture!("whisperx"), Adapter::Whisperx);
    assert_eq!(line(&base[0]), "en 9..4000 It costs 99 dollars.");
    let aligned = heard(fixture!("whisperx-aligned"), Adapter::Whisperx);
    assert_eq!(
        word_times(&aligned[0]),
        [
            ("It", 500, 600),
            ("costs", 700, 1100),
            ("99", 1100, 1900),
            ("dollars.", 1900, 2500)
        ]
    );
    assert_eq!(aligned[0].words[2].probability, None);
    assert!((aligned[0].score - 0.8).abs() < 1e-6);
}

#[test]
fn diarised_words_lose_their_spaces_and_keep_probabilities() {
    let found = heard(fixture!("whisper-diarization"), Adapter::WhisperDiarization);
    assert_eq!(line(&found[0]), "ru 1000..2200 Он курит сигарету.");
    assert_eq!(found[0].words[2].text, "сигарету.");
    assert_eq!(found[0].words[2].probability, Some(0.7));
    let local = heard(fixture!("local-whisper"), Adapter::WhisperDiarization);
    let lines: Vec<String> = local.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "ru 400..1400 Привет",
            "en 3000..4000 Drink responsibly",
            "unclear 5000..6000 …"
        ]
    );
}

#[test]
fn nudity_is_read_in_every_shape() {
    let label = |f: &[Finding]| {
        f.iter()
            .map(|f| (f.label.clone(), f.score))
            .collect::<Vec<_>>()
    };
    let nsfw = seen(
        Adapter::NsfwString,
        &parse(fixture!("nsfw-image-detection")),
    );
    assert_eq!(label(&nsfw), [("nsfw".to_owned(), 1.0)]);
    assert!(
        seen(
            Adapter::NsfwString,
            &parse(fixture!("nsfw-video-detection"))
        )
        .is_empty()
    );
    let local = seen(Adapter::Scores, &parse(fixture!("local-open-nsfw")));
    assert_eq!(label(&local), [("nsfw".to_owned(), 0.97)]);
    let filter = seen(Adapter::NsfwFilter, &parse(fixture!("nsfw-filter")));
    assert_eq!(filter[0].text.as_deref(), Some("naked, nude"));
    let bare = json!({ "nsfw": [], "special": ["toddler"], "nsfw_detected": true });
    let both = seen(Adapter::NsfwFilter, &bare);
    assert_eq!(
        label(&both),
        [("nsfw".to_owned(), 1.0), ("special".to_owned(), 1.0)]
    );
    // Resemblances that the model itself does not count are no nudity.
    let alike = json!({ "nsfw": ["nude"], "special": ["toddler"], "nsfw_detected": false });
    assert!(seen(Adapter::NsfwFilter, &alike).is_empty());
    let safe = parse(fixture!("stable-diffusion-safety-checker"));
    assert!(seen(Adapter::SafetyChecker, &safe).is_empty());
    let unsafe_ = seen(Adapter::SafetyChecker, &json!("unsafe"));
    assert_eq!(label(&unsafe_), [("nsfw".to_owned(), 1.0)]);
    refused(Adapter::SafetyChecker, &json!("saf"));
    assert!(matches!(
        refused(Adapter::NsfwString, &json!("maybe")),
        AdaptError::Shape(_)
    ));
}

#[test]
fn scores_leave_out_the_innocent_and_the_negligible() {
    let found = seen(Adapter::Scores, &parse(fixture!("scores-list")));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].label, "blood");
    let hate = seen(Adapter::HateSpeech, &parse(fixture!("hate-speech")));
    let mut labels: Vec<&str> = hate.iter().map(|f| f.label.as_str()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["insult", "obscene", "threat", "toxicity"]);
    let ranked = seen(Adapter::PromptRank, &parse(fixture!("prompt-classifier")));
    assert_eq!((ranked.len(), ranked[0].score), (1, 1.0));
    assert!(seen(Adapter::PromptRank, &json!(["0"])).is_empty());
    for odd in [json!(["1", "1"]), json!(""), json!("-1"), json!("ten")] {
        refused(Adapter::PromptRank, &odd);
    }
}

#[test]
fn boxes_become_shares_of_the_picture() {
    let found = seen(Adapter::GroundingDino, &parse(fixture!("grounding-dino")));
    let knife = found[0].bbox.unwrap();
    assert_eq!((knife.x, knife.y, knife.w, knife.h), (0.05, 0.05, 0.2, 0.2));
    assert_eq!(found[0].label, "knife");
    let gun = found[1].bbox.unwrap();
    assert_eq!((gun.x, gun.w, found[1].score), (0.0, 1.0, 1.0));
    for fixture in [fixture!("yolo-world"), fixture!("yolo-world-video")] {
        let found = seen(Adapter::YoloWorld, &parse(fixture));
        assert_eq!((found.len(), found[0].label.as_str()), (1, "cigarette"));
        assert!((found[0].bbox.unwrap().w - 0.5).abs() < 1e-6);
    }
    assert_eq!(
        seen(Adapter::Owlvit, &parse(fixture!("owlvit")))[0].label,
        "beer glass"
    );
    assert_eq!(
        seen(Adapter::Yolov10, &parse(fixture!("yolov10")))[0].label,
        "bottle"
    );
    let florence = seen(
        Adapter::FlorenceObjects,
        &parse(fixture!("florence-2-large")),
    );
    assert_eq!(florence[1].label, "driver's hat");
    assert!((florence[1].bbox.unwrap().w - 29.0 / 1280.0).abs() < 1e-6);
}

#[test]
fn boxes_outside_the_picture_are_findings_without_a_place() {
    let output =
        json!({ "detections": [{ "bbox": [1300, 5, 1400, 50], "label": "x", "confidence": 0.5 }] });
    assert_eq!(seen(Adapter::GroundingDino, &output)[0].bbox, None);
    let swapped =
        json!({ "detections": [{ "bbox": [640, 360, 0, 0], "label": "x", "confidence": 0.5 }] });
    assert!((seen(Adapter::GroundingDino, &swapped)[0].bbox.unwrap().w - 0.5).abs() < 1e-6);
    let unknown = Adapter::GroundingDino
        .adapt(&swapped, &target(MediaKind::Audio))
        .unwrap();
    assert_eq!(unknown[0].bbox, None);
}

#[test]
fn nothing_found_is_an_answer_too() {
    assert!(seen(Adapter::GroundingDino, &json!({ "detections": [] })).is_empty());
    assert!(seen(Adapter::YoloWorld, &json!({ "json_str": "{}" })).is_empty());
    assert!(seen(Adapter::TextExtractOcr, &json!("")).is_empty());
    assert!(seen(Adapter::PpOcr, &json!({ "results": [] })).is_empty());
    assert!(seen(Adapter::WhisperDiarization, &json!({ "segments": [] })).is_empty());
}

#[test]
fn shown_text_is_one_finding_per_line() {
    let lines = seen(
        Adapter::TextExtractOcr,
        &parse(fixture!("text-extract-ocr")),
    );
    let texts: Vec<&str> = lines.iter().filter_map(|f| f.text.as_deref()).collect();
    assert_eq!(texts, ["Промокод ЛЕТО", "Smoking kills"]);
    let tilted = seen(Adapter::PpOcr, &parse(fixture!("pp-ocr-v4")));
    assert_eq!(tilted.len(), 1);
    let around = tilted[0].bbox.unwrap();
    assert!((around.x * 1280.0 - 98.0).abs() < 0.01 && (around.h * 720.0 - 50.0).abs() < 0.01);
    let local = seen(Adapter::PpOcr, &parse(fixture!("local-ppocr-tesseract")));
    assert_eq!(local[0].text.as_deref(), Some("Реклама. ООО «Ромашка»"));
    assert_eq!(local[0].label, "text");
}

#[test]
fn what_could_not_be_made_out_is_undecided_and_not_clean() {
    let speech = json!({ "language": "ru", "segments": [], "dropped": [
        { "start": 1.0, "end": 3.5, "reason": "unclear" },
        { "start": 5, "end": 6, "reason": "repetition" },
        { "start": 7, "end": 9, "reason": "no_speech" },
    ]});
    let sound = target(MediaKind::Audio);
    let found = Adapter::WhisperDiarization.adapt(&speech, &sound).unwrap();
    let open: Vec<_> = found
        .iter()
        .flat_map(|finding| sound.place(Task::Speech, finding))
        .filter(Detection::is_undecided)
        .map(|open| open.end_ms - open.start_ms)
        .collect();
    assert_eq!(open, [2500, 1000]);

    let picture = target(MediaKind::Frame);
    let screen = json!({ "results": [], "unread": [{ "box": [[0, 0]] }, { "box": [[9, 9]] }] });
    let found = seen(Adapter::PpOcr, &screen);
    let placed = picture.place(Task::Text, &found[0]);
    assert_eq!(found.len(), 1);
    assert!(placed.iter().all(Detection::is_undecided));
    assert_eq!(placed.len(), picture.spans.len());
    assert!(seen(Adapter::PpOcr, &json!({ "results": [], "unread": [] })).is_empty());
    refused(Adapter::PpOcr, &json!({ "results": [], "unread": 3 }));
    refused(
        Adapter::WhisperDiarization,
        &json!({ "segments": [], "dropped": {} }),
    );
}

#[test]
fn prose_is_searched_for_its_object() {
    let labels = |f: Vec<Finding>| {
        f.into_iter()
            .map(|f| (f.label, f.score))
            .collect::<Vec<_>>()
    };
    let pieces = seen(Adapter::Prose, &parse(fixture!("moondream2")));
    assert_eq!(
        labels(pieces),
        [("violence".to_owned(), 0.9), ("weapon".to_owned(), 0.4)]
    );
    let fenced = seen(Adapter::Prose, &parse(fixture!("qwen2-vl")));
    assert_eq!(
        labels(fenced),
        [("violence".to_owned(), 0.05), ("weapon".to_owned(), 1.0)]
    );
    for cut in [
        "{\"violence\": 0.9, \"blo",
        "All is well.",
        "{}",
        "{\"violence\": \"high\"}",
    ] {
        refused(Adapter::Prose, &json!(cut));
    }
}

#[test]
fn llama_guard_codes_are_kept() {
    let found = seen(Adapter::LlamaGuard, &parse(fixture!("llama-guard-2")));
    assert_eq!(
        (found[0].label.as_str(), found[0].text.as_deref()),
        ("unsafe", Some("s2, s9"))
    );
    assert!(seen(Adapter::LlamaGuard, &parse(fixture!("llama-guard-3"))).is_empty());
}

#[test]
fn other_shapes_are_undecided_for_every_adapter() {
    let page = json!(" <!DOCTYPE html><html>502</html>");
    let nan = json!({ "json_str": "{\"Det-0\": {\"x0\": NaN}}" });
    let strange = [json!(null), json!(7), json!({ "a": {} }), json!([{}]), nan];
    for adapter in Adapter::ALL {
        assert_eq!(refused(*adapter, &page), AdaptError::Html);
        for output in &strange {
            assert!(
                adapter.adapt(output, &target(MediaKind::Frame)).is_err(),
                "{adapter} {output}"
            );
        }
    }
}

#[test]
fn floods_are_undecided() {
    let detection = json!({ "bbox": [0, 0, 1, 1], "label": "x", "confidence": 0.5 });
    let many = json!({ "detections": vec![detection; 5_001] });
    assert_eq!(
        refused(Adapter::GroundingDino, &many),
        AdaptError::TooMany(5_000)
    );
    let long =
        json!({ "results": [{ "box": [[0, 0]], "text": "я".repeat(20_001), "confidence": 1 }] });
    assert_eq!(refused(Adapter::PpOcr, &long), AdaptError::TooLong(20_000));
    let deep = "[".repeat(100_000);
    assert!(matches!(
        refused(Adapter::Yolov10, &json!(deep)),
        AdaptError::Shape(_)
    ));
    let python = json!({ "text": format!("{{'<OD>': {}", "(".repeat(100_000)) });
    assert!(matches!(
        refused(Adapter::FlorenceObjects, &python),
        AdaptError::Shape(_)
    ));
}

#[test]
fn impossible_numbers_are_undecided() {
    for confidence in [
        json!(97),
        json!("NaN"),
        json!("inf"),
        json!(-1),
        json!(1e40),
        json!(null),
    ] {
        let output = json!({ "detections": [{ "bbox": [0, 0, 1, 1], "label": "x", "confidence": confidence }] });
        assert_eq!(
            refused(Adapter::GroundingDino, &output),
            AdaptError::Number("score")
        );
    }
    let output = json!({ "segments": [{ "start": 1e12, "end": 2, "text": "x" }] });
    assert_eq!(
        refused(Adapter::Whisperx, &output),
        AdaptError::Number("time")
    );
}

#[test]
fn text_of_models_stays_text() {
    let output = json!({ "results": [{ "box": [[0, 0], [9, 9]], "text": "a\u{1b}[2J\r\nb", "confidence": 1 }] });
    assert_eq!(
        seen(Adapter::PpOcr, &output)[0].text.as_deref(),
        Some("a [2J  b")
    );
}
