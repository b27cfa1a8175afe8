//! The result in words, the same on every kind of page.

use shared_domain::Lang;

use super::{Report, Stage};
use crate::evaluate::Verdict;

impl Report {
    /// What a person reads first.
    pub fn headline(&self, lang: Lang) -> &'static str {
        let (ru, en) = match (self.verdict, self.risks.is_empty()) {
            (Verdict::Pass, _) => ("Рисков не найдено", "No risks found"),
            (Verdict::Review, true) => (
                "Рисков не найдено, но проверено не всё",
                "No risks found, but not everything was checked",
            ),
            (Verdict::Review, false) => ("Нужно решение человека", "A person has to decide"),
            (Verdict::Fail, _) => ("Найдены серьёзные риски", "Serious risks found"),
        };
        lang.pick(ru, en)
    }

    /// Whether a person has looked.
    pub fn stage_note(&self, lang: Lang) -> &'static str {
        match self.stage {
            Stage::Final => lang.pick("Проверено человеком.", "Verified by a person."),
            Stage::Ai => lang.pick(
                "Составлено автоматически и ещё не проверено человеком.",
                "Made by a machine and not verified by a person yet.",
            ),
        }
    }
}
