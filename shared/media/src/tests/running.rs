//! The process around it: cancelling, leaving nothing behind, missing programs.

use std::time::{Duration, Instant};

use shared_domain::Settings;
use tokio::sync::mpsc;

use super::Stage;
use crate::{Media, MediaConfig, MediaError, Plan};

const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// Command lines of ffmpeg processes that work in a folder.
fn processes(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let cwd = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if line.contains("ffmpeg") && cwd.to_string_lossy().contains(folder) {
            found.push(line);
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_call_kills_ffmpeg_and_removes_its_folder() {
    let mut stage = Stage::new();
    let args = format!("-f lavfi -i testsrc2=s=640x360:r=30:d=40 {H264}");
    let path = stage.make("long.mp4", &args);
    let source = stage.source(&path).await;
    let probe = stage.media.probe(&source).await.unwrap();
    let jobs = stage.path("jobs");
    let marker = jobs.to_str().unwrap().to_owned();
    let (sender, mut receiver) = mpsc::channel(1);
    let plan = Plan {
        fps: 5.0,
        progress: None,
    };
    {
        let extract = stage.media.extract(&source, &probe, &plan, sender);
        tokio::pin!(extract);
        tokio::select! {
            _ = &mut extract => panic!("it should still be running"),
            piece = receiver.recv() => assert!(piece.is_some()),
        }
        assert_eq!(processes(&marker).len(), 1);
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while !processes(&marker).is_empty() {
        assert!(Instant::now() < deadline, "{:?}", processes(&marker));
        tokio::task::yield_now().await;
    }
    assert_eq!(std::fs::read_dir(&jobs).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_reaches_the_end_and_folders_are_removed() {
    let mut stage = Stage::new();
    let path = stage.make(
        "a.mp4",
        &format!("-f lavfi -i testsrc=s=320x180:d=3 {H264}"),
    );
    let source = stage.source(&path).await;
    let probe = stage.media.probe(&source).await.unwrap();
    let (sender, mut receiver) = mpsc::channel(1);
    let (progress, watch) = tokio::sync::watch::channel(0.0);
    let plan = Plan {
        fps: 1.0,
        progress: Some(progress),
    };
    let drain = async { while receiver.recv().await.is_some() {} };
    let (extraction, ()) = tokio::join!(stage.media.extract(&source, &probe, &plan, sender), drain);
    extraction.unwrap();
    assert!(*watch.borrow() > 0.9);
    assert_eq!(std::fs::read_dir(stage.path("jobs")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_goes_away_ends_the_pass() {
    let mut stage = Stage::new();
    let path = stage.make(
        "a.mp4",
        &format!("-f lavfi -i testsrc=s=320x180:d=5 {H264}"),
    );
    let source = stage.source(&path).await;
    let probe = stage.media.probe(&source).await.unwrap();
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let plan = stage.media.plan();
    let error = stage
        .media
        .extract(&source, &probe, &plan, sender)
        .await
        .unwrap_err();
    assert!(matches!(error, MediaError::Abandoned), "{error:?}");
}

#[test]
fn a_missing_program_is_one_line_that_says_what_to_run() {
    let mut settings = Settings::default();
    settings.set("PATH", "/nowhere");
    let config = MediaConfig::read(&settings.reader());
    let error = Media::connect(config).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("apt-get install ffmpeg") && !text.contains('\n'),
        "{text}"
    );
    assert!(!error.is_transient());
}

/// A program that does as it is told when asked for its version, and then `does`.
#[cfg(target_os = "linux")]
fn stub(folder: &std::path::Path, name: &str, does: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    let script = format!("#!/bin/sh\n[ \"$1\" = -version ] && exit 0\n{does}\n");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decoder_that_dies_twice_is_the_files_fault_and_one_that_does_not_start_is_not() {
    let tools = tempfile::tempdir().unwrap();
    let crashes = stub(tools.path(), "crashes", "kill -SEGV $$");
    let mut stage = Stage::with(&[("FFMPEG_PATH", &crashes)]);
    let args = format!("-f lavfi -i testsrc=s=64x64:d=1 {H264}");
    let path = stage.make("fine.mp4", &args);
    let refusal = stage.refusal(&path).await;
    assert_eq!(refusal, shared_domain::Refusal::CrashesDecoder);

    let gone = stub(tools.path(), "gone", "exit 127");
    let mut stage = Stage::with(&[("FFMPEG_PATH", &gone)]);
    let path = stage.make("fine.mp4", &args);
    let error = stage.probe(&path).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_does_not_run_is_told_at_the_start_in_one_line() {
    let tools = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    let broken = tools.path().join("ffmpeg");
    std::fs::write(&broken, "no program\n").unwrap();
    settings.set("FFMPEG_PATH", broken.to_str().unwrap());
    settings.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    let error = Media::connect(MediaConfig::read(&settings.reader())).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, MediaError::Unusable { .. }), "{error:?}");
    assert!(
        text.starts_with("ffmpeg ") && !text.contains('\n'),
        "{text}"
    );
}

#[test]
fn impossible_settings_are_reported() {
    let mut settings = Settings::default();
    settings.set("FRAME_EXTRACTION_FPS", "0");
    settings.set("MAX_VIDEO_DURATION", "soon");
    let reader = settings.reader();
    MediaConfig::read(&reader);
    assert_eq!(reader.finish().unwrap_err().0.len(), 2);
}
