//! What identifies a run: a text in TOML of everything that decides its numbers, whose SHA-256 is its fingerprint.
//!
//! The text is written here, key by key and in the order of the alphabet, and follows neither the names nor the order
//! of anything in this program: only a change of the numbers may change it. What judges a run, such as a target, and
//! what only says where the data lies is left out.

use std::collections::BTreeMap;
use std::fmt::Write;

use candle_core::DType;

use crate::config::Budget;
use crate::length::Length;
use crate::results::{Data, Identity};
use crate::settings::{Settings, Value};
use crate::sweep::run::Run;
use crate::task::Spec;
use crate::train;

/// Raised when the text itself is written in another way.
const FORMAT: u32 = 1;

/// Everything that decides the numbers of a run.
pub(super) struct Numbers<'a> {
    pub(super) run: &'a Run,
    pub(super) spec: &'a Spec,
    pub(super) data: Option<&'a Data>,
    /// The files of a training program, each with its SHA-256.
    pub(super) files: &'a BTreeMap<String, String>,
    pub(super) device: &'a str,
    pub(super) budget: Budget,
    /// The horizons that it is evaluated at on the way.
    pub(super) horizons: &'a [u64],
}

impl Numbers<'_> {
    /// The text.
    pub(super) fn text(&self) -> String {
        let Self { run, spec, data, files, device, budget, horizons } = *self;
        let mut text = format!("format = {FORMAT}\n");
        if spec.is_trained_here() {
            let _ = writeln!(text, "revision = {}", train::REVISION);
        }
        let Budget { steps, eval_every } = budget;
        let _ = writeln!(
            text,
            "device = {}\nseed = {}\nsteps = {steps}\neval_every = {eval_every}",
            quoted(device),
            run.seed
        );
        if run.horizon.is_none() && !horizons.is_empty() {
            // They change no update, but what is evaluated.
            let _ = writeln!(text, "horizons = {horizons:?}\nstands_for = {:?}", run.stands_for);
        }
        if spec.is_trained_here() {
            let dtype = if spec.dtype == DType::F64 { "f64" } else { "f32" };
            let _ = write!(text, "\n[task]\nbatch_size = {}\ndtype = \"{dtype}\"\n", spec.batch_size);
        }
        table(&mut text, "task.model", &spec.model, None);
        if !files.is_empty() {
            text += "\n[task.files]\n";
            for (file, sha256) in files {
                let _ = writeln!(text, "{} = {}", bare(file), quoted(sha256));
            }
        }
        if let Some(dataset) = &spec.dataset {
            table(&mut text, "task.dataset", dataset, data);
        }
        table(&mut text, "optimizer", &run.optimizer, None);
        table(&mut text, "schedule", &run.schedule, None);
        text
    }

    /// The same, without the settings: what is kept with the record.
    pub(super) fn identity(&self) -> Identity {
        let mut revisions = BTreeMap::new();
        if self.spec.is_trained_here() {
            revisions.insert("training".to_owned(), train::REVISION);
        }
        note(&mut revisions, &self.spec.model);
        if let Some(dataset) = &self.spec.dataset {
            note(&mut revisions, dataset);
        }
        note(&mut revisions, &self.run.optimizer);
        note(&mut revisions, &self.run.schedule);
        Identity { device: self.device.to_owned(), data: self.data.cloned(), revisions }
    }
}

/// Notes the revision of a kind and of those within it.
fn note(revisions: &mut BTreeMap<String, u32>, settings: &Settings) {
    let kind = settings.kind();
    revisions.insert(format!("{} {}", kind.sort().name(), kind.name()), kind.revision());
    for (_, value) in settings.iter() {
        let parts = if let Value::List(parts) = value { parts.as_slice() } else { std::slice::from_ref(value) };
        for part in parts {
            if let Value::Nested(inner) = part {
                note(revisions, inner);
            }
        }
    }
}

fn table(text: &mut String, name: &str, settings: &Settings, data: Option<&Data>) {
    let _ = writeln!(text, "\n[{name}]");
    for (key, value) in entries(settings) {
        let _ = writeln!(text, "{key} = {value}");
    }
    if let Some(data) = data {
        let _ = writeln!(text, "sha256 = {}", quoted(&data.sha256));
    }
}

/// The kind and its revision, then the keys in the order of the alphabet.
fn entries(settings: &Settings) -> Vec<(String, String)> {
    let mut keys: Vec<(&str, &Value)> = settings.iter().filter(|(key, _)| settings.kind().decides(key)).collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    let kind = ("kind".to_owned(), quoted(settings.name()));
    let revision = ("revision".to_owned(), settings.kind().revision().to_string());
    let keys = keys.into_iter().map(|(key, value)| (bare(key), literal(value)));
    [kind, revision].into_iter().chain(keys).collect()
}

