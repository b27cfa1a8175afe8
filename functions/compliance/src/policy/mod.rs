//! `compliance policy`: which packs there are, whether a file is one, and what a change would do.

mod diff;
mod file;
mod list;
mod try_text;
mod words;

use std::process::ExitCode;

use anyhow::{Context, bail};
use shared_domain::{Clock, ProjectId, Settings, SystemClock};
use shared_policy::{Dictionaries, Pack, PackError, Packs, PolicyConfig};
use shared_store::{AddedPack, Store, StoreError};
use time::Date;

use crate::args::Policy;
use crate::judge::Judge;
use crate::serve::system_language;

/// Exit code of a file that is no pack.
const REFUSED: u8 = 1;

/// What a command says, and how it ends.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    out: String,
    complaint: Option<String>,
}

impl Told {
    fn out(text: impl Into<String>) -> Self {
        Self {
            out: text.into(),
            complaint: None,
        }
    }

    fn complaint(text: String) -> Self {
        Self {
            out: String::new(),
            complaint: Some(text),
        }
    }
}

pub(crate) use try_text::TryText;
pub(crate) use words::Words;

pub(crate) async fn policy(settings: Settings, command: &Policy) -> anyhow::Result<ExitCode> {
    let told = match command {
        Policy::Try(text) => return try_text::try_text(&settings, text).await,
        Policy::Words(words) => return words::words(&settings, words).await,
        Policy::Diff { old, new } => {
            let judge = Judge::open(settings).await?;
            let told = diff::diff(&judge, old, new).await;
            judge.store.close().await;
            Told::out(told?)
        }
        // A file can be checked where there is no database; then it extends the program's packs only.
        Policy::Check(file) => {
            let store = shared_runtime::store(&settings).await.ok();
            file::check(&Known::open(&settings, store.as_ref()).await?, &file.file)?
        }
        Policy::List => {
            let store = shared_runtime::store(&settings).await?;
            let known = Known::open(&settings, Some(&store)).await?;
            Told::out(list::list(&known.packs, known.today, system_language()))
        }
        Policy::Add(file) => {
            let store = shared_runtime::store(&settings).await?;
            let known = Known::open(&settings, Some(&store)).await?;
            let told = file::add(&known, &store, &file.file).await;
            store.close().await;
            told?
        }
        Policy::Use { pack, project } => {
            let store = shared_runtime::store(&settings).await?;
            let known = Known::open(&settings, Some(&store)).await?;
            let told = using(&known, &store, pack, (*project).into()).await;
            store.close().await;
            told?
        }
    };
    Ok(say(&told))
}

/// Everything that a pack may refer to.
struct Known {
    dictionaries: Dictionaries,
    packs: Packs,
    today: Date,
}

impl Known {
    async fn open(settings: &Settings, store: Option<&Store>) -> anyhow::Result<Self> {
        let reader = settings.reader();
        let config = PolicyConfig::read(&reader);
        reader.finish()?;
        let dictionaries = Dictionaries::connect(&config)?;
        let knows = |name: &str| dictionaries.find(name).is_some();
        let added = match store {
            Some(store) => store.added_packs().await?,
            None => Vec::new(),
        };
        let bodies = added.iter().map(|added| added.body.as_str());
        // What this release cannot read judges nothing; the log of the judge tells of it.
        let (packs, _) = Packs::built_in(knows)?.with(bodies, knows);
        Ok(Self {
            dictionaries,
            packs,
            today: SystemClock.now().date(),
        })
    }

    fn read(&self, yaml: &str) -> Result<Pack, PackError> {
        let knows = |name: &str| self.dictionaries.find(name).is_some();
        self.packs.read(yaml, knows)
    }
}

async fn using(
    known: &Known,
    store: &Store,
    pack: &str,
    project: ProjectId,
) -> anyhow::Result<Told> {
    if known.packs.in_force(pack, known.today).is_none() {
        bail!(
            "no version of the pack {pack:?} is in force: `compliance policy list` shows what there is"
        );
    }
    match store.set_project_policy(project, pack).await {
        Ok(()) => Ok(Told::out(format!(
            "Videos to come of project {project} are judged by {pack}."
        ))),
        Err(error @ StoreError::NotFound { .. }) => Err(error).context("there is no such project"),
        Err(error) => Err(error.into()),
    }
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line answers its user"
)]
fn say(told: &Told) -> ExitCode {
    if !told.out.is_empty() {
        println!("{}", told.out);
    }
    match &told.complaint {
        Some(complaint) => {
            eprintln!("compliance: {complaint}");
            ExitCode::from(REFUSED)
        }
        None => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests;
