//! Groups of parameters: what settings say of them.
//!
//! A table of `groups` becomes keys of the settings with its number in their names, `groups.1.weight_decay`, so that each
//! can be an axis of a sweep and a column of a table.

use wildmatch::WildMatch;

use crate::choice::Choice;
use crate::nn::params::Parameter;
use crate::nn::role::Role;
use crate::registry::{Accepts, Bounds, Key, nearest};
use crate::settings::{Settings, Value};
use crate::words::listed;

/// The key of a config under which the groups stand.
pub const GROUPS: &str = "groups";

const LR: &str = "lr";
const BASE: &str = "base";
const WEIGHT_DECAY: &str = "weight_decay";

/// Which parameters belong to a group.
pub static MATCH: Key = Key::required(
    "match",
    Accepts::Text,
    "a list of roles (hidden, embedding, head, norm, bias) or names of parameters, in which `*` stands for any letters and `?` for one",
);
/// What decays a group.
pub static DECAY: Key =
    Key::optional(WEIGHT_DECAY, Accepts::Float(Bounds::NON_NEGATIVE), "strength of the decay of the group's weights");
/// How fast a group learns.
pub static LR_FACTOR: Key =
    Key::optional("lr_factor", Accepts::Float(Bounds::NON_NEGATIVE), "multiplies the learning rate of the group");
/// What updates a group.
pub static KIND: Key =
    Key::optional("kind", Accepts::Optimizer, "another optimizer for the group, with its keys beside it");

crate::choice! {
    /// What weight decay shrinks.
    enum DecayOn { All = "all", Matrices = "matrices" }
}

/// A short way to leave out of the decay what is usually left out.
pub(super) const DECAY_ON: Key = Key::optional(
    "decay_on",
    Accepts::Choice(DecayOn::WORDS),
    "what weight_decay shrinks: all parameters, or all but biases, scales and shifts of normalisations (matrices); a group \
     that sets weight_decay itself is decayed as it says",
);

/// The keys of a group.
pub const KEYS: [&Key; 4] = [&MATCH, &DECAY, &LR_FACTOR, &KIND];

/// The name in settings of a key of a group, which are numbered from 1.
pub fn name(number: usize, key: &str) -> String {
    format!("{GROUPS}.{number}.{key}")
}

/// The key of a group that a name in settings means.
pub fn key(name: &str) -> Option<&'static Key> {
    let (number, own) = name.strip_prefix(GROUPS)?.strip_prefix('.')?.split_once('.')?;
    let known = KEYS.into_iter().find(|key| key.name == own);
    known.filter(|_| number.parse::<usize>().is_ok())
}

/// Which parameters a pattern means: those of a role, or those of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    text: String,
    role: Option<Role>,
    name: WildMatch,
}

impl Pattern {
    /// The pattern that a text means.
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), role: Role::named(text), name: WildMatch::new(text) }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means all parameters of a role.
    pub fn is_role(&self) -> bool {
        self.role.is_some()
    }

    /// Whether it means a parameter of this name and role.
    pub fn takes(&self, name: &str, role: Role) -> bool {
        self.role.map_or_else(|| self.name.matches(name), |own| own == role)
    }
}

/// A group of parameters.
pub(super) struct Group {
    /// Any of them will do.
    patterns: Vec<Pattern>,
    /// What the learning rate is multiplied by.
    pub(super) lr_factor: f64,
    /// Those of the optimizer of the group, as if it were alone.
    pub(super) settings: Settings,
    /// Whether it takes only what is usually left out of the decay.
    undecayed: bool,
}

impl Group {
    /// Whatever belongs to no other group.
    pub(super) fn rest(settings: &Settings) -> Self {
        Self { patterns: Vec::new(), lr_factor: 1.0, settings: settings.clone(), undecayed: false }
    }

    /// Whether a parameter belongs to it, unless it belongs to one before it.
    pub(super) fn takes(&self, parameter: &Parameter) -> bool {
        (!self.undecayed || matches!(parameter.role, Role::Norm | Role::Bias))
            && self.patterns.iter().any(|pattern| pattern.takes(&parameter.name, parameter.role))
    }
}

