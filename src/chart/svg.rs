//! A scene as the text of an SVG file.

use std::fmt::Write as _;

use super::font;
use super::palette::Color;
use super::scene::{Anchor, Point, Scene, Shape};

/// The file, with a line for each shape.
pub(super) fn render(scene: &Scene) -> String {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"{}\" role=\"img\">\n<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
        font::FAMILIES,
        escape(&scene.title),
    );
    for shape in &scene.shapes {
        svg.push_str(&element(shape));
        svg.push('\n');
    }
    svg.push_str("</svg>\n");
    svg
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Line { points, color, width, dash } => {
            let mut dashes = String::new();
            if !dash.pattern().is_empty() {
                let lengths: Vec<String> = dash.pattern().iter().map(|l| number(*l)).collect();
                dashes = format!(" stroke-dasharray=\"{}\"", lengths.join(" "));
            }
            format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes}/>",
                places(points),
                hex(*color),
                number(*width),
            )
        }
        Shape::Area { points, color, opacity } => {
            let opacity =
                if *opacity < 1.0 { format!(" fill-opacity=\"{}\"", number(*opacity)) } else { String::new() };
            format!("<polygon points=\"{}\" fill=\"{}\"{opacity}/>", places(points), hex(*color))
        }
        Shape::Disc { center, radius, color } => {
            let (x, y) = (number(center.0), number(center.1));
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{}\" fill=\"{}\"/>", number(*radius), hex(*color))
        }
        Shape::Hint { at, words } => {
            let (x, y) = (number(at.0), number(at.1));
            format!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"7\" fill=\"transparent\"><title>{}</title></circle>",
                escape(words)
            )
        }
        Shape::Group { of, shapes } => {
            let inside: Vec<String> = shapes.iter().map(element).collect();
            format!("<g data-series=\"{}\">\n{}\n</g>", escape(of), inside.join("\n"))
        }
        Shape::Text { words, at, size, color, anchor, upward } => {
            let (x, y) = (number(at.0), number(at.1));
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let turn = if *upward { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            let (size, color) = (number(*size), hex(*color));
            format!(
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{color}\"{anchor}{turn}>{}</text>",
                escape(words)
            )
        }
    }
}

fn places(points: &[Point]) -> String {
    let mut text = String::with_capacity(12 * points.len());
    for (i, (x, y)) in points.iter().enumerate() {
        let gap = if i == 0 { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{gap}{},{}", number(*x), number(*y));
    }
    text
}

/// A hundredth of a unit is finer than any screen; the same digits everywhere.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn hex(Color(red, green, blue): Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text for XML, without the control characters that no XML file may contain.
fn escape(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([number(1.0), number(-0.001), number(2.5), number(100.0)], ["1", "0", "2.5", "100"]);
    }

    #[test]
    fn words_cannot_break_the_file() {
        assert_eq!(escape("a<b & \"c\">\u{7}\n"), "a&lt;b &amp; &quot;c&quot;&gt;  ");
    }
}
