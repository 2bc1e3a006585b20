//! Several optimizers at once, each with a group of the parameters.
//!
//! ```text
//! a parameter belongs to the first group that matches it, or else to the rest
//! every group's optimizer updates its parameters alone, at the rate times the group's lr_factor
//! ```

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::params::{Parameter, copies};
use crate::optim::groups::Group;
use crate::optim::memory::{misfit, misfit_kind};
use crate::optim::optimizer::{Answer, Optimizer, Oracle, State, Step, ask_at};

/// A group and what updates it.
pub(super) struct Member {
    pub(super) group: Group,
    pub(super) optimizer: Box<dyn Optimizer>,
}

/// What its state is called.
const KIND: &str = "groups";

/// Optimizers that share the parameters among themselves.
pub(super) struct Grouped {
    /// The last one takes whatever the others leave.
    members: Vec<Member>,
    /// The member of each parameter, as of the latest update; the states within belong to it.
    assignment: Vec<usize>,
}

impl Grouped {
    /// The last member takes whatever the others leave, whatever its group.
    pub(super) fn boxed(members: Vec<Member>) -> Box<dyn Optimizer> {
        Box::new(Self { members, assignment: Vec::new() })
    }

    fn assignment(&self, parameters: &[Parameter]) -> Vec<usize> {
        let rest = self.members.len() - 1;
        let takes = |parameter| move |member: &Member| member.group.takes(parameter);
        parameters.iter().map(|p| self.members[..rest].iter().position(takes(p)).unwrap_or(rest)).collect()
    }

    /// For each member the places of its parameters.
    fn places(&self, assignment: &[usize]) -> Vec<Vec<usize>> {
        let of = |member| (0..assignment.len()).filter(|&place| assignment[place] == member).collect();
        (0..self.members.len()).map(of).collect()
    }

    fn restore_each(&mut self, parameters: &[Parameter], places: &[Vec<usize>], states: Vec<State>) -> Result<()> {
        for ((member, places), state) in self.members.iter_mut().zip(places).zip(states) {
            let own = |number| places.iter().position(|&place| place == number);
            let state = state.renumbered(&own).ok_or_else(|| misfit("it groups the parameters in another way"))?;
            member.optimizer.restore(&chosen(parameters, places), state)?;
        }
        Ok(())
    }
}

fn chosen<T: Clone>(all: &[T], places: &[usize]) -> Vec<T> {
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
        Ok(Answer { gradients: chosen(&answer.gradients, self.places), ..answer })
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
        self.assignment = self.assignment(parameters);
        let all = self.places(&self.assignment);
        for (Member { group, optimizer }, places) in self.members.iter_mut().zip(&all) {
            let at = Step { lr: at.lr * group.lr_factor, ..*at };
            let mut within = Within { oracle, parameters, before: &before, places };
            optimizer.step(&chosen(parameters, places), &chosen(gradients, places), &at, &mut within)?;
        }
        Ok(())
    }

    fn asks(&self) -> bool {
        self.members.iter().any(|member| member.optimizer.asks())
    }

    /// That of the rest, whose rate is the one that is logged.
    fn own_factor(&self, at: &Step) -> f64 {
        self.members[self.members.len() - 1].optimizer.own_factor(at)
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        let mut weights: Option<Vec<Tensor>> = None;
        for (member, places) in self.members.iter().zip(self.places(&self.assignment(parameters))) {
            if let Some(own) = member.optimizer.evaluation_weights(&chosen(parameters, &places))? {
                let mut all = match weights.take() {
                    Some(weights) => weights,
                    // Copies: a variable does not take its own memory back.
                    None => copies(parameters)?,
                };
                for (place, own) in places.into_iter().zip(own) {
                    all[place] = own;
                }
                weights = Some(all);
            }
        }
        Ok(weights)
    }

    fn state(&self) -> Result<State> {
        // A member numbers its own parameters alone; in the state of all, numbers are those of all.
        let of = |(member, places): (&Member, Vec<usize>)| {
            let state = member.optimizer.state()?;
            Ok(state.renumbered(&|own| places.get(own).copied()).expect("a member remembers its own parameters"))
        };
        let inner = self.members.iter().zip(self.places(&self.assignment)).map(of).collect::<Result<_>>()?;
        let scalars = self.assignment.iter().map(|&member| member as f64).collect();
        Ok(State { kind: KIND.to_owned(), scalars, inner, ..State::default() })
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        if state.kind != KIND {
            return Err(misfit_kind(&state, KIND));
        }
        let assignment = self.assignment(parameters);
        let began = !state.scalars.is_empty();
        state.expect(if began { assignment.len() } else { 0 }, self.members.len())?;
        if !state.tensors.is_empty() {
            return Err(misfit("it holds tensors beside those of its groups"));
        }
        if began && state.scalars.iter().zip(&assignment).any(|(found, &member)| *found != member as f64) {
            return Err(misfit("it groups the parameters in another way"));
        }
        let (places, before) = (self.places(&assignment), self.state()?);
        self.restore_each(parameters, &places, state.inner).or_else(|error| {
            self.restore_each(parameters, &places, before.inner)?;
            Err(error)
        })?;
        self.assignment = if began { assignment } else { Vec::new() };
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.members.iter().map(|member| member.optimizer.state_bytes()).sum()
    }

    fn use_tensor_operations(&mut self) {
        for member in &mut self.members {
            member.optimizer.use_tensor_operations();
        }
    }
}
