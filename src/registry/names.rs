//! Names as messages list them, and the one that a misspelt word most likely means.

use std::fmt;

/// The words in backticks, as a sentence lists them: `` `a`, `b` or `c` ``.
pub fn choices<T: fmt::Display>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// The candidate that a misspelt word most likely means, if one is close enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    // Names that differ in length by more than may be mistyped need no comparison letter by letter.
    let length = word.chars().count();
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= 3)
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 3 && *distance * 2 <= candidate.len().max(2))
        // Of equally near names, the one of the same length: a letter is mistyped more often than left out.
        .min_by_key(|(distance, candidate)| (*distance, candidate.len().abs_diff(word.len())))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["adamw", "adam", "schedule_free_adamw", "sgd"];
        assert_eq!(nearest("adamv", names), Some("adamw"));
        assert_eq!(nearest("ScheduleFree-AdamW", names), Some("schedule_free_adamw"));
        assert_eq!(nearest("learning_rate", names), None);
        assert_eq!(nearest("rumpelstiltskin", names), None);
        assert_eq!(nearest("x", names), None);
    }
}
