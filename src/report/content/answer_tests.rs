//! The answer in words, for every kind of evidence.

use super::task;
use crate::analysis::ranking;
use crate::analysis::simulated::{Arm, records};
use crate::catalog::Catalog;
use crate::config::Experiment;
use crate::metric::{Metric, Scores};
use crate::report::Section;
use crate::report::document::Task;
use crate::report::render::terminal;
use crate::results::{Record, Store};
use crate::rng::Stream;

fn headline(arms: &[Arm]) -> String {
    let records = records(arms);
    Section::new(ranking(&records, "task", Metric::LOSS), &records, None).headline()
}

const NAMES: [&str; 8] = ["adamw", "lion", "sgd", "radam", "adan", "muon", "soap", "nadam"];

/// Eight arms with these mean test accuracies: the seed moves all by 0.4 points, each arm another 0.3.
fn accuracies(means: [f64; 8], seeds: usize) -> Vec<Record> {
    let mut stream = Stream::new(3, "answer");
    let shared: Vec<f64> = (0..seeds).map(|_| 0.004 * stream.normal()).collect();
    let mut noisy = |mean: f64| -> Vec<f64> {
        shared.iter().map(|seed| ((mean + seed + 0.003 * stream.normal()) * 1e4).round() / 1e4).collect()
    };
    let arms: Vec<Arm> = NAMES
        .into_iter()
        .zip(means)
        .map(|(name, mean)| Arm { test: Some(noisy(mean)), ..Arm::new(name, &noisy(mean + 0.003)) })
        .collect();
    let mut records = records(&arms);
    for scores in records.iter_mut().flat_map(|run| [&mut run.validation, &mut run.test]).flatten() {
        let accuracy = scores.get(Metric::LOSS).unwrap();
        *scores = Scores::of_loss(1.0 - accuracy).with(Metric::ACCURACY, accuracy);
    }
    records
}

fn said(section: &Section) -> Task {
    task::task(section, &Store::new("nowhere")).unwrap()
}

fn report(records: &[Record]) -> String {
    let section = Section::new(ranking(records, "digits", Metric::ACCURACY), records, None);
    terminal::ranking(&said(&section))
}

fn on_digits(mut records: Vec<Record>) -> Vec<Record> {
    for run in &mut records {
        run.task = "digits".into();
    }
    records
}

/// The report of eight arms with these mean accuracies, five seeds.
fn of_eight(means: [f64; 8]) -> String {
    report(&on_digits(accuracies(means, 5)))
}

#[test]
fn eight_equal_arms_a_clear_winner_and_three_of_eight() {
    let equal = of_eight([0.96; 8]);
    let winner = of_eight([0.97, 0.93, 0.94, 0.95, 0.93, 0.94, 0.92, 0.95]);
    let three = of_eight([0.97, 0.969, 0.968, 0.95, 0.94, 0.94, 0.93, 0.95]);
    let mut differ = Vec::new();
    for (text, golden) in [
        (equal, include_str!("answer_tests/eight_equal_arms.txt")),
        (winner, include_str!("answer_tests/a_clear_winner.txt")),
        (three, include_str!("answer_tests/three_of_eight.txt")),
    ] {
        if text != golden {
            differ.push(text);
        }
    }
    assert!(differ.is_empty(), "found:\n{}", differ.join("\n"));
}

const NAN: f64 = f64::NAN;
const FAR: [f64; 3] = [2.0, 2.11, 2.2];
const WIDE: [f64; 3] = [0.9, 1.6, 1.1];
const LOST: [f64; 3] = [NAN; 3];

fn a() -> Arm {
    Arm::new("a", &[1.0, 1.1, 1.2])
}

fn b(losses: &[f64]) -> Arm {
    Arm::new("b", losses)
}

fn c(losses: &[f64]) -> Arm {
    Arm::new("c", losses)
}

fn tested(arm: Arm, test: &[f64]) -> Arm {
    Arm { test: Some(test.to_vec()), ..arm }
}

