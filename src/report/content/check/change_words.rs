//! What a comparison with a baseline found, in sentences.

use crate::analysis::MORE_SEEDS;
use crate::analysis::regression::{Change, Changed, Matching, Outcome, Rules, Seeds};
use crate::analysis::standard::{ALPHA, Basis};
use crate::margin::Margin;
use crate::report::content::words::{self, count, interval, points, probability, short, with_unit};
use crate::report::document::{Cell, Number};
use crate::results::Setting;
use crate::words::capitalised;

/// `lr 0.01, beta1 0.9`.
pub(super) fn settings(change: &Change) -> String {
    words::settings(change.settings.iter().map(|(key, value)| (key.as_str(), value)))
}

/// `digits: sgd+constant at lr 0.1`; of arms that are matched by label, without the settings, which may have changed.
pub(super) fn change_name(change: &Change) -> String {
    match change.matching {
        Matching::Settings => format!("{} at {}", short_name(change), settings(change)),
        Matching::Label => short_name(change),
    }
}

pub(super) fn short_name(change: &Change) -> String {
    format!("{}: {}", change.task, change.arm)
}

/// `lr was 0.1, is 0.05; clip_norm was not set, is 0.5`.
pub(super) fn changed(changed: &[Changed]) -> String {
    let value = |value: &Option<Setting>| value.as_ref().map_or_else(|| "not set".into(), Setting::short);
    let said = changed.iter().map(|c| format!("{} was {}, is {}", c.key, value(&c.was), value(&c.is)));
    said.collect::<Vec<_>>().join("; ")
}

/// Everything about an arm: what was found, which settings differ, and what else to know.
pub(super) fn explain_change(change: &Change) -> String {
    let mut said = found(change);
    if !change.changed.is_empty() {
        said.push(format!("Settings that differ: {}", changed(&change.changed)));
    }
    said.extend(change.notes.iter().map(|note| capitalised(note)));
    said.join(". ")
}

/// What was found, sentence by sentence.
fn found(change: &Change) -> Vec<String> {
    let metric = change.metric;
    let Some(seeds) = change.seeds else { return vec![gone(change)] };
    let worse = match (change.outcome, &change.worse) {
        (Outcome::Diverged, _) => {
            let p = probability(change.p_diverged);
            return vec![format!("{}: more than chance explains (exact test, p {p})", diverged(change, seeds))];
        }
        (Outcome::Identical, _) => {
            return vec![format!("the same {} as before in every seed ({})", metric.name(), seeds_compared(change))];
        }
        (_, None) => return vec![format!("{}: no seed is left to compare", diverged(change, seeds))],
        (_, Some(worse)) => worse,
    };
    let is_better = worse.mean < 0.0;
    let (direction, mean) = if is_better { ("better", 0.0 - worse.mean) } else { ("worse", worse.mean) };
    let (low, high) = change.interval.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let turned = if is_better { (0.0 - high, 0.0 - low) } else { (low, high) };
    let score = |x: Option<f64>| Cell::from(x.map(|x| with_unit(x, metric)));
    let measured = format!(
        "{} {direction} by {}: {} before, {} now ({}% interval {}; {}; p {})",
        metric.name(),
        points(mean, metric),
        score(change.before),
        score(change.now),
        short(100.0 * change.confidence),
        interval(turned, metric),
        seeds_compared(change),
        probability(change.p),
    );
    let allowed = points(change.allowed, metric);
    let verdict = match (change.outcome, change.is_beyond) {
        (Outcome::Regressed, Some(true)) => format!("This is more than the tolerance of {allowed}, by test"),
        (Outcome::Regressed, _) => {
            format!("It is worse; whether by more than the tolerance of {allowed}, these seeds cannot decide")
        }
        (Outcome::Undecided, _) => format!("The tolerance is {allowed}, but the difference is not significant"),
        (_, Some(false)) => format!("This is within the tolerance of {allowed}, by test"),
        _ => format!("The tolerance is {allowed}"),
    };
    let mut said = vec![measured, verdict];
    if change.outcome == Outcome::Undecided {
        said.push(match detectable(change) {
            Some(found) => {
                format!(
                    "A worsening of {found} or more would be found (80% power); smaller ones take more seeds: {MORE_SEEDS}"
                )
            }
            _ => format!("Such a check can hardly find any worsening: it takes more seeds; {MORE_SEEDS}"),
        });
    }
    said
}

