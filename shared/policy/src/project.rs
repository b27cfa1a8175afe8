//! A project's own words over any pack: what it permits is not told of, what it forbids is.

use std::sync::Arc;

use crate::{Dictionaries, Dictionary, DictionaryError, Pack};

/// The name under which rules find what is forbidden.
const DENY: &str = "project-deny";
/// The category and the rules of what is forbidden.
const RULES: &str = include_str!("project.yaml");

/// The lists of a project, compiled.
#[derive(Debug, Clone)]
pub struct ProjectWords {
    allow: Arc<Dictionary>,
    deny: Arc<Dictionary>,
    rules: Pack,
}

impl ProjectWords {
    /// A list of a project is not larger than this.
    pub const MAX_BYTES: usize = 512 * 1024;

    /// Compiles both lists; names list, line and reason of what is wrong with one.
    pub fn parse(allow: &str, deny: &str) -> Result<Self, DictionaryError> {
        let rules = Pack::parse(RULES, |name| name == DENY).map_err(|error| DictionaryError {
            name: "project.yaml".into(),
            line: usize::try_from(error.line).unwrap_or(0),
            reason: error.reason,
        })?;
        Ok(Self {
            allow: list("allow", allow)?,
            deny: list("deny", deny)?,
            rules,
        })
    }

    /// How many words are permitted and forbidden.
    pub fn counts(&self) -> (usize, usize) {
        (self.allow.len(), self.deny.len())
    }

    /// Whether the project has no words of its own.
    pub fn is_empty(&self) -> bool {
        self.counts() == (0, 0)
    }

    /// The pack with the rules of the project, and the lists with its words.
    pub fn over(&self, pack: &Pack, dictionaries: &Dictionaries) -> (Pack, Dictionaries) {
        let mut pack = pack.clone();
        if !self.deny.is_empty() {
            pack.categories
                .extend(self.rules.categories.iter().cloned());
            pack.rules.extend(self.rules.rules.iter().cloned());
        }
        let dictionaries = dictionaries
            .clone()
            .with(DENY, &self.deny)
            .allowing(&self.allow);
        (pack, dictionaries)
    }
}

fn list(name: &str, text: &str) -> Result<Arc<Dictionary>, DictionaryError> {
    if text.len() > ProjectWords::MAX_BYTES {
        return Err(DictionaryError {
            name: name.to_owned(),
            line: 0,
            reason: format!("the list is larger than {} bytes", ProjectWords::MAX_BYTES),
        });
    }
    Ok(Arc::new(Dictionary::parse(name, text)?))
}

#[cfg(test)]
mod tests {
    use shared_domain::{Detection, Task};

    use super::*;
    use crate::evaluate;

    fn shown(text: &str) -> Detection {
        Detection {
            task: Task::Text,
            label: "text".into(),
            score: 0.9,
            start_ms: 0,
            end_ms: 1_000,
            bbox: None,
            text: Some(text.into()),
            words: Vec::new(),
            object_key: "frames/0.jpg".into(),
        }
    }

    /// What is told of a text under the lists of a project.
    fn told(allow: &str, deny: &str, text: &str) -> Vec<String> {
        let lists = Dictionaries::built_in().unwrap();
        let pack = Pack::general(|name| lists.find(name).is_some()).unwrap();
        let words = ProjectWords::parse(allow, deny).unwrap();
        let (pack, lists) = words.over(&pack, &lists);
        let result = evaluate(&[shown(text)], &[], &pack, &lists);
        let describe = |trigger: crate::Trigger| trigger.description.en;
        result.triggers.into_iter().map(describe).collect()
    }

    #[test]
    fn what_a_project_forbids_is_told_of() {
        let told = told(
            "",
            "ромашк*\nтайный план",
            "Букет Р0МАШКА и ромашка, тайный план",
        );
        assert_eq!(
            told,
            ["Forbidden in this project on screen: “р0машка”, “ромашка”, “тайный план”"]
        );
    }

    #[test]
    fn what_a_project_permits_is_not_told_of() {
        assert_eq!(told("", "", "водка и пиво").len(), 1);
        assert_eq!(
            told("водка", "", "водка и пиво"),
            ["Alcohol on screen: “пиво”"]
        );
        assert!(told("водка\nпив*", "", "ВОДКА и пивом").is_empty());
        assert_eq!(told("", "", "Введите промокод").len(), 1);
        assert!(told("промокод*", "", "Введите промокод").is_empty());
    }

    #[test]
    fn a_wrong_list_is_named_with_line_and_reason() {
        let error = ProjectWords::parse("водка", "слово\n*").unwrap_err();
        assert_eq!((error.name.as_str(), error.line), ("deny", 2));
        let huge = "слово\n".repeat(100_000);
        let error = ProjectWords::parse(&huge, "").unwrap_err();
        assert_eq!(error.name, "allow");
        assert!(error.reason.contains("bytes"), "{error}");
    }
}
