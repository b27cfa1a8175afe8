//! What cfn-lint does not ask of the SAM template: that a failed message comes again alone, and settings' names.

use anyhow::{Context, Result, ensure};
use regex::Regex;

use crate::tree;

const FILE: &str = "infra/lambda/template.yaml";

/// One resource: its name and its lines.
fn resources(template: &str) -> Result<Vec<(String, String)>> {
    let from = template.find("\nResources:\n").context("Resources")?;
    let to = template.find("\nOutputs:\n").context("Outputs")?;
    let heading = Regex::new(r"(?m)^  (\w+):\n")?;
    let body = &template[from..to];
    let starts: Vec<_> = heading.captures_iter(body).collect();
    let mut found = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let whole = start.get(0).context("heading")?;
        let end = starts
            .get(index + 1)
            .and_then(|next| next.get(0))
            .map_or(body.len(), |next| next.start());
        found.push((start[1].to_owned(), body[whole.end()..end].to_owned()));
    }
    Ok(found)
}

fn number(text: &str, key: &str) -> Result<Option<u64>> {
    let found = Regex::new(&format!(r"(?m)^ +{key}: (\d+)$"))?;
    Ok(found.captures(text).and_then(|n| n[1].parse().ok()))
}

fn faults(template: &str) -> Result<Vec<String>> {
    let resources = resources(template)?;
    ensure!(
        resources.len() > 10,
        "only {} resources were read",
        resources.len()
    );
    let mut found = Vec::new();
    let queue = Regex::new(r"Queue: !GetAtt (\w+)\.Arn")?;
    let code = Regex::new(r"CodeUri: build/([a-z-]+)/\n")?;
    for (name, body) in &resources {
        if !body.contains("Type: AWS::Serverless::Function") {
            continue;
        }
        let function = code
            .captures(body)
            .map_or_else(String::new, |code| code[1].to_owned());
        if !tree::root()
            .join("functions")
            .join(&function)
            .join("Cargo.toml")
            .is_file()
        {
            found.push(format!("{name}: {function:?} is no function"));
        }
        let Some(fed) = queue.captures(body) else {
            continue;
        };
        if !body.contains("FunctionResponseTypes: [ReportBatchItemFailures]") {
            found.push(format!(
                "{name}: one failed message would bring back the whole batch"
            ));
        }
        let (_, settings) = resources
            .iter()
            .find(|(name, _)| *name == fed[1])
            .with_context(|| fed[1].to_owned())?;
        if !settings.contains("deadLetterTargetArn") {
            found.push(format!(
                "{}: what fails for ever goes round for ever",
                &fed[1]
            ));
        }
        let timeout = number(body, "Timeout")?.with_context(|| format!("{name}: Timeout"))?;
        if number(settings, "VisibilityTimeout")? < Some(6 * timeout) {
            found.push(format!(
                "{}: a message would be seen while it is worked on",
                &fed[1]
            ));
        }
    }
    found.extend(settings_faults(template)?);
    Ok(found)
}

/// Settings have the program's names, and what is secret is not shown.
fn settings_faults(template: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let documented = tree::read(".env.example")?;
    for name in Regex::new(r"(?m)^ {8,10}([A-Z][A-Z0-9_]+): ")?.captures_iter(template) {
        if !documented.contains(&format!("# {}=", &name[1])) {
            found.push(format!("{} is no setting", &name[1]));
        }
    }
    if !template.contains("        FN_HOST: lambda\n") {
        found.push("FN_HOST says which host speaks".to_owned());
    }
    let secret = Regex::new(
        r"(?m)^  (\w*(?:Secret|Token|Password|Key|KeyId|DatabaseUrl|RedisUrl)):\n((?:    .*\n)+)",
    )?;
    for parameter in secret.captures_iter(template) {
        if !parameter[2].contains("NoEcho: true") {
            found.push(format!("{} would be shown", &parameter[1]));
        }
    }
    Ok(found)
}

#[test]
fn the_lambda_template_keeps_its_promises() -> Result<()> {
    let found = faults(&tree::read(FILE)?)?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn each_fault_of_the_lambda_template_is_reported() -> Result<()> {
    let template = tree::read(FILE)?;
    let cases = [
        (
            "            FunctionResponseTypes: [ReportBatchItemFailures]\n",
            "",
        ),
        ("        deadLetterTargetArn: !GetAtt DeadLetters.Arn\n", ""),
        ("VisibilityTimeout: 5400", "VisibilityTimeout: 900"),
        ("CodeUri: build/send-email/", "CodeUri: build/send-mail/"),
        ("FFMPEG_PATH:", "FFMPEG:"),
        ("FN_HOST: lambda", "FN_HOST: http"),
        (
            "  ReplicateApiToken:\n    Type: String\n    NoEcho: true\n",
            "  ReplicateApiToken:\n    Type: String\n",
        ),
    ];
    for (from, to) in cases {
        ensure!(
            template.contains(from),
            "the example needs {from:?} in the file"
        );
        let found = faults(&template.replacen(from, to, 1))?;
        assert_eq!(found.len(), 1, "{to:?}: {found:?}");
    }
    Ok(())
}
