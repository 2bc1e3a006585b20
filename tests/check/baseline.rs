//! Arms against a baseline: what became worse, what diverged, what is gone.

use std::fs;

use crate::experiment::{CONFIG, folder, optbench};

#[test]
fn a_baseline_is_compared_arm_by_arm() {
    let folder = folder(CONFIG);
    let run = |arguments: &[&str]| optbench(folder.path(), arguments);
    let (code, table, _) = run(&["check", "results/small", "--baseline", "results/small"]);
    assert_eq!(code, 0, "{table}");
    assert!(table.starts_with("small: check passed: 1 of 1 claim supported; no regression in 8 arms."), "{table}");
    assert_eq!(table.matches("  identical ").count(), 8, "a check that passes shows what it compared: {table}");
    assert!(table.contains("3 seeds, paired") && table.contains("would find"), "{table}");
    assert!(!table.contains("seeds in the baseline"), "{table}");

    // Fewer seeds, and others, are compared and named.
    assert_eq!(run(&["run", "small.toml", "--out", "fewer", "--set", "seeds=2"]).0, 0);
    let fewer = run(&["check", "fewer", "--baseline", "results/small"]).1;
    assert!(fewer.contains("2 seeds, paired, of 3 before and 2 now"), "{fewer}");
    let few = "note: bowl: fast+constant, bowl: slow+constant, digits: fast+constant, digits: slow+constant: 3 seeds in the baseline and 2 now: \
               only a very large worsening can be found; set `seeds` to 3 or more\n";
    assert!(fewer.contains(few), "{fewer}");
    // Seeds that are added once results were there ask for a verdict that holds whenever it is asked for.
    assert_eq!(run(&["run", "small.toml", "--out", "fewer", "--extend"]).0, 0);
    let basis = |now: &str| {
        let text = run(&["check", now, "--baseline", "results/small", "--format", "json"]).1;
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["baseline"]["basis"].clone()
    };
    assert_eq!([basis("fewer"), basis("results/small")], ["anytime", "fixed"]);
    assert_eq!(run(&["run", "small.toml", "--out", "others", "--set", "seeds=[7, 8, 9]"]).0, 0);
    let others = run(&["check", "others", "--baseline", "results/small", "--format", "markdown"]).1;
    assert!(
        others.contains("3 and 3 seeds, not paired")
            && others.contains("digits: slow+constant: other seeds than the baseline's"),
        "{others}"
    );

    // The same labels, and one arm so much worse: a planted regression.
    let planted = ["run", "small.toml", "--out", "worse", "--set", "optimizers.fast.dampening=0.9"];
    assert_eq!(run(&[&planted[..], &["--set", "optimizers.fast.momentum=0.5"]].concat()).0, 0);
    let (code, table, _) = run(&["check", "worse", "--baseline", "results/small"]);
    assert_eq!(code, 1);
    assert!(table.contains("MISSING") && table.contains("fast+constant"), "other settings are another arm: {table}");
    assert!(table.contains("; no regression in 8 arms, 4 missing"), "{table}");
    let nearest = "(momentum was 0, is 0.5; dampening was 0, is 0.9)\n";
    assert!(
        table.contains("no finished run with these settings now; before, it scored ") && table.contains(nearest),
        "{table}"
    );
    assert!(table.contains("\nhelp: `--match label` compares arms by their labels"), "{table}");
    assert!(table.contains("% (nearest)"), "both scores stand in the table: {table}");
    let json: serde_json::Value =
        serde_json::from_str(&run(&["check", "worse", "--baseline", "results/small", "--format", "json"]).1).unwrap();
    let gone = json["arms"].as_array().unwrap().iter().find(|arm| arm["outcome"] == "MISSING").unwrap();
    assert_eq!(gone["nearest"][0]["key"], "momentum", "{gone}");
    assert!(gone["nearest_now"].is_f64() && gone["before"].is_f64() && gone["now"].is_null(), "{gone}");

    let baseline = folder.path().join("results/small/runs");
    for run in fs::read_dir(&baseline).unwrap() {
        let record = run.unwrap().path().join("run.toml");
        let text = fs::read_to_string(&record).unwrap();
        if text.contains("optimizer = \"fast\"") && text.contains("task = \"bowl\"") {
            fs::write(&record, better(&text)).unwrap();
        }
    }
    assert_eq!(run(&["run", "small.toml", "--out", "now"]).0, 0);
    let (code, table, _) = run(&["check", "now", "--baseline", "results/small"]);
    assert_eq!(code, 1, "{table}");
    assert!(table.contains("check FAILED: 1 of 1 claim supported; 2 regressions in 8 arms"), "{table}");
    assert_eq!(run(&["check", "now", "--baseline", "results/small", "--tolerance", "100%"]).0, 1, "ten times as bad");
}

