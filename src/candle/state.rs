//! What an optimizer remembers, as a safetensors file: tensors under the names of the parameters.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;

use crate::candle::optim::Optim;
use crate::error::{Error, Result};
use crate::optim::State;
use crate::settings::number;

/// Marks a file as one of these; the number of the format.
const FORMAT: (&str, &str) = ("optbench.optimizer", "1");
/// Updates done.
const STEPS: &str = "steps";
/// The learning rate.
const LR: &str = "lr";
/// The parameters, one a line.
const PARAMETERS: &str = "parameters";
/// The optimizers: the [outline](State::outline) of their states.
const KINDS: &str = "kinds";
/// The tensors, one a line: the place of its optimizer in [`KINDS`], and its name.
const TENSORS: &str = "tensors";
/// Numbers of the whole model, of the optimizer at this place.
const NUMBERS: &str = "numbers";

impl Optim {
    /// Everything that a continued training needs beside the weights, in the safetensors format: the kinds, the number of
    /// updates, the learning rate, and what is remembered of each parameter, under its name.
    ///
    /// The weights are the caller's to save: those that are trained, outside of [`Optim::evaluation`].
    ///
    /// # Errors
    /// When the device refuses.
    pub fn state(&self) -> Result<Vec<u8>> {
        let (state, names) = (self.optimizer.state()?, self.names());
        let (mut order, mut tensors) = (Vec::new(), Vec::new());
        for (place, state) in state.in_order().into_iter().enumerate() {
            if !state.scalars.is_empty() {
                tensors.push((format!("{NUMBERS}.{place}"), Tensor::new(state.scalars.as_slice(), &Device::Cpu)?));
            }
            for (name, tensor) in &state.tensors {
                let named = by_parameter(name, &names).ok_or_else(|| {
                    Error::Usage(format!(
                        "the optimizer names a tensor `{name}`, expected a parameter's number first, as in `0.m`"
                    ))
                })?;
                order.push(format!("{place} {named}"));
                tensors.push((in_file(place, &named), tensor.clone()));
            }
        }
        let marks = [
            (FORMAT.0, FORMAT.1.to_owned()),
            (STEPS, self.t.to_string()),
            (LR, number(self.lr)),
            (PARAMETERS, names.join("\n")),
            (KINDS, state.outline()),
            (TENSORS, order.join("\n")),
        ];
        let marks: HashMap<String, String> = marks.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        safetensors::serialize(tensors, Some(marks)).map_err(|error| Error::Usage(error.to_string()))
    }

    /// Takes back what [`Optim::state`] gave, for variables of the same names and shapes in the same order.
    ///
    /// # Errors
    /// When it is not the state of such an optimizer; the optimizer is then as it was.
    pub fn restore(&mut self, state: &[u8]) -> Result<()> {
        let damaged = || Error::Usage("these bytes are not the saved state of an optimizer of optbench".into());
        let (_, header) = SafeTensors::read_metadata(state).map_err(|_| damaged())?;
        let marks = header.metadata().as_ref().ok_or_else(damaged)?;
        let mark = |key: &str| marks.get(key).map(String::as_str).ok_or_else(damaged);
        if mark(FORMAT.0)? != FORMAT.1 {
            return Err(Error::Usage("the saved optimizer state was written by another version of optbench".into()));
        }
        let (found, expected): (Vec<&str>, Vec<&str>) = (mark(PARAMETERS)?.lines().collect(), self.names());
        if found != expected {
            return Err(other_parameters(&found, &expected));
        }
        let (steps, lr) = (mark(STEPS)?.parse().map_err(|_| damaged())?, mark(LR)?.parse().map_err(|_| damaged())?);
        let mut tensors = candle_core::safetensors::load_buffer(state, &Device::Cpu)?;
        let saved = read(&mut tensors, mark(KINDS)?, mark(TENSORS)?, &expected).ok_or_else(damaged)?;
        // Into a new one: what does not fit must not leave half of itself behind.
        let mut optimizer = Self::build(&self.config)?;
        optimizer.restore(&self.parameters, saved)?;
        (self.optimizer, self.t, self.lr) = (optimizer, steps, lr);
        Ok(())
    }

    /// Writes [`Optim::state`] to a file; an older one stays until the new one is whole.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, state) = (path.as_ref(), self.state()?);
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let write = || {
            let mut file = fs::File::create(&new)?;
            file.write_all(&state)?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        write().map_err(Error::io("write", path))
    }

    /// Takes back what [`Optim::save`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read; see [`Optim::restore`].
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.restore(&fs::read(path).map_err(Error::io("read", path))?)
    }

    fn names(&self) -> Vec<&str> {
        self.parameters.iter().map(|parameter| parameter.name.as_str()).collect()
    }
}

/// What is different about the parameters of a saved state.
fn other_parameters(found: &[&str], expected: &[&str]) -> Error {
    let known = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<HashSet<String>>();
    let (saved, own) = (known(found), known(expected));
    let what =
        match (found.iter().find(|name| !own.contains(**name)), expected.iter().find(|name| !saved.contains(**name))) {
            (_, Some(name)) => format!("it has nothing of `{name}`"),
            (Some(name), None) => format!("it is of `{name}` too, which is none of the variables"),
            (None, None) => "its parameters are the same, in another order".into(),
        };
    Error::Usage(format!("the saved optimizer state does not belong to these variables: {what}"))
}

/// `m` of parameter `fc.weight`, which an optimizer saves as `0.m`, is `fc.weight/m`.
fn by_parameter(name: &str, parameters: &[&str]) -> Option<String> {
    let (i, slot) = name.split_once('.')?;
    Some(format!("{}/{slot}", parameters.get(i.parse::<usize>().ok()?)?))
}

/// Undoes [`by_parameter`].
fn by_number(name: &str, parameters: &[&str]) -> Option<String> {
    let (parameter, slot) = name.rsplit_once('/')?;
    Some(format!("{}.{slot}", parameters.iter().position(|known| *known == parameter)?))
}

/// The name of a tensor in the file, where those of optimizers within others stand apart.
fn in_file(place: usize, name: &str) -> String {
    if place == 0 { name.to_owned() } else { format!("{place}:{name}") }
}

fn read(tensors: &mut HashMap<String, Tensor>, kinds: &str, order: &str, parameters: &[&str]) -> Option<State> {
    let mut states = State::of_outline(kinds)?;
    for (place, (_, state)) in states.iter_mut().enumerate() {
        if let Some(numbers) = tensors.remove(&format!("{NUMBERS}.{place}")) {
            state.scalars = numbers.to_vec1().ok()?;
        }
    }
    for line in order.lines() {
        let (place, name) = line.split_once(' ')?;
        let place: usize = place.parse().ok()?;
        let tensor = tensors.remove(&in_file(place, name))?;
        states.get_mut(place)?.1.tensors.push((by_number(name, parameters)?, tensor));
    }
    State::whole(states).filter(|_| tensors.is_empty())
}
