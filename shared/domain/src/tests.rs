use crate::{
    BBox, Finding, Lang, Likeness, MediaKind, Refusal, Settings, Span, Step, Target, Task, Word,
};

#[test]
fn drawing_of_the_steps_equals_the_code() {
    let readme = include_str!("../README.md");
    let mut drawn: Vec<(String, String)> = readme
        .lines()
        .filter_map(|line| line.trim().split_once(" --> "))
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .collect();
    let mut coded: Vec<(String, String)> = Step::ALL
        .iter()
        .flat_map(|from| {
            from.next()
                .iter()
                .map(move |to| (from.to_string(), to.to_string()))
        })
        .collect();
    drawn.sort();
    coded.sort();
    assert_eq!(drawn, coded);
}

#[test]
fn steps_survive_their_names() {
    for step in Step::ALL {
        assert_eq!(step.as_str().parse(), Ok(step));
    }
    assert!("flying".parse::<Step>().is_err());
}

#[test]
fn a_frame_that_comes_back_is_found_at_both_places() {
    let target = Target {
        media: MediaKind::Frame,
        object_key: "k".into(),
        content_hash: "h".into(),
        spans: vec![
            Span {
                start_ms: 0,
                end_ms: 500,
            },
            Span {
                start_ms: 9000,
                end_ms: 9500,
            },
        ],
        width: 10,
        height: 10,
    };
    let finding = Finding {
        label: "knife".into(),
        score: 0.9,
        within: None,
        bbox: Some(BBox {
            x: 0.1,
            y: 0.1,
            w: 0.2,
            h: 0.2,
        }),
        text: None,
        words: vec![],
    };
    let placed = target.place(Task::Objects, &finding);
    assert_eq!(
        placed.iter().map(|d| d.start_ms).collect::<Vec<_>>(),
        [0, 9000]
    );
}

#[test]
fn words_move_with_their_chunk() {
    let target = Target {
        media: MediaKind::Audio,
        object_key: "k".into(),
        content_hash: "h".into(),
        spans: vec![Span {
            start_ms: 60_000,
            end_ms: 90_000,
        }],
        width: 0,
        height: 0,
    };
    let word = Word {
        text: "да".into(),
        start_ms: 100,
        end_ms: 300,
        probability: Some(0.5),
    };
    let finding = Finding {
        label: "ru".into(),
        score: 0.5,
        within: Some(Span {
            start_ms: 100,
            end_ms: 40_000,
        }),
        bbox: None,
        text: Some("да".into()),
        words: vec![word],
    };
    let placed = target.place(Task::Speech, &finding).remove(0);
    assert_eq!((placed.start_ms, placed.end_ms), (60_100, 90_000));
    assert_eq!(placed.words[0].start_ms, 60_100);
}

#[test]
fn all_problems_of_the_settings_are_told_at_once() {
    let settings: Settings = [
        ("B2_MAX_RETRIES", "many"),
        ("DEBUG", "perhaps"),
        ("EMPTY", " "),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    let reader = settings.reader();
    assert_eq!(reader.parse_or("B2_MAX_RETRIES", 3), 3);
    assert!(!reader.flag("DEBUG", false));
    assert_eq!(reader.text("EMPTY"), "");
    let problems = reader.finish().unwrap_err().0;
    let names: Vec<_> = problems.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["B2_MAX_RETRIES", "DEBUG", "EMPTY"]);
}

#[test]
fn refusals_speak_both_languages_and_keep_their_code() {
    let refusal = Refusal::TooLong {
        seconds: 7300,
        limit: 7200,
    };
    assert_eq!(refusal.code(), "too_long");
    assert!(refusal.text(Lang::En).contains("2:01:40"));
    assert!(refusal.text(Lang::Ru).contains("предел 2:00:00"));
}

#[test]
fn language_is_read_from_locales_and_headers() {
    assert_eq!("ru_RU.UTF-8".parse(), Ok(Lang::Ru));
    assert_eq!("en-GB,ru;q=0.5".parse(), Ok(Lang::En));
    assert_eq!("".parse(), Ok(Lang::En));
}

#[test]
fn likenesses_are_short_in_json_and_keep_every_bit() {
    let look = Likeness {
        at_ms: 1_200,
        bits: u64::MAX - 1,
        opens: true,
    };
    let json = serde_json::to_string(&look).unwrap();
    assert_eq!(json, "[1200,18446744073709551614,true]");
    assert_eq!(serde_json::from_str::<Likeness>(&json).unwrap(), look);
    let other = Likeness {
        bits: 0b101,
        ..look
    };
    assert_eq!(other.distance(Likeness { bits: 0, ..look }), 2);
}
