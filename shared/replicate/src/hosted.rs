//! The hosted models whose answers were verified, with the version that was read.

use shared_domain::Task;

use crate::Adapter;

/// A hosted model and how to speak with it.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) model: &'static str,
    pub(crate) version: &'static str,
    pub(crate) adapter: Adapter,
    /// What its answers say something of, shown a frame or the sound.
    pub(crate) tasks: &'static [Task],
    pub(crate) file_field: &'static str,
    /// The other input fields, as JSON.
    pub(crate) fixed: &'static str,
    /// What it was seen to run on, or the T4 where that is not known.
    pub(crate) hardware: &'static str,
    /// How long it usually works on one frame, or on one second of sound.
    pub(crate) seconds: f64,
}

/// What is used unless the settings choose otherwise. Nothing verified looks for violence by itself.
pub(crate) const DEFAULTS: [(Task, &str); 4] = [
    // The only one that gives word times without a second account.
    (Task::Speech, "thomasmol/whisper-diarization"),
    (Task::Nudity, "falcons-ai/nsfw_image_detection"),
    (Task::Objects, "adirik/grounding-dino"),
    // The only one with boxes and scores.
    (Task::Text, "hexiaochun/pp-ocr-v4"),
];

/// Its dictionary is Chinese and English; a report has to say so.
pub(crate) const READS_NO_RUSSIAN: &str = "hexiaochun/pp-ocr-v4";

const T4: &str = "gpu-t4";
const L40S: &str = "gpu-l40s";
const CPU: &str = "cpu";

const SPEECH: &[Task] = &[Task::Speech];
const NUDITY: &[Task] = &[Task::Nudity];
const OBJECTS: &[Task] = &[Task::Objects];
const TEXT: &[Task] = &[Task::Text];
/// The phrases name weapons and blood too.
const PHRASES: &[Task] = &[Task::Objects, Task::Violence];
const DOUBT: &[Task] = &[Task::Violence, Task::Context];
/// It wants the whole video and says not when: its answers can be read and are of no use here.
const NOTHING: &[Task] = &[];

/// Phrases for open-vocabulary detection, with the separator that both families take.
macro_rules! phrases {
    () => {
        "knife, gun, rifle, grenade, blood, alcohol bottle, beer glass, wine glass, cigarette, \
         cigar, vape, hookah, syringe, pills, cannabis leaf, swastika, brand logo"
    };
}

/// Asks a model that writes prose for one small object.
macro_rules! prompt {
    () => {
        "Look at the picture. Answer with one JSON object and nothing else: \
         {\\\"violence\\\": p, \\\"blood\\\": p, \\\"weapon\\\": p}, \
         where each p is the probability from 0 to 1 that the picture shows it."
    };
}

macro_rules! hosted {
    ($model:literal, $version:literal, $adapter:ident, $tasks:expr, $field:literal, $hardware:expr, $seconds:literal, $fixed:expr) => {
        Hosted {
            model: $model,
            version: $version,
            adapter: Adapter::$adapter,
            tasks: $tasks,
            file_field: $field,
            fixed: $fixed,
            hardware: $hardware,
            seconds: $seconds,
        }
    };
}

