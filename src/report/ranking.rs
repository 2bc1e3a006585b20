//! The ranking of an experiment in words and tables.

use serde_json::json;

use crate::analysis::{Rank, Ranking, Sample};
use crate::error::Result;
use crate::metric::Metric;
use crate::report::format::{Format, Table};
use crate::report::{Results, html};
use crate::task::Spec;

/// The report of an experiment in one format.
///
/// # Errors
/// When it cannot be put together from the results.
pub fn render(results: &Results, format: Format) -> Result<String> {
    let rankings = results.rankings();
    match format {
        Format::Table => Ok(rankings.iter().map(|ranking| terminal(results, ranking)).collect::<Vec<_>>().join("\n")),
        Format::Markdown => {
            Ok(rankings.iter().map(|ranking| markdown(results, ranking)).collect::<Vec<_>>().join("\n"))
        }
        Format::Csv => csv(&rankings),
        Format::Json => json(results, &rankings),
        Format::Html => html::page(results, &crate::report::charts::draw(results)?),
    }
}

/// Who is ahead, in one sentence.
pub fn headline(ranking: &Ranking) -> String {
    let Some(first) = ranking.ranks.first() else { return format!("Nothing has run on {}.", ranking.task) };
    let metric = ranking.metric;
    if first.best.finished == 0 {
        return format!("On {}, every run diverged or failed.", ranking.task);
    }
    let mut sentence = format!(
        "On {}, {}+{} is ahead with a {} {} of {} at {}",
        ranking.task,
        first.optimizer,
        first.schedule,
        reported_split(first),
        metric.name(),
        spread(&first.best.reported(metric), metric),
        chosen(first),
    );
    if let Some(second) = ranking.ranks.get(1) {
        sentence += &format!(
            "; next is {}+{} with {}",
            second.optimizer,
            second.schedule,
            spread(&second.best.reported(metric), metric)
        );
    }
    let seeds = first.best.runs.len();
    sentence + &format!(" ({seeds} seed{}).", if seeds == 1 { "" } else { "s" })
}

fn reported_split(rank: &Rank) -> &'static str {
    if rank.best.runs.iter().any(|record| record.test.is_some()) { "test" } else { "final" }
}

/// What a ranking is about, in one line.
pub(super) fn subtitle(results: &Results, ranking: &Ranking) -> String {
    let spec = results.experiment.tasks.iter().find(|task| task.label == ranking.task);
    let what = spec.map(describe).unwrap_or_default();
    let steps = ranking.ranks.iter().flat_map(|rank| &rank.best.runs).map(|record| record.steps).max().unwrap_or(0);
    let seeds = results.experiment.seeds.len();
    format!(
        "{what}, {steps} steps, {seeds} seed{}; hyper-parameters chosen by validation {}; mean ± standard deviation over seeds",
        if seeds == 1 { "" } else { "s" },
        ranking.metric.name()
    )
}

fn describe(spec: &Spec) -> String {
    match &spec.dataset {
        Some(dataset) => format!("{} on {}, batch {}", spec.model.kind, dataset.kind, spec.batch_size),
        None => spec.model.kind.clone(),
    }
}

fn terminal(results: &Results, ranking: &Ranking) -> String {
    format!("{}\n{}\n\n{}", headline(ranking), subtitle(results, ranking), table(ranking).terminal())
}

fn markdown(results: &Results, ranking: &Ranking) -> String {
    format!(
        "## {}\n\n{}\n\n{}\n\n{}",
        ranking.task,
        headline(ranking),
        subtitle(results, ranking),
        table(ranking).markdown()
    )
}

/// The metrics that a ranking shows: the one that decides, then the loss.
fn shown(metric: Metric) -> Vec<Metric> {
    if metric == Metric::Loss { vec![metric] } else { vec![metric, Metric::Loss] }
}

