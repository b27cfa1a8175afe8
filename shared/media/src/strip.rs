//! The strip of thumbnails for the player's time line: one JPEG of tiles, row by row.

use crate::picture::Picture;

const COLUMNS: usize = 10;
const TILES: i64 = 100;
const TILE_SIDE: usize = 160;

#[derive(Debug)]
pub(crate) struct Strip {
    pub(crate) picture: Picture,
    pub(crate) columns: u32,
    pub(crate) rows: u32,
    pub(crate) interval_ms: i64,
    pub(crate) tile: (usize, usize),
    next: usize,
}

impl Strip {
    /// Tiles of a picture of this size, evenly spread over the duration.
    pub(crate) fn new(width: usize, height: usize, duration_ms: i64) -> Self {
        let interval_ms = (duration_ms / TILES).max(1000);
        let count = usize::try_from(duration_ms / interval_ms + 1)
            .unwrap_or(1)
            .max(1);
        let columns = count.min(COLUMNS);
        let rows = count.div_ceil(columns);
        let longest = width.max(height).max(1);
        let side = |side: usize| (side * TILE_SIDE / longest).max(2) & !1;
        let tile = (side(width), side(height));
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            picture: Picture::black(tile.0 * columns, tile.1 * rows),
            columns: number(columns),
            rows: number(rows),
            interval_ms,
            tile,
            next: 0,
        }
    }

    /// Takes the picture for every tile whose time has come.
    pub(crate) fn offer(&mut self, at_ms: i64, picture: &Picture) {
        let total = usize::try_from(self.columns * self.rows).unwrap_or(0);
        while self.next < total
            && i64::try_from(self.next)
                .unwrap_or(i64::MAX)
                .saturating_mul(self.interval_ms)
                <= at_ms
        {
            self.place(self.next, picture);
            self.next += 1;
        }
    }

    fn place(&mut self, index: usize, picture: &Picture) {
        let columns = usize::try_from(self.columns).unwrap_or(1);
        let (column, row) = (index % columns, index / columns);
        let parts = self.picture.parts().into_iter().zip(picture.parts());
        for (scale, ((start, width, _), (from, from_width, from_height))) in
            [1, 2, 2].into_iter().zip(parts)
        {
            let (w, h) = (self.tile.0 / scale, self.tile.1 / scale);
            for y in 0..h {
                let source = from + y * from_height / h * from_width;
                let target = start + (row * h + y) * width + column * w;
                for x in 0..w {
                    self.picture.planes[target + x] = picture.planes[source + x * from_width / w];
                }
            }
        }
    }
}
