//! The words of a formula: numbers, names, signs, and the ends of lines.

use std::ops::Range;

use winnow::LocatingSlice;
use winnow::Parser;
use winnow::ascii::{digit1, till_line_ending};
use winnow::combinator::{alt, opt};
use winnow::error::EmptyError;
use winnow::token::{any, one_of, take_while};

use crate::registry::Mistake;

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) word: Word<'a>,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Word<'a> {
    Number(f64),
    Name(&'a str),
    Sign(&'a str),
    EndOfLine,
}

impl Word<'_> {
    /// The word as a message names it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Number(x) => format!("the number `{x:?}`"),
            Self::Name(name) => format!("the name `{name}`"),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::EndOfLine => "the end of the line".to_owned(),
        }
    }
}

/// Signs, those that begin like others first. The last are foreign: the parser says what to write instead.
const SIGNS: [&str; 24] = [
    "**", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "+", "-", "*", "/", "^", "<", ">", "=", "(", ")",
    ",", "!", ";",
];

type Input<'a> = LocatingSlice<&'a str>;

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn number<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    let fraction = ('.', opt(digit1));
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1);
    (alt(((digit1, opt(fraction)).void(), ('.', digit1).void())), opt(exponent)).take().parse_next(input)
}

fn name<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    (one_of(is_name_start), take_while(0.., |c: char| is_name_start(c) || c.is_ascii_digit())).take().parse_next(input)
}

fn sign<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    for mut sign in SIGNS {
        if input.starts_with(sign) {
            return sign.parse_next(input);
        }
    }
    Err(EmptyError)
}

/// Spaces, and a comment up to the end of its line.
fn blank(input: &mut Input) -> Result<(), EmptyError> {
    (take_while(0.., [' ', '\t', '\r']), opt(('#', till_line_ending))).void().parse_next(input)
}

/// All words of a text. What is no word is a mistake and left out.
pub(super) fn words<'a>(text: &'a str, mistakes: &mut Vec<Mistake>) -> Vec<Token<'a>> {
    enum Read<'a> {
        Number(&'a str),
        Word(Word<'a>),
        Stray(char),
    }
    let mut one = alt((
        number.map(Read::Number),
        name.map(|name| Read::Word(Word::Name(name))),
        sign.map(|sign| Read::Word(Word::Sign(sign))),
        '\n'.map(|_| Read::Word(Word::EndOfLine)),
        any.map(Read::Stray),
    ))
    .with_span();
    let (mut input, mut tokens) = (LocatingSlice::new(text), Vec::new());
    let mut stray: Option<Range<usize>> = None;
    while blank(&mut input).is_ok() && !input.is_empty() {
        let Ok((read, span)): Result<_, EmptyError> = one.parse_next(&mut input) else { break };
        let word = match read {
            Read::Word(word) => word,
            Read::Number(digits) => {
                let value = digits.parse().unwrap_or(f64::INFINITY);
                if value.is_infinite() {
                    let mistake = Mistake::at(span.clone(), format!("the number `{digits}` is too large"));
                    mistakes.push(mistake.expected(format!("at most {:e}", f64::MAX)));
                }
                Word::Number(if value.is_infinite() { 1.0 } else { value })
            }
            Read::Stray(c) => {
                match &mut stray {
                    // One mistake for what stands together.
                    Some(before) if before.end == span.start => before.end = span.end,
                    _ => {
                        let mistake = Mistake::at(span.clone(), format!("`{c}` has no meaning in a formula"));
                        mistakes.push(mistake.expected("numbers, names (letters, digits, `_`), operators or `#`"));
                        stray = Some(span);
                    }
                }
                continue;
            }
        };
        tokens.push(Token { word, span });
    }
    tokens
}
