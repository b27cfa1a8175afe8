//! The lists that are compiled in, and the user's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared_domain::Reader;

use super::{Dictionary, DictionaryError, Hit, Text, parse::MAX_BYTES};

/// Names and texts of the lists that come with the program.
pub const BUILT_IN: [(&str, &str); 25] = [
    (
        "profanity-ru",
        include_str!("../../dictionaries/profanity-ru.txt"),
    ),
    (
        "profanity-en",
        include_str!("../../dictionaries/profanity-en.txt"),
    ),
    (
        "profanity-mild",
        include_str!("../../dictionaries/profanity-mild.txt"),
    ),
    (
        "insult-ru",
        include_str!("../../dictionaries/insult-ru.txt"),
    ),
    (
        "insult-en",
        include_str!("../../dictionaries/insult-en.txt"),
    ),
    ("alcohol", include_str!("../../dictionaries/alcohol.txt")),
    ("tobacco", include_str!("../../dictionaries/tobacco.txt")),
    ("drugs", include_str!("../../dictionaries/drugs.txt")),
    ("weapons", include_str!("../../dictionaries/weapons.txt")),
    ("gambling", include_str!("../../dictionaries/gambling.txt")),
    (
        "self-harm",
        include_str!("../../dictionaries/self-harm.txt"),
    ),
    ("symbols", include_str!("../../dictionaries/symbols.txt")),
    ("brands", include_str!("../../dictionaries/brands.txt")),
    (
        "advertising-calls",
        include_str!("../../dictionaries/advertising-calls.txt"),
    ),
    (
        "advertising-links",
        include_str!("../../dictionaries/advertising-links.txt"),
    ),
    (
        "advertising-orders",
        include_str!("../../dictionaries/advertising-orders.txt"),
    ),
    (
        "advertising-offers",
        include_str!("../../dictionaries/advertising-offers.txt"),
    ),
    (
        "advertising-codes",
        include_str!("../../dictionaries/advertising-codes.txt"),
    ),
    (
        "advertising-haste",
        include_str!("../../dictionaries/advertising-haste.txt"),
    ),
    (
        "advertising-goods",
        include_str!("../../dictionaries/advertising-goods.txt"),
    ),
    (
        "advertising-topic",
        include_str!("../../dictionaries/advertising-topic.txt"),
    ),
    (
        "advertising-aside",
        include_str!("../../dictionaries/advertising-aside.txt"),
    ),
    (
        "advertising-gifts",
        include_str!("../../dictionaries/advertising-gifts.txt"),
    ),
    (
        "advertising-address",
        include_str!("../../dictionaries/advertising-address.txt"),
    ),
    (
        "advertising-mark",
        include_str!("../../dictionaries/advertising-mark.txt"),
    ),
];

/// Lists that are empty until the user fills them, with the setting that names the file.
const USER: [(&str, &str); 3] = [
    ("profanity-user", "PROFANITY_DICT_PATH"),
    ("brands-user", "BRAND_DICT_PATH"),
    ("stopwords-user", "STOPWORDS_DICT_PATH"),
];

/// The user's own lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyConfig {
    /// Name of the list, its setting, its file.
    files: Vec<(&'static str, &'static str, PathBuf)>,
}

impl PolicyConfig {
    /// Reads `PROFANITY_DICT_PATH`, `BRAND_DICT_PATH`, `STOPWORDS_DICT_PATH`.
    pub fn read(reader: &Reader<'_>) -> Self {
        let file = |(name, setting): (&'static str, &'static str)| {
            reader
                .find(setting)
                .map(|path| (name, setting, PathBuf::from(path)))
        };
        Self {
            files: USER.into_iter().filter_map(file).collect(),
        }
    }
}

/// A list of the user's that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file cannot be read.
    #[error("{setting}: {path} cannot be read")]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no list.
    #[error("{setting}")]
    Malformed {
        /// The setting that names it.
        setting: &'static str,
        /// Line and reason.
        source: DictionaryError,
    },
}

/// Every list that a pack may name.
#[derive(Debug, Clone)]
pub struct Dictionaries {
    lists: BTreeMap<String, Arc<Dictionary>>,
    /// What a project permits: it excuses whatever it covers, in every list.
    allow: Option<Arc<Dictionary>>,
}

impl Dictionaries {
    /// The lists that come with the program; the user's are empty.
    pub fn built_in() -> Result<Self, DictionaryError> {
        let mut lists = Self {
            lists: BTreeMap::new(),
            allow: None,
        };
        for (name, text) in BUILT_IN {
            lists.insert(name, text)?;
        }
        for (name, _) in USER {
            lists.insert(name, "")?;
        }
        Ok(lists)
    }

    /// The built-in lists and the files of the settings, one word a line.
    pub fn connect(config: &PolicyConfig) -> Result<Self, ListError> {
        let malformed = |setting| move |source| ListError::Malformed { setting, source };
        let mut lists = Self::built_in().map_err(malformed("built-in list"))?;
        for (name, setting, path) in &config.files {
            let text = read(path).map_err(|source| ListError::Unreadable {
                setting,
                path: path.clone(),
                source,
            })?;
            lists.insert(name, &text).map_err(malformed(setting))?;
        }
        Ok(lists)
    }

    /// Compiles a list and puts it under a name, in the place of an older one.
    pub fn insert(&mut self, name: &str, text: &str) -> Result<(), DictionaryError> {
        let dictionary = Dictionary::parse(name, text)?;
        self.lists.insert(name.to_owned(), Arc::new(dictionary));
        Ok(())
    }

    /// With a compiled list under a name.
    pub(crate) fn with(mut self, name: &str, list: &Arc<Dictionary>) -> Self {
        self.lists.insert(name.to_owned(), Arc::clone(list));
        self
    }

    /// With words that excuse whatever they cover.
    pub(crate) fn allowing(mut self, list: &Arc<Dictionary>) -> Self {
        self.allow = (!list.is_empty()).then(|| Arc::clone(list));
        self
    }

    /// What a list finds in a text, without what is permitted.
    pub fn search(&self, name: &str, text: &Text) -> Vec<Hit> {
        let mut hits = self
            .find(name)
            .map(|list| list.find(text))
            .unwrap_or_default();
        if let Some(allow) = self.allow.as_ref().filter(|_| !hits.is_empty()) {
            let allowed = allow.find(text);
            hits.retain(|hit| !allowed.iter().any(|around| around.excuses(hit)));
        }
        hits
    }

    /// The list of this name.
    pub fn find(&self, name: &str) -> Option<&Dictionary> {
        self.lists.get(name).map(AsRef::as_ref)
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    // One byte more than allowed, so that the parser can tell that the list is too large.
    let mut text = String::new();
    let limit = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let file = std::io::Read::take(std::fs::File::open(path)?, limit);
    std::io::Read::read_to_string(&mut { file }, &mut text)?;
    Ok(text)
}
