//! The answer in one sentence: who wins, by how much, and whether that is more than noise.

use crate::analysis::{Comparison, Difference, Rank, Verdict, standard};
use crate::metric::Metric;
use crate::report::Section;
use crate::report::words::{chosen, count, interval, mean, points, score, seeds, unit};
use crate::results::Status;
use crate::task::Spec;

impl Section<'_> {
    /// Who is ahead, in one sentence.
    pub fn headline(&self) -> String {
        let task = &self.ranking.task;
        let Some(leader) = self.ranking.ranks.first() else {
            let begun = self.records.iter().any(|record| record.task == *task);
            return if begun {
                format!("On {task}, no run of full length is there yet.")
            } else {
                format!("Nothing has run on {task}.")
            };
        };
        if leader.best.finished == 0 {
            return format!("On {task}, {}every run diverged or failed.", self.so_far());
        }
        let rivals: Vec<(&Rank, &Comparison)> =
            self.ranking.ranks.iter().zip(&self.comparisons).filter_map(|(r, c)| Some((r, c.as_ref()?))).collect();
        let one_seed = leader.best.runs.len() == 1;
        let first_with = |verdict| rivals.iter().find(|(_, c)| c.verdict == verdict);
        let sentence = if rivals.is_empty() {
            self.alone(leader)
        } else if let Some((rival, comparison)) = first_with(Verdict::Better) {
            self.overruled(leader, rival, comparison)
        } else if let Some((rival, comparison)) = first_with(Verdict::Unknown).filter(|_| one_seed) {
            self.unknown(leader, rival, comparison)
        } else if let Some((rival, _)) = first_with(Verdict::Equal) {
            self.equal(leader, rival, &rivals)
        } else if let Some((rival, comparison)) = first_with(Verdict::Tied) {
            self.tied(leader, rival, comparison, &rivals)
        } else if let Some((rival, comparison)) = first_with(Verdict::Unknown) {
            self.unknown(leader, rival, comparison)
        } else {
            let lead = |c: &Comparison| c.lead.as_ref().map_or(f64::INFINITY, |lead| lead.mean);
            let close = rivals.iter().filter(|(_, c)| c.verdict == Verdict::Worse);
            match close.min_by(|a, b| lead(a.1).total_cmp(&lead(b.1))) {
                Some((rival, comparison)) => self.won(leader, rival, comparison),
                None => format!(
                    "{} wins with {}; every other arm lost seeds to divergence",
                    leader.name(),
                    self.reached(leader)
                ),
            }
        };
        let worse = rivals.iter().filter(|(_, c)| c.verdict == Verdict::Worse).count();
        let worse = match (worse, rivals.len()) {
            (0, _) | (_, 1) => String::new(),
            (n, all) if n == all => format!("; all {all} others are worse by more than noise"),
            (n, all) => format!("; {n} of {all} others {} worse by more than noise", if n == 1 { "is" } else { "are" }),
        };
        format!("On {task}, {}{sentence}{worse}.", self.so_far())
    }

    /// `test accuracy 97.04% at lr 0.1`.
    fn score_of(&self, rank: &Rank) -> String {
        let metric = self.ranking.metric;
        let at = match chosen(rank) {
            chosen if chosen.is_empty() => String::new(),
            chosen => format!(" at {chosen}"),
        };
        format!("{} {} {}{at}", self.split(), metric.name(), mean(&rank.best.reported(metric), metric))
    }

    /// The same with the seeds behind it, where they are not all: `... at lr 0.1 [1 of 3 seeds; 2 diverged]`.
    fn reached(&self, rank: &Rank) -> String {
        self.score_of(rank) + &missing(rank)
    }

    /// Where the reported scores come from.
    pub(super) fn split(&self) -> &'static str {
        let tested = |rank: &Rank| rank.best.runs.iter().any(|record| record.test.is_some());
        if self.ranking.ranks.iter().any(tested) { "test" } else { "final" }
    }

    fn alone(&self, leader: &Rank) -> String {
        let (score, seeds) = (self.score_of(leader), seeds(&leader.best));
        format!("{} reached {score} ({seeds}); there is nothing to compare it with", leader.name())
    }

    fn won(&self, leader: &Rank, rival: &Rank, comparison: &Comparison) -> String {
        let by = self.by(comparison);
        let direction = if self.ranking.metric.higher_is_better() { "higher" } else { "lower" };
        let certain = match comparison.p_adjusted {
            Some(0.0) => String::new(),
            p => format!(": more than noise (p {})", self.p(p)),
        };
        format!(
            "{} wins: {}, {direction} by {by} than {}'s{certain}",
            leader.name(),
            self.reached(leader),
            rival.name(),
        )
    }

    fn p(&self, p: Option<f64>) -> String {
        let text = super::words::probability(p);
        let corrected = if self.comparisons.len() > 2 { ", Holm-adjusted" } else { "" };
        if text.starts_with('<') { format!("{text}{corrected}") } else { format!("= {text}{corrected}") }
    }

    /// `0.37 points (95% interval 0.10 to 0.64, 3 seeds)`.
    fn by(&self, comparison: &Comparison) -> String {
        let metric = self.ranking.metric;
        let Some(lead) = &comparison.lead else { return "-".into() };
        let seeds = count(lead.n, "seed");
        if lead.is_exact() {
            return format!("{} (the same in each of {seeds})", points(lead.mean, metric));
        }
        if lead.same_step().is_some() {
            let p = super::words::probability(lead.p_value());
            return format!("{} (exactly that in each of {seeds}, sign test p = {p})", points(lead.mean, metric));
        }
        let interval = interval(lead.interval(standard::LEVEL), metric);
        format!("{} (95% interval {interval}, {seeds})", points(lead.mean, metric))
    }

    fn tied(&self, leader: &Rank, rival: &Rank, comparison: &Comparison, rivals: &[(&Rank, &Comparison)]) -> String {
        let metric = self.ranking.metric;
        let others = rivals.iter().filter(|(_, c)| c.verdict == Verdict::Tied).count() - 1;
        let others = match others {
            0 => String::new(),
            n => format!("; nor can {}", count(n, "other arm")),
        };
        // An interval is of one comparison alone; the verdict is of all of them.
        let excludes_zero = |(low, high): (f64, f64)| low > 0.0 || high < 0.0;
        let lead = comparison.lead.as_ref();
        let alone = lead.is_some_and(|lead| excludes_zero(lead.interval(standard::LEVEL)));
        let behind = lead.is_some_and(|lead| lead.mean < 0.0);
        let (place, by) =
            if behind { ("behind", self.by(&turned(comparison))) } else { ("ahead", self.by(comparison)) };
        let chance = match comparison.p_adjusted.filter(|_| alone) {
            Some(p) => {
                format!(", which {} may bring about by chance (Holm's p = {p:.2})", count(rivals.len(), "comparison"))
            }
            None => String::new(),
        };
        format!(
            "no winner: {} ({}) and {} ({}) cannot be told apart: the first is {by} {place}{chance}{others}",
            leader.name(),
            self.reached(leader),
            rival.name(),
            mean(&rival.best.reported(metric), metric) + &missing(rival),
        )
    }

    fn equal(&self, leader: &Rank, rival: &Rank, rivals: &[(&Rank, &Comparison)]) -> String {
        let others = rivals.iter().filter(|(_, c)| matches!(c.verdict, Verdict::Equal | Verdict::Tied)).count() - 1;
        let others = if others > 0 {
            format!("; {} cannot be told apart either", count(others, "other arm"))
        } else {
            String::new()
        };
        format!("{} and {} are equal in every seed: {}{others}", leader.name(), rival.name(), self.reached(leader))
    }

    fn unknown(&self, leader: &Rank, rival: &Rank, comparison: &Comparison) -> String {
        let metric = self.ranking.metric;
        let lead = comparison.lead.as_ref().map_or(0.0, |lead| lead.mean);
        let place = if lead >= 0.0 { "ahead of" } else { "chosen by validation, but behind" };
        format!(
            "{} is {place} {} by {}{} ({}), but one seed cannot tell whether that is more than noise",
            leader.name(),
            rival.name(),
            score(lead.abs(), metric),
            if unit(metric).is_empty() { "" } else { " points" },
            self.reached(leader),
        )
    }

    fn overruled(&self, leader: &Rank, rival: &Rank, comparison: &Comparison) -> String {
        format!(
            "validation chose {} ({}), but {} is better on test by {}: treat neither as the winner",
            leader.name(),
            self.reached(leader),
            rival.name(),
            self.by(&turned(comparison)),
        )
    }

    /// What a ranking is about, in one line.
    pub(super) fn subtitle(&self) -> String {
        let what = self.spec.map(describe).unwrap_or_default();
        let best = || self.ranking.ranks.iter().flat_map(|rank| &rank.best.runs);
        // A run that diverged did fewer steps than it was given.
        let finished = best().filter(|record| record.status == Status::Finished);
        let budget = match (finished.map(|record| record.steps).max(), self.experiment) {
            (Some(steps), _) => count(steps as usize, "step"),
            (None, Some(experiment)) => experiment.length.to_string(),
            (None, None) => "no step to the end".to_owned(),
        };
        let seeds: std::collections::BTreeSet<u64> = best().map(|record| record.seed).collect();
        if seeds.is_empty() {
            return format!("{what}, {budget}");
        }
        let floor = self.ranking.loss_floor().map(|floor| {
            format!("; floor: no model averages a loss below {} nats but by luck", score(floor, Metric::Loss))
        });
        format!(
            "{what}, {budget}, {}; settings chosen by validation {}{}{}",
            count(seeds.len(), "seed"),
            self.ranking.metric.name(),
            if seeds.len() > 1 { "; mean ± standard deviation over seeds" } else { "" },
            floor.unwrap_or_default()
        )
    }
}

