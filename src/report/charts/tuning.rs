//! What tuning buys and how soon the target is reached.

use super::{Canvas, Over, axis, label, seconds_per_step};
use crate::analysis::{Ranking, profile as performance};
use crate::chart::{Axis, LineChart, Palette, Scale, Series};
use crate::report::profiles::{MOST, Profiles};

impl Canvas<'_, '_> {
    /// The expected best validation score after k tries; `None` where nothing was tried twice.
    pub(super) fn expected_best(&self) -> Option<LineChart> {
        let metric = self.ranking.metric;
        let mut series = Vec::new();
        for rank in &self.ranking.ranks {
            let points = self.ranking.expected_best(rank).into_iter().enumerate().map(|(i, y)| ((i + 1) as f64, y));
            let mut line = self.series(rank, points.collect());
            line.markers = line.points.len() <= 20;
            series.push(line);
        }
        if series.iter().all(|line| line.points.len() < 2) {
            return None;
        }
        let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
        let y = axis(format!("expected best validation {}", metric.name()), metric, values);
        Some(LineChart {
            title: format!("{}: expected best after k tries", self.ranking.task),
            subtitle: Some("the best of k settings drawn at random from those tried (Dodge et al. 2019)".into()),
            x: Axis::new("settings tried", Scale::Linear).whole(),
            y,
            series,
            rules: Vec::new(),
        })
    }

    /// The share of the chosen arm's seeds that reached the target by then; `None` without a target.
    pub(super) fn to_target(&self, over: Over) -> Option<LineChart> {
        let task = self.results.experiment.tasks.iter().find(|task| task.label == self.ranking.task)?;
        let target = task.target?;
        let mut end = 0.0f64;
        let mut lines = Vec::new();
        for rank in &self.ranking.ranks {
            let scale = |record: &crate::results::Record| match over {
                Over::Steps => 1.0,
                Over::Seconds => seconds_per_step(record),
            };
            let reached = rank.best.sample(|record| Some(record.steps_to_target? as f64 * scale(record)));
            let mut times: Vec<f64> = reached.iter().collect();
            times.sort_by(f64::total_cmp);
            end = times.last().copied().unwrap_or(0.0).max(end);
            lines.push((rank, times));
        }
        if lines.iter().all(|(_, times)| times.is_empty()) {
            return None;
        }
        let series = lines.into_iter().map(|(rank, times)| {
            let of = rank.best.runs.len() as f64;
            let mut points = vec![(0.0, 0.0)];
            for (i, time) in times.iter().enumerate() {
                points.extend([(*time, i as f64 / of), (*time, (i + 1) as f64 / of)]);
            }
            points.push((1.05 * end, times.len() as f64 / of));
            self.series(rank, points)
        });
        let series: Vec<Series> = series.collect();
        let words = match over {
            Over::Steps => "steps",
            Over::Seconds => "seconds of training, without evaluations",
        };
        Some(LineChart {
            title: format!("{}: {} to the target", self.ranking.task, words.split(' ').next().unwrap_or(words)),
            subtitle: Some(format!(
                "share of seeds whose validation {} has reached {}",
                target.metric.name(),
                target.value
            )),
            x: Axis::new(words, Scale::Linear),
            y: share(),
            series,
            rules: Vec::new(),
        })
    }
}

/// From none to all, with air for lines at both ends.
fn share() -> Axis {
    Axis { range: Some((-0.02, 1.04)), ..Axis::new("share", Scale::Linear) }
}

/// The performance profile over tasks, by seconds to the target; `None` below two tasks with one.
pub(super) fn profile(rankings: &[Ranking], palette: &Palette) -> Option<LineChart> {
    let Profiles { arms, seconds, .. } = Profiles::new(rankings)?;
    let series = arms.iter().enumerate().map(|(place, arm)| {
        let taus = (0..=300).map(|i| 1.0 + (MOST - 1.0) * f64::from(i) / 300.0);
        let points = taus.map(|tau| (tau, performance::profile(&seconds, place, tau))).collect();
        let name = format!("{} ({:.2})", label(arm), performance::score(&seconds, place, MOST));
        Series::new(name, palette.style(arm.optimizer, arm.schedule), points)
    });
    Some(LineChart {
        title: "Performance profile".into(),
        subtitle: Some(format!(
            "share of {} tasks whose target is reached within tau times the fastest; in brackets the area up to {MOST} \
             (AlgoPerf's score)",
            seconds.len()
        )),
        x: Axis::new("tau: seconds to the target, as a multiple of the fastest", Scale::Linear),
        y: share(),
        series: series.collect(),
        rules: Vec::new(),
    })
}
