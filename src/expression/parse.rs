//! From text to a [`Tree`]; what can be read is read, so that all mistakes are found at once.

use std::ops::Range;

use crate::expression::token::{Token, Word, words};
use crate::expression::tree::{Form, Infix, Line, Node, NodeId, Prefix, Tree};
use crate::registry::Mistake;

/// How deep parentheses, signs and powers may be nested.
const DEEPEST: usize = 100;
/// How many numbers, names and operations a formula may have.
const MOST_NODES: usize = 4096;

const AN_EXPRESSION: &str = "a number, a name, a function or `(`";

/// Reads lines of `name = expression`. A line goes on where a parenthesis is open, and `#` starts a comment.
pub(super) fn program(text: &str, mistakes: &mut Vec<Mistake>) -> Tree {
    let tokens = words(text, mistakes);
    let mut reader = Reader::new(text);
    for line in lines(&tokens) {
        let before = reader.tree.nodes.len();
        reader.line = line.iter().filter(|token| token.word != Word::EndOfLine).cloned().collect();
        reader.at = 0;
        let Some(Head { name, name_span, goes_on }) = reader.head(mistakes) else { continue };
        let value = if goes_on { reader.whole(mistakes) } else { None };
        let nodes = before..reader.tree.nodes.len();
        reader.tree.lines.push(Line { name, name_span, value, nodes });
    }
    reader.tree
}

/// Reads one expression, over as many lines as it takes.
pub(super) fn expression(text: &str, mistakes: &mut Vec<Mistake>) -> Tree {
    let tokens = words(text, mistakes);
    let mut reader = Reader::new(text);
    reader.line = tokens.into_iter().filter(|token| token.word != Word::EndOfLine).collect();
    let value = reader.whole(mistakes);
    let nodes = 0..reader.tree.nodes.len();
    reader.tree.lines.push(Line { name: String::new(), name_span: 0..text.len(), value, nodes });
    reader.tree
}

/// The words line by line: a line ends where it ends, unless a parenthesis is open. A parenthesis that is never closed
/// ends with its line all the same: what follows reads `name =`.
fn lines<'a, 'b>(tokens: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    let (mut lines, mut start, mut open) = (Vec::new(), 0, 0usize);
    for (i, token) in tokens.iter().enumerate() {
        match token.word {
            Word::Sign("(") => open += 1,
            Word::Sign(")") => open = open.saturating_sub(1),
            Word::EndOfLine => {
                let mut next = tokens[i + 1..].iter().filter(|token| token.word != Word::EndOfLine);
                let named = matches!(next.next(), Some(Token { word: Word::Name(_), .. }));
                let assigns =
                    matches!(next.next(), Some(Token { word: Word::Sign("=" | "+=" | "-=" | "*=" | "/="), .. }));
                if open == 0 || named && assigns {
                    lines.push(&tokens[start..i]);
                    (start, open) = (i + 1, 0);
                }
            }
            _ => {}
        }
    }
    lines.push(&tokens[start..]);
    lines.retain(|line| line.iter().any(|token| token.word != Word::EndOfLine));
    lines
}

struct Reader<'a> {
    text: &'a str,
    line: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    tree: Tree,
}

type Read = Result<NodeId, Mistake>;

