//! `optbench data`: which datasets are here, fetching them, and whether their files are sound.

use std::env;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, Subcommand};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::catalog::Catalog;
use crate::cli::{Exit, print, say};
use crate::error::{Error, Result};
use crate::registry::{Kinds, choices, nearest};
use crate::task::data::download::Watch;
use crate::task::data::{Definition, Downloader, Files, Library, Locator, Origin};

/// List, fetch and verify datasets
#[derive(Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List every dataset: size, where it was found or how to get it, licence
    List(Which),
    /// Download what is not here yet, checked by its SHA-256
    Fetch(Which),
    /// Check the files that are here; exit code 1 where one is damaged
    Verify(Which),
}

#[derive(Args)]
struct Which {
    /// Use only these datasets [default: all]
    names: Vec<String>,
    /// Look for files here first, and put downloads here [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Which {
    fn definitions(&self, datasets: &Kinds<Definition>) -> Result<Vec<&'static Definition>> {
        if self.names.is_empty() {
            return Ok(datasets.iter().collect());
        }
        let known = datasets.names();
        let find = |name: &String| {
            datasets.find(name).ok_or_else(|| {
                let help = nearest(name, known.iter().copied()).map(|near| format!("\n  help: did you mean `{near}`?"));
                let problem = format!("there is no dataset `{name}`; there are {}", choices(&known));
                Error::Usage(problem + &help.unwrap_or_default())
            })
        };
        self.names.iter().map(find).collect()
    }
}

/// The datasets of this process; what is not here is downloaded, unless `OPTBENCH_OFFLINE` is set.
pub(super) fn library(data_dir: Option<PathBuf>) -> Library {
    let library = Library::new(data_dir);
    if is_offline() { library } else { library.with_source(Arc::new(downloader())) }
}

fn is_offline() -> bool {
    env::var_os("OPTBENCH_OFFLINE").is_some_and(|value| !value.is_empty() && value != "0")
}

fn downloader() -> Downloader {
    Downloader::new(Box::new(Talk { bar: Mutex::default(), lines: !stderr().is_terminal() }))
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    match &arguments.action {
        Action::List(which) => list(which, &catalog.datasets),
        Action::Fetch(which) => fetch(which, &catalog.datasets),
        Action::Verify(which) => verify(which, &catalog.datasets),
    }
}

