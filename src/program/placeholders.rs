//! Words of a command with placeholders: `--lr={optimizer.lr}`.

use crate::registry::nearest;

/// Fills in every `{name}` of a word. Braces that hold no name, such as those of JSON, stay as they are.
///
/// # Errors
/// In words for the user, where there is no value of a name.
pub fn fill(word: &str, values: &[(String, String)]) -> Result<String, String> {
    let mut filled = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let name = rest[1..].split('}').next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let is_closed = rest[1 + name.len()..].starts_with('}');
        if !is_closed || name.is_empty() || !name.chars().all(is_name) {
            filled.push('{');
            rest = &rest[1..];
            continue;
        }
        match values.iter().find(|(known, _)| known == name) {
            Some((_, value)) => filled.push_str(value),
            None => {
                let near = nearest(name, values.iter().map(|(known, _)| known.as_str()));
                let near = near.map(|near| format!("; did you mean `{{{near}}}`?")).unwrap_or_default();
                return Err(format!("`{word}`: nothing is known as `{{{name}}}`{near}"));
            }
        }
        rest = &rest[name.len() + 2..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Words as they can be pasted into a shell.
pub fn shell_words<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    let quoted = words.into_iter().map(|word| {
        let is_plain = !word.is_empty() && word.chars().all(plain);
        if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_other_braces_stay() {
        let values = [("seed", "3"), ("optimizer.lr", "0.01")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let fill = |word| fill(word, &values);
        assert_eq!(fill("--lr={optimizer.lr},{seed}").unwrap(), "--lr=0.01,3");
        assert_eq!(fill("{\"a\": {}} {").unwrap(), "{\"a\": {}} {");
        let said = fill("{optimizer.lrr}").unwrap_err();
        assert!(said.contains("did you mean `{optimizer.lr}`?"), "{said}");
        assert!(fill("{rumpelstiltskin}").unwrap_err().contains("nothing is known as `{rumpelstiltskin}`"));
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell_words(["python", "a b.py", "it's", ""]), "python 'a b.py' 'it'\\''s' ''");
    }
}
