//! How often verdicts at planned looks, of searches, with judge seeds and with added seeds are wrong: on simulated
//! records, through the functions that judge real ones, against the rates that `docs/search.md` states.

use super::claim::Finding;
use super::sequential::{Standing, judgements};
use super::simulated::{Arm, records};
use super::{Roles, ranking_of};
use crate::catalog::Catalog;
use crate::config::Experiment;
use crate::metric::Metric;
use crate::results::Record;
use crate::rng::Stream;

const LOOKS: [usize; 5] = [3, 5, 8, 12, 20];
const CONFIG: &str = "steps = 10\n[tasks.task]\nmodel = \"mlp\"\ndataset = \"digits\"\nmetric = \"loss\"\n";
const CLAIM: &str = "[optimizers.a]\nkind = \"sgd\"\n[optimizers.b]\nkind = \"sgd\"\n\
                     [claims.c]\nbetter = \"a+constant\"\nthan = \"b+constant\"\nby = 0.0\n";

fn experiment(top: &str, rest: &str) -> Experiment {
    Experiment::parse(&Catalog::built_in(), "c.toml", &format!("{top}\n{CONFIG}{rest}"), "c", &[]).unwrap()
}

/// A share of trials with its Monte-Carlo standard error, in percent.
fn shown(share: f64, trials: usize) -> String {
    format!("{:.1} ± {:.1}%", 100.0 * share, 100.0 * (share * (1.0 - share) / trials as f64).sqrt())
}

/// At most the stated rate, but for four standard errors of the simulation: one test in 30,000 strays as far.
fn assert_at_most(rate: f64, stated: f64, trials: usize, what: &str) {
    assert!(rate <= stated + 4.0 * (stated * (1.0 - stated) / trials as f64).sqrt(), "{what}: {rate}");
}

/// Scores with validation and test alike, as if the same examples were in both: the worst case of a choice.
fn arm(optimizer: &'static str, lr: f64, losses: &[f64]) -> Arm {
    Arm { test: Some(losses.to_vec()), ..Arm::at(optimizer, lr, losses) }
}

/// Two arms under `n` seeds that differ by `lead` standard deviations of their differences.
fn pair(stream: &mut Stream, n: usize, lead: f64) -> Vec<Record> {
    let b: Vec<f64> = (0..n).map(|_| 10.0 + stream.normal()).collect();
    let a: Vec<f64> = b.iter().map(|b| b - 0.01 * (lead + stream.normal())).collect();
    records(&[arm("a", 0.1, &a), arm("b", 0.1, &b)])
}

/// The shares of claims that are supported and refuted, and the mean number of seeds.
fn at_looks(seeds: &str, trials: usize, lead: f64) -> (f64, f64, f64) {
    let experiment = experiment(seeds, CLAIM);
    let most = experiment.seeds.len();
    let mut stream = Stream::new(1, &format!("{seeds} {lead}"));
    let (mut supported, mut refuted, mut trained) = (0, 0, 0);
    for _ in 0..trials {
        let records = pair(&mut stream, most, lead);
        let judged = judgements(&experiment, &records, false).remove(0);
        supported += usize::from(judged.finding == Finding::Supported);
        refuted += usize::from(judged.finding == Finding::Refuted);
        trained += judged.standard.look.map_or(most, |look| look.seeds);
    }
    let share = |n: usize| n as f64 / trials as f64;
    (share(supported), share(refuted), share(trained))
}

