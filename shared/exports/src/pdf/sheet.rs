//! Pages that are filled from top to bottom. Everything is placed first and drawn at the end, when it is
//! known how many pages there are.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::TextDirection;

use super::face::{Face, Faces};
use crate::error::ExportError;

/// A4, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 48.0;
const BOTTOM: f32 = 60.0;
/// Between two lines, in parts of the size.
const LEADING: f32 = 1.35;

pub(super) const LEFT: f32 = MARGIN;
pub(super) const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;

/// Red, green, blue.
pub(super) type Color = (u8, u8, u8);

pub(super) const INK: Color = (31, 35, 40);
pub(super) const SOFT: Color = (94, 102, 112);
pub(super) const LINE: Color = (210, 207, 200);

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) color: Color,
}

impl Style {
    pub(super) const fn new(size: f32, color: Color) -> Self {
        Self {
            size,
            bold: false,
            color,
        }
    }

    pub(super) const fn bold(size: f32, color: Color) -> Self {
        Self {
            size,
            bold: true,
            color,
        }
    }
}

enum Mark {
    Text(Point, Style, String),
    Fill(Rect, Color),
    Outline(Rect, Color),
    Picture(Rect, Image),
}

pub(super) struct Sheet<'a> {
    faces: &'a Faces,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(faces: &'a Faces) -> Self {
        Self {
            faces,
            pages: vec![Vec::new()],
            y: MARGIN,
        }
    }

    fn face(&self, style: Style) -> &'a Face {
        match style.bold {
            true => &self.faces.bold,
            false => &self.faces.regular,
        }
    }

    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Where the next thing goes.
    pub(super) fn y(&self) -> f32 {
        self.y
    }

    /// Goes to a place below.
    pub(super) fn down_to(&mut self, y: f32) {
        self.y = self.y.max(y);
    }

    pub(super) fn space(&mut self, height: f32) {
        self.y += height;
    }

    /// Begins a new page unless so much fits on this one.
    pub(super) fn keep(&mut self, height: f32) {
        if self.y + height > PAGE.1 - BOTTOM {
            self.new_page();
        }
    }

    pub(super) fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    /// A text across the page.
    pub(super) fn text(&mut self, text: &str, style: Style) {
        self.text_within(text, style, (LEFT, WIDTH));
    }

    /// A text in a column: left edge and width.
    pub(super) fn text_within(&mut self, text: &str, style: Style, (left, width): (f32, f32)) {
        let height = style.size * LEADING;
        for line in self.face(style).wrap(text, style.size, width) {
            self.keep(height);
            let baseline = Point::from_xy(left, self.y + style.size);
            self.put(Mark::Text(baseline, style, line));
            self.y += height;
        }
    }

    /// How high a text in a column is.
    pub(super) fn height(&self, text: &str, style: Style, width: f32) -> f32 {
        let lines = self.face(style).wrap(text, style.size, width).len();
        #[expect(clippy::cast_precision_loss, reason = "lines of a page")]
        let lines = lines as f32;
        lines * style.size * LEADING
    }

    /// A line across the page.
    pub(super) fn rule(&mut self) {
        self.fill((LEFT, self.y, WIDTH, 0.6), LINE);
    }

    /// Left, top, width, height.
    pub(super) fn fill(&mut self, place: (f32, f32, f32, f32), color: Color) {
        if let Some(rect) = rect(place) {
            self.put(Mark::Fill(rect, color));
        }
    }

    pub(super) fn outline(&mut self, place: (f32, f32, f32, f32), color: Color) {
        if let Some(rect) = rect(place) {
            self.put(Mark::Outline(rect, color));
        }
    }

    pub(super) fn picture(&mut self, place: (f32, f32, f32, f32), image: Image) {
        if let Some(rect) = rect(place) {
            self.put(Mark::Picture(rect, image));
        }
    }

    /// Draws every page with its number under it.
    pub(super) fn draw(self, document: &mut Document, name: &str) -> Result<(), ExportError> {
        let count = self.pages.len();
        let small = Style::new(8.0, SOFT);
        for (marks, number) in self.pages.iter().zip(1..) {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1);
            let settings =
                settings.ok_or_else(|| ExportError::Pdf("the page has no size".into()))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for mark in marks {
                self.draw_mark(&mut surface, mark);
            }
            let foot = Point::from_xy(LEFT, PAGE.1 - 30.0);
            self.draw_text(&mut surface, foot, small, name);
            let number = format!("{number} / {count}");
            let width = self.face(small).width(&number, small.size);
            let right = Point::from_xy(LEFT + WIDTH - width, PAGE.1 - 30.0);
            self.draw_text(&mut surface, right, small, &number);
            surface.finish();
            page.finish();
        }
        Ok(())
    }

    fn draw_mark(&self, surface: &mut Surface<'_>, mark: &Mark) {
        match mark {
            Mark::Text(at, style, text) => self.draw_text(surface, *at, *style, text),
            Mark::Fill(rect, color) => {
                surface.set_stroke(None);
                surface.set_fill(Some(fill(*color)));
                if let Some(path) = path(*rect) {
                    surface.draw_path(&path);
                }
            }
            Mark::Outline(rect, color) => {
                surface.set_fill(None);
                surface.set_stroke(Some(Stroke {
                    paint: paint(*color).into(),
                    width: 1.5,
                    ..Stroke::default()
                }));
                if let Some(path) = path(*rect) {
                    surface.draw_path(&path);
                }
                surface.set_stroke(None);
            }
            Mark::Picture(rect, image) => {
                if let Some(size) = Size::from_wh(rect.width(), rect.height()) {
                    let place = Transform::from_translate(rect.left(), rect.top());
                    surface.push_transform(&place);
                    surface.draw_image(image.clone(), size);
                    surface.pop();
                }
            }
        }
    }

    fn draw_text(&self, surface: &mut Surface<'_>, at: Point, style: Style, text: &str) {
        surface.set_stroke(None);
        surface.set_fill(Some(fill(style.color)));
        let font = self.face(style).font.clone();
        surface.draw_text(
            at,
            font,
            style.size,
            text,
            false,
            TextDirection::LeftToRight,
        );
    }
}

fn rect((left, top, width, height): (f32, f32, f32, f32)) -> Option<Rect> {
    Rect::from_xywh(left, top, width, height)
}

fn path(rect: Rect) -> Option<Path> {
    let mut builder = PathBuilder::new();
    builder.push_rect(rect);
    builder.finish()
}

fn paint((red, green, blue): Color) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

fn fill(color: Color) -> Fill {
    Fill {
        paint: paint(color).into(),
        opacity: NormalizedF32::ONE,
        ..Fill::default()
    }
}