fn literal(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(n) => n.to_string(),
        // The shortest digits that read back as the same number, with a point or an exponent.
        Value::Float(x) => format!("{x:?}"),
        Value::Text(text) => quoted(text),
        Value::Length(Length::Steps(steps)) => steps.to_string(),
        Value::Length(duration) => quoted(&duration.to_string()),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(name, value)| (bare(name), literal(value))).collect();
            entries.sort_unstable();
            let entries = entries.into_iter().map(|(name, value)| format!("{name} = {value}"));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Nested(settings) => {
            let entries = entries(settings).into_iter().map(|(key, value)| format!("{key} = {value}"));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A key, in quotes where TOML asks for them.
fn bare(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if is_bare { key.to_owned() } else { quoted(key) }
}

/// A text as a basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::config::Experiment;
    use crate::sweep::Plan;
    use crate::task::data::Library;

    const CONFIG: &str = "seeds = [7]\nsteps = 40\neval_every = 10\n[tasks.digits]\nmodel = \"mlp\"\nhidden = [16, 8]\n\
                          batch_size = 32\ntarget = { accuracy = 0.9 }\n[tasks.bowl]\nmodel = \"quadratic\"\n\
                          [optimizers.mine]\nkind = \"schedule_free\"\nlr = 1e-2\n\
                          base = { kind = \"sgd\", momentum = 0.5 }\n[schedules.two]\nkind = \"sequential\"\n\
                          warmup = \"5%\"\nparts = [{ kind = \"linear\", length = 9 }, \"constant\"]\n";

    fn plan(config: &str) -> Plan {
        Plan::new(Experiment::parse(&Catalog::built_in(), "c.toml", config, "c", &[]).unwrap(), &Library::default())
            .unwrap()
    }

    const TEXT: &str = r#"format = 1
revision = 1
device = "cpu"
seed = 7
steps = 40
eval_every = 10

[task]
batch_size = 32
dtype = "f32"

[task.model]
kind = "mlp"
revision = 1
dropout = 0.0
hidden = [16, 8]
label_smoothing = 0.0

[task.dataset]
kind = "digits"
revision = 1
sha256 = "bd26511da8aec30f8da2480671f67884c2db1d996e871b66f2ad811433dda754"

[optimizer]
kind = "sgd"
revision = 1
dampening = 0.0
decay = "l2"
lr = 0.01
momentum = 0.5
nesterov = false
weight_decay = 0.0

[schedule]
kind = "sequential"
revision = 1
parts = [{ kind = "linear", revision = 1, end = 0.0, length = 9, over = "100%", start = 1.0 }, { kind = "constant", revision = 1 }]
warmup = "5%"
"#;

    /// Results everywhere are known by it: where it has to change, so has `FORMAT`, unless the revision of a kind did.
    #[test]
    fn the_text_and_the_hash_of_a_run_are_these() {
        let sgd = (
            "kind = \"schedule_free\"\nlr = 1e-2\nbase = { kind = \"sgd\", momentum = 0.5 }",
            "kind = \"sgd\"\nlr = 1e-2\nmomentum = 0.5",
        );
        let plan = plan(&CONFIG.replace(sgd.0, sgd.1));
        assert_eq!(plan.identity_text(&plan.runs[0]), TEXT);
        let hash = "0896aa255415d0c61ea633eb1d555634d5163caccb5f6f10b3d89bb4d3b34e02";
        assert_eq!(plan.runs[0].fingerprint, hash);
        assert!(toml::from_str::<toml::Table>(TEXT).is_ok());
    }

    #[test]
    fn every_kind_that_takes_part_is_kept_with_its_revision() {
        let plan = plan(CONFIG);
        let identity = plan.identity(&plan.runs[0]);
        let kinds: Vec<&str> = identity.revisions.keys().map(String::as_str).collect();
        let expected = [
            "dataset digits",
            "model mlp",
            "optimizer schedule_free",
            "optimizer sgd",
            "schedule constant",
            "schedule linear",
            "schedule sequential",
            "training",
        ];
        assert_eq!(kinds, expected);
        assert_eq!((identity.device.as_str(), identity.data.unwrap().dataset.as_str()), ("cpu", "digits"));
        assert!(plan.identity(plan.runs.last().unwrap()).data.is_none(), "a function has no data");
    }

    #[test]
    fn what_judges_a_run_is_no_part_of_it_and_what_decides_it_is() {
        let fingerprint = |config: &str| plan(config).runs[0].fingerprint.clone();
        let this = fingerprint(CONFIG);
        for other in [
            ("0.9 }", "0.5 }"),
            ("[tasks.digits]", "[tasks.d]\ndataset = \"digits\""),
            ("[schedules.two]", "[schedules.x]"),
        ] {
            assert_eq!(fingerprint(&CONFIG.replace(other.0, other.1)), this, "{other:?}");
        }
        for other in
            [("[7]", "[8]"), ("40", "41"), ("= 10\n", "= 11\n"), ("0.5", "0.25"), ("\"5%\"", "2"), ("[16, 8]", "[16]")]
        {
            assert_ne!(fingerprint(&CONFIG.replace(other.0, other.1)), this, "{other:?}");
        }
    }
}
