//! `optbench run --log tensorboard`: event files that `TensorBoard` reads.
#![expect(clippy::print_stdout, reason = "what is not there to test with is said")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = r#"
name = "logged"
seeds = 1
steps = 25
eval_every = 10
[tasks.digits]
model = "mlp"
hidden = [8]
[tasks.bowl]
model = "quadratic"
[optimizers.adamw]
lr = 0.01
"#;
const RUNS: [&str; 2] = ["digits-adamw-constant-lr0.01-s0", "bowl-adamw-constant-lr0.01-s0"];

/// A folder in which the config was run twice: the files are the same the second time.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("logged.toml"), CONFIG).unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
        let arguments = ["run", "logged.toml", "--log", "tensorboard", "--out", "out"];
        let output = command.current_dir(folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        seen.push(RUNS.map(|run| fs::read(events(folder.path(), run)).unwrap()));
    }
    assert!(seen[0] == seen[1], "what was trained before is logged as it was");
    folder
}

/// The only file of a run.
fn events(folder: &Path, run: &str) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder.join("out/tensorboard").join(run)).unwrap().flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].path()
}

/// The values of a column by step, as they are after rounding to f32.
fn column(path: &Path, column: &str, split: Option<&str>) -> Vec<(u64, f32)> {
    let rows = csv::Reader::from_path(path).unwrap().into_deserialize::<BTreeMap<String, String>>();
    let rows = rows.map(Result::unwrap).filter(|row| split.is_none_or(|split| row["split"] == split));
    rows.filter(|row| !row[column].is_empty())
        .map(|row| (row["step"].parse().unwrap(), row[column].parse::<f64>().unwrap() as f32))
        .collect()
}

#[test]
fn records_are_framed_as_the_format_asks() {
    let folder = folder();
    let bytes = fs::read(events(folder.path(), RUNS[0])).unwrap();
    let (mut rest, mut records) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let record = &rest[12..12 + length];
        let sum = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        assert_eq!((sum(8), sum(12 + length)), (checksum(&rest[..8]), checksum(record)));
        records.push(record);
        rest = &rest[16 + length..];
    }
    // The version, 25 steps, evaluations of val after 0, 10, 20 and 25 steps and one of test.
    assert_eq!(records.len(), 1 + 25 + 4 + 1);
    assert!(records[0].ends_with(b"brain.Event:2"));
    let loss = column(&folder.path().join("out/runs").join(RUNS[0]).join("steps.csv"), "loss", None)[0].1;
    let tagged = [&b"\x0a\x0atrain/loss\x15"[..], &loss.to_le_bytes()].concat();
    assert!(records[1].windows(tagged.len()).any(|window| window == tagged), "{:x?}", records[1]);
}

/// The masked CRC-32C, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = !0u32;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 };
        }
    }
    (!sum).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[test]
fn tensorboard_itself_reads_every_value() {
    let python = std::env::var("OPTBENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let installed = Command::new(&python).args(["-c", "import tensorboard"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        println!("not tested: {python} has no tensorboard (`pip install tensorboard`, or OPTBENCH_PYTHON)");
        return;
    }
    let folder = folder();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_events.py");
    let output = Command::new(&python).arg(script).arg(folder.path().join("out/tensorboard")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: BTreeMap<String, BTreeMap<String, Vec<(u64, f32)>>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read.len(), RUNS.len());
    for (run, curves) in &read {
        let run = folder.path().join("out/runs").join(run);
        for (tag, values) in curves {
            let (split, name) = tag.split_once('/').unwrap();
            let expected = match split {
                "train" => column(&run.join("steps.csv"), name, None),
                split => column(&run.join("evals.csv"), name, Some(split)),
            };
            assert_eq!(values, &expected, "{tag} of {}", run.display());
        }
    }
    let tags: Vec<&str> = read[RUNS[0]].keys().map(String::as_str).collect();
    assert_eq!(tags, ["test/accuracy", "test/loss", "train/loss", "train/lr", "val/accuracy", "val/loss"]);
}
