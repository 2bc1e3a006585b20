//! The floors of the house: a file imports from its own floor or lower ones, and modules of one
//! floor do not import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: [&[&str]; 8] = [
    &["error", "registry", "settings", "length", "choice", "checksum", "disk", "system", "words"],
    &["nn", "expression", "rng", "metric", "margin"],
    &["optim", "schedule", "task"],
    &["train", "catalog"],
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

/// The top-level modules that a source names after `crate::`, alone or in braces.
fn imports(text: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.map(|line| format!("{line}\n")).collect();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            None => vec![rest],
            Some(group) => {
                let mut depth = 0;
                let end = group.find(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    depth < 0
                });
                let mut depth = 0;
                let outer = |c: char| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    c == ',' && depth == 0
                };
                group[..end.unwrap()].split(outer).collect()
            }
        };
        for name in names {
            let name: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            modules.insert(name);
        }
    }
    modules
}

/// Every module with the modules that it imports.
fn house() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut house: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&root) {
        let place = file.strip_prefix(&root).unwrap();
        let module = place.components().next().unwrap().as_os_str().to_string_lossy();
        let module = module.trim_end_matches(".rs").to_owned();
        if !["lib", "main"].contains(&module.as_str()) {
            house.entry(module).or_default().extend(imports(&fs::read_to_string(&file).unwrap()));
        }
    }
    house
}

#[test]
fn every_module_has_a_floor() {
    for module in house().keys() {
        assert!(floor(module).is_some(), "`{module}` lives on no floor");
    }
}

#[test]
fn nothing_is_imported_from_above() {
    for (module, imports) in house() {
        for import in imports {
            if let (Some(here), Some(there)) = (floor(&module), floor(&import)) {
                assert!(there <= here, "`{module}` on floor {here} imports `{import}` from floor {there}");
            }
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let house = house();
    for start in house.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = house[start].iter().filter(|import| *import != start).collect();
        while let Some(module) = next.pop() {
            assert_ne!(module, start, "`{start}` imports itself by way of {reached:?}");
            if reached.insert(module) {
                next.extend(house.get(module).into_iter().flatten().filter(|import| *import != module));
            }
        }
    }
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

#[test]
fn imports_are_read_in_every_form() {
    let text = "use crate::error::Error;\nuse crate::{optim::{self, Step}, rng};\n// crate::cli\nfn f() -> crate::train::Outcome {}";
    let read: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(read, ["error", "optim", "rng", "train"]);
}
