//! Tables of the user's own: what is read of them, what is refused, and what is learned.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use optbench::catalog::Catalog;
use optbench::error::Result;
use optbench::settings::Settings;
use optbench::task::Split;
use optbench::task::data::{Examples, Input, Library};

const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

fn table(path: &Path, label: &str, task: &str) -> Settings {
    let csv = Settings::new(Catalog::built_in().datasets.find("csv").unwrap());
    csv.with("path", path.to_str().unwrap()).with("label", label).with("task", task)
}

fn load(settings: &Settings) -> Result<Arc<dyn Examples>> {
    let model = Settings::new(Catalog::built_in().models.find("mlp").unwrap());
    Library::default().load(settings)?.examples(&model)
}

fn fixture(name: &str, label: &str, task: &str) -> Arc<dyn Examples> {
    let path = Path::new("tests/tables").join(name);
    load(&table(&path, label, task)).unwrap()
}

/// What is read of a text; in the order of the file's shuffle.
fn read(text: &str, change: impl Fn(Settings) -> Settings) -> Result<Arc<dyn Examples>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    load(&change(table(file.path(), "y", "regression")))
}

fn all(examples: &dyn Examples) -> (Tensor, Tensor) {
    let positions: Vec<usize> = SPLITS.into_iter().flat_map(|split| examples.split(split)).collect();
    examples.batch(&positions, DType::F64, &Device::Cpu).unwrap()
}

#[test]
fn the_tables_of_scikit_learn_have_their_shapes_and_are_standardised() {
    for (name, label, task, rows, columns, classes) in [
        ("diabetes.csv", "progression", "regression", 442, 10, None),
        ("wine.csv", "cultivar", "classification", 178, 13, Some(3)),
        ("breast_cancer.csv", "diagnosis", "classification", 569, 30, Some(2)),
    ] {
        let examples = fixture(name, label, task);
        assert_eq!(examples.input(), Input::Row { columns, classes }, "{name}");
        let sizes = SPLITS.map(|split| examples.split(split).len());
        assert_eq!(sizes, [rows - 2 * (rows / 10), rows / 10, rows / 10], "{name}");
        let train: Vec<usize> = examples.split(Split::Train).collect();
        let (x, y) = examples.batch(&train, DType::F64, &Device::Cpu).unwrap();
        let numbers = if classes.is_none() { Tensor::cat(&[x, y.unsqueeze(1).unwrap()], 1).unwrap() } else { x };
        let mean = numbers.mean(0).unwrap().to_vec1::<f64>().unwrap();
        let square = numbers.sqr().unwrap().mean(0).unwrap().to_vec1::<f64>().unwrap();
        for (mean, square) in mean.iter().zip(square) {
            assert!(mean.abs() < 1e-12 && (square - 1.0).abs() < 1e-12, "{name}: {mean} {square}");
        }
    }
}

#[test]
fn words_missing_values_and_constants_become_columns() {
    let mut text = "\u{feff}# a remark\nsize, colour,zip,same,id,y\n".to_owned();
    for i in 0..20 {
        let size = if i == 3 { "NA".to_owned() } else { i.to_string() };
        let colour = ["red", "blue", "?", "\"red\""][i % 4];
        text += &format!("{size},{colour},{},7,x{i},{}\n", 100 + i % 2, 3 * i);
    }
    let lists = |settings: Settings| {
        let list = |name: &str| optbench::settings::Value::List(vec![name.into()]);
        settings.with("ignore", list("id")).with("categorical", list("zip"))
    };
    let examples = read(&text.replace('\n', "\r\n"), lists).unwrap();
    // size, same; missing, blue, red; 100, 101.
    assert_eq!(examples.input(), Input::Row { columns: 7, classes: None });
    let (x, y) = all(&*examples);
    let labels: Vec<f64> = y.to_vec1().unwrap();
    let mut order: Vec<usize> = (0..20).collect();
    order.sort_by(|&a, &b| labels[a].total_cmp(&labels[b]));
    let rows = x.to_vec2::<f64>().unwrap();
    let row = |i: usize| &rows[order[i]];
    assert_eq!(row(0)[1..], [0.0, 0.0, 0.0, 1.0, 1.0, 0.0], "red, 100");
    assert_eq!(row(1)[1..], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0], "blue, 101");
    assert_eq!(row(2)[2..], [1.0, 0.0, 0.0, 1.0, 0.0], "a colour that is missing");
    assert_eq!(row(3)[0], 0.0, "a size that is missing is the mean");
    assert!((row(9)[0] - row(8)[0] - (row(6)[0] - row(5)[0])).abs() < 1e-12 && row(9)[0] > row(8)[0]);
}

