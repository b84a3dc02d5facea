//! dbt: models, with what their tests and contracts promise. They are read from `manifest.json`
//! (<https://schemas.getdbt.com/dbt/manifest/v12.json>) and written as the `schema.yml` of dbt 1.10 and newer.

mod data_test;
mod export;
mod import;

pub(super) use self::export::export;
pub(super) use self::import::{distinct_rule, foreign_key, import, primary_key};

/// The key in `meta` of what dbt has no word for, as a text of JSON; of a test, that it stands for a rule that is kept
/// there. Other texts would not come back as they are: dbt fills in templates, and cuts a line break at the end.
const BESIDE: &str = "odcs";
