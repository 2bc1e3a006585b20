//! The same findings in every format.

use std::fs;

use serde_json::Value;

use crate::experiment::{CONFIG, FALSE_CLAIM, folder, optbench};

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
