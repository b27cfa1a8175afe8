//! The broken files that the project's fixtures know to make.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Stage;
use crate::MediaError;

fn python(args: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut command = Command::new("python3");
    let output = command.args(args).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_broken_file_is_refused_by_its_name_or_says_what_is_lost() {
    let names = python(&["-c", "import broken; print(*broken.RECIPES)"]);
    let names: Vec<&str> = names.split_whitespace().collect();
    assert!(names.len() >= 14, "{names:?}");
    let folder = python(&[&["build.py"], names.as_slice()].concat());
    let folder = PathBuf::from(folder.trim());
    let mut stage = Stage::new();
    for name in names {
        let labels = std::fs::read(folder.join(format!("{name}.labels.json"))).unwrap();
        let labels: Value = serde_json::from_slice(&labels).unwrap();
        let outcome = stage.run(&folder.join(name)).await;
        if let Some(code) = labels["refused"].as_str() {
            let Err(MediaError::Refused(refusal)) = outcome else {
                panic!("{name} is not refused: {:?}", outcome.map(|o| o.extraction));
            };
            let found = Value::from(refusal.code());
            let other = labels["or"].as_array().unwrap().contains(&found);
            assert!(found == code || other, "{name}: {found}");
        } else {
            let gaps = outcome.unwrap().extraction.gaps;
            assert!(!gaps.picture.is_empty(), "{name}: {gaps:?}");
            assert!(!gaps.sound.is_empty(), "{name}: {gaps:?}");
        }
    }
}