/// The comparison seen from the rival's side.
fn turned(comparison: &Comparison) -> Comparison {
    Comparison { lead: comparison.lead.as_ref().map(Difference::reversed), ..comparison.clone() }
}

/// ` [1 of 3 seeds; 2 diverged]`, or nothing where no seed is missing.
fn missing(rank: &Rank) -> String {
    if rank.best.lost() > 0 { format!(" [{}]", seeds(&rank.best)) } else { String::new() }
}

fn describe(spec: &Spec) -> String {
    match &spec.dataset {
        Some(dataset) => format!("{} on {}, batch {}", spec.model.kind, dataset.kind, spec.batch_size),
        None => spec.model.kind.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;
    use crate::report::Section;

    fn headline(arms: &[Arm]) -> String {
        let records = records(arms);
        Section::new(ranking(&records, "task", Metric::Loss), &records, None).headline()
    }

    #[test]
    fn the_words_fit_the_evidence() {
        let a = Arm::new("a", &[1.0, 1.1, 1.2]);
        for (arms, words) in [
            (vec![], "Nothing has run on task."),
            (vec![Arm::new("a", &[f64::NAN; 2])], "On task, every run diverged or failed."),
            (
                vec![a.clone()],
                "On task, a+constant reached final loss 1.1000 at lr 0.1 (3 seeds); there is nothing to compare it with.",
            ),
            (
                vec![a.clone(), Arm::new("b", &[2.0, 2.11, 2.2])],
                "On task, a+constant wins: final loss 1.1000 at lr 0.1, lower by 1.0033 (95% interval 0.9890 to 1.0177, 3 seeds) \
                 than b+constant's: more than noise (p < 0.001).",
            ),
            (
                vec![a.clone(), Arm::new("b", &[1.0, 1.1, 1.2])],
                "On task, a+constant and b+constant are equal in every seed: final loss 1.1000 at lr 0.1.",
            ),
            (
                vec![Arm::new("a", &[0.5, 0.5]), Arm::new("b", &[0.7, 0.7])],
                "On task, a+constant wins: final loss 0.5000 at lr 0.1, lower by 0.2000 (the same in each of 2 seeds) than b+constant's.",
            ),
            (
                vec![Arm::new("a", &[0.5]), Arm::new("b", &[0.7])],
                "On task, a+constant is ahead of b+constant by 0.2000 (final loss 0.5000 at lr 0.1), \
                 but one seed cannot tell whether that is more than noise.",
            ),
            (
                vec![Arm::new("a", &[1.0, f64::NAN, f64::NAN])],
                "On task, a+constant reached final loss 1.0000 at lr 0.1 (1 of 3 seeds; 2 diverged); there is nothing to compare it with.",
            ),
            (vec![a.clone(), Arm::new("b", &[f64::NAN; 3])], "every other arm lost seeds to divergence."),
        ] {
            assert!(headline(&arms).ends_with(words), "{}\n{words}", headline(&arms));
        }
        let tied = headline(&[a.clone(), Arm::new("b", &[0.9, 1.6, 1.1]), Arm::new("c", &[1.9, 1.0, 1.3])]);
        assert!(tied.starts_with("On task, no winner: a+constant (final loss 1.1000 at lr 0.1) and b+constant (1.2000) cannot be told apart"), "{tied}");
        assert!(tied.ends_with("; nor can 1 other arm."), "{tied}");
        // p = 0.04 alone is no evidence where three are looked at.
        let near = ["b", "c", "d"].map(|name| Arm::new(name, &[1.065, 1.2, 1.335]));
        let by_chance = headline(&[vec![a.clone()], near.to_vec()].concat());
        assert!(
            by_chance
                .contains("3 seeds) ahead, which 3 comparisons may bring about by chance (Holm's p = 0.12); nor can"),
            "{by_chance}"
        );
        let behind = near.clone().map(|arm| Arm { test: Some(vec![0.935, 1.0, 1.065]), ..arm });
        let lead = Arm { test: Some(vec![1.0, 1.1, 1.2]), ..a.clone() };
        let by_chance = headline(&[vec![lead], behind.to_vec()].concat());
        assert!(by_chance.contains("the first is 0.1000 (95% interval 0.0"), "{by_chance}");
        assert!(by_chance.contains("3 seeds) behind, which 3 comparisons may bring about by chance"), "{by_chance}");
        let far = ["b", "c"].map(|name| Arm::new(name, &[2.0, 2.11, 2.2]));
        let counted = headline(&[vec![a.clone(), Arm::new("d", &[0.9, 1.6, 1.1])], far.to_vec()].concat());
        assert!(counted.ends_with("; 2 of 3 others are worse by more than noise."), "{counted}");
        let chosen = Arm { test: Some(vec![3.0, 3.1, 3.2]), ..a };
        let better = Arm { test: Some(vec![2.0, 2.1, 2.21]), ..Arm::new("b", &[2.0, 2.1, 2.2]) };
        let overruled = headline(&[chosen, better]);
        assert!(overruled.contains("but b+constant is better on test by 0.9967"), "{overruled}");
    }
}
