//! `compliance policy words`: a project's own lists. One that is wrong is refused with line and
//! reason, and the former one stays in force.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use shared_domain::{ProjectId, Settings};
use shared_policy::ProjectWords;
use shared_store::{Store, StoredWords};

#[derive(Debug, clap::Args)]
pub(crate) struct Words {
    /// The project.
    #[arg(value_name = "PROJECT")]
    project: ProjectId,
    /// One entry a line: what is not told of. The whole list is replaced; an empty file removes it.
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// One entry a line: what is told of, whatever the pack says.
    #[arg(long, value_name = "FILE")]
    deny: Option<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "the lists are the command's output")]
pub(crate) async fn words(settings: &Settings, args: &Words) -> anyhow::Result<ExitCode> {
    let store = shared_runtime::store(settings).await?;
    let told = obey(&store, args).await;
    store.close().await;
    println!("{}", told?);
    Ok(ExitCode::SUCCESS)
}

async fn obey(store: &Store, args: &Words) -> anyhow::Result<String> {
    if store.find_project(args.project).await?.is_none() {
        bail!("there is no project {}", args.project);
    }
    let mut stored = store.project_words(args.project).await?;
    if args.allow.is_none() && args.deny.is_none() {
        return Ok(shown(&stored));
    }
    if let Some(file) = &args.allow {
        stored.allowed = read(file)?;
    }
    if let Some(file) = &args.deny {
        stored.denied = read(file)?;
    }
    let words = ProjectWords::parse(&stored.allowed, &stored.denied)
        .context("the former lists stay in force")?;
    store.set_project_words(args.project, &stored).await?;
    let (allowed, denied) = words.counts();
    Ok(format!("{allowed} permitted, {denied} forbidden"))
}

fn shown(stored: &StoredWords) -> String {
    let [allowed, denied] = [&stored.allowed, &stored.denied].map(|list| list.trim_end());
    format!("# permitted\n{allowed}\n# forbidden\n{denied}")
}

/// A file of a list; of one that is too large no more than shows it.
fn read(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("{name} cannot be read"))?;
    let limit = u64::try_from(ProjectWords::MAX_BYTES + 1)?;
    let mut bytes = Vec::new();
    file.take(limit)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{name} cannot be read"))?;
    if bytes.len() > ProjectWords::MAX_BYTES {
        bail!(
            "{name} is larger than {} bytes; the former lists stay in force",
            ProjectWords::MAX_BYTES
        );
    }
    String::from_utf8(bytes).with_context(|| format!("{name} is no text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use shared_store::Role;
    use shared_testing::World;

    use super::*;

    #[tokio::test]
    async fn a_wrong_list_is_refused_and_the_former_one_stays() -> anyhow::Result<()> {
        let world = World::new().await;
        let project = world.project(&world.user(Role::Client).await?).await?;
        let folder = tempfile::tempdir()?;
        let file = |name: &str, text: &str| -> anyhow::Result<Option<PathBuf>> {
            let path = folder.path().join(name);
            std::fs::write(&path, text)?;
            Ok(Some(path))
        };
        let store = &world.store;
        let mut args = Words {
            project: project.project_id,
            allow: file("allow.txt", "водка\n")?,
            deny: file("deny.txt", "ромашк*\nтайный план\n")?,
        };
        assert_eq!(obey(store, &args).await?, "1 permitted, 2 forbidden");

        args.allow = None;
        args.deny = file("wrong.txt", "слово\n\n*\n")?;
        let error = format!("{:#}", obey(store, &args).await.unwrap_err());
        assert!(
            error.contains("deny, line 3") && error.contains("stay in force"),
            "{error}"
        );
        args.deny = file("huge.txt", &"слово\n".repeat(100_000))?;
        let error = format!("{:#}", obey(store, &args).await.unwrap_err());
        assert!(error.contains("larger than"), "{error}");

        args.deny = None;
        let shown = obey(store, &args).await?;
        assert_eq!(
            shown,
            "# permitted\nводка\n# forbidden\nромашк*\nтайный план"
        );
        args.project = store.fresh();
        assert!(obey(store, &args).await.is_err());
        Ok(())
    }
}
