//! One raw picture (planar YUV 4:2:0, full range, the colours of JPEG) and its JPEG.

use jpeg_encoder::{Encoder, EncodingError, ImageBuffer, JpegColorType, SamplingFactor};

/// Even sides; the planes follow each other.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) planes: Vec<u8>,
}

impl Picture {
    pub(crate) fn black(width: usize, height: usize) -> Self {
        let mut planes = vec![0; width * height];
        planes.resize(width * height * 3 / 2, 128);
        Self {
            width,
            height,
            planes,
        }
    }

    pub(crate) fn luma(&self) -> &[u8] {
        &self.planes[..self.width * self.height]
    }

    /// Each plane with its width and height.
    pub(crate) fn parts(&self) -> [(usize, usize, usize); 3] {
        let (luma, chroma) = (self.width * self.height, self.width * self.height / 4);
        [
            (0, self.width, self.height),
            (luma, self.width / 2, self.height / 2),
            (luma + chroma, self.width / 2, self.height / 2),
        ]
    }

    pub(crate) fn jpeg(&self, quality: u8) -> Result<Vec<u8>, EncodingError> {
        let mut bytes = Vec::with_capacity(self.planes.len() / 8);
        let mut encoder = Encoder::new(&mut bytes, quality);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode_image(Rows(self))?;
        Ok(bytes)
    }
}

struct Rows<'a>(&'a Picture);

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        u16::try_from(self.0.width).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::try_from(self.0.height).unwrap_or(u16::MAX)
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let y = usize::from(y);
        let [luma, blue, red] = self.0.parts();
        let row = |(start, width, _): (usize, usize, usize), y: usize| {
            &self.0.planes[start + y * width..start + (y + 1) * width]
        };
        buffers[0].extend_from_slice(row(luma, y));
        // The encoder averages two by two again, which gives back exactly these values.
        for (buffer, part) in buffers[1..].iter_mut().zip([blue, red]) {
            buffer.extend(row(part, y / 2).iter().flat_map(|value| [*value, *value]));
        }
    }
}