#[test]
fn slower_steps_warn_and_fail_only_if_asked() {
    let folder = folder(CONFIG);
    let run = |arguments: &[&str]| optbench(folder.path(), arguments);
    assert_eq!(run(&["run", "small.toml", "--out", "now"]).0, 0);
    for run in fs::read_dir(folder.path().join("now/runs")).unwrap() {
        let record = run.unwrap().path().join("run.toml");
        let slow = |line: &str| match line.split_once(" = ") {
            Some((key @ ("gradient_seconds" | "optimizer_seconds"), _)) => format!("{key} = 9e3\n"),
            _ => format!("{line}\n"),
        };
        let text: String = fs::read_to_string(&record).unwrap().lines().map(slow).collect();
        fs::write(&record, text).unwrap();
    }
    let check = ["check", "now", "--baseline", "results/small"];
    let (code, table, _) = run(&check);
    assert_eq!((code, table.contains("warning: SLOWER")), (0, true), "{table}");
    let markdown = run(&[&check[..], &["--format", "markdown"]].concat()).1;
    assert!(markdown.contains("- **SLOWER** bowl: fast+constant at lr 0.05: a step takes"), "{markdown}");
    let (code, table, _) = run(&[&check[..], &["--fail-on-time"]].concat());
    assert_eq!((code, table.contains("error: SLOWER")), (1, true), "{table}");
    let junit = run(&[&check[..], &["--fail-on-time", "--format", "junit"]].concat()).1;
    let document = roxmltree::Document::parse(&junit).unwrap();
    assert!(document.descendants().any(|node| node.attribute("classname") == Some("small.time")), "{junit}");
}

/// The same record with a loss a tenth of what it was.
fn better(record: &str) -> String {
    let line = |line: &str| match line.strip_prefix("loss = ") {
        Some(loss) => format!("loss = {:?}\n", 0.1 * loss.parse::<f64>().unwrap()),
        None => format!("{line}\n"),
    };
    record.lines().map(line).collect()
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = folder(CONFIG);
    let run = |arguments: &[&str]| optbench(folder.path(), arguments);
    let (code, _, said) = run(&["check", "results/small", "--baseline", "nowhere"]);
    assert_eq!((code, said.contains("nowhere is missing")), (3, true), "{said}");
    assert_eq!(run(&["run", "small.toml", "--out", "long", "--set", "steps=41"]).0, 0);
    let (code, _, said) = run(&["check", "results/small", "--baseline", "long"]);
    assert_eq!((code, said.contains("steps: was 41, is 40")), (3, true), "{said}");
    assert_eq!(run(&["check", "nowhere"]).0, 2);
    assert_eq!(run(&["check", "results/small", "--tolerance", "much"]).0, 2);
}

#[test]
fn what_the_seeds_cannot_decide_fails_only_if_asked() {
    let config = CONFIG.replace("seeds = 3", "seeds = 1");
    let folder = folder(&config);
    let (code, table, _) = optbench(folder.path(), &["check", "results/small"]);
    assert_eq!((code, table.contains("UNDECIDED")), (0, true), "{table}");
    assert_eq!(optbench(folder.path(), &["check", "results/small", "--strict"]).0, 1);
    let (_, report, _) = optbench(folder.path(), &["report", "results/small"]);
    assert!(report.contains("with one seed, noise cannot be estimated"), "{report}");
    let none = config.split("[claims").next().unwrap();
    fs::write(folder.path().join("none.toml"), none).unwrap();
    assert_eq!(optbench(folder.path(), &["run", "none.toml", "--out", "none"]).0, 0);
    let (code, _, said) = optbench(folder.path(), &["check", "none"]);
    assert_eq!((code, said.contains("[claims.mine]")), (2, true), "{said}");
}