#[test]
fn nothing_and_one_arm_in_words() {
    for (arms, words) in [
        (vec![], "Nothing has run on task."),
        (vec![b(&LOST)], "every run diverged or failed."),
        (
            vec![a()],
            "a+constant reached final loss 1.1000 at lr 0.1 (3 seeds). No other optimizer or schedule ran on this task.",
        ),
        (
            vec![Arm::new("a", &[1.0, NAN, NAN])],
            "a+constant reached final loss 1.0000 at lr 0.1 (1 of 3 seeds; 2 diverged). No other optimizer or schedule ran \
             on this task.",
        ),
        (
            // It finished with a score that is no number to compare.
            vec![Arm::new("a", &[1.0, 1.2, f64::INFINITY])],
            "a+constant reached final loss 1.1000 at lr 0.1 (2 of 3 seeds; 1 diverged). No other optimizer or schedule ran \
             on this task.",
        ),
    ] {
        assert!(headline(&arms).ends_with(words), "{}\n{words}", headline(&arms));
    }
}

#[test]
fn a_winner_in_words() {
    for (arms, words) in [
        (
            vec![a(), b(&FAR)],
            "a+constant is the best of 2 arms: final loss 1.1000 at lr 0.1, lower than that of b+constant by 1.0033 (95% \
             interval 0.9890 to 1.0177; 3 seeds; 10.0 standard deviations over seeds; 48% lower loss). The other arm is \
             significantly worse (p < 0.001).",
        ),
        (
            vec![a(), b(&[1.0, 1.1, 1.2])],
            "a+constant (final loss 1.1000 at lr 0.1) and b+constant have the same score in every seed.",
        ),
        (
            vec![Arm::new("a", &[0.5, 0.5]), b(&[0.7, 0.7])],
            "a+constant is the best of 2 arms: final loss 0.5000 at lr 0.1, lower than that of b+constant by 0.2000 (the \
             same in each of 2 seeds; 29% lower loss). The other arm is significantly worse.",
        ),
        (
            vec![Arm::new("a", &[0.5]), b(&[0.7])],
            "a+constant has the best score of 2 arms: final loss 0.5000 at lr 0.1, lower than that of b+constant by 0.2000. \
             With one seed, noise cannot be estimated: neither arm can be ruled out as the best.",
        ),
        (
            vec![Arm::new("a", &[0.5]), b(&[0.7]), c(&[0.6])],
            "a+constant has the best score of 3 arms: final loss 0.5000 at lr 0.1, lower than that of the next, c+constant, \
             by 0.1000. With one seed, noise cannot be estimated: no arm can be ruled out as the best.",
        ),
        (
            vec![tested(Arm::new("a", &[0.5]), &[0.8]), tested(b(&[0.7]), &[0.6])],
            "validation chose a+constant (test loss 0.8000 at lr 0.1), but b+constant is better on test by 0.2000. With one \
             seed, noise cannot be estimated: neither arm can be ruled out as the best.",
        ),
        (
            vec![a(), b(&LOST)],
            "a+constant is the best of 2 arms: final loss 1.1000 at lr 0.1 (3 seeds). b+constant diverged in every seed.",
        ),
        (
            vec![a(), b(&LOST), c(&FAR)],
            "a+constant is the best of 3 arms: final loss 1.1000 at lr 0.1, lower than that of the next, c+constant, by 1.0033 \
             (95% interval 0.9890 to 1.0177; 3 seeds; 10.0 standard deviations over seeds; 48% lower loss). c+constant is \
             significantly worse (Holm-adjusted p < 0.001). b+constant diverged in every seed.",
        ),
        (
            vec![
                Arm::new("a", &[1.0, 1.1, 1.2, 1.3, 1.4]),
                b(&[NAN, NAN, NAN, NAN, 1.0]),
                c(&[2.0, 2.1, 2.21, 2.3, 2.4]),
            ],
            "a+constant is the best of 3 arms: final loss 1.2000 at lr 0.1, lower than that of the next, c+constant, by 1.0020 \
             (95% interval 0.9964 to 1.0076; 5 seeds; 6.3 standard deviations over seeds; 46% lower loss). c+constant is \
             significantly worse (Holm-adjusted p < 0.001). b+constant [1 of 5 seeds; 4 diverged] is ruled out, as \
             significantly more seeds diverged.",
        ),
    ] {
        assert_eq!(headline(&arms), format!("On task, {words}"));
    }
}