#[test]
fn labels_that_are_numbers_are_classes_in_their_order() {
    let text: String =
        "x,y\n".to_owned() + &(0..12).map(|i| format!("{i},{}\n", [10, 9, -1][i % 3])).collect::<String>();
    let examples = read(&text, |settings| settings.with("task", "classification")).unwrap();
    let (x, y) = all(&*examples);
    let (x, y) = (x.flatten_all().unwrap().to_vec1::<f64>().unwrap(), y.to_vec1::<u32>().unwrap());
    let mut pairs: Vec<(f64, u32)> = x.into_iter().zip(y).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!(pairs.iter().map(|pair| pair.1).collect::<Vec<_>>(), [2, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0]);
}

/// Ten mistakes in one table.
fn mistaken() -> String {
    let mut rows: Vec<String> = (0..40).map(|i| format!("{i},{},{}", i * i, i % 5)).collect();
    rows[1] = "one,1,1".into();
    rows[4] = "4,16".into();
    rows[7] = "7,49,2,9".into();
    rows[9] = "9,81,".into();
    rows[12] = "12,144,two".into();
    rows[15] = "15,inf,0".into();
    rows[20] = "2O,400,0".into();
    rows[21] = "21,\"1,5\",1".into();
    rows[30] = "30,900,NaN".into();
    rows[39] = "39,0x10,4".into();
    "a,b,y\n".to_owned() + &rows.join("\n")
}

#[test]
fn every_wrong_row_is_named_by_its_line() {
    let problem = read(&mistaken(), |settings| settings).map(|_| ()).unwrap_err().to_string();
    let (_, problem) = problem.split_once(": 10 mistakes").unwrap_or_else(|| panic!("{problem}"));
    assert_eq!(
        problem,
        "
  line 3: `a` is `one`; expected a finite number, as in most rows
  line 6: 2 values; expected 3, as in the header
  line 9: 4 values; expected 3, as in the header
  line 11: the label `y` is missing
  line 14: the label `y` is `two`; expected a finite number
  line 17: `b` is `inf`; expected a finite number, as in most rows
  line 22: `a` is `2O`; expected a finite number, as in most rows
  line 23: `b` is `1,5`; expected a finite number, as in most rows
  line 32: the label `y` is missing
  line 41: `b` is `0x10`; expected a finite number, as in most rows
  help: correct these rows, or leave the column out by `ignore`"
    );
}

#[test]
fn what_is_no_table_is_refused_in_words() {
    let rows: String = (0..30).map(|i| format!("{i},n{i}\n")).collect();
    let same = |settings: Settings| settings;
    for (text, part) in [
        ("", "the file is empty; expected a header and rows"),
        ("a,b\n1,2\n", "there is no column `y`\n  help: the columns are a, b"),
        ("y,y\n1,2\n", "two columns are called `y`"),
        ("x,y\n1,2\n3,4\n", "2 rows; expected at least 10 to split"),
        (&format!("y\n{}", "1\n".repeat(30)), "there is no column to learn from beside the label"),
    ] {
        let problem = read(text, same).map(|_| ()).unwrap_err().to_string();
        assert!(problem.contains(part), "{problem}");
    }
    let classes = |settings: Settings| settings.with("task", "classification").with("label", "x");
    let many: String = "x,y\n".to_owned() + &(0..1200).map(|i| format!("{i},0\n")).collect::<String>();
    let problem = read(&many, classes).map(|_| ()).unwrap_err().to_string();
    assert!(problem.contains("has 1200 different values; expected at most 1000 classes\n  help:"), "{problem}");
    let one = read(&format!("x,y\n{}", "0,1\n".repeat(30)), classes).map(|_| ()).unwrap_err().to_string();
    assert!(one.contains("the label `x` has the same value in all rows"), "{one}");
    assert!(read(&format!("y,x\n{rows}"), same).is_ok(), "words that all differ are a column each");
}

