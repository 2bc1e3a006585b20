//! Mistakes in a config: collected, then shown all at once, each where it stands.

use std::collections::HashSet;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::catalog::Catalog;
use crate::config::source::Place;
use crate::error::Error;

/// How many mistakes are shown: more are not read, and each of them searches the whole text for its line.
const MOST_SHOWN: usize = 50;

/// The texts that a config is made of, what they can name, and the mistakes found in them.
pub(super) struct Diagnostics<'c> {
    /// What can be named.
    pub(super) catalog: &'c Catalog,
    /// Name and text of each source: the file, then the `--set` arguments.
    sources: Vec<(String, String)>,
    mistakes: Vec<Mistake>,
    /// Whether the text is that of results: what an earlier version took is read, too.
    pub(super) stored: bool,
}

struct Mistake {
    place: Place,
    title: String,
    label: Option<String>,
    help: Option<String>,
}

/// A mistake that was just added, to say more about it.
pub(super) struct Added<'a>(&'a mut Mistake);

impl Added<'_> {
    /// What was expected at the place; stands beside the caret.
    pub(super) fn expected(self, label: impl Into<String>) -> Self {
        self.0.label = Some(printable(format!("expected {}", label.into())));
        self
    }

    /// The next thing to do.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        self.0.help = Some(printable(help.into()));
        self
    }
}

impl<'c> Diagnostics<'c> {
    pub(super) fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, sources: Vec::new(), mistakes: Vec::new(), stored: false }
    }

    /// For the text of results.
    pub(super) fn of_stored(catalog: &'c Catalog) -> Self {
        Self { stored: true, ..Self::new(catalog) }
    }

    /// Adds a text and gives the number that its places carry.
    pub(super) fn source(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.sources.push((printable(name.into()), text.into()));
        self.sources.len() - 1
    }

    /// Adds a mistake.
    pub(super) fn add(&mut self, place: &Place, title: impl Into<String>) -> Added<'_> {
        self.mistakes.push(Mistake { place: place.clone(), title: printable(title.into()), label: None, help: None });
        Added(self.mistakes.last_mut().expect("just added"))
    }

    /// The text at a place, as it is written.
    pub(super) fn written(&self, place: &Place) -> &str {
        self.sources.get(place.source).and_then(|(_, text)| text.get(place.span.0..place.span.1)).unwrap_or_default()
    }

    /// Forgets what is said to be missing: behind an error of syntax it may be there, unread.
    pub(super) fn forget_missing(&mut self) {
        self.mistakes.retain(|mistake| mistake.place.span != (0, 0));
    }

    /// How many mistakes were found so far.
    pub(super) fn len(&self) -> usize {
        self.mistakes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// All mistakes in the order of the text as one error; nothing if there are none.
    pub(super) fn into_result(mut self) -> Result<(), Error> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        // A schedule is read wherever it is named, and tried under every optimizer: one mistake is said once.
        let mut said = HashSet::new();
        self.mistakes.retain(|mistake| said.insert((mistake.place.clone(), mistake.title.clone())));
        self.mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        let shown = self.mistakes.iter().take(MOST_SHOWN);
        let mut rendered: Vec<String> = shown.map(|mistake| self.render(mistake)).collect();
        match self.mistakes.len().saturating_sub(MOST_SHOWN) {
            0 => {}
            1 => rendered.push("and 1 more mistake".into()),
            more => rendered.push(format!("and {more} more mistakes")),
        }
        Err(Error::Config { rendered: rendered.join("\n\n"), count: self.mistakes.len() })
    }

    fn render(&self, mistake: &Mistake) -> String {
        let (name, text) = &self.sources[mistake.place.source];
        let (start, end) = mistake.place.span;
        let (start, end) = (start.min(text.len()), end.min(text.len()));
        // A table's whole body would drown the message: the first line says where it is.
        let end = text[start..end].find('\n').map_or(end, |line| start + line);
        let annotation = AnnotationKind::Primary.span(start..end).label(mistake.label.as_deref());
        let snippet = Snippet::source(text.as_str()).path(name.as_str()).annotation(annotation);
        let mut group = Level::ERROR.primary_title(mistake.title.as_str()).element(snippet);
        if let Some(help) = &mistake.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        // The line itself is shown as it stands, but for what a terminal might obey.
        Renderer::plain().render(&[group]).replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
    }
}

/// The text with whatever a terminal might obey written out: values of the user are echoed in messages.
fn printable(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}
