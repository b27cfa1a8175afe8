//! The commands about packs, and judging again.

use std::path::PathBuf;

use clap::Subcommand;
use uuid::Uuid;

use crate::policy::{TryText, Words};

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Every version of every pack, and which of them judge today.
    List,
    /// Read a pack and tell line and reason of what is wrong; ends with 1 then.
    Check(PackFile),
    /// Check a pack and put it beside the others: it judges from its first day on.
    Add(PackFile),
    /// Judge the videos to come of a project by a pack.
    Use {
        /// The pack.
        #[arg(value_name = "ID")]
        pack: String,
        /// The project.
        #[arg(value_name = "PROJECT")]
        project: Uuid,
    },
    /// What would change for the stored videos; nothing is written and no model is asked.
    Diff {
        /// A pack or a file: how it is.
        #[arg(value_name = "A")]
        old: String,
        /// A pack or a file: how it would be.
        #[arg(value_name = "B")]
        new: String,
    },
    /// What the lists of words and the detector of advertising find in a text, and why.
    Try(TryText),
    /// The words that a project permits or forbids.
    Words(Words),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PackFile {
    /// A pack as YAML.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rescore {
    /// Judge by this pack from now on; by each video's own without it.
    #[arg(long, visible_alias = "pack", value_name = "ID")]
    pub(crate) policy: Option<String>,
    /// Every video that has a report.
    #[arg(long, required_unless_present = "videos", conflicts_with = "videos")]
    pub(crate) all: bool,
    /// The videos.
    #[arg(value_name = "VIDEO")]
    pub(crate) videos: Vec<Uuid>,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::Args;

    #[test]
    fn a_rescore_names_videos_or_all_of_them() {
        let parse = |args: &[&str]| {
            let line = ["compliance", "rescore"].iter().chain(args).copied();
            Args::try_parse_from(line).map_err(|error| error.exit_code())
        };
        let id = "018f0000-0000-7000-8000-000000000001";
        for right in [&["--all"][..], &[id], &["--pack", "ru-436-fz", id, id]] {
            assert!(parse(right).is_ok(), "{right:?}");
        }
        for wrong in [&[][..], &[id, "--all"], &["7"]] {
            assert_eq!(parse(wrong).err(), Some(2), "{wrong:?}");
        }
    }
}
