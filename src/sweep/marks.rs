//! The steps that absolute claims are about: runs must be evaluated there.

use crate::config::{Budget, Experiment};
use crate::length::Timeline;
use crate::task::Spec;
use crate::train::Course;

/// Finds the first claim about a task that asks for a score at a step without an evaluation.
pub(super) fn check(
    experiment: &Experiment,
    task: &Spec,
    budget: Budget,
    steps_per_epoch: Option<u64>,
    horizons: &[u64],
) -> Result<(), String> {
    let course = Course { steps: budget.steps, eval_every: budget.eval_every, horizons: horizons.to_vec() };
    let timeline = Timeline { steps: budget.steps, steps_per_epoch, beta2: None };
    for (claim, reaches) in experiment.claims_that_reach(task) {
        let of_claim = |problem: String| format!("claim `{}` on task `{}`: {problem}", claim.label, task.label);
        let step = reaches.within.in_steps(&timeline).map_err(of_claim)?;
        if step > budget.steps {
            let problem = format!("`within` is step {step}, and a run ends at step {}", budget.steps);
            return Err(of_claim(format!("{problem}\n  help: claim a step within the run, or train longer")));
        }
        if course.is_evaluated(step) {
            continue;
        }
        let before = step / budget.eval_every * budget.eval_every;
        let after = (before + budget.eval_every).min(budget.steps);
        return Err(of_claim(format!(
            "`within` is step {step}, at which runs are not evaluated; the nearest evaluations are at steps {before} and \
             {after}\n  help: set `within` to one of them, or change `eval_every`"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn a_claimed_step_is_one_at_which_runs_are_evaluated() {
        let check = |within: &str| {
            let text = format!(
                "steps = 1050\neval_every = 100\n[tasks.task]\nmodel = \"quadratic\"\n[optimizers.sgd]\n\
                 [claims.fast]\narm = \"sgd+constant\"\nreaches = {{ loss = 1 }}\nwithin = \"{within}\"\n"
            );
            let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap();
            let budget = experiment.budget(None).unwrap();
            check(&experiment, &experiment.tasks[0], budget, None, &[250]).err().unwrap_or_default()
        };
        assert_eq!(["300 steps", "250 steps", "1050 steps", "100%"].map(check), [const { String::new() }; 4]);
        assert!(check("320 steps").contains("nearest evaluations are at steps 300 and 400"), "{}", check("320 steps"));
        assert!(check("1020 steps").contains("at steps 1000 and 1050"), "{}", check("1020 steps"));
        assert!(check("2000 steps").contains("a run ends at step 1050"));
        assert!(check("1 epoch").contains("no epochs"));
    }
}
