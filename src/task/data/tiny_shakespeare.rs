//! Tiny Shakespeare: a million characters of his plays.

use crate::error::Result;
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::{Contents, DataFile, Dataset, Definition, Files, Locator, Origin, Text};

const NAME: &str = "tiny_shakespeare";

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "1,115,394 characters of Shakespeare's plays, 65 different ones",
        equations: "train the first 90% of the text, val the next 5%, test the last 5%",
        keys: &[],
        source: "A. Karpathy 2015, github.com/karpathy/char-rnn",
    },
    licence: "public domain",
    contents: Contents::Text,
    origin: Origin::Files(&FILES),
    load,
};

static FILES: Files = Files {
    folders: &["tinyshakespeare", "tiny-shakespeare", "shakespeare"],
    vague: &["input.txt"],
    files: &[DataFile {
        names: &[
            "tinyshakespeare.txt",
            "tinyshakespeare.txt.gz",
            "tiny_shakespeare.txt",
            "tiny_shakespeare.txt.gz",
            "shakespeare.txt",
            "input.txt",
        ],
        bytes: 1_115_394,
        sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        mirrors: &[
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
        ],
    }],
    archive: None,
    by_hand: "it is data/tinyshakespeare/input.txt of github.com/karpathy/char-rnn",
};

fn load(_: &Settings, locator: &Locator) -> Result<Dataset> {
    let (path, bytes) = locator.read(NAME, &FILES, &FILES.files[0])?;
    Ok(Dataset::Text(Text::decode(NAME, &path.display().to_string(), bytes)?))
}
