//! Judges texts by the general pack, for `just bench accuracy`: a JSON object a line in (`said`,
//! `shown`), a list of findings a line out.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use shared_domain::{Detection, Task};
use shared_policy::{Dictionaries, Evidence, Pack, RuleVerdict, Trigger, evaluate};

/// How long each text is heard or seen.
const LENGTH_MS: i64 = 10_000;

#[derive(Deserialize)]
struct Asked {
    said: String,
    shown: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    category: &'a str,
    code: &'a str,
    task: Task,
    verdict: RuleVerdict,
    entry: &'a str,
    /// Characters of the text; `None` where it was too long to be quoted whole.
    start: Option<usize>,
    end: Option<usize>,
}

fn main() -> io::Result<()> {
    let dictionaries = Dictionaries::built_in().map_err(io::Error::other)?;
    let knows = |name: &str| dictionaries.find(name).is_some();
    let pack = Pack::general(knows).map_err(io::Error::other)?;
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line?)?;
        let texts = [(Task::Speech, asked.said), (Task::Text, asked.shown)];
        let detections: Vec<Detection> = texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(task, text)| detection(task, text))
            .collect();
        let judged = evaluate(&detections, &[], &pack, &dictionaries);
        let answers: Vec<Answer<'_>> = judged.triggers.iter().flat_map(answers).collect();
        serde_json::to_writer(&mut output, &answers)?;
        output.write_all(b"\n")?;
    }
    Ok(())
}

/// A text as a model that is sure of it gives it.
fn detection(task: Task, text: String) -> Detection {
    Detection {
        task,
        label: "text".into(),
        score: 1.0,
        start_ms: 0,
        end_ms: LENGTH_MS,
        bbox: None,
        text: Some(text),
        words: Vec::new(),
        object_key: task.as_str().into(),
    }
}

fn answers(trigger: &Trigger) -> impl Iterator<Item = Answer<'_>> {
    trigger.evidence.iter().map(|evidence| {
        let place = place(evidence);
        Answer {
            category: &trigger.category,
            code: &trigger.risk_code,
            task: trigger.task,
            verdict: trigger.verdict,
            entry: &evidence.label,
            start: place.map(|(start, _)| start),
            end: place.map(|(_, end)| end),
        }
    })
}

fn place(evidence: &Evidence) -> Option<(usize, usize)> {
    let is_whole = !evidence.text.as_deref()?.starts_with('…');
    evidence
        .highlight
        .filter(|_| is_whole)
        .map(|part| (part.start, part.end))
}
