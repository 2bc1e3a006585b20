//! How often a check against a baseline is wrong, and how often it finds what it says it would: on simulated records,
//! against the rates that the docs state.

use super::regression::{Change, Matching, Outcome, Rules, Side, changes};
use super::simulated::{Arm, records};
use super::standard::{ALPHA, POWER, Standard};
use crate::margin::Margin;
use crate::metric::{Metric, Scores};
use crate::results::Record;
use crate::rng::Stream;

const RULES: Rules = Rules { matching: Matching::Settings, tolerance: Margin::Share(0.01), standard: Standard::FIXED };

/// What is worse about an arm: its losses are so many times as large, and larger by so much.
#[derive(Clone, Copy)]
struct Worse {
    times: f64,
    by: f64,
}

const EQUAL: Worse = Worse { times: 1.0, by: 0.0 };

/// How many checks are simulated; `OPTBENCH_CHECKS` asks for more, as the docs do.
fn trials() -> usize {
    std::env::var("OPTBENCH_CHECKS").ok().and_then(|n| n.parse().ok()).unwrap_or(1000)
}

/// Many checks of results that are drawn anew each time: the seed moves all arms by 10%, and each arm by 3% on its own.
#[derive(Clone, Copy)]
struct Checks {
    trials: usize,
    arms: usize,
    seeds: usize,
    /// The share of runs that diverge, on either side.
    diverging: f64,
    /// Whether a seed that diverges does so in every arm.
    together: bool,
    /// Whether both sides run under the same seeds.
    paired: bool,
}

impl Checks {
    fn new(arms: usize, seeds: usize) -> Self {
        Self { trials: trials(), arms, seeds, diverging: 0.0, together: false, paired: true }
    }

    /// One side; the first arm is worse than the others.
    fn side(self, stream: &mut Stream, shared: &[f64], worse: Worse) -> Vec<Record> {
        let lost: Vec<bool> = shared.iter().map(|_| stream.uniform() < self.diverging).collect();
        let arms = (0..self.arms).map(|place| {
            let Worse { times, by } = if place == 0 { worse } else { EQUAL };
            let loss = |(seed, lost): (&f64, &bool)| {
                let loss = by + times * (1.0 + 0.1 * seed + 0.03 * stream.normal());
                let alone = stream.uniform() < self.diverging;
                if if self.together { *lost } else { alone } { f64::NAN } else { loss }
            };
            Arm::at("a", (place + 1) as f64, &shared.iter().zip(&lost).map(loss).collect::<Vec<f64>>())
        });
        records(&arms.collect::<Vec<_>>())
    }

    /// A check in which the first arm is worse than in the baseline.
    fn check(self, stream: &mut Stream, worse: Worse, rules: Rules) -> Vec<Change> {
        let draw = |stream: &mut Stream| (0..self.seeds).map(|_| stream.normal()).collect::<Vec<f64>>();
        let shared = draw(stream);
        let before = self.side(stream, &shared, EQUAL);
        let other = if self.paired { shared } else { draw(stream) };
        let mut now = self.side(stream, &other, worse);
        if !self.paired {
            for run in &mut now {
                run.seed += 100;
            }
        }
        check(&now, &before, rules)
    }

    /// The share of checks of which something is true.
    fn share(self, what: &str, mut is_so: impl FnMut(&mut Stream) -> bool) -> f64 {
        let Self { arms, seeds, diverging, .. } = self;
        let mut stream = Stream::new(7, &format!("{what}, {arms} arms, {seeds} seeds, {diverging} diverge"));
        let share = (0..self.trials).filter(|_| is_so(&mut stream)).count() as f64 / self.trials as f64;
        println!("{what}: {arms} arms, {seeds} seeds, {}% diverge: {share}", 100.0 * diverging);
        share
    }

    fn failing(self, what: &str) -> f64 {
        self.share(what, |stream| self.check(stream, EQUAL, RULES).iter().any(fails))
    }

    /// Four standard errors of a share: less than one run of this test in 10,000 strays as far.
    fn slack(self, share: f64) -> f64 {
        4.0 * (share * (1.0 - share) / self.trials as f64).sqrt()
    }
}

fn check(now: &[Record], before: &[Record], rules: Rules) -> Vec<Change> {
    let [now, before] = [now, before].map(|records| Side { records, experiment: None });
    changes(now, before, |_| Metric::LOSS, rules)
}

fn fails(change: &Change) -> bool {
    matches!(change.outcome, Outcome::Regressed | Outcome::Diverged | Outcome::Missing)
}

#[test]
fn a_change_of_nothing_fails_one_check_in_twenty_at_most() {
    for (arms, diverging) in [(1, 0.0), (8, 0.0), (20, 0.0), (1, 0.05), (8, 0.05), (20, 0.05), (1, 0.5), (8, 0.5)] {
        for seeds in [3, 5, 10] {
            let checks = Checks { diverging, ..Checks::new(arms, seeds) };
            let rate = checks.failing("A/A");
            assert!(rate <= ALPHA + checks.slack(ALPHA), "{arms} arms, {seeds} seeds, {diverging} diverge: {rate}");
        }
    }
}