fn list(which: &Which, datasets: &Kinds<Definition>) -> Result<Exit> {
    let locator = Locator::new(which.data_dir.clone());
    let mut rows = vec![["name", "contents", "size", "where", "licence"].map(str::to_owned)];
    for definition in which.definitions(datasets)? {
        let name = definition.about.name;
        let (size, place) = match definition.origin {
            Origin::Embedded => (String::new(), "built in".to_owned()),
            Origin::Path => (String::new(), "named by `path`".to_owned()),
            Origin::Files(files) => {
                (HumanBytes(files.files.iter().map(|file| file.bytes).sum()).to_string(), place(name, files, &locator))
            }
        };
        let contents = definition.contents.name().to_owned();
        rows.push([name.to_owned(), contents, size, place, definition.licence.to_owned()]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    print(&rows.iter().map(line).collect::<String>())?;
    Ok(Exit::Success)
}

/// The folder in which all files of a dataset were found, or how to come by them.
fn place(name: &str, files: &Files, locator: &Locator) -> String {
    let copies: Vec<_> =
        files.files.iter().filter_map(|file| locator.copies(name, files, file).into_iter().next()).collect();
    match &copies[..] {
        [first, ..] if copies.len() == files.files.len() => {
            first.parent().unwrap_or(Path::new(".")).display().to_string()
        }
        _ if files.files.iter().all(|file| files.has_mirrors(file)) => format!("`optbench data fetch {name}`"),
        _ => format!("not found: put `{}` into {}", files.files[0].names[0], locator.download_folder(name).display()),
    }
}

fn fetch(which: &Which, datasets: &Kinds<Definition>) -> Result<Exit> {
    if is_offline() {
        return Err(Error::Usage("OPTBENCH_OFFLINE is set: nothing is downloaded".into()));
    }
    let locator = Locator::new(which.data_dir.clone()).with_source(Arc::new(downloader()));
    for definition in which.definitions(datasets)? {
        let name = definition.about.name;
        let Origin::Files(files) = definition.origin else {
            if !which.names.is_empty() {
                say(&format!("{name}: nothing to fetch"));
            }
            continue;
        };
        for file in files.files {
            let sound = |path: &PathBuf| file.read(path).is_ok();
            let here = || locator.copies(name, files, file).into_iter().find(sound);
            if here().is_none() {
                if which.names.is_empty() && !files.has_mirrors(file) {
                    say(&format!("{name}: not to be downloaded; {}", files.by_hand));
                } else {
                    locator.fetch(name, files, file)?;
                }
            }
            if let Some(path) = here() {
                print(&format!("{}\n", path.display()))?;
            }
        }
    }
    Ok(Exit::Success)
}

fn verify(which: &Which, datasets: &Kinds<Definition>) -> Result<Exit> {
    let locator = Locator::new(which.data_dir.clone());
    let mut exit = Exit::Success;
    for definition in which.definitions(datasets)? {
        let name = definition.about.name;
        let Origin::Files(files) = definition.origin else {
            print(&format!(
                "{name}: {}\n",
                match definition.origin {
                    Origin::Embedded => "built in",
                    _ => "your own files, checked when they are read",
                }
            ))?;
            continue;
        };
        let mut amiss = false;
        for file in files.files {
            let copies = locator.copies(name, files, file);
            if copies.is_empty() {
                print(&format!("{name}: missing  {}\n", file.names[0]))?;
                amiss |= !which.names.is_empty();
            }
            for path in copies {
                match file.read(&path) {
                    Ok(_) => print(&format!("{name}: sound    {}\n", path.display()))?,
                    Err(problem) => {
                        print(&format!("{name}: damaged  {problem}\n"))?;
                        amiss = true;
                    }
                }
            }
        }
        if amiss {
            exit = Exit::Failure;
        }
        if amiss && files.files.iter().all(|file| files.has_mirrors(file)) {
            say(&format!("help: `optbench data fetch {name}` fetches what is missing or damaged"));
        }
    }
    Ok(exit)
}

/// Shows downloads: a bar on a terminal, plain lines elsewhere.
struct Talk {
    bar: Mutex<Option<ProgressBar>>,
    lines: bool,
}

impl Talk {
    fn with_bar(&self, tell: impl FnOnce(&mut Option<ProgressBar>)) {
        tell(&mut self.bar.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Watch for Talk {
    fn started(&self, file: &str, address: &str, bytes: Option<u64>) {
        let host = address.split('/').nth(2).unwrap_or(address);
        if self.lines {
            let size = bytes.map(|bytes| format!(", {}", HumanBytes(bytes)));
            say(&format!("downloading {file} from {host}{}", size.unwrap_or_default()));
            return;
        }
        self.with_bar(|bar| {
            let template = "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}, {eta} left  {msg}";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = bar.get_or_insert_with(|| ProgressBar::new(0).with_style(style.progress_chars("=> ")));
            bar.set_length(bytes.unwrap_or(0));
            bar.set_message(format!("{file} from {host}"));
        });
    }

    fn progress(&self, bytes: u64) {
        self.with_bar(|bar| {
            if let Some(bar) = bar {
                bar.set_position(bytes);
            }
        });
    }

    fn retried(&self, problem: &str) {
        let line = format!("download: {problem}");
        self.with_bar(|bar| match bar {
            Some(bar) => bar.suspend(|| say(&line)),
            None => say(&line),
        });
    }

    fn finished(&self) {
        self.with_bar(|bar| {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        });
    }
}