/// One row for each optimizer and schedule, the best first.
pub(super) fn table(ranking: &Ranking) -> Table {
    let mut header = ["#", "optimizer", "schedule", "chosen"].map(str::to_owned).to_vec();
    let has_test = ranking.ranks.iter().any(|rank| reported_split(rank) == "test");
    for metric in shown(ranking.metric) {
        header.push(format!("val {}", metric.name()));
        if has_test {
            header.push(format!("test {}", metric.name()));
        }
    }
    let to_target = ranking.ranks.iter().any(|rank| rank.best.runs.iter().any(|run| run.steps_to_target.is_some()));
    if to_target {
        header.push("steps to target".into());
    }
    header.extend(["diverged", "ms/step"].map(str::to_owned));
    let rows = ranking.ranks.iter().enumerate().map(|(place, rank)| {
        let mut row = vec![(place + 1).to_string(), rank.optimizer.to_owned(), rank.schedule.to_owned(), chosen(rank)];
        for metric in shown(ranking.metric) {
            row.push(spread(&rank.best.validation(metric), metric));
            if has_test {
                row.push(spread(&rank.best.reported(metric), metric));
            }
        }
        if to_target {
            let reached = rank.best.sample(|record| record.steps_to_target.map(|steps| steps as f64));
            let (n, of) = (reached.len(), rank.best.runs.len());
            row.push(match reached.mean() {
                Some(mean) if n == of => format!("{mean:.0}"),
                Some(mean) => format!("{mean:.0} ({n} of {of})"),
                None => "-".into(),
            });
        }
        row.push(format!("{}/{}", rank.diverged, rank.runs));
        let cost = rank.best.sample(|record| {
            let trained = record.gradient_seconds + record.optimizer_seconds;
            (record.steps > 0).then(|| 1e3 * trained / record.steps as f64)
        });
        row.push(cost.mean().map_or_else(|| "-".into(), |ms| format!("{ms:.3}")));
        row
    });
    Table { rows: rows.collect(), header, words: 4 }
}

/// `lr 0.003, weight_decay 0.1`.
fn chosen(rank: &Rank) -> String {
    let pairs: Vec<String> = rank.chosen().iter().map(|(key, value)| format!("{key} {value}")).collect();
    pairs.join(", ")
}

/// `0.9722 ± 0.0056`, or in percent for shares.
pub(super) fn spread(sample: &Sample, metric: Metric) -> String {
    let print = |x: f64| match metric {
        Metric::Accuracy => format!("{:.2}", 100.0 * x),
        _ if x == 0.0 || (1e-3..1e5).contains(&x.abs()) => format!("{x:.4}"),
        _ => format!("{x:.2e}"),
    };
    let unit = if metric == Metric::Accuracy { "%" } else { "" };
    match (sample.mean(), sample.deviation()) {
        (None, _) => "-".into(),
        (Some(mean), Some(deviation)) if deviation.is_finite() => {
            format!("{} ± {}{unit}", print(mean), print(deviation))
        }
        (Some(mean), _) => format!("{}{unit}", print(mean)),
    }
}

fn csv(rankings: &[Ranking]) -> Result<String> {
    let mut header: Vec<String> =
        ["task", "rank", "optimizer", "schedule", "chosen", "metric"].map(str::to_owned).into();
    header.extend(["val_mean", "val_std", "test_mean", "test_std", "runs", "diverged"].map(str::to_owned));
    let cell = |x: Option<f64>| x.map(crate::settings::number).unwrap_or_default();
    let mut rows = Vec::new();
    for ranking in rankings {
        for (place, rank) in ranking.ranks.iter().enumerate() {
            let (validation, reported) = (rank.best.validation(ranking.metric), rank.best.reported(ranking.metric));
            let mut row = vec![ranking.task.clone(), (place + 1).to_string()];
            row.extend([rank.optimizer.to_owned(), rank.schedule.to_owned(), chosen(rank)]);
            row.push(ranking.metric.name().to_owned());
            row.extend([validation.mean(), validation.deviation(), reported.mean(), reported.deviation()].map(cell));
            row.extend([rank.runs.to_string(), rank.diverged.to_string()]);
            rows.push(row);
        }
    }
    Table { header, rows, words: 6 }.csv()
}

fn json(results: &Results, rankings: &[Ranking]) -> Result<String> {
    let statistics = |sample: &Sample| json!({ "n": sample.len(), "mean": sample.mean(), "std": sample.deviation() });
    let tasks: Vec<_> = rankings
        .iter()
        .map(|ranking| {
            let ranks: Vec<_> = ranking
                .ranks
                .iter()
                .map(|rank| {
                    json!({
                        "optimizer": rank.optimizer,
                        "schedule": rank.schedule,
                        "chosen": rank.chosen().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
                        "validation": statistics(&rank.best.validation(ranking.metric)),
                        "reported": statistics(&rank.best.reported(ranking.metric)),
                        "runs": rank.runs,
                        "diverged": rank.diverged,
                    })
                })
                .collect();
            json!({ "task": ranking.task, "metric": ranking.metric.name(), "answer": headline(ranking), "ranks": ranks })
        })
        .collect();
    let document = json!({ "experiment": results.experiment.name, "tasks": tasks });
    serde_json::to_string_pretty(&document)
        .map(|text| text + "\n")
        .map_err(|error| crate::error::Error::Usage(error.to_string()))
}
