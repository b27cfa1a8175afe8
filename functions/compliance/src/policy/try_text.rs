//! `compliance policy try`: the test box of the lists. Says what is found in a text, by which entry of
//! which list, how it was recognised, what it is a risk of, and what an exception excuses.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde::Serialize;
use shared_domain::{Detection, Lang, ProjectId, Settings, Task};
use shared_policy::{
    Dictionaries, Hit, How, Pack, PolicyConfig, ProjectWords, Rule, RuleVerdict, Text, evaluate,
};

use crate::serve;

/// A longer text is a book, and no sentence to try.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct TryText {
    /// The text; `-` reads standard input.
    #[arg(value_name = "TEXT")]
    text: String,
    /// With the words of this project; they are in the database.
    #[arg(long, value_name = "PROJECT")]
    project: Option<ProjectId>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One thing that is found, or excused.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    found: String,
    list: String,
    entry: String,
    /// How it was recognised, or what excuses it.
    why: String,
    /// What it is a risk of; empty for what is excused.
    risk: String,
}

/// What is said of a text.
#[derive(Debug, Serialize)]
struct Tried {
    words: Vec<Line>,
    /// A sentence for each advertisement.
    advertising: Vec<String>,
}

#[expect(clippy::print_stdout, reason = "the answer is the command's output")]
pub(crate) async fn try_text(settings: &Settings, args: &TryText) -> anyhow::Result<ExitCode> {
    let reader = settings.reader();
    let config = PolicyConfig::read(&reader);
    reader.finish()?;
    let dictionaries = Dictionaries::connect(&config)?;
    let pack = Pack::general(|name| dictionaries.find(name).is_some())?;
    let (pack, dictionaries) = match args.project {
        Some(project) => of_project(settings, project)
            .await?
            .over(&pack, &dictionaries),
        None => (pack, dictionaries),
    };
    let mut text = args.text.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().take(MAX_BYTES).read_to_string(&mut text)?;
    }
    let tried = tried(&text, &pack, &dictionaries, serve::system_language());
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&tried)?),
        false => println!("{}", told(&tried)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn of_project(settings: &Settings, project: ProjectId) -> anyhow::Result<ProjectWords> {
    let store = shared_runtime::store(settings).await?;
    let stored = store.project_words(project).await;
    store.close().await;
    let stored = stored?;
    Ok(ProjectWords::parse(&stored.allowed, &stored.denied)?)
}

fn tried(text: &str, pack: &Pack, dictionaries: &Dictionaries, lang: Lang) -> Tried {
    let cut = Text::new(text);
    let mut words = Vec::new();
    for (list, risk) in risks(pack, lang) {
        let Some(dictionary) = dictionaries.find(list) else {
            continue;
        };
        let line = |hit: &Hit, why: String, risk: &str| Line {
            found: text[hit.start..hit.end].to_owned(),
            list: list.to_owned(),
            entry: hit.entry.to_string(),
            why,
            risk: risk.to_owned(),
        };
        let told = dictionaries.search(list, &cut);
        words.extend(
            told.iter()
                .map(|hit| line(hit, how(hit.how).to_owned(), &risk)),
        );
        let all = dictionary.find(&cut).into_iter();
        let permitted = all.filter(|hit| !told.contains(hit));
        words.extend(permitted.map(|hit| line(&hit, "permitted by the project".to_owned(), "")));
        let excused = dictionary.excused(&cut).into_iter();
        words.extend(excused.map(|(hit, by)| line(&hit, format!("excused by “{by}”"), "")));
    }
    Tried {
        words,
        advertising: advertising(text, pack, dictionaries, lang),
    }
}

/// Each list that a rule names, and what it is a risk of.
fn risks(pack: &Pack, lang: Lang) -> BTreeMap<&str, String> {
    let mut risks: BTreeMap<&str, String> = BTreeMap::new();
    for rule in &pack.rules {
        let told = risk(rule, pack, lang);
        for list in &rule.dictionaries {
            let known = risks.entry(list).or_default();
            if !known.contains(&told) {
                let joint = if known.is_empty() { "" } else { "; " };
                *known = format!("{known}{joint}{told}");
            }
        }
    }
    risks
}

fn risk(rule: &Rule, pack: &Pack, lang: Lang) -> String {
    let category = pack.find_category(&rule.category);
    let name = category.map_or(rule.category.as_str(), |category| category.name.pick(lang));
    let verdict = match rule.verdict {
        RuleVerdict::Review => "review",
        RuleVerdict::Fail => "fail",
    };
    format!("{name}: {verdict}")
}

fn how(how: How) -> &'static str {
    match how {
        How::Plain => "as written",
        How::Disguised => "disguised",
        How::Masked => "masked",
    }
}

