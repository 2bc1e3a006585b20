//! Performance profiles over tasks.

use crate::analysis::Rank;
use crate::analysis::profile::{MOST, Profiles, profile, score};
use crate::report::document::{Cell, Content, Number, Performance, Table};

const WITHIN: [f64; 4] = [1.0, 1.5, 2.0, MOST];

/// The scores, the best first.
pub(super) fn table(profiles: &Profiles) -> Table {
    let Profiles { tasks, arms, seconds, steps } = profiles;
    let note = format!(
        "Over {} tasks whose target some arm reached under every seed: {}. The profile at tau is the share of tasks whose \
         target an arm reaches (mean over seeds, under every seed) within tau times the time of the fastest arm; the score \
         is the area under it for tau from 1 to {MOST}, over {} (AlgoPerf; Dahl et al. 2023): 1 is the fastest on every \
         task, 0 never within {MOST} times. Every arm runs at its best settings; on a task that it did not run on, it counts \
         as not there.",
        tasks.len(),
        tasks.join(", "),
        MOST - 1.0
    );
    let order = profiles.order(seconds);
    let places = || order.iter().copied();
    let reached = |arm: usize| seconds.iter().filter(|task| task[arm].is_some()).count();
    let mut table = Table::new("Performance profiles", note);
    table.words("optimizer", places().map(|arm| Cell::label(arms[arm].optimizer)));
    table.words("schedule", places().map(|arm| Cell::label(arms[arm].schedule)));
    for (title, times) in [("score by seconds", seconds), ("by steps", steps)] {
        table.numbers(title, places().map(|arm| Number::fixed(score(times, arm, MOST), 3)));
    }
    table.numbers("targets reached", places().map(|arm| Content::Share(reached(arm), seconds.len())));
    for tau in WITHIN {
        let share = |arm: usize| Number::fixed(100.0 * profile(seconds, arm, tau), 0).with("%");
        table.numbers(format!("within {tau}x"), places().map(share));
    }
    table
}

/// The scores for scripts.
pub(super) fn facts(profiles: &Profiles) -> Vec<Performance> {
    let of = |(arm, rank): (usize, &&Rank)| Performance {
        arm: rank.name(),
        score_by_seconds: score(&profiles.seconds, arm, MOST),
        score_by_steps: score(&profiles.steps, arm, MOST),
    };
    profiles.arms.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::analysis::{Ranking, ranking};
    use crate::metric::Metric;

    #[test]
    fn arms_are_scored_over_the_tasks_with_a_target() {
        let of = |task: &str, [a, b]: [Option<u64>; 2]| {
            let arm = |name, steps| Arm { steps_to_target: steps, ..Arm::new(name, &[1.0, 1.1]) };
            let mut records = records(&[arm("a", a), arm("b", b)]);
            for record in &mut records {
                record.task = task.into();
            }
            records
        };
        let all =
            [of("one", [Some(10), Some(20)]), of("two", [Some(60), Some(20)]), of("three", [None, None])].concat();
        let rankings: Vec<Ranking> = ["one", "two", "three"].map(|task| ranking(&all, task, Metric::LOSS)).into();
        let profiles = Profiles::new(&rankings).unwrap();
        let rows: Vec<Vec<String>> =
            table(&profiles).rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        // b: 2 and 1 times the fastest, (2 + 3) / 3 / 2; a: 1 and 3 times, (3 + 1) / 3 / 2.
        assert_eq!(rows[0], ["b", "constant", "0.833", "0.833", "2/2", "50%", "50%", "100%", "100%"]);
        assert_eq!(rows[1][..4], ["a", "constant", "0.667", "0.667"]);
        assert!(table(&profiles).note.contains("target some arm reached under every seed: one, two."));
        assert!(Profiles::new(&rankings[..1]).is_none(), "one task is no profile");
        assert!(Profiles::new(&rankings[1..]).is_none(), "nor is one with a target");
        let elsewhere = of("two", [Some(60), Some(20)]).into_iter().filter(|record| record.optimizer == "b");
        let some: Vec<_> = all.iter().filter(|r| r.optimizer == "a").cloned().chain(elsewhere).collect();
        let rankings: Vec<Ranking> = ["one", "two"].map(|task| ranking(&some, task, Metric::LOSS)).into();
        let names: Vec<String> = Profiles::new(&rankings).unwrap().arms.iter().map(|arm| arm.name()).collect();
        assert_eq!(names, ["a+constant", "b+constant"], "an arm that is not on the first task");
    }
}
