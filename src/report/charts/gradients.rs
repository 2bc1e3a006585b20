//! How large gradients and updates are in the first steps: after RAdam's figures.

use super::canvas::Canvas;
use super::focus;
use crate::chart::{Ridge, RidgeChart, RidgePanel};
use crate::error::Result;
use crate::results::{BINS, Magnitudes, Quantity};

impl Canvas<'_, '_> {
    /// The distribution of log |gradient| or log |update| in some of the steps, each optimizer and
    /// schedule at its chosen hyper-parameters, all seeds together; `None` where it was not probed.
    pub(super) fn magnitudes(&self, quantity: Quantity) -> Result<Option<RidgeChart>> {
        let mut panels = Vec::new();
        for rank in focus::chosen(self.ranking) {
            let mut looks = Vec::new();
            for record in &rank.best.runs {
                looks.extend(self.results.store.magnitudes(&record.run)?);
            }
            looks.retain(|look| look.of == quantity);
            if !looks.is_empty() {
                let style = self.palette.style(rank.optimizer, rank.schedule);
                panels.push(RidgePanel { label: rank.name(), style, ridges: ridges(&looks) });
            }
        }
        if panels.is_empty() {
            return Ok(None);
        }
        let (what, axis) = match quantity {
            Quantity::Gradient => ("gradient", "|gradient| of a weight"),
            Quantity::Update => ("update", "|change| of a weight"),
        };
        let mut subtitle = "histograms over all weights and seeds, zeros left out, each scaled to its own height; \
                            stroke: the median, dashed: the median of step 1"
            .to_owned();
        if let Some(said) = focus::said(self.ranking) {
            subtitle = format!("{subtitle}; {said}");
        }
        Ok(Some(RidgeChart {
            title: format!("{}: size of the {what}, step by step", self.ranking.task),
            subtitle,
            x: axis.into(),
            y: "step".into(),
            panels,
        }))
    }
}

/// Steps that are evenly spread to the eye: 1, 2, 3, 5, 7, 10, 20, ...; of those probed the nearest.
fn ridges(looks: &[Magnitudes]) -> Vec<Ridge> {
    let last = looks.iter().map(|look| look.step).max().unwrap_or(0);
    let decades = (0..12).map(|exponent| 10u64.pow(exponent));
    let wanted = decades.flat_map(|ten| {
        if ten == 1 || ten == 10 { vec![1, 2, 3, 5, 7] } else { vec![1, 2, 5] }.into_iter().map(move |n| n * ten)
    });
    let mut steps: Vec<u64> = wanted
        .take_while(|step| *step <= last)
        .filter_map(|step| looks.iter().map(|look| look.step).min_by_key(|probed| probed.abs_diff(step)))
        .collect();
    steps.dedup();
    steps.into_iter().map(|step| ridge(step, looks.iter().filter(|look| look.step == step))).collect()
}

/// The mean of the distributions of several seeds.
fn ridge<'a>(step: u64, looks: impl Iterator<Item = &'a Magnitudes>) -> Ridge {
    let looks: Vec<&Magnitudes> = looks.filter(|look| !look.counts.is_empty()).collect();
    let n = looks.len() as f64;
    let first = looks.iter().map(|look| look.first).min().unwrap_or(0);
    let end = looks.iter().map(|look| look.first + look.counts.len() as i64).max().unwrap_or(0);
    // An empty bin at both ends brings the outline down to its base.
    let mut shares: Vec<(f64, f64)> = (first - 1..=end).map(|bin| ((bin as f64 + 0.5) / BINS, 0.0)).collect();
    for look in &looks {
        for (low, share) in look.shares() {
            let place = ((BINS * low).round() as i64 - first + 1) as usize;
            shares[place].1 += share / n;
        }
    }
    if looks.is_empty() {
        shares.clear();
    }
    let medians: Vec<f64> = looks.iter().filter_map(|look| look.median).collect();
    let median = (!medians.is_empty()).then(|| medians.iter().sum::<f64>() / medians.len() as f64);
    Ridge { label: step.to_string(), shares, median }
}
