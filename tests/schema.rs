//! What `report` and `check` print as JSON, held against the schemas in `docs/schema`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Two tasks with targets and claims of every kind, probed, with a search of one key and a seed that diverges.
const CONFIG: &str = r#"
name = "all"
seeds = 3
steps = 30
probe = ["gradients"]
[tasks.digits]
model = "mlp"
hidden = [8]
target = { accuracy = 0.3 }
[tasks.more]
model = "mlp"
hidden = [4]
target = { accuracy = 0.2 }
[tasks.banana]
model = "rosenbrock"
[optimizers.sgd]
lr = [0.001, 0.1, 1e6]
momentum = [0, 0.9]
[optimizers.adamw]
lr = [0.01, 0.03]
[schedules.constant]
[schedules.cosine]
[claims.tuned]
better = "adamw+constant"
than = "sgd+cosine"
[claims.around]
better = "adamw+constant"
than = "sgd+constant"
at = "around_best"
width = 2
[claims.reached]
arm = "adamw+constant"
reaches = { accuracy = 0.2 }
within = "18 steps"
"#;

/// The problems of a value under a schema, each with its place. Of the words of JSON Schema, those that ours use.
fn problems(schema: &Value, root: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let own = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not defined"));
        return problems(own, root, value, place);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let tried: Vec<Vec<String>> = choices.iter().map(|one| problems(one, root, value, place)).collect();
        return tried.into_iter().min_by_key(Vec::len).unwrap();
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |name: &Value| name == kind || (name == "number" && kind == "integer");
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    };
    if !fits {
        return vec![format!("{place}: expected {}, found {value}", schema["type"])];
    }
    let mut found = Vec::new();
    if let Value::Array(items) = value {
        let within = |bound: &str, missing| schema[bound].as_u64().unwrap_or(missing);
        if !(within("minItems", 0)..=within("maxItems", u64::MAX)).contains(&(items.len() as u64)) {
            found.push(format!("{place}: {} items", items.len()));
        }
        let each = |(i, item)| problems(&schema["items"], root, item, &format!("{place}[{i}]"));
        found.extend(items.iter().enumerate().flat_map(each));
    }
    if let Value::Object(fields) = value {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        found.extend(required.filter(|key| !fields.contains_key(*key)).map(|key| format!("{place}: no `{key}`")));
        for (key, inner) in fields {
            let place = format!("{place}.{key}");
            match schema["properties"].get(key).or(schema.get("additionalProperties")) {
                Some(own) => found.extend(problems(own, root, inner, &place)),
                None => found.push(format!("{place} is not documented")),
            }
        }
    }
    found
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_optbench")).current_dir(folder).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_is_printed_is_what_the_schemas_say() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("all.toml"), CONFIG).unwrap();
    let run =
        Command::new(env!("CARGO_BIN_EXE_optbench")).current_dir(folder.path()).args(["run", "all.toml"]).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let (report, check) = (schema("report.json"), schema("check.json"));

    let said = json(folder.path(), &["report", "results/all", "--format", "json"]);
    assert_eq!(problems(&report, &report, &said, "report"), [""; 0]);
    // Not for want of anything to say.
    let arm = &said["tasks"][0]["ranks"][1];
    for part in
        [&said["over_tasks"], &said["performance"], &arm["difference"], &arm["magnitudes"], &arm["other_values"][0]]
    {
        assert!(part.is_object() || part.is_array(), "{said:#}");
    }

    let said = json(folder.path(), &["check", "results/all", "--baseline", "results/all", "--format", "json"]);
    assert_eq!(problems(&check, &check, &said, "check"), [""; 0]);
    assert_eq!(said["claims"].as_array().unwrap().len(), 3);
    assert!(said["arms"].as_array().unwrap().len() > 10, "{said:#}");

    // And what is not as they say is found.
    let mut wrong = said.clone();
    wrong["passed"] = "yes".into();
    wrong["claims"][0].as_object_mut().unwrap().remove("statement");
    wrong["claims"][0]["parts"][0]["new"] = 1.into();
    let found = problems(&check, &check, &wrong, "check").join("\n");
    for words in ["check.passed: expected \"boolean\"", "check.claims[0]: no `statement`", "[0].new is not documented"]
    {
        assert!(found.contains(words), "{words}: {found}");
    }
}

#[test]
fn committed_results_are_as_the_schemas_say() {
    let (report, check) = (schema("report.json"), schema("check.json"));
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    for name in ["study_sequences", "study_radam_gradients", "study_warmup"] {
        let folder = results.join(name);
        let said = json(&folder, &["report", ".", "--format", "json"]);
        assert_eq!(problems(&report, &report, &said, name), [""; 0]);
        if said["claims"].as_array().is_some_and(|claims| !claims.is_empty()) {
            let said = json(&folder, &["check", ".", "--format", "json"]);
            assert_eq!(problems(&check, &check, &said, name), [""; 0]);
        }
    }
}
