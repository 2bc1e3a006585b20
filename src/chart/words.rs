//! Fitting words into a width.

use super::font;

/// The words if they fit, otherwise their beginning and end around an ellipsis.
///
/// Labels of arms differ at the end as often as at the beginning (`schedule_free_adamw, cosine, lr 0.01`), so what goes
/// is the middle.
pub(super) fn shorten(words: &str, size: f64, room: f64) -> String {
    if font::width(words, size) <= room {
        return words.to_owned();
    }
    let characters: Vec<char> = words.chars().collect();
    for kept in (0..characters.len()).rev() {
        let head: String = characters[..kept.div_ceil(2)].iter().collect();
        let tail: String = characters[characters.len() - kept / 2..].iter().collect();
        let short = format!("{}…{}", head.trim_end(), tail.trim_start());
        if font::width(&short, size) <= room {
            return short;
        }
    }
    String::new()
}

/// The words on at most `lines` lines; if they do not fit, the last line is shortened.
pub(super) fn wrap(words: &str, size: f64, room: f64, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match wrapped.last_mut() {
            Some(line) if font::width(&format!("{line} {word}"), size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => wrapped.push(word.to_owned()),
        }
    }
    if wrapped.len() > lines {
        let rest = wrapped.split_off(lines.saturating_sub(1)).join(" ");
        wrapped.push(rest);
    }
    wrapped.iter().map(|line| shorten(line, size, room)).collect()
}

/// A number to four digits.
pub(super) fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        1e-3..1e5 => {
            let digits = (3 - x.abs().log10().floor() as i32).max(0) as usize;
            format!("{x:.digits$}")
        }
        _ => format!("{x:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(shorten("adamw", 12.0, 100.0), "adamw");
        assert_eq!(wrap("five seeds", 12.0, 500.0, 2), ["five seeds"]);
        assert!(wrap("", 12.0, 500.0, 2).is_empty());
    }

    #[test]
    fn long_labels_keep_both_ends() {
        let short = shorten("schedule_free_adamw with warmup, lr 0.01", 12.0, 120.0);
        assert!(short.starts_with("sched") && short.ends_with("0.01") && short.contains('…'), "{short}");
        assert!(font::width(&short, 12.0) <= 120.0);
        assert_eq!(shorten("adamw", 12.0, 0.0), "");
        assert_eq!(shorten("ééééééééé", 12.0, 30.0).chars().filter(|c| *c == '…').count(), 1);
    }

    #[test]
    fn long_sentences_break_and_end_on_the_last_line() {
        let lines = wrap(&"many words that go on and on ".repeat(9), 12.0, 300.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|l| font::width(l, 12.0) <= 300.0));
        assert!(lines[1].contains('…'));
    }
}