/// The smallest worsening that such a check finds; `None` where the noise is unknown, and where nothing that can happen
/// would be found.
pub(super) fn detectable(change: &Change) -> Option<Number> {
    // A share cannot fall below 0.
    let possible = |found: &f64| !change.metric.is_share() || change.before.is_none_or(|before| *found <= before);
    Some(points(change.detectable().filter(possible)?, change.metric))
}

/// What there is to say of an arm of which a larger share of seeds diverged, but perhaps by chance.
pub(super) fn unstable(change: &Change) -> Option<String> {
    let seeds = change.seeds.filter(|_| change.is_unstable)?;
    Some(format!(
        "{}: with so few seeds, this may be chance; to find out, train more: {MORE_SEEDS}",
        diverged(change, seeds)
    ))
}

/// `1 of 5 seeds diverged, before 0 of 5`.
pub(super) fn diverged(change: &Change, now: Seeds) -> String {
    let before = change.seeds_before;
    format!("{} of {} diverged, before {} of {}", now.diverged, count(now.ran, "seed"), before.diverged, before.ran)
}

fn gone(change: &Change) -> String {
    let metric = change.metric;
    let before = change.before.map_or_else(String::new, |x| format!("; before, it scored {}", with_unit(x, metric)));
    let Some(nearest) = &change.nearest else { return format!("no finished run of it now{before}") };
    let now = nearest.now.map_or_else(|| "has no score".into(), |x| format!("scores {}", with_unit(x, metric)));
    format!(
        "no finished run with these settings now{before}, and the nearest new arm {now} ({})",
        changed(&nearest.changed)
    )
}

/// `5 seeds, paired`, or how many each side has.
pub(super) fn seeds_compared(change: &Change) -> String {
    let (Some(worse), Some(now)) = (&change.worse, change.seeds) else { return "-".into() };
    let before = change.seeds_before.ran;
    match worse.pairs.len() {
        0 => format!("{before} and {} seeds, not paired", now.ran),
        n if n == before && n == now.ran => format!("{}, paired", count(n, "seed")),
        n => format!("{}, paired, of {before} before and {} now", count(n, "seed"), now.ran),
    }
}

/// How to read the table of changes.
pub(super) fn legend(rules: &Rules, changes: &[Change]) -> String {
    let mut said = Vec::new();
    let tested = changes.iter().find(|change| change.interval.is_some());
    if let Some(change) = tested {
        let level = short(change.level);
        said.push(format!(
            "Worse by: the interval lies above 0 where the worsening is significant (one-sided test, p below {level}, by \
             Holm's method over all arms)."
        ));
        let standard = rules.standard;
        said.extend(match (standard.basis, standard.look) {
            (Basis::Anytime, _) => Some(
                "Seeds were added after results had been judged: the test is valid at any time, and finds less.".into(),
            ),
            (Basis::Looks, Some(look)) => Some(format!(
                "At look {} of {}, {} of {} is spent.",
                look.number,
                look.of,
                short(standard.alpha),
                short(ALPHA)
            )),
            _ => None,
        });
        if change.level < standard.alpha {
            said.push(format!(
                "The level is {level} instead of {}, as seeds diverged: the other half is for the tests of their \
                 shares.",
                short(standard.alpha)
            ));
        }
    }
    let tolerance = match rules.tolerance {
        Margin::Absolute(size) => short(size),
        other => other.to_string(),
    };
    said.push(format!("Tolerance ({tolerance}): whether the worsening is larger than it, by test."));
    said.push("Would find: the smallest worsening that such a check finds with 80% power.".into());
    said.join(" ")
}