/// Every model that an override may name. Models that judge a text by itself (`meta/meta-llama-guard-2-8b`,
/// `meta/llama-guard-3-8b`, `meta/llamaguard-7b`, `atrifat/hate-speech-detector`, `fofr/prompt-classifier`)
/// have adapters but no entry: no task shows a model a text. Seconds are what was
/// measured by somebody, or a guess on the high side: they only decide what a question reserves.
#[rustfmt::skip]
pub(crate) const KNOWN: &[Hosted] = &[
    hosted!("openai/whisper", "8099696689d249cf8b122d833c36ac3f75505c666a395ca40ef26f68e7d3d16e",
        Whisper, SPEECH, "audio", T4, 0.1, r#"{"condition_on_previous_text": false}"#),
    hosted!("thomasmol/whisper-diarization", "cbd15da9f839c5f932742f86ce7def3a03c22e2b4171d42823e83e314547003f",
        WhisperDiarization, SPEECH, "file_url", T4, 0.1, r#"{"transcript_output_format": "both"}"#),
    hosted!("vaibhavs10/incredibly-fast-whisper", "3ab86df6c8f54c11309d4d1f930ac292bad43ace52d10c80d87eb258b3c9f79c",
        FastWhisper, SPEECH, "audio", L40S, 0.05, r#"{"timestamp": "word"}"#),
    hosted!("victor-upmeet/whisperx", "84d2ad2d6194fe98a17d2b60bef1c7f910c46b2f6fd38996ca457afd9c8abfcb",
        Whisperx, SPEECH, "audio_file", L40S, 0.05, r#"{"align_output": true}"#),
    hosted!("falcons-ai/nsfw_image_detection", "97116600cabd3037e5f22ca08ffcc33b92cfacebf7ccd3609e9c1d29e43d3a8d",
        NsfwString, NUDITY, "image", T4, 0.6, "{}"),
    hosted!("lucataco/nsfw_video_detection", "e0149cb35cb08f59d0edefcacfc3dffc0de97c0fcd43e2a847da7c18aef1f6df",
        NsfwString, NOTHING, "video", T4, 0.6, "{}"),
    hosted!("zsxkib/stable-diffusion-safety-checker", "8b5d150f3203e94cea146de593213f812fd3211993ac5dde89955783c5918583",
        SafetyChecker, NUDITY, "image", T4, 1.0, "{}"),
    hosted!("m1guelpf/nsfw-filter", "88c3624a13d60bb5ecd0cb215e49e39d2a2135c211bcb94fc801d3def46803c4",
        NsfwFilter, NUDITY, "image", T4, 1.0, "{}"),
    hosted!("adirik/grounding-dino", "efd10a8ddc57ea28773327e881ce95e20cc1d734c589f7dd01d2036921ed78aa",
        GroundingDino, PHRASES, "image", T4, 1.5, concat!(r#"{"show_visualisation": false, "query": ""#, phrases!(), r#""}"#)),
    hosted!("zsxkib/yolo-world", "d232445620610b78671a7f288f37bf3baec831537503e9064afcf0bfd0f0a151",
        YoloWorld, PHRASES, "input_media", L40S, 1.2, concat!(r#"{"return_json": true, "class_names": ""#, phrases!(), r#""}"#)),
    hosted!("franz-biz/yolo-world-xl", "fd1305d3fc19e81540542f51c2530cf8f393e28cc6ff4976337c3e2b75c7c292",
        YoloWorld, PHRASES, "input_media", L40S, 1.2, concat!(r#"{"return_json": true, "class_names": ""#, phrases!(), r#""}"#)),
    hosted!("adirik/owlvit-base-patch32", "5e899f155a1913c4b7304d09082d842ca7fe6cb1f22e066c83eb1d7849dc37c2",
        Owlvit, PHRASES, "image", T4, 1.5, concat!(r#"{"show_visualisation": false, "query": ""#, phrases!(), r#""}"#)),
    hosted!("lucataco/florence-2-large", "da53547e17d45b9cfb48174b2f18af8b83ca020fa76db62136bf9c6616762595",
        FlorenceObjects, OBJECTS, "image", L40S, 2.0, r#"{"task_input": "Object Detection"}"#),
    hosted!("shubhamai/yolov10", "e387e93e8f7f55fa5ae21e94585cfae5361468376c45fc874defa1dd5ca67f5d",
        Yolov10, OBJECTS, "image", T4, 1.5, "{}"),
    hosted!("abiruyt/text-extract-ocr", "a524caeaa23495bc9edc805ab08ab5fe943afd3febed884a4f3747aa32e9cd61",
        TextExtractOcr, TEXT, "image", CPU, 1.6, "{}"),
    hosted!("hexiaochun/pp-ocr-v4", "084b779cb09bc2462335a5768fabaeaaba53bb3f70afd0d2fe48fad71fdc4d5a",
        PpOcr, TEXT, "image", T4, 1.5, "{}"),
    hosted!("lucataco/moondream2", "72ccb656353c348c1385df54b237eeb7bfa874bf11486cf0b9473e691b662d31",
        Prose, DOUBT, "image", L40S, 2.5, concat!(r#"{"prompt": ""#, prompt!(), r#""}"#)),
    hosted!("yorickvp/llava-13b", "80537f9eead1a5bfa72d5ac6ea6414379be41d4d4f6679fd776e9535d1eb58bb",
        Prose, DOUBT, "image", L40S, 3.0, concat!(r#"{"prompt": ""#, prompt!(), r#""}"#)),
    hosted!("lucataco/qwen2-vl-7b-instruct", "bf57361c75677fc33d480d0c5f02926e621b2caa2000347cb74aeae9d2ca07ee",
        Prose, DOUBT, "media", L40S, 4.5, concat!(r#"{"max_new_tokens": 256, "prompt": ""#, prompt!(), r#""}"#)),
    hosted!("meta/llama-guard-3-11b-vision", "21d9a2579c40ab00a401cd487c6fab3b3053ef582eb5c9ca06920c1c76bdebf1",
        LlamaGuard, DOUBT, "image", L40S, 2.0, r#"{"prompt": "What does this picture show?"}"#),
];