#[test]
fn seeds_that_diverge_in_every_arm_fail_no_more_often() {
    for (arms, seeds, diverging) in [(8, 3, 0.5), (8, 10, 0.5), (20, 5, 0.2)] {
        let checks = Checks { diverging, together: true, ..Checks::new(arms, seeds) };
        let rate = checks.failing("A/A where seeds diverge in every arm");
        assert!(rate <= ALPHA + checks.slack(ALPHA), "{arms} arms, {seeds} seeds, {diverging} diverge: {rate}");
    }
}

#[test]
fn other_seeds_than_the_baseline_fail_no_more_often() {
    for (arms, seeds) in [(1, 3), (1, 5), (8, 5)] {
        let checks = Checks { paired: false, ..Checks::new(arms, seeds) };
        let rate = checks.failing("A/A with other seeds");
        assert!(rate <= ALPHA + checks.slack(ALPHA), "{arms} arms, {seeds} seeds: {rate}");
    }
}

#[test]
fn a_choice_among_settings_fails_no_more_often() {
    // Three labels with four equal settings each, of which either side takes the best on validation; then the same
    // scores or others decide.
    let checks = Checks::new(12, 5);
    for has_test in [true, false] {
        let rate = checks.share(if has_test { "A/A by label" } else { "A/A by label without test" }, |stream| {
            let shared: Vec<f64> = (0..checks.seeds).map(|_| stream.normal()).collect();
            let [before, now] = [0, 1].map(|_| {
                let mut side = checks.side(stream, &shared, EQUAL);
                for (run, place) in side.iter_mut().zip(0..) {
                    let (label, lr) = (["a", "b", "c"][place / checks.seeds % 3], place / checks.seeds / 3 + 1);
                    (run.optimizer, run.hyper_parameters[0].1) = (label.into(), (lr as f64).into());
                    if has_test {
                        let validation = run.validation.as_ref().and_then(|scores| scores.get(Metric::LOSS));
                        run.test = validation.map(|loss| Scores::of_loss(loss + 0.03 * stream.normal()));
                    }
                }
                side
            });
            let found = check(&now, &before, Rules { matching: Matching::Label, ..RULES });
            assert_eq!(found.len(), 3);
            found.iter().any(fails)
        });
        assert!(rate <= ALPHA + checks.slack(ALPHA), "{has_test}: {rate}");
    }
}

#[test]
fn a_worsening_of_the_size_that_a_check_would_find_is_found() {
    for arms in [1, 8, 20] {
        for seeds in [3, 5, 10] {
            let checks = Checks { trials: trials() / 2, ..Checks::new(arms, seeds) };
            let found = checks.share("what a check would find", |stream| {
                let said = checks.check(stream, EQUAL, RULES)[0].detectable().unwrap();
                checks.check(stream, Worse { by: said, ..EQUAL }, RULES)[0].outcome == Outcome::Regressed
            });
            assert!(found >= POWER - checks.slack(POWER), "{arms} arms, {seeds} seeds: {found}");
        }
    }
}

#[test]
fn a_worsening_of_the_tolerance_itself_is_called_neither_more_nor_less() {
    for seeds in [3, 5, 10] {
        for margin in [0.01, 0.1] {
            let rules = Rules { tolerance: Margin::Share(margin), ..RULES };
            let checks = Checks { trials: 2 * trials(), ..Checks::new(1, seeds) };
            for is_beyond in [true, false] {
                let rate = checks.share(&format!("{}% worse, called beyond: {is_beyond}", 100.0 * margin), |stream| {
                    checks.check(stream, Worse { times: 1.0 + margin, ..EQUAL }, rules)[0].is_beyond == Some(is_beyond)
                });
                assert!(rate <= ALPHA + checks.slack(ALPHA), "{seeds} seeds, {margin}: {rate}");
            }
        }
    }
}

#[test]
fn a_score_in_coarse_steps_fails_no_more_often() {
    // One example of 180 goes wrong in one seed of five, on either side; nothing is tolerated.
    let rules = Rules { tolerance: Margin::NONE, ..RULES };
    for seeds in [3, 5, 10] {
        let checks = Checks::new(1, seeds);
        let rate = checks.share("A/A in coarse steps", |stream| {
            let [before, now] = [0, 1].map(|_| {
                let wrong = |_| if stream.uniform() < 0.2 { 11.0 / 180.0 } else { 10.0 / 180.0 };
                records(&[Arm::new("a", &(0..seeds).map(wrong).collect::<Vec<f64>>())])
            });
            check(&now, &before, rules).iter().any(fails)
        });
        assert!(rate <= ALPHA + checks.slack(ALPHA), "{seeds} seeds: {rate}");
    }
}
