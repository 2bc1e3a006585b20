//! Patterns of labels.

/// Whether a text fits a pattern, in which `*` stands for any letters and `?` for one.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = rest.as_str();
            let ends = text.char_indices().map(|(i, _)| i).chain([text.len()]);
            ends.into_iter().any(|i| matches(rest, &text[i..]))
        }
        Some(wanted) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|found| wanted == '?' || wanted == found)
                && matches(rest.as_str(), letters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for pattern in ["sgd+cosine", "sgd*", "*cosine", "s?d+*", "*", "*+*"] {
            assert!(matches(pattern, "sgd+cosine"), "{pattern}");
        }
        for pattern in ["sgd", "?", "", "adam*", "*cosine?"] {
            assert!(!matches(pattern, "sgd+cosine"), "{pattern}");
        }
    }
}
