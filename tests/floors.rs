//! The floors of the house: a file imports from its own floor or lower ones, and neither modules nor
//! files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, UseName, UseRename, UseTree, Visibility};

const FLOORS: [&[&str]; 8] = [
    &["error", "registry", "settings", "length", "choice", "checksum", "disk", "system", "words"],
    &["nn", "expression", "rng", "metric", "margin"],
    &["optim", "schedule", "task"],
    &["train", "catalog", "program", "recorded"],
    &["config", "sweep", "results", "analysis"],
    &["report", "chart", "candle"],
    &["cli"],
    &["bench"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A source of the crate.
struct Source {
    /// Where it is, under `src`.
    file: String,
    /// Its module: `["optim", "sgd"]`; none of the crate's root.
    module: Module,
    code: syn::File,
    /// What it hands on of its own files: the name, and where it comes from.
    exports: BTreeMap<String, Module>,
}

type Module = Vec<String>;

/// Every source but the command's.
fn house() -> BTreeMap<Module, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = sources(&root).into_iter().map(|path| {
        let place = path.strip_prefix(&root).unwrap();
        let stem = place.with_extension("");
        let mut module: Module = stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        module.pop_if(|last| ["mod", "lib"].contains(&last.as_str()));
        let code = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
        let exports = exports(&module, &code);
        (module.clone(), Source { file: place.display().to_string(), module, code, exports })
    });
    sources.filter(|(module, _)| module != &["main"]).collect()
}

/// The paths that code names, in imports and elsewhere, from the root of the crate on.
struct Paths<'a> {
    module: &'a [String],
    with_tests: bool,
    found: Vec<Module>,
}

impl Paths<'_> {
    fn of(source: &Source, with_tests: bool) -> Vec<Module> {
        let mut paths = Paths { module: &source.module, with_tests, found: Vec::new() };
        paths.visit_file(&source.code);
        paths.found
    }

    fn add(&mut self, path: &[String]) {
        let up = path.iter().take_while(|part| *part == "super").count();
        let (start, rest) = match path[0].as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (self.module, &path[1..]),
            "super" if up <= self.module.len() => (&self.module[..self.module.len() - up], &path[up..]),
            _ => return,
        };
        self.found.push([start, rest].concat());
    }

    fn tree(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(one) => {
                path.push(one.ident.to_string());
                self.tree(&one.tree, path);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, path.clone())),
            UseTree::Name(name) if name.ident == "self" => self.add(&path),
            UseTree::Name(UseName { ident }) | UseTree::Rename(UseRename { ident, .. }) => {
                path.push(ident.to_string());
                self.add(&path);
            }
            UseTree::Glob(_) => self.add(&path),
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        // A module inside a file is one of its tests; what it calls `super` is the file.
        if self.with_tests && item.content.is_some() {
            let inner = [self.module, &[item.ident.to_string()]].concat();
            let mut paths = Paths { module: &inner, with_tests: true, found: Vec::new() };
            visit::visit_item_mod(&mut paths, item);
            self.found.extend(paths.found);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        visit::visit_path(self, path);
    }
}

fn exports(module: &[String], code: &syn::File) -> BTreeMap<String, Module> {
    let handed_on = code.items.iter().filter_map(|item| match item {
        Item::Use(item) if !matches!(item.vis, Visibility::Inherited) => Some(item),
        _ => None,
    });
    let mut exports = BTreeMap::new();
    for item in handed_on {
        let mut paths = Paths { module: &[], with_tests: false, found: Vec::new() };
        // `pub use child::Name` is relative to the file.
        paths.tree(&item.tree, vec!["self".into()]);
        for path in paths.found {
            let from = if path[0] == "crate" { path[1..].to_vec() } else { [module, &path].concat() };
            exports.insert(path.last().unwrap().clone(), from);
        }
    }
    exports
}

/// The module whose file a path leads to.
fn resolve(house: &BTreeMap<Module, Source>, path: &[String]) -> Module {
    let mut here = Module::new();
    for (place, part) in path.iter().enumerate() {
        let below = [&here[..], std::slice::from_ref(part)].concat();
        if house.contains_key(&below) {
            here = below;
            continue;
        }
        match house[&here].exports.get(part) {
            Some(from) if *from != path[..=place] => return resolve(house, from),
            _ => break,
        }
    }
    here
}

