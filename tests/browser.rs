//! `report.html` in a real browser: sorting, filtering, hints, dark mode, narrow windows, print.
#![expect(clippy::print_stdout, reason = "what is not there to test with is said")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const CONFIG: &str = r#"
name = "page"
seeds = 2
steps = 30
probe = ["gradients"]
[tasks.digits]
model = "mlp"
hidden = [8]
target = { accuracy = 0.5 }
[tasks.banana]
model = "rosenbrock"
[optimizers.sgd]
lr = [0.001, 1e6]
momentum = [0, 0.9]
[optimizers.adamw]
lr = [0.01, 0.03]
[schedules.constant]
[schedules.cosine]
[claims.mine]
better = "adamw+constant"
than = "sgd+cosine"
"#;

/// Catches what goes wrong from the first line of the page on.
const CATCH: &str = "<head><script>const complaints = []; \
                     addEventListener('error', event => complaints.push(event.message));</script>";

fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let starts = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    names.into_iter().find(starts)
}

/// Starts the browser without a window; it is given a minute.
fn open(browser: &str, folder: &Path, arguments: &[&str]) -> Output {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let mut child = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=3000", &profile])
        .args(arguments)
        .stdout(fs::File::create(folder.join("said.out")).unwrap())
        .stderr(fs::File::create(folder.join("said.err")).unwrap())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{browser} {arguments:?} does not end: {}", fs::read_to_string(folder.join("said.err")).unwrap());
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    Output { status, stdout: read("said.out"), stderr: read("said.err") }
}

/// What `browser.js` saw on the page, with the console silent.
fn visit(browser: &str, folder: &Path, arguments: &[&str]) -> Value {
    let page = format!("file://{}", folder.join("watched.html").display());
    let output = open(browser, folder, &[arguments, &["--dump-dom", &page]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("CONSOLE"), "{said}");
    let dom = String::from_utf8(output.stdout).unwrap();
    let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
    let title = title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&title).unwrap_or_else(|error| panic!("{error}: {title}\n{said}"))
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(browser) = browser() else {
        println!("not tested: there is no chromium to open a report in");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.toml"), CONFIG).unwrap();
    let arguments = ["run", "page.toml", "--out", "out"];
    let run = Command::new(env!("CARGO_BIN_EXE_optbench")).current_dir(folder.path()).args(arguments).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let report = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser.js")).unwrap();
    let watched =
        report.replacen("<head>", CATCH, 1).replacen("</body>", &format!("<script>{{{script}}}</script></body>"), 1);
    fs::write(folder.path().join("watched.html"), watched).unwrap();

    for (arguments, dark) in [
        (&["--window-size=1300,900"][..], false),
        (&["--window-size=1300,900", "--blink-settings=preferredColorScheme=0"], true),
        (&["--window-size=500,900"], false),
    ] {
        let found = visit(browser, folder.path(), arguments);
        assert_eq!((&found["complaints"], &found["fetched"]), (&Value::from(vec![""; 0]), &Value::from(vec![""; 0])));
        assert_eq!(found["dark"], dark);
        let first = &found["order"][0];
        let turned: Vec<&Value> = first.as_array().unwrap().iter().rev().collect();
        assert_eq!((&found["order"][1], found["order"][2].as_array().unwrap().iter().collect()), (first, turned));
        for works in ["namesInOrder", "bytesInOrder", "filtered", "faded", "whole", "hintGone", "grows"] {
            assert_eq!(found[works], true, "{works} in {found}");
        }
        assert!(
            found["hint"].as_str().is_some_and(|hint| hint.contains(": step ") && hint.contains(", validation ")),
            "{found}"
        );
        assert_eq!(found["page"].as_f64().unwrap() < 0.1, dark, "the page is as dark as asked for");
        assert!(found["leastContrast"].as_f64().unwrap() >= 4.5, "WCAG's AA for text: {found}");
        assert_eq!(found["overflow"], 0, "nothing sticks out sideways");
        assert!(found["answer"].as_str().unwrap().starts_with("On digits, "), "the answer comes first: {found}");
    }

    let print = format!("--print-to-pdf={}", folder.path().join("page.pdf").display());
    let page = format!("file://{}", folder.path().join("out/report.html").display());
    open(browser, folder.path(), &["--no-pdf-header-footer", &print, &page]);
    let pdf = fs::read(folder.path().join("page.pdf")).unwrap();
    let pages = pdf.windows(11).filter(|window| window == b"/Type /Page").count();
    assert!(pdf.starts_with(b"%PDF") && (3..=20).contains(&pages), "{pages} pages");
}