/// What a line begins with.
struct Head {
    name: String,
    name_span: Range<usize>,
    /// Whether its value can be read.
    goes_on: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, line: Vec::new(), at: 0, depth: 0, tree: Tree::default() }
    }

    /// The next word of the line, and where it stands; behind the last, the line's end.
    fn peek(&self) -> (Word<'a>, Range<usize>) {
        match self.line.get(self.at) {
            Some(token) => (token.word, token.span.clone()),
            None => {
                let end = self.line.last().map_or(self.text.len(), |token| token.span.end);
                (Word::EndOfLine, end..end)
            }
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = self.peek().0 == Word::Sign(sign);
        self.at += usize::from(found);
        found
    }

    /// `name =`
    fn head(&mut self, mistakes: &mut Vec<Mistake>) -> Option<Head> {
        let (word, name_span) = self.peek();
        let Word::Name(name) = word else {
            let mistake = Mistake::at(name_span, format!("the line begins with {}", word.describe()));
            mistakes.push(mistake.expected("`name = expression`"));
            return None;
        };
        self.at += 1;
        let (sign, sign_span) = self.peek();
        let head = |goes_on| Some(Head { name: name.to_owned(), name_span, goes_on });
        if self.takes("=") {
            return head(true);
        }
        let mistake = Mistake::at(sign_span, format!("{} follows the name `{name}`", sign.describe()));
        let mistake = mistake.expected("`=`: every line is `name = expression`");
        let Word::Sign(sign @ ("+=" | "-=" | "*=" | "/=")) = sign else {
            mistakes.push(mistake);
            return None;
        };
        mistakes.push(mistake.help(format!("write `{name} = {name} {} ..`", &sign[..1])));
        // It was meant as an assignment: the name is known from here on.
        head(false)
    }

    /// The rest of the line as one expression; nothing is left over.
    fn whole(&mut self, mistakes: &mut Vec<Mistake>) -> Option<NodeId> {
        self.depth = 0;
        let read = self.expression(0).and_then(|id| match self.peek() {
            (Word::EndOfLine, _) => Ok(id),
            (word, span) => Err(self.left_over(word, span)),
        });
        read.map_err(|mistake| mistakes.push(mistake)).ok()
    }

    fn left_over(&self, word: Word, span: Range<usize>) -> Mistake {
        let before = self.line.get(self.at.wrapping_sub(1)).map(|token| token.word);
        let help = match (before, word) {
            (_, Word::Sign("**")) => Some("powers are written `^`".to_owned()),
            (_, Word::Sign("&&")) => Some("write `and`".to_owned()),
            (_, Word::Sign("||")) => Some("write `or`".to_owned()),
            (_, Word::Sign("=")) => Some("a comparison is written `==`, and a line holds one assignment".to_owned()),
            (_, Word::Sign(")")) => Some("there is no `(` for this `)`".to_owned()),
            (_, Word::Sign(";")) => Some("start a new line instead".to_owned()),
            (Some(before), Word::Name(_) | Word::Number(_) | Word::Sign("(")) => {
                let plain = |word: Word| match word {
                    Word::Number(x) => format!("{x:?}"),
                    Word::Name(name) | Word::Sign(name) => name.to_owned(),
                    Word::EndOfLine => String::new(),
                };
                Some(format!("products are written with `*`: `{} * {}`", plain(before), plain(word)))
            }
            _ => None,
        };
        let mistake = Mistake::at(span, format!("{} cannot stand here", word.describe()));
        mistake.expected("an operator or the end of the expression").maybe_help(help)
    }

    fn node(&mut self, form: Form, span: Range<usize>) -> Read {
        if self.tree.nodes.len() >= MOST_NODES {
            let mistake = Mistake::at(span, "the formula is too long");
            return Err(mistake.expected(format!("at most {MOST_NODES} numbers, names and operations")));
        }
        self.tree.nodes.push(Node { form, span });
        Ok(self.tree.nodes.len() - 1)
    }

    fn span(&self, id: NodeId) -> Range<usize> {
        self.tree.nodes[id].span.clone()
    }

    /// An expression of operators that bind at least as tightly.
    fn expression(&mut self, least: u8) -> Read {
        self.depth += 1;
        if self.depth > DEEPEST {
            let mistake = Mistake::at(self.peek().1, "the expression is nested too deeply");
            return Err(mistake
                .expected(format!("at most {DEEPEST} levels"))
                .help("give a part a name on an earlier line"));
        }
        let mut left = self.operand()?;
        let mut compared = false;
        while let Some(infix) = self.infix() {
            if infix.tightness() < least {
                break;
            }
            if infix.is_comparison() && std::mem::replace(&mut compared, true) {
                let mistake = Mistake::at(self.peek().1, "comparisons cannot be chained");
                return Err(mistake.expected("`and` or `or`").help("write `a < b and b < c`"));
            }
            compared &= infix.tightness() >= 4;
            self.at += 1;
            let right = self.expression(infix.operands().1)?;
            let span = self.span(left).start..self.span(right).end;
            left = self.node(Form::Infix(infix, left, right), span)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn infix(&self) -> Option<Infix> {
        let (Word::Sign(text) | Word::Name(text)) = self.peek().0 else { return None };
        Infix::ALL.into_iter().find(|infix| infix.sign() == text)
    }

    fn operand(&mut self) -> Read {
        let (word, span) = self.peek();
        self.at += 1;
        let prefix = match word {
            Word::Sign("-") => Prefix::Minus,
            Word::Name("not") => Prefix::Not,
            Word::Number(x) => return self.node(Form::Number(x), span),
            Word::Sign("(") => return self.parenthesis(span),
            Word::Name(name) if !["and", "or"].contains(&name) => return self.named(name, span),
            _ => {
                let help = match word {
                    Word::Sign("!") => Some("write `not`".to_owned()),
                    Word::Sign("+") => Some("leave the sign out".to_owned()),
                    Word::EndOfLine => Some("a line goes on where a parenthesis is open: `( .. )`".to_owned()),
                    _ => None,
                };
                let mistake = Mistake::at(span, format!("{} cannot stand here", word.describe()));
                return Err(mistake.expected(AN_EXPRESSION).maybe_help(help));
            }
        };
        let operand = self.expression(prefix.tightness())?;
        let span = span.start..self.span(operand).end;
        self.node(Form::Prefix(prefix, operand), span)
    }

    fn parenthesis(&mut self, open: Range<usize>) -> Read {
        let inner = self.expression(0)?;
        let end = self.close(&open)?;
        // The place of what is meant covers its parentheses.
        self.tree.nodes[inner].span = open.start..end;
        Ok(inner)
    }

    /// The end of `)`.
    fn close(&mut self, open: &Range<usize>) -> Result<usize, Mistake> {
        let (word, span) = self.peek();
        match word {
            Word::Sign(")") => {
                self.at += 1;
                Ok(span.end)
            }
            Word::EndOfLine => {
                Err(Mistake::at(open.clone(), "this `(` is never closed").expected("a `)` that belongs to it"))
            }
            _ => Err(self.left_over(word, span)),
        }
    }

    /// A name, or the call of a function.
    fn named(&mut self, name: &str, span: Range<usize>) -> Read {
        let open = self.peek().1;
        if !self.takes("(") {
            return self.node(Form::Name(name.to_owned()), span);
        }
        let mut arguments = Vec::new();
        if self.peek().0 != Word::Sign(")") {
            arguments.push(self.expression(0)?);
            while self.takes(",") {
                arguments.push(self.expression(0)?);
            }
        }
        let end = self.close(&open)?;
        self.node(Form::Call(name.to_owned(), span.clone(), arguments), span.start..end)
    }
}
