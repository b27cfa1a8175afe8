//! ONNX Runtime, the shared library that runs the models: one file per platform, out of its Python
//! wheel. It is fetched, verified and listed as weights are.

use super::WeightsError;
use super::manifest::{Conversion, Package, Part, Registry, Source, Stored, Weight};

const NAME: &str = "onnxruntime";
const VERSION: &str = "1.32.0";
const PURPOSE: &str = "runs the models";
const LICENCE: &str = "MIT";

/// What runs the models, whatever the platform. It is a part of their versions: another one rounds
/// otherwise.
pub(crate) const RUNTIME: [&str; 2] = [NAME, VERSION];

/// The library as it is built for one kind of machine.
struct Build {
    system: &'static str,
    processor: &'static str,
    weight: Weight,
}

const fn wheel(platform: &'static str, bytes: u64) -> Package {
    Package {
        registry: Registry::Pypi,
        name: NAME,
        version: VERSION,
        bytes,
        platform: Some(platform),
    }
}

static LINUX_X86: Package = wheel("manylinux_2_28_x86_64", 27_773_237);
static LINUX_ARM: Package = wheel("manylinux_2_28_aarch64", 23_195_070);
static MAC_ARM: Package = wheel("macosx_14_0_arm64", 22_506_162);

static BUILDS: [Build; 3] = [
    Build {
        system: "linux",
        processor: "x86_64",
        weight: Weight {
            name: NAME,
            purpose: PURPOSE,
            licence: LICENCE,
            sources: &[Source {
                name: "libonnxruntime.so.1.32.0",
                parts: &[Part {
                    package: &LINUX_X86,
                    path: "onnxruntime/capi/libonnxruntime.so.1.32.0",
                }],
                bytes: 34_824_680,
                sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
            }],
            conversion: Conversion::None,
            stored: &[Stored {
                path: "libonnxruntime.so.1.32.0",
                bytes: 34_824_680,
                sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
            }],
        },
    },
    Build {
        system: "linux",
        processor: "aarch64",
        weight: Weight {
            name: NAME,
            purpose: PURPOSE,
            licence: LICENCE,
            sources: &[Source {
                name: "libonnxruntime.so.1.32.0",
                parts: &[Part {
                    package: &LINUX_ARM,
                    path: "onnxruntime/capi/libonnxruntime.so.1.32.0",
                }],
                bytes: 27_165_936,
                sha256: "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
            }],
            conversion: Conversion::None,
            stored: &[Stored {
                path: "libonnxruntime.so.1.32.0",
                bytes: 27_165_936,
                sha256: "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
            }],
        },
    },
    Build {
        system: "macos",
        processor: "aarch64",
        weight: Weight {
            name: NAME,
            purpose: PURPOSE,
            licence: LICENCE,
            sources: &[Source {
                name: "libonnxruntime.1.32.0.dylib",
                parts: &[Part {
                    package: &MAC_ARM,
                    path: "onnxruntime/capi/libonnxruntime.1.32.0.dylib",
                }],
                bytes: 35_272_344,
                sha256: "fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7",
            }],
            conversion: Conversion::None,
            stored: &[Stored {
                path: "libonnxruntime.1.32.0.dylib",
                bytes: 35_272_344,
                sha256: "fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7",
            }],
        },
    },
];

/// The library for this machine, if there is one.
pub(super) fn find_library() -> Option<&'static Weight> {
    if cfg!(all(target_os = "linux", not(target_env = "gnu"))) {
        return None;
    }
    build_for(std::env::consts::OS, std::env::consts::ARCH)
}

fn build_for(system: &str, processor: &str) -> Option<&'static Weight> {
    let fits = |build: &&Build| build.system == system && build.processor == processor;
    BUILDS.iter().find(fits).map(|build| &build.weight)
}

/// The library for this machine; fails with why there is none and what to do.
pub(super) fn library() -> Result<&'static Weight, WeightsError> {
    find_library().ok_or(if cfg!(target_env = "musl") {
        WeightsError::StaticBuild
    } else {
        WeightsError::Platform {
            system: std::env::consts::OS,
            processor: std::env::consts::ARCH,
        }
    })
}

#[cfg(test)]
mod tests;
