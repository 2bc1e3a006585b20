//! Who looks how: one colour per optimizer, one dash per schedule, the same in all charts of an experiment.

/// A colour, as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color(pub u8, pub u8, pub u8);

/// How a line is interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dash {
    /// Not at all.
    #[default]
    Solid,
    /// Medium strokes.
    Dashed,
    /// Dots.
    Dotted,
    /// A stroke and a dot in turn.
    DashDot,
    /// Long strokes.
    LongDash,
    /// A stroke and two dots in turn.
    DashDotDot,
}

/// The shape at a point. None is a cross: a cross always means that a run diverged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Marker {
    /// A disc.
    #[default]
    Circle,
    /// A square on its side.
    Square,
    /// A triangle that points up.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// A triangle that points down.
    Wedge,
    /// A disc with a white heart.
    Ring,
    /// An upright plus sign.
    Plus,
    /// A square with a white heart.
    Box,
}

/// What tells one line from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Style {
    /// The colour of line, band and markers.
    pub color: Color,
    /// The interruption of the line.
    pub dash: Dash,
    /// The shape of its markers.
    pub marker: Marker,
}

// Okabe and Ito's colours in the order of their contrast on white. Their yellow is too pale for a thin line; a dark
// wine takes its place, which stays apart from the rest under protanopia, deuteranopia and tritanopia (CIE76
// difference 16 or more for each pair).
const COLORS: [Color; 8] = [
    Color(0x00, 0x72, 0xb2),
    Color(0xd5, 0x5e, 0x00),
    Color(0x00, 0x9e, 0x73),
    Color(0xcc, 0x79, 0xa7),
    Color(0x22, 0x22, 0x22),
    Color(0xe6, 0x9f, 0x00),
    Color(0x56, 0xb4, 0xe9),
    Color(0x88, 0x22, 0x55),
];

const DASHES: [Dash; 6] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDot, Dash::LongDash, Dash::DashDotDot];

const MARKERS: [Marker; 8] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Wedge,
    Marker::Ring,
    Marker::Plus,
    Marker::Box,
];

impl Dash {
    /// The lengths of strokes and gaps in page units; none for a solid line.
    pub(super) fn pattern(self) -> &'static [f64] {
        match self {
            Self::Solid => &[],
            Self::Dashed => &[6.0, 3.0],
            Self::Dotted => &[1.8, 2.4],
            Self::DashDot => &[8.0, 2.6, 1.8, 2.6],
            Self::LongDash => &[13.0, 3.5],
            Self::DashDotDot => &[8.0, 2.4, 1.8, 2.4, 1.8, 2.4],
        }
    }
}

impl Style {
    /// The style of the line at place `optimizer` of the optimizers and `schedule` of the schedules.
    ///
    /// The colour says the optimizer and the dash says the schedule. The marker moves with both, so that two lines that
    /// share either one differ in marker too and stay apart in black and white. After eight optimizers the colours
    /// start again, with the next dash.
    pub fn at(optimizer: usize, schedule: usize) -> Self {
        Self {
            color: COLORS[optimizer % COLORS.len()],
            dash: DASHES[(optimizer / COLORS.len() + schedule) % DASHES.len()],
            marker: MARKERS[(optimizer + schedule) % MARKERS.len()],
        }
    }
}

/// The styles of one experiment, by the labels of its optimizers and schedules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    optimizers: Vec<String>,
    schedules: Vec<String>,
}

impl Palette {
    /// A palette for these labels, in this order. A label that comes twice counts once.
    pub fn new<A: Into<String>, B: Into<String>>(
        optimizers: impl IntoIterator<Item = A>,
        schedules: impl IntoIterator<Item = B>,
    ) -> Self {
        Self { optimizers: unique(optimizers), schedules: unique(schedules) }
    }

    /// The style of an optimizer under a schedule. An unknown label gets the place after the last known one.
    pub fn style(&self, optimizer: &str, schedule: &str) -> Style {
        Style::at(place(&self.optimizers, optimizer), place(&self.schedules, schedule))
    }
}

fn unique<S: Into<String>>(labels: impl IntoIterator<Item = S>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for label in labels.into_iter().map(Into::into) {
        if !kept.contains(&label) {
            kept.push(label);
        }
    }
    kept
}

fn place(labels: &[String], label: &str) -> usize {
    labels.iter().position(|l| l == label).unwrap_or(labels.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn colour_follows_the_optimizer_and_dash_the_schedule() {
        let palette = Palette::new(["sgd", "adamw", "sgd", "lion"], ["constant", "cosine"]);
        let style = palette.style("adamw", "constant");
        assert_eq!(style.color, palette.style("adamw", "cosine").color);
        assert_eq!(style.dash, palette.style("lion", "constant").dash);
        assert_ne!(style.color, palette.style("lion", "constant").color);
        assert_ne!(style.dash, palette.style("adamw", "cosine").dash);
        assert_ne!(style.marker, palette.style("adamw", "cosine").marker);
        assert_ne!(style.marker, palette.style("lion", "constant").marker);
        assert_eq!(palette.style("unknown", "constant"), Style::at(3, 0));
    }

    #[test]
    fn forty_eight_arms_are_distinct_in_black_and_white() {
        let arms = (0..8).flat_map(|o| (0..6).map(move |s| Style::at(o, s)));
        let seen: HashSet<(Dash, Marker)> = arms.map(|s| (s.dash, s.marker)).collect();
        assert_eq!(seen.len(), 48);
    }

    #[test]
    fn many_optimizers_cycle_without_repeating_a_style() {
        let seen: HashSet<Style> = (0..48).map(|o| Style::at(o, 0)).collect();
        assert_eq!(seen.len(), 48);
        let _ = Style::at(usize::MAX / 2, usize::MAX / 4);
    }
}
