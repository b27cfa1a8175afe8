//! The second opinion: what asks for it, and what it may change.

use shared_domain::LOOKED;

use super::*;

fn opinion(label: &str, score: f32) -> Detection {
    Detection {
        task: Task::Context,
        ..seen(Task::Violence, label, score, (0, 1_000))
    }
}

fn violence(score: f32) -> Detection {
    seen(Task::Violence, "violence", score, (0, 1_000))
}

#[test]
fn only_scores_between_the_two_thresholds_are_doubtful() {
    let doubts = |found: Detection| is_doubtful(&[found], &pack());
    assert!(!doubts(violence(0.5)), "no finding");
    assert!(doubts(violence(0.6)));
    assert!(!doubts(violence(0.9)), "certain");
    assert!(!doubts(seen(Task::Nudity, "nsfw", 0.75, (0, 1_000))));
    assert!(
        !doubts(opinion("violence", 0.6)),
        "an opinion asks for no other"
    );
    assert!(!doubts(said(&[("сука", 0.9)], 0)));
}

#[test]
fn a_finding_that_is_confirmed_stays_as_it_is() {
    let alone = judged(&[violence(0.6)]);
    let confirmed = judged(&[violence(0.6), opinion("violence", 0.8)]);
    assert_eq!(alone.triggers, confirmed.triggers);
    assert!(!confirmed.triggers[0].unclear);
}

#[test]
fn a_finding_that_is_not_confirmed_is_doubtful_and_still_there() {
    let result = judged(&[violence(0.6), opinion("violence", 0.1)]);
    let trigger = &result.triggers[0];
    assert!(trigger.unclear);
    assert_eq!(result.verdict, Verdict::Review);
    assert!(
        trigger
            .description
            .en
            .ends_with("(a second model did not agree)"),
        "{}",
        trigger.description.en
    );
}

#[test]
fn a_model_that_saw_nothing_did_not_agree() {
    let result = judged(&[violence(0.6), opinion(LOOKED, 1.0)]);
    assert!(result.triggers[0].unclear);
    let vague = judged(&[violence(0.6), opinion(LOOKED, 1.0), opinion("unsafe", 0.9)]);
    assert!(!vague.triggers[0].unclear, "it tells no kinds apart");
}

#[test]
fn an_opinion_about_another_frame_changes_nothing() {
    let elsewhere = Detection {
        object_key: "frames/9.jpg".into(),
        ..opinion(LOOKED, 1.0)
    };
    let alone = judged(&[violence(0.6)]);
    assert_eq!(judged(&[violence(0.6), elsewhere]).triggers, alone.triggers);
}

#[test]
fn an_opinion_finds_nothing_by_itself_and_touches_no_certain_finding() {
    let invented = [
        opinion("violence", 1.0),
        opinion("blood", 1.0),
        opinion("weapon", 1.0),
        opinion("unsafe", 1.0),
        opinion("nsfw", 1.0),
    ];
    assert!(judged(&invented).triggers.is_empty());
    let certain = judged(&[violence(0.95), opinion("violence", 0.0)]);
    assert_eq!(certain.triggers, judged(&[violence(0.95)]).triggers);
    assert_eq!(certain.verdict, Verdict::Fail);
}
