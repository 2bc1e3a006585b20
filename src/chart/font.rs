//! The one typeface of all charts: Inter, reduced to Latin-1 and the signs that charts use.
//!
//! It is part of the program, so that a PNG has words on a machine without any font, and the same ones everywhere. An
//! SVG names it and falls back on what the viewer has; both are laid out with its widths.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, point};

/// The families an SVG asks for, the closest first.
pub(super) const FAMILIES: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

// `None` cannot happen (a test loads the file), but words are not worth a panic.
static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("../../assets/inter-latin.ttf")).ok());

/// How wide the words are at a size in page units per em.
pub(super) fn width(words: &str, size: f64) -> f64 {
    let units = match FONT.as_ref() {
        Some(font) => words.chars().map(|c| advance(font, c)).sum(),
        None => 0.6 * words.chars().count() as f64,
    };
    units * size
}

/// The advance of a character in ems.
fn advance(font: &FontRef<'_>, c: char) -> f64 {
    let units = font.units_per_em().unwrap_or(2048.0);
    f64::from(font.h_advance_unscaled(font.glyph_id(c)) / units)
}

/// Calls `draw` with right, down and coverage for each pixel of the words, which start at `at` on their baseline.
pub(super) fn pixels(words: &str, at: (f64, f64), size: f64, mut draw: impl FnMut(i32, i32, f64)) {
    let Some(font) = FONT.as_ref() else { return };
    // ab_glyph scales by the height from descent to ascent, not by the em.
    let scale = PxScale::from(size as f32 * font.height_unscaled() / font.units_per_em().unwrap_or(2048.0));
    let mut right = at.0;
    for c in words.chars() {
        let glyph = Glyph { id: font.glyph_id(c), scale, position: point(right as f32, at.1 as f32) };
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            let (left, top) = (corner.x as i32, corner.y as i32);
            outline.draw(|x, y, coverage| {
                draw(
                    left.saturating_add_unsigned(x),
                    top.saturating_add_unsigned(y),
                    f64::from(coverage.clamp(0.0, 1.0)),
                );
            });
        }
        right += size * advance(font, c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_has_the_signs_that_charts_use() {
        let font = FONT.as_ref().expect("the embedded font loads");
        for c in "0123456789eE+-−.,…±×·αβγ²₂≤≥éüß→".chars() {
            assert_ne!(font.glyph_id(c).0, 0, "`{c}` is missing");
        }
    }

    #[test]
    fn width_grows_with_size_and_words() {
        assert!((width("adamw", 24.0) - 2.0 * width("adamw", 12.0)).abs() < 1e-9);
        assert!(width("adamw, cosine", 12.0) > width("adamw", 12.0));
        assert!(width("0", 12.0) > 4.0);
    }

    #[test]
    fn words_leave_ink_between_their_ends() {
        let (mut ink, mut right) = (0.0, 0);
        pixels("lr", (10.0, 40.0), 32.0, |x, _, coverage| {
            ink += coverage;
            right = right.max(x);
        });
        assert!(ink > 50.0);
        assert!(f64::from(right) <= 11.0 + width("lr", 32.0));
    }
}
