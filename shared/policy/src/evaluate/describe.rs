//! A risk in one sentence, in both languages.

use shared_domain::{Lang, QR, Task};

use super::hits::Found;
use crate::pack::{Bilingual, Category, Pack};

/// More would not be read.
const MAX_NAMED: usize = 5;

/// What people call a task.
pub(crate) fn task_name(task: Task) -> Bilingual {
    let (ru, en) = match task {
        Task::Speech => ("Речь", "Speech"),
        Task::Nudity => ("Нагота", "Nudity"),
        Task::Violence => ("Насилие", "Violence"),
        Task::Objects => ("Предметы", "Objects"),
        Task::Text => ("Текст на экране", "On-screen text"),
        Task::Context => ("Второе мнение", "Second opinion"),
    };
    Bilingual {
        ru: ru.into(),
        en: en.into(),
    }
}

pub(super) fn event(group: &[Found<'_>], category: &Category, pack: &Pack) -> Bilingual {
    Bilingual {
        ru: sentence(group, category, pack, Lang::Ru),
        en: sentence(group, category, pack, Lang::En),
    }
}

fn sentence(group: &[Found<'_>], category: &Category, pack: &Pack, lang: Lang) -> String {
    let task = group.first().map_or(Task::Context, |hit| hit.task);
    let place = match task {
        Task::Speech => lang.pick("в речи", "in speech"),
        Task::Text => lang.pick("на экране", "on screen"),
        _ => lang.pick("в кадре", "in the picture"),
    };
    let named = named(group, pack, lang);
    let mut text = format!("{} {place}: {}", category.name.pick(lang), named.join(", "));
    if group.iter().all(|hit| hit.evidence.unclear) {
        let note = match task {
            Task::Speech => lang.pick("расслышано неуверенно", "heard unclearly"),
            Task::Text => lang.pick("прочитано неуверенно", "read unclearly"),
            _ => lang.pick(
                "вторая модель не подтвердила",
                "a second model did not agree",
            ),
        };
        text = format!("{text} ({note})");
    }
    text
}

/// What was said or shown, each once, in the order of its first appearance.
pub(crate) fn named(group: &[Found<'_>], pack: &Pack, lang: Lang) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for hit in group {
        let name = match matched(hit) {
            // An address is shown beside its code, and no word to quote.
            Some(words) if hit.evidence.label != QR => {
                format!("{}{words}{}", lang.pick("«", "“"), lang.pick("»", "”"))
            }
            _ => pack.label(&hit.evidence.label, lang),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > MAX_NAMED {
        names.truncate(MAX_NAMED);
        names.push("…".into());
    }
    names
}

/// The matched part of the text.
fn matched(hit: &Found<'_>) -> Option<String> {
    let (text, highlight) = hit.evidence.text.as_ref().zip(hit.evidence.highlight)?;
    let length = highlight.end.saturating_sub(highlight.start);
    let words: String = text.chars().skip(highlight.start).take(length).collect();
    Some(words.to_lowercase())
}
