mod bands;
mod doubt;

use shared_domain::BBox;

use super::*;

fn pack() -> Pack {
    Pack::general(|_| true).unwrap()
}

fn lists() -> &'static Dictionaries {
    static LISTS: std::sync::LazyLock<Dictionaries> =
        std::sync::LazyLock::new(|| Dictionaries::built_in().unwrap());
    &LISTS
}

fn seen(task: Task, label: &str, score: f32, span: (i64, i64)) -> Detection {
    Detection {
        task,
        label: label.into(),
        score,
        start_ms: span.0,
        end_ms: span.1,
        bbox: None,
        text: None,
        words: Vec::new(),
        object_key: format!("frames/{}.jpg", span.0),
    }
}

fn shown(text: &str, y: f32, span: (i64, i64)) -> Detection {
    let bbox = Some(BBox {
        x: 0.1,
        y,
        w: 0.5,
        h: 0.05,
    });
    Detection {
        text: Some(text.into()),
        bbox,
        ..seen(Task::Text, "text", 0.9, span)
    }
}

/// Words of half a second each, with probabilities.
fn said(words: &[(&str, f32)], start_ms: i64) -> Detection {
    let word = |(index, (text, probability)): (usize, &(&str, f32))| {
        let start_ms = start_ms + 500 * i64::try_from(index).unwrap();
        Word {
            text: (*text).into(),
            start_ms,
            end_ms: start_ms + 400,
            probability: Some(*probability),
        }
    };
    let words: Vec<Word> = words.iter().enumerate().map(word).collect();
    let text = words
        .iter()
        .map(|w| w.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let end_ms = words.last().unwrap().end_ms;
    Detection {
        text: Some(text),
        words,
        ..seen(Task::Speech, "ru", 0.9, (start_ms, end_ms))
    }
}

fn full() -> Vec<TaskCoverage> {
    let whole = |task| TaskCoverage {
        seconds: 60.0,
        frames: 60,
        ..TaskCoverage::run(task)
    };
    pack().required.into_iter().map(whole).collect()
}

fn judged(detections: &[Detection]) -> Evaluation {
    evaluate(detections, &full(), &pack(), lists())
}

#[test]
fn nothing_found_and_everything_looked_at_passes() {
    let result = judged(&[said(&[("Добрый", 0.9), ("день", 0.9)], 0)]);
    assert_eq!((result.verdict, result.triggers.len()), (Verdict::Pass, 0));
    assert!(result.reasons.is_empty() && result.not_checked.is_empty());
}

#[test]
fn a_spoken_word_is_told_at_its_own_time() {
    let result = judged(&[said(
        &[
            ("ну", 0.9),
            ("ты", 0.9),
            ("и", 0.9),
            ("сука,", 0.8),
            ("друг", 0.9),
        ],
        10_000,
    )]);
    let trigger = &result.triggers[0];
    assert_eq!((trigger.start_ms, trigger.end_ms), (11_500, 11_900));
    assert_eq!(
        (trigger.source.as_str(), trigger.risk_code.as_str()),
        ("whisper_profanity", "mat_speech")
    );
    assert_eq!(trigger.evidence[0].words[0].text, "сука,");
    assert_eq!(trigger.description.ru, "Нецензурная брань в речи: «сука»");
    assert_eq!(result.verdict, Verdict::Fail);
    assert!((trigger.confidence - 0.8).abs() < 1e-6);
}

#[test]
fn the_highlight_is_the_matched_part_of_the_excerpt() {
    let mut words: Vec<(&str, f32)> = vec![("слово", 0.9); 40];
    words[20] = ("Блядь!", 0.9);
    let result = judged(&[said(&words, 0)]);
    let evidence = &result.triggers[0].evidence[0];
    let text: Vec<char> = evidence.text.as_ref().unwrap().chars().collect();
    let highlight = evidence.highlight.unwrap();
    assert_eq!(
        text[highlight.start..highlight.end]
            .iter()
            .collect::<String>(),
        "Блядь"
    );
    assert!(text.len() < 180 && text[0] == '…' && text[text.len() - 1] == '…');
}

#[test]
fn an_unclear_word_is_shown_as_such_and_never_fails_by_itself() {
    let result = judged(&[said(&[("вот", 0.9), ("сука", 0.2)], 0)]);
    assert!(result.triggers[0].unclear);
    assert_eq!(result.triggers[0].verdict, RuleVerdict::Review);
    assert_eq!(result.verdict, Verdict::Review);
    assert!(
        result.triggers[0]
            .description
            .en
            .contains("heard unclearly")
    );

    let result = judged(&[said(&[("сука", 0.9), ("сука", 0.2)], 0)]);
    assert_eq!(
        (result.triggers[0].unclear, result.verdict),
        (false, Verdict::Fail)
    );
}

#[test]
fn a_phrase_is_found_across_segments_and_lines() {
    let mut lists = Dictionaries::built_in().unwrap();
    lists
        .insert("stopwords-user", "по ссылке в описании")
        .unwrap();
    let judged = |detections: &[Detection]| evaluate(detections, &full(), &pack(), &lists);
    let result = judged(&[
        said(&[("ищите", 0.9), ("по", 0.9), ("ссылке", 0.9)], 0),
        said(&[("в", 0.9), ("описании", 0.9)], 1_600),
    ]);
    assert_eq!(result.triggers[0].category, "advertising");
    assert_eq!(
        (result.triggers[0].start_ms, result.triggers[0].end_ms),
        (500, 2_500)
    );

    let lines = [
        shown("описании", 0.8, (0, 1_000)),
        shown("по ссылке в", 0.7, (0, 1_000)),
    ];
    let result = judged(&lines);
    assert_eq!(
        result.triggers[0].description.en,
        "Signs of advertising on screen: “по ссылке в описании”"
    );
    let bbox = result.triggers[0].evidence[0].bbox.unwrap();
    assert!((bbox.y - 0.7).abs() < 1e-6 && (bbox.h - 0.15).abs() < 1e-6);
}

#[test]
fn speech_without_word_times_falls_back_on_the_segment() {
    let segment = Detection {
        text: Some("вот сука".into()),
        ..seen(Task::Speech, "ru", 0.9, (3_000, 9_000))
    };
    let trigger = &judged(&[segment]).triggers[0];
    assert_eq!((trigger.start_ms, trigger.end_ms), (3_000, 9_000));
}

#[test]
fn neighbouring_hits_are_one_event_and_distant_ones_are_not() {
    let frames = [
        seen(Task::Nudity, "nsfw", 0.82, (0, 500)),
        seen(Task::Nudity, "nsfw", 0.97, (500, 1_000)),
        seen(Task::Nudity, "nsfw", 0.85, (2_900, 3_400)),
        seen(Task::Nudity, "nsfw", 0.82, (9_000, 9_500)),
        seen(Task::Nudity, "nsfw", 0.3, (20_000, 20_500)),
    ];
    let result = judged(&frames);
    let spans: Vec<_> = result
        .triggers
        .iter()
        .map(|t| (t.start_ms, t.end_ms, t.count))
        .collect();
    assert_eq!(spans, [(0, 3_400, 3), (9_000, 9_500, 1)]);
    let first = &result.triggers[0];
    assert_eq!(
        (first.rule.as_str(), first.verdict),
        ("nudity-explicit", RuleVerdict::Fail)
    );
    assert_eq!(first.evidence[first.best].at_ms, 500);
    assert_eq!(result.triggers[1].rule, "nudity-doubtful");
}

#[test]
fn a_caption_that_stays_is_one_event_with_one_piece_of_evidence() {
    let frames: Vec<_> = (0..40)
        .map(|n| Detection {
            object_key: "frames/0.jpg".into(),
            ..shown("ПРОМОКОД", 0.5, (n * 500, n * 500 + 500))
        })
        .collect();
    let result = judged(&frames);
    assert_eq!(result.triggers.len(), 1);
    assert_eq!(
        (result.triggers[0].start_ms, result.triggers[0].end_ms),
        (0, 20_000)
    );
    assert_eq!(
        (result.triggers[0].count, result.triggers[0].evidence.len()),
        (40, 1)
    );
    assert_eq!(result.triggers[0].evidence[0].end_ms, 20_000);
}

#[test]
fn evidence_is_bounded_and_keeps_the_best() {
    let frames: Vec<_> = (0..200_i16)
        .map(|n| {
            seen(
                Task::Objects,
                "knife",
                0.5 + f32::from(n) / 1_000.0,
                (i64::from(n) * 500, i64::from(n) * 500 + 500),
            )
        })
        .collect();
    let trigger = &judged(&frames).triggers[0];
    assert_eq!((trigger.count, trigger.evidence.len()), (200, MAX_EVIDENCE));
    assert!((trigger.evidence[trigger.best].score - trigger.confidence).abs() < 1e-6);
    assert!(trigger.evidence.is_sorted_by_key(|e| e.at_ms));
}

#[test]
fn two_dictionaries_with_the_same_word_make_one_hit() {
    let mut lists = Dictionaries::built_in().unwrap();
    lists.insert("profanity-user", "сука").unwrap();
    let result = evaluate(&[said(&[("сука", 0.9)], 0)], &full(), &pack(), &lists);
    assert_eq!((result.triggers.len(), result.triggers[0].count), (1, 1));
}

#[test]
fn a_hole_in_the_coverage_is_never_a_pass() {
    let gap = Gap {
        start_ms: 0,
        end_ms: 1_500,
        reason: "failed".into(),
    };
    let holes: [fn(&mut TaskCoverage, Gap); 5] = [
        |c, gap| c.gaps.push(gap),
        |c, _| c.undecided = 1,
        |c, _| c.failed = 1,
        |c, _| c.limits.push("ru_text_not_checked".into()),
        |c, _| *c = TaskCoverage::not_run(c.task, NotRun::NoModel),
    ];
    for (hole, code) in holes
        .into_iter()
        .zip(["gap", "undecided", "failed", "limit", "not_run"])
    {
        let mut coverage = full();
        hole(&mut coverage[4], gap.clone());
        let result = evaluate(&[], &coverage, &pack(), lists());
        assert_eq!(result.verdict, Verdict::Review, "{code}");
        assert_eq!(result.reasons[0].code, code);
        assert_eq!(result.not_checked.len(), 1, "{code}");
    }
}

#[test]
fn what_a_cost_cap_left_out_is_named_as_such() {
    let mut coverage = full();
    for (start_ms, reason) in [(0, "cost_cap"), (2000, "cost_cap"), (5000, "failed")] {
        coverage[1].gaps.push(Gap {
            start_ms,
            end_ms: start_ms + 1200,
            reason: reason.into(),
        });
    }
    let result = evaluate(&[], &coverage, &pack(), lists());
    let told: Vec<_> = result.not_checked.iter().map(|n| &n.text).collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].en.contains("3.6 s not checked"), "{told:?}");
    assert!(
        told[1]
            .en
            .contains("2.4 s not checked because of the cost cap")
    );
    assert!(
        told[1]
            .ru
            .contains("из-за лимита расходов на видео не проверено 2,4 с")
    );
    assert_eq!(result.verdict, Verdict::Review);
}

