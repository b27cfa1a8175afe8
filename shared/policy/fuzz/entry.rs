//! What is fuzzed. Anything goes in; what comes out has to hold together. The fuzzer calls one of these
//! a target, the crate's tests call all of them with mutated seeds.

use std::sync::LazyLock;

use shared_domain::{Detection, QR, Task};
use shared_policy::{Dictionaries, Dictionary, Pack, Text, evaluate};

static LISTS: LazyLock<Option<Dictionaries>> = LazyLock::new(|| Dictionaries::built_in().ok());
static PACK: LazyLock<Option<Pack>> = LazyLock::new(|| Pack::general(|_| true).ok());

/// A pack is taken, or refused at a line that it has.
pub(crate) fn pack(data: &[u8]) {
    let yaml = String::from_utf8_lossy(data);
    let lines = yaml.lines().count() as u64;
    if let Err(error) = Pack::parse(&yaml, |name| name.starts_with("profanity")) {
        assert!(error.line <= lines + 1, "{error} of {lines}");
        assert!(!error.reason.is_empty());
    }
}

/// A list is taken, or refused at a line that it has; what it finds in a text lies in the text. The
/// list ends at the first zero byte.
pub(crate) fn list(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0);
    let (list, text) = data.split_at(end.unwrap_or(data.len() / 2));
    let (list, text) = (String::from_utf8_lossy(list), String::from_utf8_lossy(text));
    match Dictionary::parse("mine", &list) {
        Ok(dictionary) => find(&dictionary, &text),
        Err(error) => {
            assert!(error.line <= list.lines().count(), "{error}");
            assert!(!error.reason.is_empty());
        }
    }
}

/// Every list that comes with the program reads a text, and a video that says, shows and encodes it is
/// judged.
pub(crate) fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert!(LISTS.is_some(), "the lists of the program are refused");
    let lists = LISTS.iter();
    let all = lists.flat_map(|lists| lists.names().filter_map(|name| lists.find(name)));
    all.for_each(|list| find(list, &text));
    if let (Some(lists), Some(pack)) = (LISTS.as_ref(), PACK.as_ref()) {
        judge(&text, pack, lists);
    }
}

fn judge(text: &str, pack: &Pack, lists: &Dictionaries) {
    let seen = |(task, label): (Task, &str)| Detection {
        task,
        label: label.to_owned(),
        score: 0.9,
        start_ms: 0,
        end_ms: 1_000,
        bbox: None,
        text: Some(text.to_owned()),
        words: Vec::new(),
        object_key: "frames/0.jpg".to_owned(),
    };
    let all = [(Task::Speech, "ru"), (Task::Text, "text"), (Task::Text, QR)].map(seen);
    for evidence in evaluate(&all, &[], pack, lists)
        .triggers
        .iter()
        .flat_map(|t| &t.evidence)
    {
        if let (Some(text), Some(part)) = (&evidence.text, evidence.highlight) {
            let length = text.chars().count();
            assert!(
                part.start < part.end && part.end <= length,
                "{part:?} of {text:?}"
            );
        }
    }
}

/// What is found lies in the text, in its order, and does not overlap.
fn find(dictionary: &Dictionary, text: &str) {
    let mut behind = 0;
    for hit in dictionary.find(&Text::new(text)) {
        assert!(hit.start >= behind, "{hit:?} in {text:?}");
        let found = text.get(hit.start..hit.end);
        assert!(
            found.is_some_and(|found| !found.is_empty()),
            "{hit:?} in {text:?}"
        );
        behind = hit.end;
    }
}