fn optbench(folder: &Path, config: &str) -> Output {
    fs::write(folder.join("table.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    command.current_dir(folder).args(["run", "table.toml", "--jobs", "1", "--threads", "1"]).output().unwrap()
}

/// The last row of `evals.csv` of a run on a fixture, by column.
fn trained(name: &str, keys: &str) -> Vec<(String, f64)> {
    let folder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(Path::new("tests/tables").join(name)).unwrap();
    let config = format!(
        "name = \"t\"\nseeds = 1\nsteps = 400\n[tasks.t]\ndataset = \"csv\"\npath = '{}'\n{keys}\n[optimizers.adamw]\nlr = 0.01\n",
        path.display()
    );
    let output = optbench(folder.path(), &config);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = fs::read_dir(folder.path().join("results/t/runs")).unwrap().next().unwrap().unwrap();
    let evals = fs::read_to_string(run.path().join("evals.csv")).unwrap();
    let (names, last) = (evals.lines().next().unwrap(), evals.lines().last().unwrap());
    let cells = names.split(',').zip(last.split(','));
    cells.filter_map(|(name, cell)| Some((name.to_owned(), cell.parse().ok()?))).collect()
}

#[test]
fn models_learn_from_tables() {
    let score = |scores: &[(String, f64)], name: &str| scores.iter().find(|score| score.0 == name).unwrap().1;
    for (model, table, at_least) in [
        ("logistic", "wine.csv\"\nlabel = \"cultivar", 0.9),
        ("linear", "wine.csv\"\nlabel = \"cultivar", 0.9),
        ("mlp", "breast_cancer.csv\"\nlabel = \"diagnosis", 0.9),
    ] {
        let (name, label) = table.split_once("\"\n").unwrap();
        let scores = trained(name, &format!("model = \"{model}\"\n{label}\""));
        assert!(score(&scores, "accuracy") >= at_least, "{model} {scores:?}");
    }
    for model in ["linear", "mlp\"\nhidden = [16]\ndropout = 0.1\nmetric = \"r2"] {
        let keys = format!("model = \"{model}\"\nlabel = \"progression\"\ntask = \"regression\"\nbatch_size = 32");
        let scores = trained("diabetes.csv", &keys);
        let (r2, mse, mae, loss) =
            (score(&scores, "r2"), score(&scores, "mse"), score(&scores, "mae"), score(&scores, "loss"));
        // The labels' deviation is about 77.
        assert!(r2 > 0.3 && r2 < 0.8, "{model} {scores:?}");
        assert!((mse / loss).sqrt() > 70.0 && (mse / loss).sqrt() < 85.0 && mae < mse.sqrt(), "{model} {scores:?}");
    }
}

#[test]
fn a_number_has_no_smoothed_label_and_text_models_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let config = "name = \"t\"\nsteps = 4\n[tasks.a]\nmodel = \"mlp\"\ndataset = \"csv\"\npath = \"a.csv\"\nlabel = \"y\"\n\
        task = \"regression\"\nlabel_smoothing = 0.1\n[tasks.b]\nmodel = \"transformer_lm\"\ndataset = \"csv\"\npath = \"a.csv\"\n\
        label = \"y\"\n[optimizers.adamw]\n";
    let output = optbench(folder.path(), config);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{problem}");
    for part in [
        "`label_smoothing` is of classes, but the label is a number",
        "model `transformer_lm` learns from text, but `csv` is tables",
    ] {
        assert!(problem.contains(part), "{problem}");
    }
}
