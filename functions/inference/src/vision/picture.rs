//! Decoded pictures and what is done to them before a model sees them.
//!
//! Shrinking averages over every source pixel (a triangle as wide as the scale), as the programs do
//! with which the models were trained; plain bilinear sampling would lose thin strokes.

use std::io::Cursor;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{ImageFormat, ImageReader, Limits};

use super::VisionError;

/// 8K, either way up.
const MAX_PIXELS: u64 = 7680 * 4320;
/// Room for the decoder: pixels, and the coefficients of a progressive JPEG.
const MAX_DECODER_BYTES: u64 = 512 << 20;
/// Bars of a letterbox are this dark or darker, after the noise of compression.
const BLACK: u8 = 28;

/// Eight bits each of red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgb: Vec<u8>,
}

/// A part of a picture in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// How a picture lies in memory for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Channel by channel.
    Planes,
    /// Pixel by pixel.
    Pixels,
}

/// Which colour comes first, and what is done to each number: `(value - mean) / std`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    pub(super) blue_first: bool,
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    pub(super) layout: Layout,
}

impl Picture {
    /// Decodes a JPEG or PNG of at most 8K.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, VisionError> {
        let broken = |error: &dyn std::fmt::Display| {
            VisionError::Picture(format!("the picture cannot be decoded: {error}"))
        };
        let format = image::guess_format(bytes).ok();
        let known = format.filter(|f| matches!(f, ImageFormat::Jpeg | ImageFormat::Png));
        let Some(format) = known else {
            return Err(VisionError::Picture(
                "the file is neither a JPEG nor a PNG".to_owned(),
            ));
        };
        let open = || ImageReader::with_format(Cursor::new(bytes), format);
        let (width, height) = open().into_dimensions().map_err(|e| broken(&e))?;
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(VisionError::Picture(format!(
                "the picture is {width}×{height}, the limit is 8K"
            )));
        }
        let mut reader = open();
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_DECODER_BYTES);
        reader.limits(limits);
        let decoded = reader.decode().map_err(|e| broken(&e))?.into_rgb8();
        let (width, height) = (width as usize, height as usize);
        if width == 0 || height == 0 || decoded.as_raw().len() != width * height * 3 {
            return Err(broken(&"it has no pixels"));
        }
        Ok(Self {
            width,
            height,
            rgb: decoded.into_raw(),
        })
    }

    pub(super) fn black(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            rgb: vec![0; width * height * 3],
        }
    }

    pub(super) fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// A part of the picture, cut down to what lies inside.
    pub(super) fn cut(&self, area: Area) -> Self {
        let left = area.left.min(self.width - 1);
        let top = area.top.min(self.height - 1);
        let width = area.width.clamp(1, self.width - left);
        let height = area.height.clamp(1, self.height - top);
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in top..top + height {
            let from = (y * self.width + left) * 3;
            rgb.extend_from_slice(&self.rgb[from..from + width * 3]);
        }
        Self { width, height, rgb }
    }

    /// The whole picture in another size, proportions not kept.
    pub(super) fn resized(&self, width: usize, height: usize) -> Result<Self, VisionError> {
        let rgb = resize(
            &self.rgb,
            PixelType::U8x3,
            [self.width, self.height],
            [width, height],
        )?;
        Ok(Self { width, height, rgb })
    }

    /// A quarter turn against the clock.
    pub(super) fn turned(&self) -> Self {
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for x in (0..self.width).rev() {
            for y in 0..self.height {
                rgb.extend_from_slice(&self.pixel(x, y));
            }
        }
        Self {
            width: self.height,
            height: self.width,
            rgb,
        }
    }

    /// Brightness, 0 to 255.
    pub(super) fn grey(&self) -> Vec<u8> {
        let (pixels, _) = self.rgb.as_chunks::<3>();
        pixels.iter().map(|&pixel| luma(pixel)).collect()
    }

    /// What is left without black bars; the whole where nearly everything is black.
    pub(super) fn lit(&self) -> Area {
        let whole = Area {
            left: 0,
            top: 0,
            width: self.width,
            height: self.height,
        };
        let lit = |x: usize, y: usize| luma(self.pixel(x, y)) > BLACK;
        let row = |y: &usize| (0..self.width).step_by(4).any(|x| lit(x, *y));
        let (Some(top), Some(bottom)) = ((0..self.height).find(row), (0..self.height).rfind(row))
        else {
            return whole;
        };
        let column = |x: &usize| (top..=bottom).step_by(4).any(|y| lit(*x, y));
        let (Some(left), Some(right)) =
            ((0..self.width).find(column), (0..self.width).rfind(column))
        else {
            return whole;
        };
        let area = Area {
            left,
            top,
            width: right + 1 - left,
            height: bottom + 1 - top,
        };
        let large = area.width * 4 >= self.width && area.height * 4 >= self.height;
        if large { area } else { whole }
    }

    /// The numbers that a model takes.
    pub(super) fn levels(&self, levels: &Levels) -> Vec<f32> {
        let mut out = vec![0.0; self.rgb.len()];
        let area = self.width * self.height;
        let (pixels, _) = self.rgb.as_chunks::<3>();
        for (at, pixel) in pixels.iter().enumerate() {
            for channel in 0..3 {
                let colour = if levels.blue_first {
                    2 - channel
                } else {
                    channel
                };
                let place = match levels.layout {
                    Layout::Planes => channel * area + at,
                    Layout::Pixels => at * 3 + channel,
                };
                let value = f32::from(pixel[colour]);
                out[place] = (value - levels.mean[channel]) / levels.std[channel];
            }
        }
        out
    }
}

/// Resizes one-channel pixels.
pub(super) fn resize_grey(
    grey: &[u8],
    from: [usize; 2],
    to: [usize; 2],
) -> Result<Vec<u8>, VisionError> {
    resize(grey, PixelType::U8, from, to)
}

fn resize(
    pixels: &[u8],
    kind: PixelType,
    from: [usize; 2],
    to: [usize; 2],
) -> Result<Vec<u8>, VisionError> {
    let failed = |error: &dyn std::fmt::Display| VisionError::Run {
        model: "resizer",
        reason: error.to_string(),
    };
    let size = |value: usize| u32::try_from(value).map_err(|e| failed(&e));
    let source = ImageRef::new(size(from[0])?, size(from[1])?, pixels, kind);
    let source = source.map_err(|e| failed(&e))?;
    let mut target = Image::new(size(to[0])?, size(to[1])?, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|e| failed(&e))?;
    Ok(target.into_vec())
}

/// Brightness as television weighs it, in whole numbers.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = 77 * u16::from(r) + 150 * u16::from(g) + 29 * u16::from(b);
    sum.to_be_bytes()[0]
}
