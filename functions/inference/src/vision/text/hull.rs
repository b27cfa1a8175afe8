//! The smallest rectangle around points.

/// A rectangle at any angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) centre: [f32; 2],
    /// Unit vector in the direction of reading.
    pub(super) along: [f32; 2],
    /// Along the direction of reading.
    pub(super) width: f32,
    /// Across it.
    pub(super) height: f32,
}

impl Rect {
    /// An upright rectangle.
    pub(super) fn upright(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self {
            centre: [f32::midpoint(left, right), f32::midpoint(top, bottom)],
            along: [1.0, 0.0],
            width: right - left,
            height: bottom - top,
        }
    }

    /// Whether its sides are parallel to those of the picture.
    pub(super) fn is_upright(&self) -> bool {
        self.along[1].abs() < f32::EPSILON
    }

    /// Top left, top right, bottom right, bottom left, as the text is read.
    pub(super) fn corners(&self) -> [[f32; 2]; 4] {
        let [x, y] = self.along;
        let point = |along: f32, across: f32| {
            [
                self.centre[0] + x * along - y * across,
                self.centre[1] + y * along + x * across,
            ]
        };
        let (w, h) = (self.width / 2.0, self.height / 2.0);
        [point(-w, -h), point(w, -h), point(w, h), point(-w, h)]
    }

    /// The same in a picture scaled by these factors. A slight shear is ignored: the factors
    /// differ by the rounding of the input size only.
    pub(super) fn scaled(&self, by: [f32; 2]) -> Self {
        let [first, second, third, _] = self.corners().map(|[x, y]| [x * by[0], y * by[1]]);
        let (width, along) = between(first, second);
        let (height, _) = between(second, third);
        Self {
            centre: [self.centre[0] * by[0], self.centre[1] * by[1]],
            along,
            width,
            height,
        }
    }

    /// Larger by this on every side.
    pub(super) fn grown(&self, by: f32) -> Self {
        Self {
            width: self.width + 2.0 * by,
            height: self.height + 2.0 * by,
            ..*self
        }
    }

    pub(super) fn area(&self) -> f32 {
        self.width * self.height
    }
}

/// Distance and direction; along the picture where there is none.
fn between(from: [f32; 2], to: [f32; 2]) -> (f32, [f32; 2]) {
    let [x, y] = [to[0] - from[0], to[1] - from[1]];
    let length = x.hypot(y);
    if length > 0.0 {
        (length, [x / length, y / length])
    } else {
        (0.0, [1.0, 0.0])
    }
}

/// The smallest rectangle around the points, turned so that text in it is read left to right, or
/// upwards when it stands.
pub(super) fn smallest_rect(points: &[[f32; 2]]) -> Option<Rect> {
    let hull = convex_hull(points);
    let edges = hull.iter().zip(hull.iter().cycle().skip(1));
    edges
        .map(|(&from, &to)| around(&hull, between(from, to).1))
        .min_by(|a, b| a.area().total_cmp(&b.area()))
}

/// The rectangle around points with one side in the given direction.
fn around(points: &[[f32; 2]], direction: [f32; 2]) -> Rect {
    let along = level(direction);
    let project = |axis: [f32; 2]| {
        points.iter().fold((f32::MAX, f32::MIN), |(low, high), p| {
            let value = p[0] * axis[0] + p[1] * axis[1];
            (low.min(value), high.max(value))
        })
    };
    let across = [-along[1], along[0]];
    let (left, right) = project(along);
    let (top, bottom) = project(across);
    let (u, v) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
    Rect {
        centre: [along[0] * u + across[0] * v, along[1] * u + across[1] * v],
        along,
        width: right - left,
        height: bottom - top,
    }
}

/// Of the four directions of a rectangle's sides the one within 45° of the horizontal.
fn level([x, y]: [f32; 2]) -> [f32; 2] {
    let [x, y] = if x.abs() >= y.abs() { [x, y] } else { [-y, x] };
    if x < 0.0 { [-x, -y] } else { [x, y] }
}

/// Andrew's monotone chain.
fn convex_hull(points: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    sorted.dedup();
    if sorted.len() < 3 {
        return sorted;
    }
    let mut hull = half(sorted.iter().copied());
    hull.extend(half(sorted.iter().rev().copied()));
    hull
}

/// One side of the hull without its last point, with which the other side begins.
fn half(points: impl Iterator<Item = [f32; 2]>) -> Vec<[f32; 2]> {
    let mut chain: Vec<[f32; 2]> = Vec::new();
    for point in points {
        while let [.., a, b] = chain.as_slice() {
            let turn = (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]);
            if turn > 0.0 {
                break;
            }
            chain.pop();
        }
        chain.push(point);
    }
    chain.pop();
    chain
}
