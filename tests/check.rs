//! `optbench check` from the outside: verdicts, formats and exit codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const CONFIG: &str = r#"
name = "small"
seeds = 3
steps = 40
[tasks.bowl]
model = "quadratic"
[tasks.digits]
model = "mlp"
hidden = [8]
dataset = "digits"
[optimizers.fast]
kind = "sgd"
lr = [0.05, 0.1]
[optimizers.slow]
kind = "sgd"
lr = [0.001, 0.01]
[claims.holds]
better = "fast+constant"
than = "slow+constant"
"#;

const FALSE_CLAIM: &str = "[claims.false]\nbetter = \"slow+constant\"\nthan = \"fast+constant\"\nmargin = \"1%\"\n";

fn optbench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    let command = command.current_dir(folder).args(arguments).env("GITHUB_STEP_SUMMARY", folder.join("summary.md"));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder in which the config was run.
fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), config).unwrap();
    let (code, _, said) = optbench(folder.path(), &["run", "small.toml"]);
    assert_eq!(code, 0, "{said}");
    folder
}

#[test]
fn equal_is_no_worse_and_yet_not_better() {
    let claim = |label: &str, better: &str, bar: &str| {
        format!("[claims.{label}]\nbetter = \"{better}+constant\"\nthan = \"fast+constant\"\ntask = \"bowl\"\n{bar}\n")
    };
    let claims = claim("equal", "twin", "margin = 0")
        + &claim("better", "twin", "by = \"0%\"")
        + &claim("lies_behind", "slow", "by = \"1%\"")
        + "[optimizers.twin]\nkind = \"sgd\"\nlr = [0.05, 0.1]\n";
    let ahead = "task = \"bowl\"\nby = \"10%\"\n";
    let folder = folder(&format!("{CONFIG}{ahead}{claims}"));
    let (code, text, _) = optbench(folder.path(), &["check", "results/small", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let findings: Vec<&str> =
        json["claims"].as_array().unwrap().iter().map(|claim| claim["finding"].as_str().unwrap()).collect();
    assert_eq!((code, findings), (1, vec!["SUPPORTED", "SUPPORTED", "REFUTED", "REFUTED"]), "{text}");
    assert_eq!(json["claims"][0]["statement"], "fast+constant more than 10% better than slow+constant");
    let bars = [0, 3].map(|claim| json["claims"][claim]["parts"][0]["needed"].as_f64().unwrap());
    assert!(bars.iter().all(|needed| *needed > 0.0), "{text}");
    let said = optbench(folder.path(), &["check", "results/small"]).1;
    assert!(said.contains("it takes more than 0"), "{said}");
    assert!(said.contains("  > ") && said.contains("≥ 0.0000"), "both bars say what is needed: {said}");
    assert!(said.contains("fast+constant more than 10% better than slow+constant"), "{said}");
}

#[test]
fn the_best_of_one_optimizer_is_compared_with_the_best_of_another() {
    let claim = CONFIG.replace("fast+constant", "fast+*").replace("slow+constant", "slow+*");
    let folder = folder(&format!("{claim}task = \"bowl\"\n[schedules.constant]\n[schedules.linear]\n"));
    let (code, text, _) = optbench(folder.path(), &["check", "results/small", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let claim = &json["claims"][0];
    assert_eq!((code, &claim["finding"]), (0, &"SUPPORTED".into()), "{text}");
    assert_eq!(claim["statement"], "fast+* no worse than slow+*");
    let note = claim["parts"][0]["note"].as_str().unwrap();
    assert!(note.starts_with("the best of fast+* on validation is fast+"), "{note}");
    assert!(note.contains("; the best of slow+* on validation is slow+constant; "), "{note}");
    assert!(note.contains("the best `lr` is the highest that was tried, for fast"), "{note}");
    let said = optbench(folder.path(), &["check", "results/small"]).1;
    assert!(
        said.contains("note: SUPPORTED holds on bowl: the best of fast+*"),
        "a caveat of what is well is told: {said}"
    );
}

#[test]
fn claims_decide_the_exit_code_in_every_format() {
    let folder = folder(&format!("{CONFIG}{FALSE_CLAIM}"));
    let check = |format: &str| optbench(folder.path(), &["check", "results/small", "--format", format]);
    let (code, table, _) = check("table");
    assert_eq!(code, 1);
    assert!(table.starts_with("small: check FAILED: 1 of 2 claims supported, 1 refuted."), "{table}");
    assert!(table.contains("SUPPORTED") && table.contains("REFUTED"));

    let json: serde_json::Value = serde_json::from_str(&check("json").1).unwrap();
    assert_eq!(json["passed"], false);
    assert_eq!(json["claims"][0]["finding"], "SUPPORTED");
    assert_eq!(json["claims"][1]["parts"].as_array().unwrap().len(), 2, "a part for each task");
    let part = &json["claims"][1]["parts"][1];
    assert!(part["interval"][1].as_f64().unwrap() < 0.0);
    let excess = part["lead"].as_f64().unwrap() - part["needed"].as_f64().unwrap();
    assert!((part["excess"]["mean"].as_f64().unwrap() - excess).abs() < 1e-12, "{part}");
    assert!(part["excess"]["interval"][1].as_f64().unwrap() < 0.0, "it decides");
    assert_eq!((&json["schema_version"], &part["basis"], &part["look"]), (&1.into(), &"fixed".into(), &Value::Null));
    assert_eq!(
        (&json["claims"][0]["level"], &part["level"]),
        (&0.05.into(), &0.025.into()),
        "one of two parts refutes"
    );
    assert!(part["note"].as_str().unwrap().starts_with("the best `lr` is the highest that was tried"), "{part}");

    let github = check("github").1;
    assert!(github.lines().any(|line| line.starts_with("::error title=REFUTED false on digits::")), "{github}");
    assert!(fs::read_to_string(folder.path().join("summary.md")).unwrap().contains("| REFUTED | false |"));
    let markdown = check("markdown").1;
    assert!(markdown.contains("### Claims"));
    assert!(markdown.contains("| SUPPORTED | holds | fast+constant no worse than slow+constant |"), "{markdown}");
    assert!(markdown.contains("| false | slow+constant at most 1% worse than fast+constant |"), "{markdown}");
    assert!(markdown.contains("| REFUTED | false | digits | accuracy |"), "{markdown}");
    let report = optbench(folder.path(), &["report", "results/small", "--format", "markdown"]).1;
    let (_, claims) = report.split_once("\n## Claims\n").expect("a section of claims");
    assert!(claims.contains("**small: check FAILED: 1 of 2 claims supported, 1 refuted.**"), "{claims}");
    assert!(claims.contains("| REFUTED | false | slow+constant at most 1% worse than fast+constant |"), "{claims}");
    assert!(claims.contains("### Task by task") && claims.contains("| lead [interval] |"), "{claims}");
    let page = fs::read_to_string(folder.path().join("results/small/report.html")).unwrap();
    assert_eq!(page.matches(">Claims</h").count(), 1);
    assert!(page.contains("slow+constant at most 1% worse than fast+constant"));

    let junit = check("junit").1;
    assert!(junit.contains("<testsuite name=\"small\" tests=\"4\" failures=\"2\" skipped=\"0\">"), "{junit}");
    let document = roxmltree::Document::parse(&junit).unwrap();
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases.len(), 4);
    let failed = |case: &&roxmltree::Node| case.children().any(|child| child.has_tag_name("failure"));
    assert_eq!(cases.iter().filter(failed).count(), 2);
    assert_eq!(cases[2].attribute("classname"), Some("small.claim"));
    assert_eq!(cases[2].attribute("name"), Some("false on bowl"));
}

#[test]
fn an_arm_reaches_a_score_within_so_many_steps() {
    let claim = |label: &str, score: &str, within: &str| {
        format!(
            "[claims.{label}]\narm = \"fast+constant\"\ntask = \"bowl\"\nreaches = {{ {score} }}\nwithin = \"{within}\"\n"
        )
    };
    let claims = claim("early", "loss = 0.3", "20 steps")
        + &claim("late", "loss = 1e-9", "20 steps")
        + &claim("end", "loss = 1", "100%");
    let findings = |folder: &Path| {
        let (_, text, _) = optbench(folder, &["check", "results/small", "--format", "json"]);
        let json: Value = serde_json::from_str(&text).unwrap();
        let claims = json["claims"].as_array().unwrap()[1..].to_vec();
        let finding =
            |claim: &Value| (claim["finding"].as_str().unwrap().to_owned(), claim["parts"][0]["lead"].as_f64());
        (claims.iter().map(finding).collect::<Vec<_>>(), claims[0]["statement"].as_str().unwrap().to_owned())
    };
    let one = folder(&format!("{CONFIG}{claims}"));
    let (found, statement) = findings(one.path());
    let words: Vec<&str> = found.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["SUPPORTED", "REFUTED", "SUPPORTED"], "{found:?}");
    assert_eq!(statement, "fast+constant reaches loss 0.3000 on validation within 20 steps");
    let evaluations = fs::read_dir(one.path().join("results/small/runs")).unwrap().map(|entry| entry.unwrap().path());
    let best = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        ["bowl", "fast", "0.1"].iter().all(|part| name.contains(part))
    };
    let run = evaluations.into_iter().find(best).unwrap();
    let row = fs::read_to_string(run.join("evals.csv")).unwrap();
    let row = row.lines().find(|line| line.starts_with("20,")).unwrap().to_owned();
    let loss: f64 = row.split(',').nth(3).unwrap().parse().unwrap();
    assert!((found[0].1.unwrap() - (0.3 - loss)).abs() < 1e-12, "{row}: {found:?}");
    // A claim that is stated after the training is judged from the curves, and kept for when they are gone.
    let other = folder(CONFIG);
    fs::write(other.path().join("small.toml"), format!("{CONFIG}{claims}")).unwrap();
    let (code, _, said) = optbench(other.path(), &["run", "small.toml"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(findings(other.path()).0, found);
    for folder in [&one, &other] {
        fs::remove_dir_all(folder.path().join("results/small/runs")).unwrap();
        assert_eq!(findings(folder.path()).0, found);
    }
    fs::write(one.path().join("small.toml"), format!("{CONFIG}{}", claim("between", "loss = 1", "21 steps"))).unwrap();
    let (code, _, said) = optbench(one.path(), &["run", "small.toml", "--out", "between"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("not evaluated; the nearest evaluations are at steps 20 and 24"), "{said}");
}

#[test]
fn a_folder_without_its_runs_is_judged_and_reported_as_before() {
    let folder = folder(CONFIG);
    let commands = [
        &["check", "results/small"][..],
        &["report", "results/small"],
        &["report", "results/small", "--format", "csv"],
    ];
    let whole = commands.map(|command| optbench(folder.path(), command));
    fs::remove_dir_all(folder.path().join("results/small/runs")).unwrap();
    assert_eq!(commands.map(|command| optbench(folder.path(), command)), whole);
    let (code, _, said) = optbench(folder.path(), &["plot", "results/small"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("only the records of the runs are here"), "{said}");
}

#[test]
fn labels_of_any_signs_come_through_in_every_format() {
    let odd = r#"a <b> & "c" %, d::e | f]]>"#;
    let config = CONFIG.replace("fast", "Q").replace("[optimizers.Q]", &format!("[optimizers.'{odd}']"));
    let config = config.replace("\"Q+constant\"", &format!("'{odd}+constant'"));
    // The claim that fails is the one that is annotated.
    let config = config.replace("[claims.holds]", "[claims.holds]\nmargin = 0").replace("better", "BETTER");
    let config = config.replace("than", "better").replace("BETTER", "than");
    let folder = folder(&config);
    let check = |format: &str| optbench(folder.path(), &["check", "results/small", "--format", format]).1;

    let junit = check("junit");
    let document = roxmltree::Document::parse(&junit).unwrap();
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(failure.attribute("message").unwrap().contains(odd), "{junit}");

    let github = check("github");
    let annotation = github.lines().find(|line| line.starts_with("::error")).unwrap();
    assert!(annotation.contains(r#"a <b> & "c" %25, d::e | f]]>"#), "{annotation}");
    assert_eq!(annotation.matches("::error title=").count(), 1);

    let json: serde_json::Value = serde_json::from_str(&check("json")).unwrap();
    assert!(json.to_string().contains("d::e"));
    assert!(
        fs::read_to_string(folder.path().join("results/small/report.html")).unwrap().contains("a &lt;b&gt; &amp; ")
    );
}

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
    let few = "note: bowl: fast+constant, bowl: slow+constant, digits: fast+constant and 1 more: 3 seeds in the baseline and 2 now: \
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
        others.contains("3 and 3 seeds, not paired") && others.contains(" and 1 more: other seeds than the baseline's"),
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
fn defaults_that_did_not_run_are_named() {
    let config = CONFIG.replace("[claims.holds]", "[claims.holds]\nat = \"default\"\ntask = \"bowl\"");
    let folder = folder(&config);
    let (code, table, _) = optbench(folder.path(), &["check", "results/small"]);
    assert_eq!(code, 0);
    assert!(table.contains("slow+constant did not run at its defaults: add lr 0.1 to the sweep"), "{table}");
}

/// The folder of an experiment with some of its runs, as an interruption leaves it.
fn keep(folder: &Path, meant: impl Fn(&str) -> bool) {
    for run in fs::read_dir(folder.join("results/small/runs")).unwrap() {
        let run = run.unwrap();
        if !meant(run.file_name().to_str().unwrap()) {
            fs::remove_dir_all(run.path()).unwrap();
        }
    }
    // It remembers what it has seen.
    fs::remove_file(folder.join("results/small/records.toml")).ok();
}

#[test]
fn half_a_sweep_is_not_judged_as_if_it_were_whole() {
    let folder = folder(&format!("{CONFIG}{FALSE_CLAIM}"));
    keep(folder.path(), |run| !run.contains("bowl") || !run.contains("0.001"));
    let (code, table, _) = optbench(folder.path(), &["check", "results/small"]);
    let missing = table.lines().filter(|line| line.contains("missing")).count();
    assert_eq!((code, missing), (1, 2), "the claim is refuted on digits alone: {table}");
    let said = "slow+constant at most 1% worse than fast+constant: 3 of 12 runs are missing";
    assert!(table.contains(said), "{table}");
    let report = optbench(folder.path(), &["report", "results/small"]).1;
    assert!(report.contains("On bowl, so far, with 9 of 12 runs, "), "{report}");
    assert!(report.contains("warning: 9 of 12 runs have finished"), "{report}");
    assert!(report.contains("On digits, fast+constant is the best of 2 arms: "), "{report}");

    let baseline = optbench(folder.path(), &["check", "results/small", "--baseline", "results/small"]).1;
    assert!(baseline.starts_with("small: check FAILED so far, with 21 of 24 runs: "), "{baseline}");

    keep(folder.path(), |run| !run.contains("bowl"));
    let said = ["Nothing has run on bowl.", "one of 12 runs has finished; `optbench run` trains them"];
    for format in ["table", "markdown", "json"] {
        let (code, report, _) = optbench(folder.path(), &["report", "results/small", "--format", format]);
        assert!(code == 0 && said.iter().all(|words| report.contains(words)), "{format}: {report}");
        assert!(report.contains("On digits, fast+constant is the best of 2 arms: "), "{report}");
    }
    let page = optbench(folder.path(), &["report", "results/small", "--format", "html"]).1;
    assert!(page.contains("Nothing has run on bowl.") && page.contains("one of 12 runs has finished"), "{page}");

    keep(folder.path(), |_| false);
    for file in ["runs.csv", "summary.csv"] {
        fs::remove_file(folder.path().join("results/small").join(file)).unwrap();
    }
    for command in [&["check", "results/small"][..], &["report", "results/small"]] {
        let (code, out, said) = optbench(folder.path(), command);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(said.contains("results/small holds no run") && said.contains("help: `optbench run`"), "{said}");
    }
}

#[test]
fn a_part_of_a_sweep_is_not_told_to_take_the_seeds_it_has() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), CONFIG).unwrap();
    let (code, report, said) = optbench(folder.path(), &["run", "small.toml", "--shard", "1/3"]);
    assert_eq!(code, 0, "{said}");
    assert!(report.contains("4 of 12 runs have finished") && !report.contains("set `seeds` to 3"), "{report}");
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

#[test]
fn keys_that_the_config_fixes_are_no_part_of_the_defaults() {
    let config = CONFIG.replace("lr = [0.05, 0.1]", "lr = 0.05\nmomentum = [0.0, 0.5]");
    let config = config.replace("lr = [0.001, 0.01]", "lr = 0.01");
    let config = config.replace("[claims.holds]", "[claims.holds]\nat = \"default\"\ntask = \"bowl\"");
    let folder = folder(&config);
    let (code, table, _) = optbench(folder.path(), &["check", "results/small"]);
    assert_eq!((code, table.contains("1 of 1 claim supported")), (0, true), "{table}");
}

#[test]
fn rates_that_the_sides_do_not_share_are_said() {
    let config = CONFIG.replace("lr = [0.001, 0.01]", "lr = [0.001, 0.01, 0.05]");
    let config = config.replace("[claims.holds]", "[claims.holds]\nat = \"every_lr\"\ntask = \"bowl\"");
    let folder = folder(&config);
    let text = optbench(folder.path(), &["check", "results/small", "--format", "json"]).1;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let note = &json["claims"][0]["parts"][0]["note"];
    assert_eq!(note, "compared at 1 of 2 rates of fast+constant and 1 of 3 rates of slow+constant", "{text}");
    let none = config.replace("0.01, 0.05]", "0.01]");
    fs::write(folder.path().join("none.toml"), none).unwrap();
    assert_eq!(optbench(folder.path(), &["run", "none.toml", "--out", "none"]).0, 0);
    let table = optbench(folder.path(), &["check", "none"]).1;
    assert!(table.contains("share no learning rate: give both the same `lr`; more seeds would not help"), "{table}");
}

#[test]
fn what_a_rate_costs_is_said_in_one_unit() {
    let around = |label: &str, window: &str| {
        format!(
            "[claims.{label}]\nbetter = \"fast+constant\"\nthan = \"slow+constant\"\ntask = \"digits\"\nat = \"around_best\"\n{window}\n"
        )
    };
    let config = CONFIG
        .replace("lr = [0.05, 0.1]", "lr = [0.01, 0.03, 0.1, 0.3, 1, 3]")
        .replace("lr = [0.001, 0.01]", "lr = [0.02, 0.06, 0.2, 0.6, 2, 6]");
    let folder = folder(&format!("{config}{}{}", around("within", "width = 2"), around("beyond", "lr = [0.01, 100]")));
    let (_, junit, _) = optbench(folder.path(), &["check", "results/small", "--format", "junit"]);
    assert!(
        junit.contains("rates within a factor of 2 around the best cost fast+constant no more than slow+constant"),
        "{junit}"
    );
    let cost = junit.lines().find(|line| line.contains("within on digits")).unwrap();
    assert!(cost.contains(": mean cost in accuracy ") && cost.contains("; the cost is fast+constant "), "{cost}");
    assert!(cost.contains(" points (lr ") && cost.contains("the distance between the rates accounts for ±"), "{cost}");
    let beyond = "fast+constant was tried at 6 learning rates from 0.01 to 3, but `width` needs at least three that span more than \
                  a factor of 10000: add lower and higher rates to `lr`; more seeds would not help";
    assert!(junit.contains(beyond), "{junit}");
    let table = optbench(folder.path(), &["check", "results/small"]).1;
    assert!(table.contains("cost in accuracy"), "{table}");

    // Earlier versions took a window on one side of the best rate: stored, it is read and decides nothing.
    let stored = folder.path().join("results/small/experiment.toml");
    let text = fs::read_to_string(&stored).unwrap();
    fs::write(&stored, text.replace("width = 2.0", "lr = [1.0, 2.0]")).unwrap();
    let (code, junit, _) = optbench(folder.path(), &["check", "results/small", "--format", "junit"]);
    let reason = "`lr = [1, 2]` does not reach equally far below and above the best rate";
    assert!(code < 2 && junit.contains(reason) && junit.contains("write `width = 2` instead"), "{junit}");
    fs::write(folder.path().join("one_sided.toml"), config + &around("above", "lr = [1, 2]")).unwrap();
    let (code, _, said) = optbench(folder.path(), &["run", "one_sided.toml"]);
    assert_eq!((code, said.contains("expected `width = 2` instead of `lr`")), (2, true), "{said}");
}
