//! Groups of parameters, each with an optimizer of its own.
//!
//! ```text
//! a parameter belongs to the first group that matches it, or else to the rest
//! every group's optimizer updates its parameters alone, at the rate times the group's lr_factor
//! ```
//!
//! What a rule finds out over the whole model, as Prodigy does, it finds out over its group.

use candle_core::Tensor;
use wildmatch::WildMatch;

use crate::choice::Choice;
use crate::error::Result;
use crate::nn::params::{Parameter, copies};
use crate::nn::role::Role;
use crate::optim::memory::{misfit, misfit_kind};
use crate::optim::optimizer::{Answer, Optimizer, Oracle, State, Step, ask_at};

/// Which parameters a pattern means: those of a role, or those whose names fit, where `*` stands for any letters and `?`
/// for one.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// All of a role.
    Role(Role),
    /// All of a name.
    Name(WildMatch),
}

impl Pattern {
    /// The pattern that a text means.
    pub fn of(text: &str) -> Self {
        Role::named(text).map_or_else(|| Self::Name(WildMatch::new(text)), Self::Role)
    }

    /// Whether it means this parameter.
    pub fn takes(&self, parameter: &Parameter) -> bool {
        match self {
            Self::Role(role) => parameter.role == *role,
            Self::Name(name) => name.matches(&parameter.name),
        }
    }
}

/// A group: what belongs to it, and what updates that.
pub(super) struct Group {
    /// Any of them will do.
    pub(super) patterns: Vec<Pattern>,
    /// Of those only the ones that no weight decay should shrink: norms and biases.
    pub(super) undecayed: bool,
    /// What the rate is multiplied by.
    pub(super) lr_factor: f64,
    pub(super) optimizer: Box<dyn Optimizer>,
}

impl Group {
    fn takes(&self, parameter: &Parameter) -> bool {
        let of_role = !self.undecayed || matches!(parameter.role, Role::Norm | Role::Bias);
        of_role && self.patterns.iter().any(|pattern| pattern.takes(parameter))
    }
}

/// What its state is called.
const KIND: &str = "groups";

/// Several optimizers, each with some of the parameters; the last one has the rest.
pub(super) struct Grouped {
    groups: Vec<Group>,
}

impl Grouped {
    /// The last group takes whatever the others leave.
    pub(super) fn boxed(groups: Vec<Group>) -> Box<dyn Optimizer> {
        Box::new(Self { groups })
    }

    /// For each group the places of its parameters.
    fn places(&self, parameters: &[Parameter]) -> Vec<Vec<usize>> {
        let mut places = vec![Vec::new(); self.groups.len()];
        let rest = self.groups.len() - 1;
        for (place, parameter) in parameters.iter().enumerate() {
            let group = self.groups[..rest].iter().position(|group| group.takes(parameter));
            places[group.unwrap_or(rest)].push(place);
        }
        places
    }

    /// The group of each parameter, which the states within depend on.
    fn assignment(&self, parameters: &[Parameter]) -> Vec<f64> {
        let mut assignment = vec![0.0; parameters.len()];
        for (group, places) in self.places(parameters).into_iter().enumerate() {
            for place in places {
                assignment[place] = group as f64;
            }
        }
        assignment
    }
}

fn members<T: Clone>(all: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|&place| all[place].clone()).collect()
}

/// The oracle of a group: it hears of its own parameters alone, and those of the others are where the update began.
struct Within<'a> {
    oracle: &'a mut dyn Oracle,
    parameters: &'a [Parameter],
    before: &'a [Tensor],
    places: &'a [usize],
}

impl Oracle for Within<'_> {
    fn ask(&mut self) -> Result<Answer> {
        let mut weights = self.before.to_vec();
        for &place in self.places {
            weights[place] = self.parameters[place].var.as_detached_tensor().copy()?;
        }
        let answer = ask_at(self.oracle, self.parameters, &weights)?;
        Ok(Answer { gradients: members(&answer.gradients, self.places), ..answer })
    }
}

impl Optimizer for Grouped {
    fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &[Tensor],
        at: &Step,
        oracle: &mut dyn Oracle,
    ) -> Result<()> {
        let before = if self.asks() { copies(parameters)? } else { Vec::new() };
        let all = self.places(parameters);
        for (group, places) in self.groups.iter_mut().zip(&all) {
            let at = Step { lr: at.lr * group.lr_factor, ..*at };
            let (own, gradients) = (members(parameters, places), members(gradients, places));
            group.optimizer.step(&own, &gradients, &at, &mut Within { oracle, parameters, before: &before, places })?;
        }
        Ok(())
    }

    fn asks(&self) -> bool {
        self.groups.iter().any(|group| group.optimizer.asks())
    }

    /// That of the rest, whose rate is the one that is logged.
    fn own_factor(&self, at: &Step) -> f64 {
        self.groups.last().map_or(1.0, |rest| rest.optimizer.own_factor(at))
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        let mut weights = None;
        for (group, places) in self.groups.iter().zip(self.places(parameters)) {
            let Some(own) = group.optimizer.evaluation_weights(&members(parameters, &places))? else { continue };
            let trained = || parameters.iter().map(|parameter| parameter.var.as_detached_tensor()).collect();
            let weights: &mut Vec<Tensor> = weights.get_or_insert_with(trained);
            for (place, own) in places.into_iter().zip(own) {
                weights[place] = own;
            }
        }
        Ok(weights)
    }

    fn state(&self) -> Result<State> {
        let inner = self.groups.iter().map(|group| group.optimizer.state()).collect::<Result<_>>()?;
        Ok(State { kind: KIND.to_owned(), inner, ..State::default() })
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        todo!()
    }

    fn state_bytes(&self) -> usize {
        self.groups.iter().map(|group| group.optimizer.state_bytes()).sum()
    }

    fn use_tensor_operations(&mut self) {
        for group in &mut self.groups {
            group.optimizer.use_tensor_operations();
        }
    }
}
