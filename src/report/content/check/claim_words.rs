//! What a check found, in sentences.

use crate::analysis::around_best::mean;
use crate::analysis::claim::{Finding, Judgement, Part};
use crate::analysis::{MORE_SEEDS, Standard};
use crate::config::{Around, At, Bar, Reaches};
use crate::margin::Margin;
use crate::report::content::words::{count, interval, points, short, with_unit};
use crate::report::document::Number;

/// `a+constant at most 1% worse than b+cosine`.
pub(super) fn statement(judgement: &Judgement) -> String {
    let claim = judgement.claim;
    let (better, than) = (&claim.better, &claim.than);
    if let Some(Reaches { score, within }) = claim.reaches {
        let value = with_unit(score.value, score.metric);
        return format!("{better} reaches {} {value} on validation within {within}", score.metric.name());
    }
    let none = claim.bar.size().is_zero();
    if let Some(around) = claim.around {
        // Of the score, not of the cost: a cost may be zero.
        let by = match claim.bar.size() {
            Margin::Share(_) => format!("{} of the score", amount(claim.bar.size())),
            size => amount(size),
        };
        let bar = match claim.bar {
            Bar::Margin(_) if none => format!("no more than {than}"),
            Bar::Margin(_) => format!("at most {by} more than {than}"),
            Bar::By(_) if none => format!("less than {than}"),
            Bar::By(_) => format!("less than {than} by more than {by}"),
        };
        let rates = match around {
            Around::Width(width) => format!("within a factor of {} around the best", short(width)),
            Around::Lopsided(low, high) => format!("{} to {} times the best", short(low), short(high)),
        };
        return format!("rates {rates} cost {better} {bar}");
    }
    let bar = match claim.bar {
        Bar::Margin(_) if none => "no worse than".to_owned(),
        Bar::Margin(size) => format!("at most {} worse than", amount(size)),
        Bar::By(_) if none => "better than".to_owned(),
        Bar::By(size) => format!("more than {} better than", amount(size)),
    };
    let at = match claim.at {
        At::Default => " at the defaults of both",
        At::EveryLr => " at every shared learning rate",
        At::EveryHorizon => " at every horizon",
        At::Tuned | At::AroundBest => "",
    };
    format!("{better} {bar} {than}{at}")
}

/// `1%`, `0.5 points`, `5% of the error`, `0.01`.
pub(super) fn amount(size: Margin) -> String {
    match size {
        Margin::Absolute(size) => short(size),
        size => size.to_string(),
    }
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
pub(super) fn needed(judgement: &Judgement, part: &Part) -> Number {
    points(part.needed, part.metric).related(match judgement.claim.bar {
        Bar::Margin(_) => "≥ ",
        Bar::By(_) => "> ",
    })
}

/// The whole of a part: what is claimed, what was measured, and why that does not decide it.
pub(super) fn explain(judgement: &Judgement, part: &Part) -> String {
    let said: Vec<String> = measured(judgement, part).into_iter().chain(why(judgement, part)).collect();
    if said.is_empty() { statement(judgement) } else { format!("{}: {}", statement(judgement), said.join("; ")) }
}

/// `accuracy 0.34 points better (95% interval of the lead 0.13 to 0.55, 5 seeds; 0.89 points worse would do)`.
fn measured(judgement: &Judgement, part: &Part) -> Option<String> {
    let (lead, metric, standard) = (part.lead.as_ref()?, part.metric, judgement.standard);
    let beside = judgement
        .claim
        .reaches
        .map_or_else(String::new, |reaches| format!(" than {}", with_unit(reaches.score.value, metric)));
    // Where what is needed is a share of a score, the interval of what is left of the lead is not that of the lead, moved.
    let left = match (&part.excess, part.interval_of_excess(standard)) {
        (Some(excess), Some(ends)) if judgement.claim.bar.size().depends_on_the_other() => {
            format!("; what is left beyond that is {}, {}", points(excess.mean, metric), interval(ends, metric))
        }
        _ => String::new(),
    };
    let [what, more, less] = match part.costs {
        Some(_) => ["mean cost in ", "less", "more"],
        None => ["", "better", "worse"],
    };
    let direction = if lead.mean < 0.0 { less } else { more };
    let bar = match judgement.claim.bar {
        Bar::Margin(_) if part.needed == 0.0 => "equal is enough".to_owned(),
        Bar::Margin(_) => format!("{} {less} is allowed", points(0.0 - part.needed, metric)),
        Bar::By(_) => format!("it takes more than {}", points(part.needed, metric)),
    };
    let sooner = part.steps_saved.as_ref().filter(|saved| saved.mean != 0.0).map_or_else(String::new, |saved| {
        let direction = if saved.mean > 0.0 { "earlier" } else { "later" };
        format!("; the target was reached {} steps {direction}", short(saved.mean.abs().round()))
    });
    Some(format!(
        "{what}{} {} {direction}{beside} ({} interval of the lead {}, {}; {bar}{left}){sooner}",
        metric.name(),
        points(lead.mean.abs(), metric),
        confidence(part.shown(standard)),
        interval(part.interval(standard)?, metric),
        count(lead.n, "seed"),
    ))
}

/// `95%`; of looks and of many parts such as `99.25%`.
pub(super) fn confidence(standard: Standard) -> String {
    format!("{}%", short(100.0 * standard.confidence()))
}

/// Why a part is not decided, or not by its interval, and what else there is to know.
pub(super) fn why(judgement: &Judgement, part: &Part) -> Option<String> {
    let mut said: Vec<String> = part.reason.iter().cloned().collect();
    if let (Finding::Undecided, None, Some(detectable)) = (part.finding, &part.reason, part.detectable) {
        said.push(format!(
            "with these seeds, differences of {} or more can be detected (80% power); smaller ones take more: {MORE_SEEDS}",
            points(detectable, part.metric)
        ));
    }
    if let Some(costs) = &part.costs {
        let claim = judgement.claim;
        let sides = [&claim.better, &claim.than].into_iter().zip([0, 1]).map(|(arm, side)| {
            let cost =
                mean(&costs.sides[side]).map_or_else(|| "unknown".into(), |cost| points(cost, part.metric).to_string());
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
    if let Some(look) = judgement.standard.look {
        let decided = if part.finding == Finding::Undecided { "undecided at" } else { "decided at" };
        said.push(format!("{decided} look {} of {}, with {} seeds", look.number, look.of, look.seeds));
    }
    said.extend(part.note.clone());
    (!said.is_empty()).then(|| said.join("; "))
}