#[test]
fn planned_looks_err_as_rarely_as_stated_and_stop_early_where_they_can() {
    const TRIALS: usize = 2000;
    let looks = format!("seeds = {{ looks = {LOOKS:?} }}");
    println!("lead (sd) | looks: supported, refuted, mean seeds | 20 seeds: supported | 5 seeds: supported");
    for lead in [0.0, 0.5, 1.0, 2.0, 3.0] {
        let (supported, refuted, seeds) = at_looks(&looks, TRIALS, lead);
        let [(all, ..), (few, ..)] = ["seeds = 20", "seeds = 5"].map(|seeds| at_looks(seeds, TRIALS, lead));
        let [a, b, c, d] = [supported, refuted, all, few].map(|share| shown(share, TRIALS));
        println!("{lead} | {a}, {b}, {seeds:.1} | {c} | {d}");
        match lead {
            0.0 => {
                assert_at_most(supported, 0.025, TRIALS, "supported though equal");
                assert_at_most(refuted, 0.025, TRIALS, "refuted though equal");
                assert!(seeds > 18.0, "{seeds}");
            }
            lead if lead >= 1.0 => assert!(supported > 0.9 && all - supported < 0.05 && seeds < 15.0),
            _ => assert!(all - supported < 0.15),
        }
    }
}

#[test]
fn an_arm_as_good_as_the_best_is_ruled_out_as_rarely_as_stated_at_all_looks_together() {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    const TRIALS: usize = 1000;
    let optimizers: String = NAMES.iter().map(|name| format!("[optimizers.{name}]\nkind = \"sgd\"\n")).collect();
    let experiment = experiment("seeds = { looks = [3, 5, 8] }\njudge_seeds = 12", &optimizers);
    let mut stream = Stream::new(2, "ruled out");
    let out = (0..TRIALS).filter(|_| {
        // The first arm is truly the best, if by nothing.
        let mut losses = || -> Vec<f64> { (0..20).map(|_| 10.0 + stream.normal()).collect() };
        let arms = NAMES.map(|name| arm(name, 0.1, &losses()));
        let records = records(&arms);
        let standing = Standing::of(&experiment, &records, false);
        let mut ranking =
            ranking_of(standing.records(&records), "task", Metric::LOSS, &Roles::of(standing.experiment(&experiment)));
        standing.order(&mut ranking);
        let compared = standing.comparisons(&ranking);
        let place = ranking.ranks.iter().position(|rank| rank.optimizer == "a").unwrap();
        compared[place].as_ref().is_some_and(|comparison| !comparison.may_be_best)
    });
    let rate = out.count() as f64 / TRIALS as f64;
    println!("4 equal arms, looks at 3, 5, 8 seeds, 12 judge seeds: the best is ruled out in {}", shown(rate, TRIALS));
    assert_at_most(rate, 0.05, TRIALS, "the best is ruled out");
}

/// The runs of one arm whose tries all are equally good: of a search over `tries` rates with one seed, `finalists` of
/// which have all `seeds`; or of a plain sweep, where all have.
fn searched(
    stream: &mut Stream,
    optimizer: &'static str,
    noise: f64,
    tries: usize,
    finalists: usize,
    seeds: usize,
) -> Vec<Arm> {
    let mut losses = |n: usize| -> Vec<f64> { (0..n).map(|_| 10.0 + noise * stream.normal()).collect() };
    let mut first: Vec<Vec<f64>> = (0..tries).map(|_| losses(1)).collect();
    first.sort_by(|a, b| a[0].total_cmp(&b[0]));
    for finalist in first.iter_mut().take(finalists) {
        finalist.extend(losses(seeds - 1));
    }
    let arms = first.into_iter().enumerate();
    arms.map(|(place, losses)| arm(optimizer, 0.1 * (place + 1) as f64, &losses)).collect()
}

/// The shares of claims that `a` is better than `b`, and that it is not, with `a` the noisier of two equal searches.
fn after_a_search(experiment: &Experiment, trials: usize, finalists: usize) -> (f64, f64) {
    let seeds = experiment.seeds.len();
    let mut stream = Stream::new(3, &format!("{finalists} finalists"));
    let (mut supported, mut refuted) = (0, 0);
    for _ in 0..trials {
        let a = searched(&mut stream, "a", 0.3, 16, finalists, seeds);
        let b = searched(&mut stream, "b", 0.03, 16, finalists, seeds);
        let judged = judgements(experiment, &records(&[a, b].concat()), false).remove(0);
        supported += usize::from(judged.finding == Finding::Supported);
        refuted += usize::from(judged.finding == Finding::Refuted);
    }
    (supported as f64 / trials as f64, refuted as f64 / trials as f64)
}