#[test]
fn what_is_open_in_words() {
    for (arms, words) in [
        (
            vec![a(), b(&WIDE)],
            "either of 2 arms may be the best: b+constant (1.2000) is not significantly worse than a+constant (final loss 1.1000 \
             at lr 0.1), which validation chose. The difference is 0.1000 (95% interval -0.7605 to 0.9605; 3 seeds; 0.4 \
             standard deviations over seeds; 8.3% lower loss). With 3 seeds, differences of 1.6847 or more can be detected \
             (80% power).",
        ),
        (
            vec![Arm::new("a", &[1.0, 1.1, 1.2, 1.1]), b(&[0.9, 1.6, 1.1, NAN])],
            "either of 2 arms may be the best: b+constant (1.2000 [3 of 4 seeds; 1 diverged]) is not significantly worse than \
             a+constant (final loss 1.1000 at lr 0.1), which validation chose. The difference is 0.1000 (95% interval -0.7605 \
             to 0.9605; 3 seeds; 0.4 standard deviations over seeds; 8.3% lower loss). With 3 seeds, differences of 1.6847 or \
             more can be detected (80% power).",
        ),
        (
            vec![a(), b(&WIDE), c(&[1.9, 1.0, 1.3])],
            "any of 3 arms may be the best: none of the others is significantly worse than a+constant (final loss 1.1000 at lr \
             0.1), which validation chose. The largest difference is 0.3000 (95% interval -1.0145 to 1.6145; 3 seeds; 0.9 \
             standard deviations over seeds; 21% lower loss), to c+constant. With 3 seeds, differences of 2.1290 or more can \
             be detected (80% power).",
        ),
        (
            vec![a(), b(&[1.035, 1.16, 1.305])],
            "a+constant is the best of 2 arms: final loss 1.1000 at lr 0.1, lower than that of b+constant by 0.0667 (95% \
             interval -0.0215 to 0.1548; 3 seeds; 0.6 standard deviations over seeds; 5.7% lower loss). The other arm is worse \
             (one-sided p = 0.041; two-sided p = 0.083).",
        ),
        (
            vec![a(), Arm::new("d", &WIDE), b(&[1.035, 1.16, 1.305]), c(&[1.036, 1.16, 1.305])],
            "2 of 4 arms may be the best: a+constant (final loss 1.1000 at lr 0.1) and d+constant (1.2000). The second is not \
             significantly worse than the first, which validation chose. The difference is 0.1000 (95% interval -0.7605 to \
             0.9605; 3 seeds; 0.4 standard deviations over seeds; 8.3% lower loss). 2 arms are worse by 0.0667 or more \
             (one-sided test at 5% for each; none of them significantly after Holm's correction). With 3 seeds, differences of \
             1.6847 or more can be detected (80% power).",
        ),
        (
            vec![tested(a(), &[3.0, 3.1, 3.2]), tested(b(&FAR), &[2.0, 2.1, 2.21])],
            "validation and test disagree: validation chose a+constant (test loss 3.1000 at lr 0.1), but b+constant is \
             significantly better on test (p < 0.001), by 0.9967 (95% interval 0.9823 to 1.0110; 3 seeds; 9.7 standard \
             deviations over seeds). Neither can be called the best.",
        ),
        (
            vec![tested(a(), &[3.0, 3.1, 3.2]), tested(b(&FAR), &[2.9, 3.1, 3.15])],
            "either of 2 arms may be the best: b+constant (3.0500) is not significantly worse than a+constant (test loss 3.1000 \
             at lr 0.1), which validation chose. The difference is 0.0500 (95% interval -0.0742 to 0.1742; 3 seeds; 0.4 \
             standard deviations over seeds): b+constant is ahead on test. With 3 seeds, differences of 0.2432 or more can be \
             detected (80% power).",
        ),
    ] {
        assert_eq!(headline(&arms), format!("On task, {words}"));
    }
}

