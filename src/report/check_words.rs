//! What a check found, in sentences.

use crate::analysis::around_best::mean;
use crate::analysis::claim::{Finding, Judgement, Part};
use crate::analysis::standard::LEVEL;
use crate::config::{Around, At, Bar};
use crate::report::words::{count, interval, points, short};

/// `a+constant at most 1% worse than b+cosine`.
pub(super) fn statement(judgement: &Judgement) -> String {
    let claim = judgement.claim;
    let (better, than) = (&claim.better, &claim.than);
    if let Some(around) = claim.around {
        // Of the score, not of the cost: a cost may be zero.
        let by = |share: f64| format!("{}% of the score", short(100.0 * share));
        let bar = match claim.bar {
            Bar::Margin(0.0) => format!("no more than {than}"),
            Bar::Margin(share) => format!("at most {} more than {than}", by(share)),
            Bar::By(0.0) => format!("less than {than}"),
            Bar::By(share) => format!("less than {than} by more than {}", by(share)),
        };
        let rates = match around {
            Around::Width(width) => format!("within a factor of {} around the best", short(width)),
            Around::Lopsided(low, high) => format!("{} to {} times the best", short(low), short(high)),
        };
        return format!("rates {rates} cost {better} {bar}");
    }
    let bar = match claim.bar {
        Bar::Margin(0.0) => "no worse than".to_owned(),
        Bar::Margin(share) => format!("at most {}% worse than", short(100.0 * share)),
        Bar::By(0.0) => "better than".to_owned(),
        Bar::By(share) => format!("more than {}% better than", short(100.0 * share)),
    };
    let at = match claim.at {
        At::Default => " at the defaults of both",
        At::EveryLr => " at every shared learning rate",
        At::EveryHorizon => " at every horizon",
        At::Tuned | At::AroundBest => "",
    };
    format!("{better} {bar} {than}{at}")
}

/// Where a part of a claim is judged, if not at the best settings.
pub(super) fn place(part: &Part) -> String {
    let lr = part.lr.map_or_else(String::new, |lr| format!(" at lr {}", short(lr)));
    part.task.clone() + &part.horizon.map_or(lr, |step| format!(" at step {step}"))
}

pub(super) fn part_name(judgement: &Judgement, part: &Part) -> String {
    format!("{} on {}", judgement.claim.label, place(part))
}

/// What the lead has to reach: `≥ -0.89 points`, `> 0.00 points`.
pub(super) fn needed(judgement: &Judgement, part: &Part) -> String {
    let sign = match judgement.claim.bar {
        Bar::Margin(_) => "≥",
        Bar::By(_) => ">",
    };
    format!("{sign} {}", points(part.needed, part.metric))
}

/// The whole of a part: what is claimed, what was measured, and why that does not decide it.
pub(super) fn explain(judgement: &Judgement, part: &Part) -> String {
    let said: Vec<String> = measured(judgement, part).into_iter().chain(why(judgement, part)).collect();
    if said.is_empty() { statement(judgement) } else { format!("{}: {}", statement(judgement), said.join("; ")) }
}

/// `accuracy 0.34 points better (95% interval of the lead 0.13 to 0.55, 5 seeds; 0.89 points worse would do)`.
fn measured(judgement: &Judgement, part: &Part) -> Option<String> {
    let (lead, metric) = (part.lead.as_ref()?, part.metric);
    let [what, more, less] = match part.costs {
        Some(_) => ["mean cost in ", "less", "more"],
        None => ["", "better", "worse"],
    };
    let direction = if lead.mean < 0.0 { less } else { more };
    let bar = match judgement.claim.bar {
        Bar::Margin(_) if part.needed == 0.0 => "equal would do".to_owned(),
        Bar::Margin(_) => format!("{} {less} would do", points(0.0 - part.needed, metric)),
        Bar::By(_) => format!("it takes more than {}", points(part.needed, metric)),
    };
    Some(format!(
        "{what}{} {} {direction} (95% interval of the lead {}, {}; {bar})",
        metric.name(),
        points(lead.mean.abs(), metric),
        interval(lead.interval(LEVEL), metric),
        count(lead.n, "seed"),
    ))
}

/// Why a part is not decided, or not by its interval, and what else there is to know.
pub(super) fn why(judgement: &Judgement, part: &Part) -> Option<String> {
    let mut said: Vec<String> = part.reason.iter().cloned().collect();
    if let (Finding::Undecided, None, Some(detectable)) = (part.finding, &part.reason, part.detectable) {
        said.push(format!("these seeds see {} with 80% power: raise `seeds`", points(detectable, part.metric)));
    }
    if let Some(costs) = &part.costs {
        let claim = judgement.claim;
        let sides = [&claim.better, &claim.than].into_iter().zip([0, 1]).map(|(arm, side)| {
            let cost = mean(&costs.sides[side]).map_or_else(|| "unknown".into(), |cost| points(cost, part.metric));
            let (low, high) = costs.windows[side];
            let (least, diverged) = match costs.diverged[side] {
                0 => ("", String::new()),
                n => ("at least ", format!(", {} diverged", count(n, "run"))),
            };
            format!("{arm} {least}{cost} (lr {} to {}{diverged})", short(low), short(high))
        });
        said.push(format!("the cost is {}", sides.collect::<Vec<_>>().join(", ")));
        if let Some(lead) = costs.lead.as_ref().filter(|lead| lead.allowance > 0.0) {
            said.push(format!(
                "the distance between the rates accounts for ±{} of the interval",
                points(lead.allowance, part.metric)
            ));
        }
    }
    said.extend(part.note.clone());
    (!said.is_empty()).then(|| said.join("; "))
}
