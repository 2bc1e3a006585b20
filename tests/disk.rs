//! Disks that are full, folders that cannot be written to, files that were cut off: nothing torn counts, the message
//! says what and where, and the same command goes on to the same bytes once the cause is gone.
#![cfg(unix)]
#![expect(clippy::print_stderr, reason = "says what a machine does not allow to be tested")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const OPTBENCH: &str = env!("CARGO_BIN_EXE_optbench");
const CONFIG: &str = "name = \"disk\"\nseeds = 2\nsteps = 900\neval_every = 100\ncheckpoint_every = 100\n\
                      [tasks.bowl]\nmodel = \"quadratic\"\n[tasks.digits]\nmodel = \"logistic\"\nbatch_size = 8\n\
                      [optimizers.sgd]\nlr = [0.01, 0.1]\n[optimizers.adamw]\n";
const RUNS: usize = 12;

/// Readable for everybody, so that another user can start in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("disk.toml"), CONFIG).unwrap();
    folder
}

fn run(folder: &Path, out: &str) -> Output {
    Command::new(OPTBENCH).current_dir(folder).args(["run", "disk.toml", "--jobs", "1", "--out", out]).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

/// The curves of the finished runs.
fn curves(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for run in fs::read_dir(root.join("runs")).into_iter().flatten().flatten() {
        if !run.file_name().to_string_lossy().starts_with('.') {
            for file in ["steps.csv", "evals.csv"] {
                all.insert(Path::new(&run.file_name()).join(file), fs::read(run.path().join(file)).unwrap_or_default());
            }
        }
    }
    all
}

/// What counts as finished after a failure is whole, and the same command ends with the same bytes.
fn nothing_is_lost(folder: &Path, root: &Path, whole: &BTreeMap<PathBuf, Vec<u8>>) {
    for (file, bytes) in curves(root) {
        assert!(bytes == whole[&file], "{} counts as finished, but differs", file.display());
    }
    succeeds(&run(folder, root.to_str().unwrap()));
    assert!(curves(root) == *whole, "the bytes differ from those of an undisturbed sweep");
    assert_eq!(fs::read_to_string(root.join("runs.csv")).unwrap().lines().count(), 1 + RUNS);
}

#[test]
fn files_that_may_grow_no_further_end_the_sweep_in_words() {
    let folder = folder();
    succeeds(&run(folder.path(), "whole"));
    let whole = curves(&folder.path().join("whole"));
    // Half of what `steps.csv` takes, in units of 512 bytes; the signal that would kill the process is ignored.
    let limit = whole[Path::new("bowl-adamw-constant-lr0.001-s0/steps.csv")].len() / 2 / 512;
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec {OPTBENCH} run disk.toml --jobs 2 --out full");
    let output = Command::new("sh").current_dir(folder.path()).args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let message = said(&output);
    assert!(message.contains("error: cannot write full/runs/.bowl-") && message.contains("steps.csv"), "{message}");
    nothing_is_lost(folder.path(), &folder.path().join("full"), &whole);
}

/// A disk of so many kilobytes; nothing where this user cannot have one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(at: PathBuf, kilobytes: usize) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]).arg(&at);
        mount.output().ok()?.status.success().then_some(Self(at))
    }

    /// Changes what it was mounted with: another size, or `ro`.
    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let folder = folder();
    succeeds(&run(folder.path(), "whole"));
    let whole = curves(&folder.path().join("whole"));
    let bytes: usize = whole.values().map(Vec::len).sum();
    for share in [10, 3, 2] {
        let place = folder.path().join(format!("disk-{share}"));
        let Some(disk) = SmallDisk::new(place, bytes / share / 1024) else {
            eprintln!("not tested with a full disk: only root can mount a small one");
            return;
        };
        let root = disk.0.join("results");
        let output = run(folder.path(), root.to_str().unwrap());
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let message = said(&output);
        assert!(message.contains("No space left on device") && message.contains("results/runs/"), "{message}");
        disk.remount("size=64m");
        nothing_is_lost(folder.path(), &root, &whole);
    }
}

