//! The version of the JSON documents.

/// The version of what `report --format json` and `check --format json` write. It rises where a field changes what it
/// means or goes; fields may be added without it. Version 2: verdicts as `docs/ci.md` has them; documents before had none.
pub const SCHEMA_VERSION: u32 = 2;
