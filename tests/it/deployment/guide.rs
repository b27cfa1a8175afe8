//! The guides to deployment: what they tell a reader to type exists, and both languages tell the same. That
//! lines of `compliance` parse is tested beside the command line itself.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::tree;

const GUIDES: [&str; 2] = ["infra/DEPLOYMENT.md", "infra/DEPLOYMENT.ru.md"];

/// Lines of the fenced blocks, without their comments.
fn typed(guide: &str) -> Vec<String> {
    let blocks = guide.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    lines
        .map(|line| {
            line.split(" #")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .collect()
}

fn faults(guide: &str) -> Result<Vec<String>> {
    let justfile = tree::read("justfile")?;
    let recipes: BTreeSet<String> = Regex::new(r"(?m)^([a-z][a-z-]*)[^:=\n]*:")?
        .captures_iter(&justfile)
        .map(|recipe| recipe[1].to_owned())
        .collect();
    let mut found = Vec::new();
    for recipe in Regex::new(r"\./justw ([a-z-]+)")?.captures_iter(guide) {
        if !recipes.contains(&recipe[1]) {
            found.push(format!("there is no recipe {}", &recipe[1]));
        }
    }
    for link in Regex::new(r"\]\(([^)#:]+)\)")?.captures_iter(guide) {
        if !tree::root().join("infra").join(&link[1]).exists() {
            found.push(format!("{} is not there", &link[1]));
        }
    }
    // Files that are typed; `../` is outside the project.
    for file in
        Regex::new(r"(?:^|[ =])((?:infra|\.do)/[\w./-]+)")?.captures_iter(&typed(guide).join("\n"))
    {
        if !tree::root().join(&file[1]).exists() {
            found.push(format!("{} is not there", &file[1]));
        }
    }
    let scripts = tree::read("infra/cloudflare/package.json")?;
    for script in Regex::new(r"npm run ([a-z]+) --prefix infra/cloudflare")?.captures_iter(guide) {
        if !scripts.contains(&format!("\"{}\":", &script[1])) {
            found.push(format!("there is no script {}", &script[1]));
        }
    }
    let documented = tree::read(".env.example")?
        + &tree::read("infra/cloudflare/src/settings.js")?
        + "# POSTGRES_PASSWORD=";
    for setting in Regex::new(r"`([A-Z][A-Z0-9_]{5,})`")?.captures_iter(guide) {
        if !documented.contains(&setting[1]) {
            found.push(format!("{} is no setting", &setting[1]));
        }
    }
    Ok(found)
}

#[test]
fn what_the_guides_tell_to_type_exists() -> Result<()> {
    for file in GUIDES {
        let guide = tree::read(file)?;
        ensure!(
            typed(&guide).len() > 20,
            "{file}: only {} lines to type",
            typed(&guide).len()
        );
        let found = faults(&guide)?;
        ensure!(found.is_empty(), "{file}:\n{}", found.join("\n"));
    }
    Ok(())
}

#[test]
fn both_languages_tell_the_same() -> Result<()> {
    let [english, russian] = [tree::read(GUIDES[0])?, tree::read(GUIDES[1])?];
    assert_eq!(typed(&english), typed(&russian));
    let shape = |guide: &str| {
        let lines = guide.lines().filter(|line| {
            line.starts_with('#')
                || line.starts_with("| ")
                || line.starts_with(|c: char| c.is_ascii_digit())
        });
        lines.map(|line| line.chars().next()).collect::<Vec<_>>()
    };
    assert_eq!(shape(&english), shape(&russian));
    let readme = tree::read("README.md")?;
    ensure!(
        GUIDES
            .iter()
            .all(|guide| readme.contains(&format!("({guide})"))),
        "the README leads to both"
    );
    Ok(())
}

#[test]
fn each_fault_of_a_guide_is_reported() -> Result<()> {
    let bad = [
        "```sh\n./justw deploy\n```",
        "[here](docker/Dockerfil)",
        "```sh\ndocker build -f infra/docker/Containerfile .\n```",
        "npm run build --prefix infra/cloudflare",
        "`CLOUDFLARE_TOKEN`",
    ];
    for guide in bad {
        assert_eq!(faults(guide)?.len(), 1, "{guide}");
    }
    Ok(())
}
