//! The King James Bible, a verse a line.

use crate::error::Result;
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::{Contents, DataFile, Dataset, Definition, Files, Locator, Origin, Text};

const NAME: &str = "kjv";

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "4,137,848 characters of the King James Bible, a verse a line, 63 different ones",
        equations: "train the first 90% of the text, val the next 5%, test the last 5%",
        keys: &[],
        source: "the text of Debian's package bible-kjv-text, without the numbers of the verses",
    },
    licence: "public domain (in the United Kingdom, printing is the Crown's privilege)",
    contents: Contents::Text,
    origin: Origin::Files(&FILES),
    load,
};

static FILES: Files = Files {
    folders: &["bible-kjv"],
    vague: &[],
    files: &[DataFile {
        names: &["kjv.txt.gz", "kjv.txt"],
        bytes: 4_137_848,
        sha256: "0928347942d34765884f6f7ee11d21dab3322fcf9c0898e6ae62153688915631",
        mirrors: &[],
    }],
    archive: None,
    by_hand: "no address has it in this form; any other edition can be used by dataset = \"text\" and `path`",
};

fn load(_: &Settings, locator: &Locator) -> Result<Dataset> {
    let (path, bytes) = locator.read(NAME, &FILES, &FILES.files[0])?;
    Ok(Dataset::Text(Text::decode(NAME, &path.display().to_string(), bytes)?))
}