#[test]
fn steps_that_the_leader_saves_are_told_with_the_lead() {
    let text =
        "steps = 100\n[tasks.task]\nmodel = \"quadratic\"\ntarget = { loss = 1.5 }\n[optimizers.a]\nkind = \"sgd\"\n";
    let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
    let mut records = records(&[Arm::new("a", &[1.0, 1.1, 1.2]), Arm::new("b", &[2.0, 2.11, 2.2])]);
    for (run, steps) in records.iter_mut().zip([20, 30, 40, 60, 80, 70]) {
        run.steps_to_target = Some(steps);
    }
    let section = Section::new(ranking(&records, "task", Metric::LOSS), &records, Some(&experiment));
    let said = "It reached loss 1.5000 in 30 steps, 40 fewer than b+constant (95% interval 15 to 65).";
    assert!(section.headline().contains(said), "{}", section.headline());
}

#[test]
fn rows_in_another_order_than_their_scores_are_explained() {
    let note = |b: [f64; 3], c: [f64; 3]| {
        let tested = |name, test: [f64; 3], validation: [f64; 3]| Arm {
            test: Some(test.to_vec()),
            ..Arm::new(name, &validation)
        };
        let records = records(&[tested("a", [1.0; 3], [1.0; 3]), tested("b", b, [2.0; 3]), tested("c", c, [3.0; 3])]);
        Section::new(ranking(&records, "task", Metric::LOSS), &records, None).order_note()
    };
    assert_eq!(note([2.0; 3], [3.0; 3]), None);
    let rows = "Rows are in the order of validation, which also chose the settings; on test, ";
    assert_eq!(note([3.0; 3], [2.0; 3]).unwrap(), format!("{rows}some are in another order."));
    assert_eq!(note([2.0; 3], [0.5; 3]).unwrap(), format!("{rows}c+constant (row 3) has the best mean."));
}

#[test]
fn caveats_stand_with_the_answer_in_every_format() {
    let arms =
        [Arm::at("a", 0.1, &[1.0, 1.1, 1.21]), Arm::at("a", 1.0, &[4.0; 3]), Arm::at("b", 0.1, &[2.0, 2.1, 2.2])];
    let records = records(&arms);
    let section = Section::new(ranking(&records, "task", Metric::LOSS), &records, None);
    let note = section.note().unwrap();
    assert!(note.starts_with("The best `lr` is the lowest that was tried, for a under constant (0.1)"), "{note}");
    assert!(
        note.ends_with("The rate of b was not tuned while others were: another may be better; give a list as `lr`."),
        "{note}"
    );
    let task = said(&section);
    let (answer, rest) = (&task.first, &task.rest);
    assert!(
        answer
            .ends_with("(95% interval 0.9823 to 1.0110; 3 seeds; 9.7 standard deviations over seeds; 47% lower loss)."),
        "{answer}"
    );
    assert_eq!(rest, "The other arm is significantly worse (p < 0.001).");
    let terminal = terminal::ranking(&task);
    let (above, below) = terminal.split_once("100 steps").unwrap();
    assert!(above.contains("warning: the best `lr`") && !below.contains("the best `lr`"), "{terminal}");
    let [leader, other] = [0, 1].map(|place| section.found[place].note.clone().unwrap());
    assert!(leader.starts_with("The best `lr`") && other.contains("rate of b"), "{leader} {other}");
}
