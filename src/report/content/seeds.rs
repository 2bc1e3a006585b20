//! How many seeds the verdicts come from, and why training stopped there, in words.

use crate::analysis::standard::Basis;
use crate::report::Results;

impl Results {
    /// What to know of the seeds where verdicts are reached at planned looks, or with seeds that were added.
    pub(super) fn seeds_said(&self) -> Vec<String> {
        let mut said = Vec::new();
        if !self.experiment.looks().is_empty() {
            said.push(self.look_said());
        }
        if self.standing.standard.basis == Basis::Anytime {
            said.push(
                "Seeds were added after results were seen. Verdicts therefore use a test that is valid however often \
                 results are looked at; it needs more evidence than a number of seeds, or looks, planned before the first run."
                    .to_owned(),
            );
        }
        said
    }

    fn look_said(&self) -> String {
        let (experiment, standing) = (&self.experiment, &self.standing);
        let looks = experiment.looks();
        let kind = experiment.looks_count();
        let (here, most) = (looks[standing.look], looks[looks.len() - 1]);
        let seeds = if here == most { format!("all {most}") } else { format!("{here} of at most {most}") };
        let place = format!("look {} of {}, with {seeds} {kind}", standing.look + 1, looks.len());
        let open = if experiment.claims.is_empty() {
            "more than one arm may be the best"
        } else {
            "not every claim is decided"
        };
        match (standing.decided, here == most) {
            (true, true) => format!("Verdicts as of {place}: {}.", experiment.looks_decide()),
            (true, false) => format!("Training stopped at {place}: {}.", experiment.looks_decide()),
            (false, true) => format!("Verdicts as of {place}, the last: {open}."),
            (false, false) => format!("Verdicts as of {place}: {open} yet; `optbench run` trains more seeds."),
        }
    }
}