/// What is said of the text where it is shown on the screen.
fn advertising(text: &str, pack: &Pack, dictionaries: &Dictionaries, lang: Lang) -> Vec<String> {
    let shown = Detection {
        task: Task::Text,
        label: "text".to_owned(),
        score: 1.0,
        start_ms: 0,
        end_ms: 1_000,
        bbox: None,
        text: Some(text.to_owned()),
        words: Vec::new(),
        object_key: String::new(),
    };
    let found = evaluate(&[shown], &[], pack, dictionaries).triggers;
    found
        .into_iter()
        .filter(|trigger| trigger.source == "advertising_detector")
        .map(|trigger| trigger.description.pick(lang).to_owned())
        .collect()
}

fn told(tried: &Tried) -> String {
    if tried.words.is_empty() && tried.advertising.is_empty() {
        return "nothing is found".to_owned();
    }
    let mut parts = Vec::new();
    if !tried.words.is_empty() {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["found", "list", "entry", "why", "risk"]);
        for line in &tried.words {
            table.add_row([&line.found, &line.list, &line.entry, &line.why, &line.risk]);
        }
        parts.push(table.to_string());
    }
    parts.extend(tried.advertising.iter().cloned());
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_trial(text: &str, words: Option<(&str, &str)>) -> Tried {
        let lists = Dictionaries::built_in().unwrap();
        let pack = Pack::general(|name| lists.find(name).is_some()).unwrap();
        let (allow, deny) = words.unwrap_or_default();
        let words = ProjectWords::parse(allow, deny).unwrap();
        let (pack, lists) = words.over(&pack, &lists);
        tried(text, &pack, &lists, Lang::En)
    }

    #[test]
    fn what_is_found_is_told_with_entry_and_reason() {
        let tried = on_trial("Сук@, Moby Dick и с*ка", None);
        let told: Vec<_> = tried
            .words
            .iter()
            .map(|line| (line.found.as_str(), line.why.as_str(), line.risk.as_str()))
            .collect();
        assert!(
            told.contains(&("Сук@", "disguised", "Profanity: fail")),
            "{told:?}"
        );
        assert!(
            told.contains(&("с*ка", "masked", "Profanity: fail")),
            "{told:?}"
        );
        let excused = tried.words.iter().find(|line| line.found == "Dick");
        let excused = excused.map(|line| (line.why.starts_with("excused by"), line.risk.as_str()));
        assert_eq!(excused, Some((true, "")), "{told:?}");
    }

    #[test]
    fn the_words_of_a_project_count() {
        let tried = on_trial("водка и ромашка", Some(("водка", "ромашка")));
        let why = |found: &str| {
            let line = tried.words.iter().find(|line| line.found == found);
            line.map(|line| (line.list.as_str(), line.why.as_str()))
        };
        assert_eq!(why("водка"), Some(("alcohol", "permitted by the project")));
        assert_eq!(why("ромашка"), Some(("project-deny", "as written")));
    }

    #[test]
    fn advertising_is_told_with_what_it_lacks() {
        let tried = on_trial("Введите промокод", None);
        assert!(
            tried.advertising[0].contains("the identifier ERID"),
            "{tried:?}"
        );
        let nothing = on_trial("Добрый день", None);
        assert_eq!(super::told(&nothing), "nothing is found");
    }
}
