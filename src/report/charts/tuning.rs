//! What tuning buys and how soon the target is reached.

use super::canvas::{Canvas, Over, plain, seconds_per_step};
use super::region::focus_on_good;
use crate::analysis::Ranking;
use crate::analysis::profile::{self as performance, MOST, Profiles};
use crate::chart::{Axis, LineChart, Palette, Scale, Series};
use crate::task::Spec;

impl Canvas<'_, '_> {
    /// The expected best validation score after k tries; `None` where nothing was tried twice
    /// and to the end.
    pub(super) fn expected_best(&self) -> Option<LineChart> {
        let metric = self.ranking.metric;
        let mut series = Vec::new();
        for rank in self.whole_searches() {
            let points = self.ranking.expected_best(rank).into_iter().enumerate().map(|(i, y)| ((i + 1) as f64, y));
            let mut line = self.series(rank, points.collect());
            line.markers = line.points.len() <= 20;
            series.push(line);
        }
        if series.iter().all(|line| line.points.len() < 2) {
            return None;
        }
        let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
        let mut y = self.axis("expected best validation", metric, values);
        let mut subtitle = "the best of k settings drawn at random from those tried (Dodge et al. 2019)".to_owned();
        if let Some(said) = focus_on_good(&mut y, &series, metric) {
            subtitle = format!("{subtitle}; {said}");
        }
        Some(LineChart {
            title: format!("{}: expected best after k tries", self.ranking.task),
            subtitle: Some(subtitle),
            x: Axis::new("settings tried", Scale::Linear).whole(),
            y,
            series,
            rules: Vec::new(),
        })
    }

    /// The share of the chosen arm's seeds that reached the target by then; `None` without a target.
    pub(super) fn to_target(&self, over: Over) -> Option<LineChart> {
        let target = self.spec()?.target?;
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
            Over::Steps => "step",
            Over::Seconds => self.seconds()?,
        };
        Some(LineChart {
            title: format!("{}: {} to the target", self.ranking.task, over.name()),
            subtitle: Some(format!(
                "share of seeds whose validation {} has reached {}",
                target.metric.name(),
                plain(target.value, target.metric)
            )),
            x: Axis::new(words, Scale::Linear),
            y: share("seeds"),
            series,
            rules: Vec::new(),
        })
    }
}

/// From none to all, with air for lines at both ends.
fn share(of: &str) -> Axis {
    Axis { range: Some((-0.02, 1.04)), ..Axis::new(format!("share of {of}"), Scale::Linear) }
}

/// The performance profile over tasks, by steps or seconds to the target; `None` below two tasks with one.
pub(super) fn profile(rankings: &[Ranking], tasks: &[Spec], palette: &Palette, over: Over) -> Option<LineChart> {
    let profiles = Profiles::new(rankings)?;
    let times = if over == Over::Seconds { &profiles.seconds } else { &profiles.steps };
    let series = profiles.order(times).into_iter().map(|place| {
        let arm = profiles.arms[place];
        let name = format!("{} ({:.2})", arm.name(), performance::score(times, place, MOST));
        Series::new(name, palette.style(arm.optimizer, arm.schedule), stairs(times, place))
    });
    let mut subtitle = format!(
        "share of {} tasks whose target is reached within tau times the fastest; in brackets the area up to {MOST} \
         (AlgoPerf's score)",
        times.len()
    );
    let unreached = tasks.iter().filter(|task| task.target.is_some() && !profiles.tasks.contains(&task.label.as_str()));
    let unreached: Vec<&str> = unreached.map(|task| task.label.as_str()).collect();
    if !unreached.is_empty() {
        subtitle += &format!("; without {}, where no arm got there under every seed", unreached.join(", "));
    }
    Some(LineChart {
        title: format!("Performance profile by {}", over.name()),
        subtitle: Some(subtitle),
        x: Axis::new(format!("tau: {} to the target, as a multiple of the fastest", over.name()), Scale::Linear),
        y: share("tasks"),
        series: series.collect(),
        rules: Vec::new(),
    })
}

/// The profile of an arm: it rises where the arm reaches one more target, and nowhere else.
fn stairs(times: &[Vec<Option<f64>>], arm: usize) -> Vec<(f64, f64)> {
    let mut taus: Vec<f64> =
        performance::ratios(times, arm).flatten().filter(|tau| (1.0..=MOST).contains(tau)).collect();
    taus.sort_by(f64::total_cmp);
    taus.dedup();
    let mut points = vec![(1.0, performance::profile(times, arm, 1.0))];
    for tau in taus.into_iter().chain([MOST]) {
        let below = points.last().map_or(0.0, |point| point.1);
        points.extend([(tau, below), (tau, performance::profile(times, arm, tau))]);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_rises_in_true_steps() {
        let times = [vec![Some(10.0), Some(20.0)], vec![Some(30.0), Some(10.0)], vec![None, Some(5.0)]];
        let third = 1.0 / 3.0;
        let rises: Vec<(f64, f64)> = stairs(&times, 0).chunk_by(|a, b| a == b).map(|same| same[0]).collect();
        assert_eq!(rises, [(1.0, third), (3.0, third), (3.0, 2.0 * third), (MOST, 2.0 * third)]);
    }
}
