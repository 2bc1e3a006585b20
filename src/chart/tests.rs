//! Whole charts, above all the ones that no one would draw on purpose.

use std::collections::HashSet;

use super::*;

fn chart(series: Vec<Series>) -> LineChart {
    LineChart {
        title: "Loss".into(),
        subtitle: None,
        x: Axis::new("step", Scale::Linear),
        y: Axis::new("loss", Scale::Log10),
        series,
        rules: Vec::new(),
    }
}

fn line(points: &[(f64, f64)]) -> Series {
    Series::new("adamw", Style::at(0, 0), points.to_vec())
}

/// The numbers of an SVG's attribute that holds places.
fn places(svg: &str) -> Vec<f64> {
    let attributes = svg.split("points=\"").skip(1).filter_map(|rest| rest.split('"').next());
    attributes.flat_map(|a| a.split([' ', ',']).map(|n| n.parse().expect("a number"))).collect()
}

#[test]
fn without_data_it_says_so() {
    for series in [vec![], vec![line(&[])], vec![line(&[(1.0, f64::NAN), (2.0, -1.0), (f64::INFINITY, 1.0)])]] {
        assert!(chart(series).to_svg().contains(">no data</text>"));
    }
}

#[test]
fn no_value_whatever_breaks_a_chart() {
    let strange = [0.0, -0.0, 1.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, 1e149];
    for x in [Scale::Linear, Scale::Log10] {
        for y in [Scale::Linear, Scale::Log10] {
            for a in strange {
                for b in strange {
                    let mut series = line(&[(a, b), (b, a), (1.0, 1.0), (a, a)]);
                    series.band = Some(vec![(a, b, a), (1.0, a, b), (2.0, b, b)]);
                    series.failures = vec![a, b];
                    for markers in [false, true] {
                        series.markers = markers;
                        let mut chart = chart(vec![series.clone()]);
                        (chart.x.scale, chart.y.scale) = (x, y);
                        chart.rules = vec![(a, "a".into())];
                        chart.y.range = Some((a, b));
                        let svg = chart.to_svg();
                        assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{a} {b}");
                        assert!(places(&svg).iter().all(|p| (-20.0..=1000.0).contains(p)), "{a} {b}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    let chart = chart(vec![line(&[(0.0, 1.0), (1.0, 0.1)])]);
    assert_eq!(chart.to_svg(), chart.clone().to_svg());
}

#[test]
fn failures_show_even_without_any_point() {
    let mut series = line(&[]);
    series.failures = vec![0.1, 0.3];
    let svg = chart(vec![series]).to_svg();
    assert!(svg.contains(">diverged</text>") && svg.contains(">no data</text>"));
}

#[test]
fn divergences_lie_in_a_row_for_each_arm_and_are_counted() {
    let diverged =
        |style, failures: &[f64]| Series { style, failures: failures.to_vec(), ..line(&[(0.0, 1.0), (9.0, 2.0)]) };
    let crosses = |series: Vec<Series>| {
        let svg = chart(series).to_svg();
        let strokes = svg.lines().filter(|line| line.starts_with("<polyline") && line.contains("stroke-width=\"2\""));
        (strokes.count() / 2, svg.contains(">3</text>"))
    };
    let (a, b) = (Style::at(0, 0), Style::at(0, 1));
    assert_eq!(crosses(vec![diverged(a, &[5.0, 5.0, 5.0])]), (1, true), "three at one place");
    assert_eq!(crosses(vec![diverged(a, &[5.0]), diverged(b, &[5.0]), diverged(a, &[2.0])]), (3, false));
}

#[test]
fn points_beyond_the_edge_have_arrows_and_error_bars_stand_beside_each_other() {
    let mut low = line(&[(1.0, 0.9), (2.0, 0.1)]);
    (low.markers, low.band) = (true, Some(vec![(1.0, 0.8, 0.95)]));
    let mut both = chart(vec![low.clone(), low]);
    both.x = both.x.whole();
    both.y = Axis { range: Some((0.5, 1.0)), ..Axis::new("accuracy (%)", Scale::Linear).percent() };
    let svg = both.to_svg();
    assert!(svg.contains(">adamw: step 2, accuracy 10.00%</title>"), "the value is at the edge");
    assert!(svg.contains(">adamw: step 1, accuracy 90.00% (80.00% to 95.00%)</title>") && svg.contains(">60</text>"));
    let arrows: HashSet<&str> =
        svg.lines().filter(|line| line.starts_with("<polygon") && line.matches(',').count() == 3).collect();
    assert_eq!(arrows.len(), 2, "one for each arm, side by side");
}

#[test]
fn a_lonely_point_is_visible() {
    assert!(chart(vec![line(&[(3.0, 0.5)])]).to_svg().matches("<circle").count() >= 4);
}

#[test]
fn a_million_points_stay_a_small_file() {
    let points: Vec<(f64, f64)> = (0..1_000_000).map(|i| (f64::from(i), 1.0 + f64::from(i % 7))).collect();
    let svg = chart(vec![line(&points)]).to_svg();
    assert!(svg.len() < 120_000, "{}", svg.len());
}

#[test]
fn many_or_long_entries_go_below_the_plot() {
    let height = |svg: String| svg.split("height=\"").nth(1).and_then(|r| r.split('"').next()?.parse::<f64>().ok());
    let named = |count: usize, name: &str| {
        let series = |i| Series::new(format!("{name} {i}"), Style::at(i, 0), vec![(0.0, 1.0), (1.0, 2.0)]);
        height(chart((0..count).map(series).collect()).to_svg())
    };
    assert_eq!(named(20, "sgd"), Some(550.0));
    assert!(named(40, "sgd") > Some(550.0));
    assert!(named(3, "a name that is much longer than what fits beside the plot") > Some(550.0));
    assert!(named(3000, "sgd") < Some(1200.0));
}

#[test]
fn saving_follows_the_extension() {
    let folder = std::env::temp_dir().join(format!("optbench-chart-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let chart = chart(vec![line(&[(0.0, 1.0), (1.0, 0.1)])]);
    chart.save(&folder.join("a.svg")).expect("an SVG");
    chart.save(&folder.join("a.png")).expect("a PNG");
    assert!(Picture::read(&std::fs::read(folder.join("a.png")).expect("the PNG")).coloured() > 0.0);
    assert!(matches!(chart.save(&folder.join("a.gif")), Err(Error::Extension { .. })));
    assert!(matches!(chart.save(&folder.join("none/a.png")), Err(Error::Write { .. })));
    assert!(matches!(chart.save(&folder.join("none/a.svg")), Err(Error::Write { .. })));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

/// A PNG, decoded.
struct Picture {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn read(file: &[u8]) -> Self {
        let mut reader = ::png::Decoder::new(file).read_info().expect("a header");
        let mut bytes = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut bytes).expect("pixels");
        assert_eq!((info.color_type, info.bit_depth), (::png::ColorType::Rgb, ::png::BitDepth::Eight));
        assert_eq!(bytes.len(), 3 * (info.width * info.height) as usize);
        Self { width: info.width as usize, pixels: bytes.as_chunks().0.to_vec() }
    }

    /// The pixels between two corners in the units of the SVG, which are two pixels long.
    fn between(&self, (left, top): (f64, f64), (right, bottom): (f64, f64)) -> Vec<[u8; 3]> {
        let columns = (2.0 * left) as usize..(2.0 * right).ceil() as usize;
        let rows = (2.0 * top) as usize..(2.0 * bottom).ceil() as usize;
        rows.flat_map(|y| columns.clone().map(move |x| self.pixels[y * self.width + x])).collect()
    }

    /// The share of pixels that are neither white nor grey.
    fn coloured(&self) -> f64 {
        let coloured = |[red, green, blue]: &&[u8; 3]| red != green || green != blue;
        self.pixels.iter().filter(coloured).count() as f64 / self.pixels.len() as f64
    }
}

#[test]
fn a_png_shows_what_the_svg_says() {
    let wave = |height: f64| (0..40).map(|i| (f64::from(i), height + (0.3 * f64::from(i)).sin())).collect();
    let series = |place: usize, label: &str| Series::new(label, Style::at(place, 0), wave(2.0 + 3.0 * place as f64));
    let mut chart = chart(vec![series(0, "adamw"), series(1, "sgd")]);
    chart.subtitle = Some("two waves".into());
    let svg = chart.to_svg();
    let picture = Picture::read(&Chart::from(chart).to_png().expect("a PNG"));
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let size = |name: &str| document.root_element().attribute(name).and_then(|size| size.parse::<f64>().ok()).unwrap();
    assert_eq!(
        (picture.width, picture.pixels.len() / picture.width),
        (2 * size("width") as usize, 2 * size("height") as usize)
    );
    assert!((0.002..0.1).contains(&picture.coloured()), "thin lines on white: {}", picture.coloured());
    // Wherever the SVG leads a line of a series, the PNG has its colour.
    let mut points = 0;
    for (color, [red, green, blue]) in [("#0072b2", [0x00, 0x72, 0xb2]), ("#d55e00", [0xd5, 0x5e, 0x00])] {
        let lines = document.descendants().filter(|node| node.attribute("stroke") == Some(color));
        for pair in lines.flat_map(|line| line.attribute("points").unwrap_or_default().split(' ')) {
            let (x, y) = pair.split_once(',').expect("a pair");
            let (x, y) = (x.parse::<f64>().expect("a number"), y.parse::<f64>().expect("a number"));
            let around = picture.between((x - 1.0, y - 1.0), (x + 1.0, y + 1.0));
            let near = |pixel: &[u8; 3]| pixel.iter().zip([red, green, blue]).all(|(a, b)| a.abs_diff(b) < 40);
            assert!(around.iter().any(near), "nothing of {color} at {x},{y}");
            points += 1;
        }
    }
    assert!(points > 40, "both lines were followed: {points} points");
    // Every word that lies flat is written where the SVG says, in its colour, and its paper is white in between.
    let mut words = 0;
    for text in document.descendants().filter(|node| node.has_tag_name("text") && !node.has_attribute("transform")) {
        let number = |name: &str| text.attribute(name).and_then(|value| value.parse::<f64>().ok()).expect("a number");
        let (word, size) = (text.text().unwrap_or_default(), number("font-size"));
        let width = font::width(word, size);
        let start = number("x")
            - match text.attribute("text-anchor") {
                Some("middle") => 0.5 * width,
                Some("end") => width,
                _ => 0.0,
            };
        let around = picture.between((start, number("y") - size), (start + width, number("y") + 0.3 * size));
        let inked = around.iter().filter(|pixel| pixel.iter().all(|&level| level < 0xb0)).count() as f64;
        let share = inked / around.len() as f64;
        assert!((0.02..0.5).contains(&share), "`{word}` covers {share} of its place");
        words += 1;
    }
    assert!(words > 8, "title, subtitle, ticks and legend: {words}");
}

#[test]
fn what_is_counted_has_whole_ticks() {
    let marks = |last: f64| {
        let mut chart = chart(vec![Series { markers: true, ..line(&[(1.0, 100.0), (last, 200.0)]) }]);
        let broken = chart.to_svg();
        chart.x = Axis::new("tries", Scale::Linear).whole();
        let svg = chart.to_svg();
        let labels = |svg: &str, label: &str| svg.contains(&format!(">{label}</text>"));
        assert!(
            !labels(&svg, "1.2") && !labels(&svg, "7.5") && labels(&broken, if last > 9.0 { "7.5" } else { "1.2" })
        );
        labels(&svg, "2") || labels(&svg, "5")
    };
    assert!(marks(2.0) && marks(16.0));
}