#[test]
fn a_required_task_that_nobody_mentions_was_not_run() {
    let result = evaluate(&[], &full()[..4], &pack(), lists());
    assert_eq!(result.verdict, Verdict::Review);
    assert_eq!(result.coverage.len(), 5);
    assert!(result.not_checked[0].text.ru.contains("не проверялось"));
    assert_eq!(evaluate(&[], &[], &pack(), lists()).not_checked.len(), 5);
}

#[test]
fn a_silent_video_misses_nothing_by_being_silent() {
    let mut coverage = full();
    coverage[0] = TaskCoverage::not_run(Task::Speech, NotRun::NoSound);
    let result = evaluate(&[], &coverage, &pack(), lists());
    assert_eq!(result.verdict, Verdict::Pass);
    assert!(result.not_checked[0].text.en.contains("no sound"));
}

#[test]
fn the_order_of_the_evidence_does_not_matter() {
    let mut detections = vec![
        said(&[("сука", 0.9), ("водка", 0.4), ("промокод", 0.9)], 0),
        shown("купи ПИВО", 0.2, (0, 1_000)),
        shown("с промокодом", 0.5, (0, 1_000)),
        seen(Task::Nudity, "nsfw", 0.7, (0, 500)),
        seen(Task::Objects, "knife", 0.7, (0, 500)),
        seen(Task::Objects, "gun", 0.8, (300, 900)),
    ];
    let first = judged(&detections);
    detections.reverse();
    assert_eq!(first, judged(&detections));
    detections.swap(0, 3);
    assert_eq!(first, judged(&detections));
}

#[test]
fn scores_that_are_no_scores_harm_nothing() {
    let frames = [
        seen(Task::Nudity, "nsfw", f32::NAN, (0, 500)),
        seen(Task::Nudity, "nsfw", f32::INFINITY, (0, 500)),
        seen(Task::Nudity, "nsfw", 7.0, (5_000, 5_500)),
    ];
    let result = judged(&frames);
    assert_eq!(result.triggers.len(), 1);
    assert!((result.triggers[0].confidence - 1.0).abs() < 1e-6);
}