#[test]
fn a_search_is_not_flattered_by_the_seed_that_it_searched_with() {
    const TRIALS: usize = 2000;
    let rates = CLAIM.replace("kind = \"sgd\"\n", "kind = \"sgd\"\nlr = { log_uniform = [0.1, 1.6] }\n");
    for finalists in [1, 3] {
        let tuning = format!("[tuning]\nbudget = 16\nfinalists = {finalists}\n");
        let (supported, refuted) =
            after_a_search(&experiment("seeds = 5", &(rates.clone() + &tuning)), TRIALS, finalists);
        let [a, b] = [supported, refuted].map(|share| shown(share, TRIALS));
        println!(
            "[tuning], 16 tries, 5 seeds, {finalists} finalists, noise ten times as large: supported {a}, refuted {b}"
        );
        assert_at_most(supported, 0.025, TRIALS, "supported");
        assert_at_most(refuted, 0.025, TRIALS, "refuted");
    }
}

#[test]
fn judge_seeds_take_the_luck_of_many_tries_away() {
    const TRIALS: usize = 1500;
    let rate = |place: usize| format!("{:?}", 0.1 * (place + 1) as f64);
    let rates: Vec<String> = (0..16).map(rate).collect();
    let many = CLAIM.replacen("kind = \"sgd\"\n", &format!("kind = \"sgd\"\nlr = [{}]\n", rates.join(", ")), 1);
    let many = many.replace("[optimizers.b]\nkind = \"sgd\"\n", "[optimizers.b]\nkind = \"sgd\"\nlr = 0.1\n");
    let share = |top: &str, seeds: usize| {
        let experiment = experiment(top, &many);
        let mut stream = Stream::new(4, "16 settings against 1");
        let supported = (0..TRIALS).filter(|_| {
            let a = searched(&mut stream, "a", 0.3, 16, 16, seeds);
            let b = searched(&mut stream, "b", 0.3, 1, 1, seeds);
            judgements(&experiment, &records(&[a, b].concat()), false)[0].finding == Finding::Supported
        });
        supported.count() as f64 / TRIALS as f64
    };
    let (before, after) = (share("seeds = 3", 3), share("seeds = 3\njudge_seeds = 5", 8));
    println!("16 settings against 1, equally good, 3 seeds: supported {}", shown(before, TRIALS));
    println!("the same with 5 judge seeds: supported {}", shown(after, TRIALS));
    assert!(before > 0.05, "{before}");
    assert_at_most(after, 0.025, TRIALS, "supported");
}

#[test]
fn seeds_added_one_by_one_until_a_verdict_is_reached_err_as_rarely_as_stated() {
    const TRIALS: usize = 1000;
    let experiments: Vec<Experiment> = (3..=20).map(|n| experiment(&format!("seeds = {n}"), CLAIM)).collect();
    let decided = |extended: bool| {
        let mut stream = Stream::new(5, "added");
        let wrong = (0..TRIALS).filter(|_| {
            let all = pair(&mut stream, 20, 0.0);
            experiments.iter().any(|experiment| {
                let now: Vec<Record> = all.iter().filter(|run| experiment.seeds.contains(&run.seed)).cloned().collect();
                judgements(experiment, &now, extended)[0].finding != Finding::Undecided
            })
        });
        wrong.count() as f64 / TRIALS as f64
    };
    let (fixed, anytime) = (decided(false), decided(true));
    println!("looking after every seed from 3 to 20: decided {}", shown(fixed, TRIALS));
    println!("the same where seeds that were added are known to be: decided {}", shown(anytime, TRIALS));
    assert!(fixed > 0.1, "{fixed}");
    assert_at_most(anytime, 0.05, TRIALS, "decided");
}
