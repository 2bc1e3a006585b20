//! The schemas of the JSON documents, held against the files that are given out.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use snapbox::{Data, assert_data_eq};

use crate::report::document::{Check, Report};

fn holds<T: JsonSchema>(file: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(file);
    // As it is written: every field is there.
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    assert_data_eq!(schema, Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw());
}

/// `SNAPSHOTS=overwrite cargo test schema` writes the files anew.
#[test]
fn the_schema_files_are_those_of_the_types() {
    holds::<Report>("report.json");
    holds::<Check>("check.json");
}
