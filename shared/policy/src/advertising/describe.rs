//! An advertisement in one sentence, in both languages, with what its marking lacks.

use shared_domain::Lang;

use super::Marking;
use super::notes::{Mark, Note};
use crate::evaluate::{Found, describe};
use crate::pack::{Bilingual, Pack};

pub(super) fn advert(
    found: &[Found<'_>],
    marking: Marking,
    marks: &[&Note<Mark>],
    pack: &Pack,
) -> Bilingual {
    let sentence = |lang| sentence(found, marking, marks, (pack, lang));
    Bilingual {
        ru: sentence(Lang::Ru),
        en: sentence(Lang::En),
    }
}

fn sentence(
    found: &[Found<'_>],
    marking: Marking,
    marks: &[&Note<Mark>],
    (pack, lang): (&Pack, Lang),
) -> String {
    let head = match marking {
        Marking::Unmarked => lang.pick("Реклама без пометки", "Unmarked advertising"),
        Marking::Partly => lang.pick(
            "Реклама помечена не полностью",
            "Advertising marked in part",
        ),
        Marking::Marked => lang.pick("Реклама с пометкой", "Marked advertising"),
    };
    let named = describe::named(found, pack, lang).join(", ");
    let is_there = |kind: Mark| marks.iter().any(|mark| mark.kind == kind);
    let absent: Vec<&str> = Mark::ALL
        .into_iter()
        .filter(|kind| !is_there(*kind))
        .map(|kind| missing(kind, lang))
        .collect();
    if absent.is_empty() {
        return format!("{head}: {named}");
    }
    let lacks = lang.pick("нет", "missing:");
    format!("{head}: {named}; {lacks} {}", absent.join(", "))
}

/// Behind «нет».
fn missing(mark: Mark, lang: Lang) -> &'static str {
    match mark {
        Mark::Word => lang.pick("слова «Реклама»", "the word “Реклама”"),
        Mark::Advertiser => lang.pick("рекламодателя", "the advertiser"),
        Mark::Erid => lang.pick("идентификатора ERID", "the identifier ERID"),
    }
}
