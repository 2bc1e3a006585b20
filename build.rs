//! Tells the program which commit it is built from; a build without git, or out of a package, knows none.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The sources may lie unpacked within another repository, whose commit says nothing of them.
    let root = git(&["rev-parse", "--show-toplevel"]).and_then(|root| Path::new(&root).canonicalize().ok());
    if root.is_none() || root != Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().ok() {
        return;
    }
    // A commit moves the branch and a checkout moves HEAD; the log hears of both where the branch is in no file of its own.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "logs/HEAD"].into_iter().chain(branch.as_deref()) {
        // Cargo takes a file that is not there for one that has changed, each time.
        if let Some(path) = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        println!("cargo::rustc-env=OPTBENCH_COMMIT={commit}");
    }
}

/// What git answers; nothing where it is missing or refuses.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !answer.is_empty()).then_some(answer)
}
