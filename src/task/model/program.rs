//! Anyone's training program: what a config says of it.

use std::path::PathBuf;
use std::time::Duration;

use crate::registry::{About, Accepts, Bounds, Key, Mistake};
use crate::settings::{Settings, Value};
use crate::task::model::{Definition, Kind, measured};

const COMMAND: &str = "command";
const DIRECTORY: &str = "directory";
const FILES: &str = "files";
const TIMEOUT: &str = "timeout";
const SILENCE: &str = "silence";
const PATTERNS: &str = "patterns";
const LOG: &str = "log";
const RESUME: &str = "resume";
const STEPS_PER_EPOCH: &str = "steps_per_epoch";

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "program",
        revision: 1,
        summary: "your own training program, in any language and framework, started once a run",
        equations: "\
command = [\"python\", \"train.py\"]     started in the folder of the config; `model` need not be given
$OPTBENCH_RUN                         a JSON file: seed, steps, evaluations, optimizer, schedule, learning_rates, out, resume
{\"step\": 100, \"loss\": 0.41}         a line of its standard output: the training loss of update 100
{\"step\": 100, \"split\": \"val\", \"loss\": 0.40, \"accuracy\": 0.87}
                                      an evaluation; the last one, at the last step, is required
exit status 86                        the training diverged; so does a loss or score of NaN or Infinity",
        keys: &[
            Key::required(
                COMMAND,
                Accepts::Texts,
                "the program and its arguments; `{seed}`, `{steps}`, `{optimizer.lr}`, `{run_file}`, `{out}` and such are filled in",
            ),
            measured::KEY,
            Key::optional(
                DIRECTORY,
                Accepts::Text,
                "the folder that it is started in, as seen from the config; unless given, the folder of the config",
            )
            .that_decides_nothing(),
            Key::optional(
                FILES,
                Accepts::Texts,
                "files that decide the numbers, `*` allowed: change one, and the runs are trained again; unless given, the \
                 files that `command` names",
            ),
            Key::optional(TIMEOUT, Accepts::Text, "how long a run may take, such as \"2 hours\"; unless given, as long as it takes")
                .checked_by(check_time)
                .that_decides_nothing(),
            Key::optional(SILENCE, Accepts::Text, "how long it may print nothing, such as \"10 minutes\"")
                .checked_by(check_time)
                .that_decides_nothing(),
            measured::COMMON_RANDOM_NUMBERS,
            Key::optional(
                PATTERNS,
                Accepts::TextTable,
                "regular expressions that read what the program prints, each with one group: `step`, `epoch`, `loss`, `lr`, \
                 `val.METRIC`, `test.METRIC`",
            )
            .checked_by(check_pattern),
            Key::optional(
                LOG,
                Accepts::Text,
                "a CSV file that the program writes into its folder `{out}`, read in place of its standard output",
            ),
            Key::flag(RESUME, false, "whether an interrupted run can go on from what it kept in `{out}`").that_decides_nothing(),
            Key::optional(
                STEPS_PER_EPOCH,
                Accepts::Integer(Bounds::at_least(1.0)),
                "updates in one pass over its data, for durations in epochs",
            ),
        ],
        source: "docs/programs.md",
    },
    kind: Kind::Program,
};

/// A training program, as a config states it.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The program and its arguments, with placeholders.
    pub command: Vec<String>,
    /// The folder that it is started in; nothing for the one that optbench is in.
    pub directory: PathBuf,
    /// The files that decide the numbers; `None` for those that the command names.
    pub files: Option<Vec<String>>,
    /// How long a run may take.
    pub timeout: Option<Duration>,
    /// How long it may print nothing.
    pub silence: Option<Duration>,
    /// Whether runs of one seed share what is random in them.
    pub common_random_numbers: bool,
    /// What reads the lines that it prints; empty where these are JSON.
    pub patterns: Vec<(String, String)>,
    /// The CSV file that it writes.
    pub log: Option<String>,
    /// Whether an interrupted run can go on.
    pub resume: bool,
    /// Updates in one pass over its data.
    pub steps_per_epoch: Option<u64>,
}

impl Program {
    /// What checked settings of the model `program` say.
    pub fn of(settings: &Settings) -> Self {
        let texts = |key| settings.list(key).iter().filter_map(Value::as_text).map(str::to_owned).collect::<Vec<_>>();
        let text = |key| settings.get(key).and_then(Value::as_text);
        let time = |key| text(key).and_then(|text| humantime::parse_duration(text).ok());
        let flag = |key| settings.get(key) == Some(&Value::Bool(true));
        let pattern = |(name, value): &(String, Value)| Some((name.clone(), value.as_text()?.to_owned()));
        Self {
            command: texts(COMMAND),
            directory: text(DIRECTORY).unwrap_or_default().into(),
            files: settings.get(FILES).map(|_| texts(FILES)),
            timeout: time(TIMEOUT),
            silence: time(SILENCE),
            common_random_numbers: flag(measured::COMMON_RANDOM_NUMBERS.name),
            patterns: settings.table(PATTERNS).iter().filter_map(pattern).collect(),
            log: text(LOG).map(str::to_owned),
            resume: flag(RESUME),
            steps_per_epoch: settings.get(STEPS_PER_EPOCH).and_then(Value::as_float).map(|steps| steps as u64),
        }
    }
}

fn check_time(text: &str, _: &Settings) -> Vec<Mistake> {
    let expected = "a time such as \"10 minutes\" or \"2 hours\"";
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => vec![Mistake::at(0..text.len(), "the time is 0").expected(expected)],
        Ok(_) => Vec::new(),
        Err(problem) => vec![Mistake::at(0..text.len(), format!("not a valid time: {problem}")).expected(expected)],
    }
}

fn check_pattern(text: &str, _: &Settings) -> Vec<Mistake> {
    let problem = match regex::Regex::new(text) {
        Ok(pattern) if pattern.captures_len() == 2 => return Vec::new(),
        Ok(pattern) => format!("the pattern has {} groups in parentheses", pattern.captures_len() - 1),
        Err(regex::Error::Syntax(problem)) => {
            let reason = problem.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("not a valid regular expression: {reason}")
        }
        Err(problem) => format!("not a valid regular expression: {problem}"),
    };
    vec![Mistake::at(0..text.len(), problem).expected("one group around the number: \"val loss: ([0-9.]+)\"")]
}
