//! Where text stands in a picture, in any script.

use std::path::Path;

use super::regions::{Region, regions};
use crate::engine::Engine;
use crate::vision::VisionError;
use crate::vision::net::Net;
use crate::vision::picture::{Layout, Levels, Picture};

const NAME: &str = "PP-OCR detection";
/// The network halves its input five times.
const STEP: usize = 32;
/// Boxes narrower than this in the picture hold nothing that can be read.
const THINNEST: f32 = 8.0;

const LEVELS: Levels = Levels {
    blue_first: true,
    mean: [127.5; 3],
    std: [127.5; 3],
    layout: Layout::Planes,
};

/// The network that finds lines.
#[derive(Debug)]
pub(super) struct Detector {
    net: Net,
    /// Length of the longer side at which it looks.
    side: usize,
}

impl Detector {
    pub(super) fn load(file: &Path, side: usize, engine: &Engine) -> Result<Self, VisionError> {
        let net = Net::load(NAME, file, engine)?;
        Ok(Self { net, side })
    }

    /// Lines in pixels of the picture, top to bottom.
    pub(super) fn find(&self, picture: &Picture) -> Result<Vec<Region>, VisionError> {
        let [width, height] = self.size(picture);
        let input = picture.resized(width, height)?.levels(&LEVELS);
        let answers = self.net.run(&[1, 3, height, width], &input)?;
        let map = answers.first().map(|answer| answer.values.as_slice());
        let map = map.filter(|map| map.len() == width * height);
        let map = map.ok_or_else(|| VisionError::shape(NAME))?;
        #[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
        let scale = [
            picture.width as f32 / width as f32,
            picture.height as f32 / height as f32,
        ];
        let mut found = regions(map, width);
        for region in &mut found {
            region.rect = region.rect.scaled(scale);
        }
        found.retain(|region| region.rect.width.min(region.rect.height) >= THINNEST);
        Ok(found)
    }

    /// Both sides in steps of the network, proportions kept as well as these allow.
    fn size(&self, picture: &Picture) -> [usize; 2] {
        let long = picture.width.max(picture.height);
        // Small pictures are enlarged, at most twofold: there is nothing more to see in them.
        let target = self.side.min(long * 2);
        let fit = |side: usize| {
            let scaled = side * target / long;
            ((scaled + STEP / 2) / STEP * STEP).max(STEP)
        };
        [fit(picture.width), fit(picture.height)]
    }
}
