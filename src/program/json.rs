//! Lines of JSON: `{"step": 100, "split": "val", "loss": 0.40}`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::metric::{Metric, Scores};
use crate::program::line::{Line, score};
use crate::recorded::columns::split;

/// The numbers that Python's json prints, and JSON does not have.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Reads a line; `None` where it is no measurement, but other output.
///
/// # Errors
/// In words for the user, where it is one that cannot be.
pub(super) fn read(text: &str, metrics: &[Metric]) -> Option<Result<Line, String>> {
    let text = text.trim();
    if !text.starts_with('{') {
        return None;
    }
    let object: Map<String, Value> =
        serde_json::from_str(text).or_else(|_| serde_json::from_str(&quoted_words(text))).ok()?;
    let step = object.get("step")?;
    Some(measurement(&object, step, metrics).map_err(|problem| format!("{problem}\n  line: {text}")))
}

fn measurement(object: &Map<String, Value>, step: &Value, metrics: &[Metric]) -> Result<Line, String> {
    let whole = step.as_u64().or_else(|| step.as_f64().filter(|x| x.fract() == 0.0 && *x >= 0.0).map(|x| x as u64));
    let step = whole.ok_or_else(|| format!("`step` is {step}; expected a whole number"))?;
    let number = |name: &str| object.get(name).map(|value| self::number(name, value)).transpose();
    let Some(name) = object.get("split") else {
        let (loss, lr, grad_norm) = (number("loss")?, number("lr")?, number("grad_norm")?);
        return Ok(Line::Update { step, loss, lr, grad_norm });
    };
    let split = name.as_str().and_then(split);
    let split = split.ok_or_else(|| format!("`split` is {name}; expected \"val\", \"test\" or \"train\""))?;
    let mut scores = Scores::default();
    for &metric in metrics {
        if let Some(value) = number(metric.name())? {
            scores.set(metric, score(metric, value)?);
        }
    }
    Ok(Line::Evaluation { step: Some(step), split, scores })
}

fn number(name: &str, value: &Value) -> Result<f64, String> {
    let word = || value.as_str().filter(|word| WORDS.contains(word)).and_then(|word| word.parse().ok());
    value.as_f64().or_else(word).ok_or_else(|| format!("`{name}` is {value}; expected a number"))
}

/// The text with quotes around the words that stand for numbers.
fn quoted_words(text: &str) -> Cow<'_, str> {
    if !WORDS.iter().any(|word| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut all = String::with_capacity(text.len() + 8);
    let (mut rest, mut inside) = (text, false);
    while let Some(c) = rest.chars().next() {
        let word = WORDS.into_iter().find(|word| !inside && rest.starts_with(word));
        let taken = match (word, c) {
            (Some(word), _) => {
                all.extend(["\"", word, "\""]);
                word.len()
            }
            (None, '\\') if inside => {
                let taken = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                all.push_str(&rest[..taken]);
                taken
            }
            (None, c) => {
                inside ^= c == '"';
                all.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    Cow::Owned(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Split;

    const METRICS: &[Metric] = &[Metric::ACCURACY, Metric::LOSS];

    #[test]
    fn measurements_are_told_from_other_output() {
        for other in ["", "epoch 1", "{", "{'step': 1}", "[1]", "{\"epoch\": 1}", "{\"message\": \"NaN\"}"] {
            assert!(read(other, METRICS).is_none(), "{other}");
        }
        let update = read("  {\"step\": 3, \"loss\": 0.5, \"note\": \"a NaN \\\" {\"}\r", METRICS).unwrap().unwrap();
        assert_eq!(update, Line::Update { step: 3, loss: Some(0.5), lr: None, grad_norm: None });
        let line = read("{\"step\": 4.0, \"split\": \"val\", \"accuracy\": 0.75, \"loss\": 1, \"f1\": 2}", METRICS);
        let scores = Scores::of_loss(1.0).with(Metric::ACCURACY, 0.75);
        assert_eq!(line.unwrap(), Ok(Line::Evaluation { step: Some(4), split: Split::Validation, scores }));
    }

    #[test]
    fn words_that_python_prints_are_numbers() {
        for (word, value) in [("NaN", f64::NAN), ("Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)] {
            let line = read(&format!("{{\"name\": \"NaN, \\\"Infinity\", \"step\": 1, \"loss\": {word}}}"), METRICS);
            let Some(Ok(Line::Update { loss: Some(loss), .. })) = line else { panic!("{line:?}") };
            assert!(loss == value || (loss.is_nan() && value.is_nan()), "{loss}");
        }
    }

    #[test]
    fn what_is_no_number_is_said() {
        for (line, problem) in [
            ("{\"step\": -1, \"loss\": 1}", "`step` is -1"),
            ("{\"step\": 1.5}", "`step` is 1.5"),
            ("{\"step\": 1, \"loss\": \"0.5\"}", "`loss` is \"0.5\"; expected a number"),
            ("{\"step\": 1, \"loss\": null}", "`loss` is null"),
            ("{\"step\": 1, \"split\": \"vla\"}", "`split` is \"vla\""),
            ("{\"step\": 1, \"split\": \"val\", \"accuracy\": 87.5}", "expected a share from 0 to 1"),
        ] {
            let said = read(line, METRICS).unwrap().unwrap_err();
            assert!(said.contains(problem) && said.contains(line), "{said}");
        }
    }
}