#[test]
fn divergence_is_counted_in_every_format() {
    let folder = folder(CONFIG.split("[claims").next().unwrap());
    let run = |arguments: &[&str]| optbench(folder.path(), arguments);
    assert_eq!(run(&["run", "small.toml", "--out", "now"]).0, 0);
    let lose = |seeds: &str| {
        for run in fs::read_dir(folder.path().join("now/runs")).unwrap() {
            let record = run.unwrap().path().join("run.toml");
            let text = fs::read_to_string(&record).unwrap();
            let seed = text.lines().find_map(|line| line.strip_prefix("seed = ")).unwrap();
            if text.contains("task = \"bowl\"") && text.contains("optimizer = \"fast\"") && seeds.contains(seed) {
                fs::write(&record, text.replace("\"finished\"", "\"diverged\"")).unwrap();
            }
        }
    };
    let check = |format: &str| run(&["check", "now", "--baseline", "results/small", "--format", format]);
    let arms = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["arms"].clone();

    // One seed of three may be chance: a warning, with its numbers, in every format.
    lose("1");
    let said = "1 of 3 seeds diverged, before 0 of 3: with so few seeds, this may be chance";
    for format in ["table", "markdown", "github", "junit"] {
        let (code, text, _) = check(format);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains(said) && text.contains("UNSTABLE"), "{format}: {text}");
    }
    let (_, text, _) = check("json");
    let arm = &arms(&text)[0];
    assert_eq!(
        serde_json::json!([arm["diverged"], arm["diverged_before"], arm["unstable"]]),
        serde_json::json!([1, 0, true])
    );
    assert_eq!(run(&["check", "now", "--baseline", "results/small", "--strict"]).0, 1);

    // Three of three are not: p is 1/64.
    lose("0 2");
    for format in ["table", "markdown", "github", "junit"] {
        let (code, text, _) = check(format);
        assert_eq!(code, 1, "{text}");
        let said = "3 of 3 seeds diverged, before 0 of 3: more than chance explains (exact test, p 0.016)";
        assert!(text.contains(said) && text.contains("DIVERGED"), "{format}: {text}");
    }
    let (_, text, _) = check("json");
    assert_eq!((&arms(&text)[0]["outcome"], &arms(&text)[0]["now"]), (&"DIVERGED".into(), &serde_json::Value::Null));
    // Seen from the other side, nothing diverged and all is well.
    assert_eq!(run(&["check", "results/small", "--baseline", "now"]).0, 0);
}

/// A label with a tuned rate under a schedule of another label than its kind.
const LABELLED: &str = r#"
name = "mine"
seeds = 3
steps = 40
[tasks.digits]
model = "mlp"
hidden = [8]
dataset = "digits"
[optimizers.mine]
kind = "sgd"
lr = [0.05, 0.1, 0.2]
[schedules.main]
kind = "constant"
"#;