/// Every top-level module with those that it names.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in house().values().filter(|source| !source.module.is_empty()) {
        let names = Paths::of(source, true).into_iter().filter_map(|path| path.into_iter().next());
        rooms.entry(source.module[0].clone()).or_default().extend(names);
    }
    rooms
}

/// A way from a start back to itself; the shortest.
fn circle<T: Ord + Clone>(graph: &BTreeMap<T, BTreeSet<T>>, start: &T) -> Option<Vec<T>> {
    let mut ways = VecDeque::from([vec![start.clone()]]);
    let mut reached = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in graph.get(way.last()?).into_iter().flatten() {
            if next == start {
                return Some(way);
            }
            if reached.insert(next.clone()) {
                ways.push_back([&way[..], std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}

#[test]
fn every_module_has_a_floor() {
    for module in rooms().keys() {
        assert!(floor(module).is_some(), "`{module}` lives on no floor");
    }
}

#[test]
fn nothing_is_imported_from_above() {
    for (module, imports) in rooms() {
        for import in imports {
            if let (Some(here), Some(there)) = (floor(&module), floor(&import)) {
                assert!(there <= here, "`{module}` on floor {here} imports `{import}` from floor {there}");
            }
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut rooms = rooms();
    for (room, imports) in &mut rooms {
        imports.remove(room);
    }
    for start in rooms.keys() {
        assert_eq!(circle(&rooms, start), None, "modules in a circle");
    }
}

/// A folder's first file lists and hands on the others: that these use what it defines is no circle.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let house = house();
    let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in house.values() {
        let reached = Paths::of(source, false).into_iter().map(|path| resolve(&house, &path));
        let others = reached.filter(|module| !module.starts_with(&source.module));
        files.insert(&source.file, others.map(|module| house[&module].file.as_str()).collect());
    }
    assert!(files["optim/sgd.rs"].contains("optim/decay.rs") && files["cli/report.rs"].contains("report/mod.rs"));
    let circles: Vec<_> = files.keys().filter_map(|file| circle(&files, file)).collect();
    assert_eq!(circles, Vec::<Vec<&str>>::new(), "files in a circle");
}

#[test]
fn imports_are_read_in_every_form() {
    let text = "use crate::error::Error;\nuse crate::{optim::{self, Step}, rng};\n// crate::cli\nuse super::memory;\n\
                fn f() -> crate::train::Outcome { crate::nn::relu(1) }\n#[cfg(test)]\nmod tests { use super::*; }";
    let module = vec!["optim".to_owned(), "sgd".to_owned()];
    let source = Source { file: String::new(), module, code: syn::parse_file(text).unwrap(), exports: BTreeMap::new() };
    let read = |with_tests| Paths::of(&source, with_tests).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    let paths = ["error::Error", "optim", "optim::Step", "rng", "optim::memory", "train::Outcome", "nn::relu"]
        .map(str::to_owned);
    assert_eq!(read(false), paths);
    assert_eq!(read(true), [&paths[..], &["optim::sgd".to_owned()]].concat());
}

/// Where memory is handled by hand, and what tests it.
const UNSAFE: [(&str, &str); 2] = [
    ("src/nn/matmul.rs", "matrix products, held against candle's in the same file"),
    ("src/cli/threads.rs", "the environment of a process with a single thread, refused beside others in the same file"),
];

#[test]
fn memory_is_handled_by_hand_in_named_files_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let mut found = Vec::new();
    for file in sources(&root.join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let words =
            text.lines().filter(is_code).flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
        if words.into_iter().any(|word| word == "unsafe") {
            found.push(file.strip_prefix(root).unwrap().display().to_string());
        }
    }
    found.sort();
    let mut named: Vec<&str> = UNSAFE.iter().map(|(file, _)| *file).collect();
    named.sort_unstable();
    assert_eq!(found, named);
}
