//! Any text of the user's own.

use std::path::Path;

use crate::error::Result;
use crate::registry::{About, Accepts, Key};
use crate::settings::Settings;
use crate::task::data::files::read_named;
use crate::task::data::{Contents, Dataset, Definition, Locator, Origin, Text};

const NAME: &str = "text";
/// More than any text that a laptop learns from: a guard against a wrong path and packed zeros.
const MOST_BYTES: u64 = 256 << 20;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "any text file, UTF-8, gzipped or not; `path` alone means this for a model of text",
        equations: "\
train the first 90% of the text, val the next 5%, test the last 5%; at most 256 MiB
a byte order mark is left out, and the ends of lines of Windows and old Macs (CR LF, CR) are read as LF",
        keys: &[Key::required("path", Accepts::Text, "the file, as seen from where optbench is started")
            .that_decides_nothing()],
        source: "",
    },
    licence: "that of your text",
    contents: Contents::Text,
    origin: Origin::Path,
    load,
};

fn load(settings: &Settings, _: &Locator) -> Result<Dataset> {
    let path = settings.text("path");
    let bytes = read_named(NAME, Path::new(path), MOST_BYTES)?;
    Ok(Dataset::Text(Text::decode(NAME, path, bytes)?))
}
