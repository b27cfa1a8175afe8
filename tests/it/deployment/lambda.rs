//! What cfn-lint does not ask of the SAM template: that a failed message comes again alone, and settings' names.

use anyhow::{Context, Result, ensure};
use regex::Regex;

use crate::tree;

const FILE: &str = "infra/lambda/template.yaml";
/// Seconds for which `cleanup` keeps a finished row.
const KEPT: u64 = 7 * 24 * 60 * 60;

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
            continue;
        }
        if !body.contains("Policies: [!Ref MaySend]\n") {
            found.push(format!("{name}: what it leaves in the outbox calls nobody"));
        }
        let Some(fed) = queue.captures(body) else {
            continue;
        };
        if !body.contains("FunctionResponseTypes: [ReportBatchItemFailures]") {
            found.push(format!(
                "{name}: one failed message would bring back the whole batch"
            ));
        }
        let timeout = number(body, "Timeout")?.with_context(|| format!("{name}: Timeout"))?;
        let wrong = queue_faults(&resources, &fed[1], &function, timeout)?;
        found.extend(wrong.iter().map(|wrong| format!("{}: {wrong}", &fed[1])));
    }
    found.extend(settings_faults(template)?);
    Ok(found)
}

/// What is wrong with the queue of a function that may take so many seconds.
fn queue_faults(
    resources: &[(String, String)],
    queue: &str,
    function: &str,
    timeout: u64,
) -> Result<Vec<&'static str>> {
    let find = |wanted: &str| {
        let found = resources.iter().find(|(name, _)| name == wanted);
        found
            .map(|(_, body)| body)
            .with_context(|| wanted.to_owned())
    };
    let (settings, may_send) = (find(queue)?, find("MaySend")?);
    let mut found = Vec::new();
    // As the program puts it together from SQS_QUEUE_URL_PREFIX.
    let name = format!("QueueName: !Sub \"${{AWS::StackName}}-{function}\"\n");
    if !settings.contains(&name) || !may_send.contains(&format!("!GetAtt {queue}.Arn")) {
        found.push("nobody finds it, or may send to it");
    }
    if number(settings, "MessageRetentionPeriod")? >= Some(KEPT) {
        found.push("a message would outlive its row");
    }
    if !settings.contains("deadLetterTargetArn") {
        found.push("what fails for ever goes round for ever");
    }
    if number(settings, "VisibilityTimeout")? < Some(6 * timeout) {
        found.push("a message would be seen while it is worked on");
    }
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
    if !template.contains("/${AWS::AccountId}/${AWS::StackName}-\"\n") {
        found.push("SQS_QUEUE_URL_PREFIX ends as the queues' names begin".to_owned());
    }
    let secret = Regex::new(
        r"(?m)^  (\w*(?:Secret|Token|Password|Key|KeyId|DatabaseUrl)):\n((?:    .*\n)+)",
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
        ("      Policies: [!Ref MaySend]\n", ""),
        ("              - !GetAtt SendEmailQueue.Arn\n", ""),
        (
            "QueueName: !Sub \"${AWS::StackName}-on-upload\"",
            "QueueName: !Sub \"${AWS::StackName}-uploads\"",
        ),
        (
            "MessageRetentionPeriod: 345600",
            "MessageRetentionPeriod: 604800",
        ),
        ("${AWS::AccountId}/${AWS::StackName}-", "${AWS::AccountId}/"),
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