#[test]
fn arms_are_matched_by_label_and_every_setting_that_differs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), LABELLED).unwrap();
    let run = |arguments: &[&str]| optbench(folder.path(), arguments);
    let train = |out: &str, set: &[&str]| {
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        let (code, _, said) = run(&[&["run", "mine.toml", "--out", out][..], &set].concat());
        assert_eq!(code, 0, "{said}");
    };
    let check = |now: &str, more: &[&str]| run(&[&["check", now, "--baseline", "before"][..], more].concat());
    let json = |now: &str, more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&check(now, &[more, &["--format", "json"]].concat()).1).unwrap()
    };
    train("before", &[]);

    // A key that one side alone has does not hide an arm, and is named.
    train("clipped", &["optimizers.mine.clip_norm=0.01"]);
    let (code, table, _) = check("clipped", &[]);
    assert_eq!(code, 1, "{table}");
    assert!(table.contains("3 regressions in 3 arms"), "{table}");
    assert_eq!(table.matches("ettings that differ: clip_norm was not set, is 0.01").count(), 3, "{table}");
    assert_eq!(
        json("clipped", &[])["arms"][0]["changed"],
        serde_json::json!([{ "key": "clip_norm", "was": null, "is": "0.01" }])
    );

    // The kind of a schedule or of an optimizer may change under its label.
    train("other", &["schedules.main.kind=linear", "optimizers.mine.kind=adam"]);
    let (_, table, _) = check("other", &[]);
    assert!(
        table.contains("ettings that differ: kind was sgd, is adam; schedule.kind was constant, is linear"),
        "{table}"
    );

    // Another rate is another arm, unless labels decide.
    train("slower", &["optimizers.mine.lr=[0.01, 0.02]"]);
    assert!(check("slower", &[]).1.contains("no regression in 3 arms, 3 missing"));
    let (code, table, _) = check("slower", &["--match", "label"]);
    assert_eq!(code, 1, "{table}");
    assert!(table.contains("1 regression in 1 arm"), "{table}");
    assert!(table.contains("error: REGRESSED digits: mine+main: accuracy worse by "), "{table}");
    let words = [
        "ettings that differ: lr was 0.2, is 0.02",
        "n the baseline, the best `lr` is the highest that was tried, for mine under main (0.2)",
        "mine+main now was tuned over 2 settings, mine+main in the baseline over 3",
    ];
    for words in words {
        assert!(table.contains(words), "{words}: {table}");
    }
    let found = json("slower", &["--match", "label"]);
    assert_eq!((&found["baseline"]["match"], found["arms"].as_array().unwrap().len()), (&"label".into(), 1));
    assert!(found["arms"][0]["note"].as_str().unwrap().contains(words[1]), "{found}");
    for format in ["markdown", "github", "junit"] {
        let text = check("slower", &["--match", "label", "--format", format]).1;
        assert!(text.contains(words[0]) && text.contains("2 settings, mine+main in the baseline"), "{format}: {text}");
    }

    // The same rates again, and one more that is no better: nothing regressed.
    train("more", &["optimizers.mine.lr=[0.001, 0.05, 0.1, 0.2]"]);
    let (code, table, _) = check("more", &["--match", "label"]);
    assert_eq!((code, table.contains("  identical ")), (0, true), "{table}");
}

#[test]
fn a_tolerance_has_four_forms() {
    let folder = folder(CONFIG);
    let run = |arguments: &[&str]| optbench(folder.path(), arguments);
    let check = |tolerance: &str| {
        run(&["check", "results/small", "--baseline", "results/small", "--tolerance", tolerance, "--format", "json"])
    };
    for (tolerance, said) in [("2%", "2%"), ("0.02", "2%"), ("absolute 0.01", "{ absolute = 0.01 }")] {
        let json: serde_json::Value = serde_json::from_str(&check(tolerance).1).unwrap();
        assert_eq!(json["baseline"]["tolerance"], said);
    }
    let (code, _, said) = check("2");
    assert_eq!(code, 2);
    assert!(said.contains("`2` as a share is 200%; did you mean `2%`?"), "{said}");
    // The bowl has no accuracy.
    let (code, _, said) = check("0.5 points");
    assert_eq!(code, 2);
    assert!(
        said.contains("`--tolerance \"0.5 points\"` is for accuracies, and task `bowl` is judged by its loss"),
        "{said}"
    );
    fs::write(folder.path().join("one.toml"), CONFIG.replace("[tasks.bowl]\nmodel = \"quadratic\"\n", "")).unwrap();
    assert_eq!(run(&["run", "one.toml", "--out", "one"]).0, 0);
    for (tolerance, allowed) in [("0.5 points", 0.005), ("absolute 0.02", 0.02)] {
        let text = run(&["check", "one", "--baseline", "one", "--tolerance", tolerance, "--format", "json"]).1;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["arms"][0]["allowed"], allowed, "{text}");
    }
    let text = run(&["check", "one", "--baseline", "one", "--tolerance", "5% of the error", "--format", "json"]).1;
    let arm = &serde_json::from_str::<serde_json::Value>(&text).unwrap()["arms"][0];
    let (before, allowed) = (arm["before"].as_f64().unwrap(), arm["allowed"].as_f64().unwrap());
    assert!((allowed - 0.05 * (1.0 - before)).abs() < 1e-12, "{text}");
}