#[test]
fn a_read_only_disk_is_read_and_left_as_it_is() {
    let folder = folder();
    let Some(disk) = SmallDisk::new(folder.path().join("disk"), 64 << 10) else {
        eprintln!("not tested with a read-only disk: only root can mount one");
        return;
    };
    let root = disk.0.join("results");
    succeeds(&run(folder.path(), root.to_str().unwrap()));
    fs::remove_dir_all(root.join("runs/bowl-adamw-constant-lr0.001-s0")).unwrap();
    let held = || files(&root).into_iter().map(|file| (fs::read(&file).unwrap(), file)).collect::<Vec<_>>();
    let before = held();
    disk.remount("ro");
    let root = root.to_str().unwrap();
    for (code, arguments) in [
        (1, &["run", "disk.toml", "--out", root][..]),
        (1, &["run", "disk.toml", "--out", root, "--fresh", "--yes"]),
        (1, &["plot", root]),
        (0, &["report", root]),
        (0, &["report", root, "--format", "json"]),
    ] {
        let output = Command::new(OPTBENCH).current_dir(folder.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert_eq!(said(&output).contains("Read-only file system"), code == 1, "{arguments:?}: {}", said(&output));
    }
    assert_eq!(held(), before);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let folder = folder();
    succeeds(&run(folder.path(), "results"));
    let whole = curves(&folder.path().join("results"));
    fs::remove_dir_all(folder.path().join("results/runs/bowl-adamw-constant-lr0.001-s0")).unwrap();
    // Root may write everywhere: another user may not.
    let optbench = folder.path().join("optbench");
    fs::copy(OPTBENCH, &optbench).unwrap();
    let mut command = Command::new(&optbench);
    command.current_dir(folder.path()).args(["run", "disk.toml", "--out", "results"]);
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let runs = folder.path().join("results/runs");
    if root {
        let start = Command::new(&optbench).arg("--version").uid(65534).gid(65534).output();
        if !start.is_ok_and(|output| output.status.success()) {
            eprintln!("not tested as another user: it cannot start {}", optbench.display());
            return;
        }
        command.uid(65534).gid(65534);
    } else {
        for place in [&folder.path().join("results"), &runs] {
            fs::set_permissions(place, fs::Permissions::from_mode(0o555)).unwrap();
        }
    }
    let output = command.output().unwrap();
    for place in [&folder.path().join("results"), &runs] {
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let message = said(&output);
    assert!(message.contains("error: cannot write results/") && message.contains("Permission denied"), "{message}");
    nothing_is_lost(folder.path(), &folder.path().join("results"), &whole);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    all.sort();
    all
}

#[test]
fn files_that_were_cut_off_are_found_and_made_again() {
    let folder = folder();
    // The smallest sweep: it is started for each cut.
    let config = "seeds = 2\nsteps = 90\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = 0.1\n";
    fs::write(folder.path().join("disk.toml"), config).unwrap();
    succeeds(&run(folder.path(), "whole"));
    let root = folder.path().join("whole");
    let whole = curves(&root);
    let one = root.join("runs/bowl-sgd-constant-lr0.1-s1");
    let torn = |file: &PathBuf| file.starts_with(&one) || !file.starts_with(root.join("runs"));
    let mut tried = 0;
    for file in files(&root).into_iter().filter(torn).filter(|file| !file.starts_with(root.join("charts"))) {
        let bytes = fs::read(&file).unwrap();
        for end in [0, bytes.len() / 3, bytes.len() * 9 / 10, bytes.len() - 2] {
            fs::write(&file, &bytes[..end]).unwrap();
            let output = run(folder.path(), "whole");
            let (name, message) = (file.strip_prefix(&root).unwrap().display(), said(&output));
            if output.status.code() == Some(2) && file.ends_with("experiment.toml") {
                // A part of the config that is a config of its own: another experiment, as far as anybody can tell.
                assert!(message.contains("holds the results of another experiment"), "{name} cut at {end}: {message}");
                fs::write(&file, &bytes).unwrap();
            } else {
                assert!(output.status.success(), "{name} cut at {end}: {message}");
            }
            if file.starts_with(&one) {
                assert!(message.contains("is damaged") && message.contains("is trained again"), "{name}: {message}");
            }
            assert!(curves(&root) == whole, "{name} cut at {end}");
            tried += 1;
        }
    }
    assert_eq!(tried, 4 * (4 + 6), "four files of a run and six of the folder");
}

#[test]
fn a_run_that_was_cut_off_is_no_result_for_anybody_else() {
    let folder = folder();
    succeeds(&run(folder.path(), "whole"));
    let steps = folder.path().join("whole/runs/bowl-sgd-constant-lr0.1-s0/steps.csv");
    let bytes = fs::read(&steps).unwrap();
    fs::write(&steps, &bytes[..bytes.len() - 7]).unwrap();
    for arguments in
        [&["report", "whole"][..], &["check", "whole"], &["plot", "whole"], &["merge", "whole", "--out", "b"]]
    {
        let output = Command::new(OPTBENCH).current_dir(folder.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
        let expected = format!("steps.csv is damaged: it holds {} bytes of {}", bytes.len() - 7, bytes.len());
        assert!(said(&output).contains(&expected), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn a_run_that_cannot_be_this_one_is_left_out_of_a_sweep_and_made_again_where_it_is_due() {
    let folder = folder();
    let config = "seeds = 4\nsteps = 9\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = 0.1\n";
    fs::write(folder.path().join("disk.toml"), config).unwrap();
    succeeds(&run(folder.path(), "whole"));
    let root = folder.path().join("whole");
    let whole = curves(&root);
    let at = |seed: u32| root.join(format!("runs/bowl-sgd-constant-lr0.1-s{seed}"));
    let optbench =
        |arguments: &[&str]| Command::new(OPTBENCH).current_dir(folder.path()).args(arguments).output().unwrap();
    // A copy of a run is no further seed.
    fs::create_dir(root.join("runs/copy")).unwrap();
    for file in ["run.toml", "steps.csv", "evals.csv"] {
        fs::copy(at(0).join(file), root.join("runs/copy").join(file)).unwrap();
    }
    for (code, arguments) in
        [(1, &["report", "whole"][..]), (1, &["check", "whole"]), (0, &["run", "disk.toml", "--out", "whole"])]
    {
        let output = optbench(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        let expected = "copy/run.toml is damaged: it is the record of `bowl-sgd-constant-lr0.1-s0`";
        assert!(said(&output).contains(expected), "{arguments:?}: {}", said(&output));
    }
    assert_eq!(fs::read_to_string(root.join("runs.csv")).unwrap().lines().count(), 1 + 4);
    fs::remove_dir_all(root.join("runs/copy")).unwrap();
    // What is no folder is no run.
    fs::write(root.join("runs/stray.txt"), "").unwrap();
    succeeds(&optbench(&["report", "whole"]));
    // A run of another part waits for that part.
    for seed in [0, 1, 2, 3] {
        fs::write(at(seed).join("run.toml"), b"run = \"\xff\"").unwrap();
    }
    let part = optbench(&["run", "disk.toml", "--out", "whole", "--shard", "1/2"]);
    succeeds(&part);
    assert_eq!(said(&part).matches("; bowl-").count(), 2, "{}", said(&part));
    assert_eq!(said(&part).matches("the run is left out").count(), 2, "{}", said(&part));
    fs::write(root.join("experiment.toml"), b"\xff").unwrap();
    succeeds(&run(folder.path(), "whole"));
    fs::remove_file(root.join("runs/stray.txt")).unwrap();
    assert!(curves(&root) == whole);
}

#[test]
fn what_killed_processes_were_writing_goes_at_the_next_start() {
    let folder = folder();
    let root = folder.path().join("results");
    succeeds(&run(folder.path(), "results"));
    let before = files(&root).len();
    fs::create_dir(root.join("runs/.optbench-merge")).unwrap();
    // The lock of a run that was done when its process was killed: nobody asks for it any more.
    let lock = "runs/.bowl-sgd-constant-lr0.1-s0.lock";
    for file in [".optbench-a", "runs/.optbench-merge/steps.csv", lock, "mine.txt"] {
        fs::write(root.join(file), "torn").unwrap();
    }
    succeeds(&run(folder.path(), "results"));
    assert_eq!(files(&root).len(), before + 1, "only what is ours goes");
    assert!(!root.join("runs/.optbench-merge").exists());
}

#[test]
fn runs_of_another_version_are_not_mixed_with_those_of_this_one() {
    let folder = folder();
    succeeds(&run(folder.path(), "whole"));
    let root = folder.path().join("whole");
    let mark = root.join("runs/bowl-sgd-constant-lr0.1-s0/run.toml");
    let text = fs::read_to_string(&mark).unwrap();
    let this = format!("optbench = \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&this), "{text}");
    fs::write(&mark, text.replace(&this, "optbench = \"0.0.7\"")).unwrap();
    succeeds(&run(folder.path(), "whole"));
    // Of the same version, but of another build: that is said.
    let lines = text.lines().filter(|line| !line.starts_with("commit = ")).collect::<Vec<_>>().join("\n");
    fs::write(&mark, format!("commit = \"0123456789abcdef\"\n{lines}\n")).unwrap();
    if text.contains("commit = ") {
        let built = run(folder.path(), "whole");
        succeeds(&built);
        assert!(said(&built).contains("builds of different commits") && said(&built).contains("1 from 0123456789"));
    }
    fs::write(&mark, text.replace(&this, "optbench = \"0.0.7\"")).unwrap();
    fs::remove_dir_all(root.join("runs/bowl-adamw-constant-lr0.001-s0")).unwrap();
    let refused = run(folder.path(), "whole");
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("was trained by optbench 0.0.7"), "{}", said(&refused));
    assert!(!root.join("runs/bowl-adamw-constant-lr0.001-s0").exists());
}

/// What file systems without locks answer (NFS without its daemon, some of Lustre's), whoever asks.
const NO_LOCKS: &str = "#include <errno.h>\nint flock(int file, int how) { errno = ENOLCK; return -1; }\n";

#[test]
#[cfg(target_os = "linux")]
fn a_file_system_without_locks_is_warned_of_and_used() {
    let folder = folder();
    succeeds(&run(folder.path(), "whole"));
    let (source, library) = (folder.path().join("locks.c"), folder.path().join("locks.so"));
    fs::write(&source, NO_LOCKS).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().unwrap();
    assert!(compiled.success());
    for start in ["first", "second"] {
        let mut command = Command::new(OPTBENCH);
        command.current_dir(folder.path()).env("LD_PRELOAD", &library).args(["run", "disk.toml", "--out", "bare"]);
        let output = command.output().unwrap();
        succeeds(&output);
        let warning = "warning: the file system of bare has no file locks";
        assert_eq!(said(&output).matches(warning).count(), 1, "{start}: {}", said(&output));
    }
    let root = folder.path().join("bare");
    assert!(curves(&root) == curves(&folder.path().join("whole")));
    let hidden = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    assert!(!files(&root).iter().any(hidden), "no lock file is left");
}
