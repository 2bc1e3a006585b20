//! How messages say numbers of things, and lists that may be long.

/// A number of things: `1 run`, `3 runs`.
pub(crate) fn count(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// A sentence that begins with a word of ours: the same with a capital. Labels keep their letters, so none may come first.
#[cfg(feature = "cli")]
pub(crate) fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How many names of a list are said before the others are counted: a line stays readable, however long the list.
const MOST_SAID: usize = 6;

/// The names one after the other: `a, b, c`; of a long list the first ones, and how many more there are.
pub(crate) fn listed(names: &[String], separator: &str) -> String {
    match names.get(MOST_SAID..) {
        // Where one is left, its name takes no more room than its number.
        Some(others) if others.len() > 1 => {
            format!("{}{separator}and {} more", names[..MOST_SAID].join(separator), others.len())
        }
        _ => names.join(separator),
    }
}

/// Names in backticks, as [`listed`] lists them.
pub(crate) fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    listed(&quoted, ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_no_plural_and_a_long_list_is_cut() {
        assert_eq!([0, 1, 2].map(|n| count(n, "run")), ["0 runs", "1 run", "2 runs"]);
        assert_eq!(["the best", "ändern", ""].map(capitalised), ["The best", "Ändern", ""]);
        let names: Vec<String> = (0..300).map(|n| format!("a{n}")).collect();
        assert_eq!(listed(&names[..2], ", "), "a0, a1");
        assert_eq!(listed(&names[..7], "; "), "a0; a1; a2; a3; a4; a5; a6");
        assert_eq!(listed(&names, ", "), "a0, a1, a2, a3, a4, a5, and 294 more");
    }
}
