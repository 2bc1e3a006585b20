//! Line charts for publication, as SVG and PNG, from plain data.
//!
//! This module knows nothing of optimizers or results files: a [`LineChart`] is data and words, and the same chart
//! always gives the same bytes. It is drawn once, as a list of shapes in page units; `svg` and `png` only write
//! that list down, so the two files cannot disagree.
//!
//! What never happens: a panic because of the data. Points that an axis cannot show (NaN, infinities, magnitudes over
//! 1e150, zero and less on a logarithmic axis) interrupt their line. A chart without a single point that can be shown
//! says `no data`.

mod axis;
mod contour;
mod curve;
mod failures;
mod font;
mod frame;
mod heat;
mod legend;
mod marker;
mod palette;
mod path;
mod png;
mod range;
mod ridges;
mod scatter;
mod scene;
mod shade;
mod svg;
mod ticks;
mod words;

use std::path::{Path, PathBuf};

pub use axis::{Axis, Scale};
pub use contour::{ContourChart, Heights};
pub use heat::HeatMap;
pub use palette::{Color, Dash, Marker, Palette, Style};
pub use ridges::{Ridge, RidgeChart, RidgePanel};
pub use scatter::Scatter;
pub use shade::Cell;

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The words in the legend. Series that share a label share its entry; an empty label has none.
    pub label: String,
    /// The points (x, y), in the order in which they may be joined.
    pub points: Vec<(f64, f64)>,
    /// The spread around the line as (x, low, high): shaded, or drawn as error bars where `markers` is set.
    pub band: Option<Vec<(f64, f64, f64)>>,
    /// Colour, dash and marker, from a [`Palette`].
    pub style: Style,
    /// Whether each point is a measurement to be seen. If not, a few markers along the line still tell it from others
    /// in black and white.
    pub markers: bool,
    /// Whether a line joins the points.
    pub joined: bool,
    /// The x positions at which a run diverged: drawn as crosses above the plot.
    pub failures: Vec<f64>,
    /// Whether it is there for comparison only: a thin grey line, one entry in the legend for all of these.
    pub muted: bool,
}

impl Series {
    /// A plain line, without band, markers or failures.
    pub fn new(label: impl Into<String>, style: Style, points: Vec<(f64, f64)>) -> Self {
        Self {
            label: label.into(),
            points,
            band: None,
            style,
            markers: false,
            joined: true,
            failures: Vec::new(),
            muted: false,
        }
    }
}

/// A chart of lines over two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    /// The heading, one line.
    pub title: String,
    /// What a reader needs to know besides: the task, the seeds, what the band is. At most two lines.
    pub subtitle: Option<String>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines; later ones lie on top.
    pub series: Vec<Series>,
    /// Horizontal reference lines, such as a target, with their words in the legend. The vertical axis reaches them.
    pub rules: Vec<(f64, String)>,
}

/// Why a chart could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// Where it should have gone.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The picture could not be drawn or encoded.
    #[error("cannot draw a chart: {0}")]
    Draw(String),
    /// The file name tells neither format.
    #[error("cannot tell the format of `{}`: a chart ends in `.svg` or `.png`", path.display())]
    Extension {
        /// The name in question.
        path: PathBuf,
    },
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Write { path, source } => Self::Io { action: "write", path, source },
            Error::Draw(_) | Error::Extension { .. } => Self::Usage(error.to_string()),
        }
    }
}

/// Any chart.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// Lines over two axes.
    Lines(LineChart),
    /// Numbers over two settings.
    Heat(HeatMap),
    /// Numbers over two settings that follow no grid.
    Scatter(Scatter),
    /// Distributions, step by step.
    Ridges(RidgeChart),
    /// Paths over lines of equal height.
    Contours(ContourChart),
}

impl Chart {
    /// The chart as the text of an SVG file.
    pub fn to_svg(&self) -> String {
        svg::render(&self.scene())
    }

    /// The chart as the bytes of a PNG file, at twice the size.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        png::render(&self.scene())
    }

    fn scene(&self) -> scene::Scene {
        match self {
            Self::Lines(chart) => frame::compose(chart),
            Self::Heat(map) => heat::compose(map),
            Self::Scatter(chart) => scatter::compose(chart),
            Self::Ridges(chart) => ridges::compose(chart),
            Self::Contours(chart) => contour::compose(chart),
        }
    }
}

impl From<LineChart> for Chart {
    fn from(chart: LineChart) -> Self {
        Self::Lines(chart)
    }
}

impl LineChart {
    /// Writes the chart to `path`, in the format that its extension names: `.svg`, or `.png` at twice the size.
    ///
    /// # Errors
    /// When the extension is neither, or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let scene = frame::compose(self);
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let bytes = match extension.as_deref() {
            Some("svg") => svg::render(&scene).into_bytes(),
            Some("png") => png::render(&scene)?,
            _ => return Err(Error::Extension { path: path.to_owned() }),
        };
        std::fs::write(path, bytes).map_err(|source| Error::Write { path: path.to_owned(), source })
    }

    /// The chart as the text of an SVG file.
    pub fn to_svg(&self) -> String {
        svg::render(&frame::compose(self))
    }
}

#[cfg(test)]
mod tests;