/// The patterns of each group of settings.
pub fn patterns(settings: &Settings) -> Vec<Vec<Pattern>> {
    let of = |number| match settings.get(&name(number, MATCH.name))? {
        Value::List(texts) => {
            let text = |value: &Value| if let Value::Text(text) = value { Some(Pattern::of(text)) } else { None };
            Some(texts.iter().filter_map(text).collect())
        }
        _ => None,
    };
    (1..).map_while(of).collect()
}

/// Patterns that match none of some parameters, and groups that are left without any, in words for the user.
pub fn problems(groups: &[Vec<Pattern>], parameters: &[(String, Role)]) -> Vec<String> {
    let takes = |pattern: &Pattern| parameters.iter().any(|(name, role)| pattern.takes(name, *role));
    let mut problems = Vec::new();
    let mut left: Vec<&(String, Role)> = parameters.iter().collect();
    for (place, patterns) in groups.iter().enumerate() {
        let group = format!("group {}", place + 1);
        // A role that a model lacks does no harm beside others.
        let idle = patterns.iter().filter(|pattern| !takes(pattern) && (patterns.len() == 1 || !pattern.is_role()));
        let idle: Vec<String> = idle.map(|pattern| format!("{group} {}", no_parameter(pattern, parameters))).collect();
        let before = left.len();
        left.retain(|(name, role)| !patterns.iter().any(|pattern| pattern.takes(name, *role)));
        if idle.is_empty() && left.len() == before {
            problems.push(format!(
                "{group} is left without parameters: the groups before it match them all\n  \
                 help: a parameter belongs to the first group that matches it; move this group up"
            ));
        }
        problems.extend(idle);
    }
    problems
}

fn no_parameter(pattern: &Pattern, parameters: &[(String, Role)]) -> String {
    let text = pattern.text();
    let mut names: Vec<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names.dedup();
    let known = names.iter().map(String::as_str).chain(Role::WORDS.iter().copied());
    match nearest(text, known) {
        Some(near) if !pattern.is_role() => format!("matches no parameter: `{text}`\n  help: did you mean \"{near}\"?"),
        _ => format!("matches no parameter: `{text}`\n  help: the parameters are {}", listed(&names, ", ")),
    }
}

/// The groups that settings ask for, in the order in which they count; none where all parameters are treated alike.
pub(super) fn of(settings: &Settings) -> Vec<Group> {
    let leaves_out = settings.optional_choice(DECAY_ON.name) == Some(DecayOn::Matrices);
    let mut groups = Vec::new();
    for (place, patterns) in patterns(settings).into_iter().enumerate() {
        let get = |key: &Key| settings.get(&name(place + 1, key.name));
        let lr_factor = get(&LR_FACTOR).and_then(Value::as_float).unwrap_or(1.0);
        let mut own = match get(&KIND) {
            Some(Value::Nested(other)) => other.clone(),
            _ => settings.clone(),
        };
        own.set(LR, (settings.float(LR) * lr_factor).into());
        let decay = get(&DECAY).and_then(Value::as_float);
        if let Some(decay) = decay {
            own.set(WEIGHT_DECAY, decay.into());
        } else if leaves_out {
            let (patterns, settings) = (patterns.clone(), without_decay(&own));
            groups.push(Group { patterns, lr_factor, settings, undecayed: true });
        }
        groups.push(Group { patterns, lr_factor, settings: own, undecayed: false });
    }
    if leaves_out {
        let (patterns, settings) = (vec![Pattern::of("*")], without_decay(settings));
        groups.push(Group { patterns, lr_factor: 1.0, settings, undecayed: true });
    }
    groups
}

/// The same without any decay: a wrapper's, its base's, and that of vectors.
fn without_decay(settings: &Settings) -> Settings {
    let mut without = settings.clone();
    for (key, value) in settings.iter() {
        match value {
            Value::Float(_) if key.starts_with(WEIGHT_DECAY) => without.set(key, 0.0.into()),
            Value::Nested(base) if key == BASE => without.set(key, without_decay(base).into()),
            _ => {}
        }
    }
    without
}
