//! A scene as a PNG file, at twice its size.
//!
//! plotters keeps the pixels. Its own lines and words stand on whole pixels, which shows on thin lines
//! and letters; here both are filled with the exact share of each pixel that they cover.

use plotters::prelude::{BitMapBackend, Color as _, DrawingBackend, RGBColor};

use super::Error;
use super::font;
use super::palette::Color;
use super::path::dashes;
use super::scene::{Anchor, Point, Scene, Shape};

const SCALE: f64 = 2.0;
/// Each channel of an empty page.
const WHITE_LEVEL: u8 = 0xff;
/// Lines through each row of pixels along which coverage is measured.
const SUBROWS: i32 = 5;

/// Draws the scene and encodes it.
pub(super) fn render(scene: &Scene) -> Result<Vec<u8>, Error> {
    let (width, height) = ((scene.width * SCALE) as u32, (scene.height * SCALE) as u32);
    let mut pixels = vec![WHITE_LEVEL; 3 * (width * height) as usize];
    {
        let backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        let mut canvas = Canvas { backend, size: (width as i32, height as i32), row: vec![0.0; width as usize] };
        for shape in &scene.shapes {
            canvas.draw(shape);
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| Error::Draw(error.to_string()))?;
    Ok(file)
}

struct Canvas<'a> {
    backend: BitMapBackend<'a>,
    size: (i32, i32),
    /// The coverage of one row of pixels; all zero between two rows.
    row: Vec<f64>,
}

impl Canvas<'_> {
    fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Line { points, color, width, dash } => {
                for stroke in dashes(points, dash.pattern()) {
                    self.stroke(&stroke, *color, *width);
                }
            }
            Shape::Area { points, color, opacity } => self.fill(points, *color, *opacity),
            Shape::Disc { center, radius, color } => self.disc(*center, *radius, *color),
            Shape::Hint { .. } => {}
            Shape::Group { shapes, .. } => shapes.iter().for_each(|shape| self.draw(shape)),
            Shape::Text { words, at, size, color, anchor, upward } => {
                let width = font::width(words, *size);
                let back = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => 0.5 * width,
                    Anchor::End => width,
                };
                let (x, y) = (at.0 * SCALE, at.1 * SCALE);
                // Words that run upward are drawn around the origin and turned pixel by pixel.
                let start = if *upward { (-back * SCALE, 0.0) } else { (x - back * SCALE, y) };
                font::pixels(words, start, size * SCALE, |right, down, coverage| {
                    let place = if *upward { (x as i32 + down, y as i32 - right) } else { (right, down) };
                    self.blend(place, *color, coverage);
                });
            }
        }
    }

    /// A line with round joints.
    fn stroke(&mut self, points: &[Point], color: Color, width: f64) {
        let half = 0.5 * width;
        for pair in points.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let length = (b.0 - a.0).hypot(b.1 - a.1);
            if length > 1e-9 {
                let (nx, ny) = (half * (a.1 - b.1) / length, half * (b.0 - a.0) / length);
                let corners = [(a.0 + nx, a.1 + ny), (b.0 + nx, b.1 + ny), (b.0 - nx, b.1 - ny), (a.0 - nx, a.1 - ny)];
                self.fill(&corners, color, 1.0);
            }
        }
        if points.len() > 2 {
            for joint in &points[1..points.len() - 1] {
                self.disc(*joint, half, color);
            }
        }
    }

    fn disc(&mut self, (x, y): Point, radius: f64, color: Color) {
        let corner = |i: u32| {
            let angle = f64::from(i) * std::f64::consts::TAU / 24.0;
            (x + radius * angle.cos(), y + radius * angle.sin())
        };
        self.fill(&(0..24).map(corner).collect::<Vec<_>>(), color, 1.0);
    }

    /// Fills an outline in page units by the even-odd rule.
    fn fill(&mut self, outline: &[Point], color: Color, opacity: f64) {
        let points: Vec<Point> = outline.iter().map(|(x, y)| (x * SCALE, y * SCALE)).collect();
        let (top, bottom) = points.iter().fold((f64::MAX, f64::MIN), |(t, b), p| (t.min(p.1), b.max(p.1)));
        let (left, right) = points.iter().fold((f64::MAX, f64::MIN), |(l, r), p| (l.min(p.0), r.max(p.0)));
        let columns = (left.floor() as i32).max(0)..(right.ceil() as i32).min(self.size.0);
        for y in (top.floor() as i32).max(0)..(bottom.ceil() as i32).min(self.size.1) {
            for sub in 0..SUBROWS {
                let height = f64::from(y) + (f64::from(sub) + 0.5) / f64::from(SUBROWS);
                let mut crossings = crossings(&points, height);
                crossings.sort_unstable_by(f64::total_cmp);
                for span in crossings.chunks_exact(2) {
                    self.cover(span[0].max(0.0), span[1].min(f64::from(self.size.0)));
                }
            }
            for x in columns.clone() {
                let coverage = std::mem::take(&mut self.row[x as usize]);
                self.blend((x, y), color, opacity * coverage / f64::from(SUBROWS));
            }
        }
    }

    /// Adds to the row how much of each pixel lies between two places.
    fn cover(&mut self, from: f64, to: f64) {
        let mut place = from;
        while place < to {
            let pixel = place as usize;
            let end = (pixel as f64 + 1.0).min(to);
            self.row[pixel] += end - place;
            place = end;
        }
    }

    fn blend(&mut self, place: (i32, i32), Color(red, green, blue): Color, share: f64) {
        if share > 0.0 {
            let color = RGBColor(red, green, blue).mix(share.min(1.0)).to_backend_color();
            // The picture in memory takes any pixel, and ignores those outside.
            let _ = self.backend.draw_pixel(place, color);
        }
    }
}

/// Where a horizontal line crosses an outline.
fn crossings(points: &[Point], height: f64) -> Vec<f64> {
    let before = points.iter().cycle().skip(points.len().saturating_sub(1));
    let sides = before.zip(points).filter(|(a, b)| (a.1 <= height) != (b.1 <= height));
    sides.map(|(a, b)| a.0 + (height - a.1) / (b.1 - a.1) * (b.0 - a.0)).collect()
}
