//! Complete Python programs that read a table with vended credentials.

use super::api::TableFormat;
use super::credentials::GatewayCredentials;
use super::error::{Error, Exit, Result};

/// The library that a program reads with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// <https://pypi.org/project/deltalake>
    Deltalake,
    /// <https://pypi.org/project/polars>
    Polars,
    /// <https://pypi.org/project/pyarrow>
    Pyarrow,
}

/// The program that reads the credentials from the environment. It contains no secrets.
///
/// # Errors
/// If the library cannot read the table's format.
pub(crate) fn with_environment(library: Library, format: TableFormat, address: &str) -> Result<String> {
    let head = format!(
        "# Reads `{address}`. Set the credentials in the environment first:\n\
         #   eval \"$(charter credentials {address})\"\n"
    );
    Ok(format!("{head}import os\n\n{ENVIRONMENT}\n\n{}", reading(library, format)?))
}

/// The program with embedded credentials.
///
/// # Errors
/// If the library cannot read the table's format.
pub(crate) fn with_credentials(
    library: Library,
    format: TableFormat,
    address: &str,
    credentials: &GatewayCredentials,
) -> Result<String> {
    let mut program = format!("# Reads `{address}`. Contains credentials: do not store or share.\ncredentials = {{\n");
    for (name, value) in credentials.variables() {
        program.push_str(&format!("    {}: {},\n", python_quoted(name), python_quoted(value)));
    }
    Ok(format!("{program}}}\n\n{}", reading(library, format)?))
}

const ENVIRONMENT: &str = r#"names = [
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION",
    "AWS_ALLOW_HTTP", "CHARTER_TABLE_URI",
]
credentials = {name: os.environ[name] for name in names}"#;

/// The part of the program that reads: it uses the variable `credentials` and sets `table`.
fn reading(library: Library, format: TableFormat) -> Result<String> {
    let reading = match (library, format) {
        (Library::Deltalake, TableFormat::Delta) => {
            r#"from deltalake import DeltaTable

uri = credentials.pop("CHARTER_TABLE_URI")
table = DeltaTable(uri, storage_options=credentials).to_pyarrow_table()
"#
        }
        (Library::Deltalake, TableFormat::Parquet) => {
            return Err(Error::new(
                Exit::Usage,
                "`deltalake` reads only Delta tables, and this table is a directory of Parquet files",
            )
            .hint("use `--format polars` or `--format pyarrow`"));
        }
        (Library::Polars, TableFormat::Delta) => {
            r#"import polars

uri = credentials.pop("CHARTER_TABLE_URI")
table = polars.scan_delta(uri, storage_options=credentials).collect()
"#
        }
        (Library::Polars, TableFormat::Parquet) => {
            r#"import polars

uri = credentials.pop("CHARTER_TABLE_URI").rstrip("/")
table = polars.scan_parquet(f"{uri}/**/*.parquet", storage_options=credentials).collect()
"#
        }
        // PyArrow does not support Delta logs, and would read deleted rows.
        (Library::Pyarrow, TableFormat::Delta) => {
            r#"from deltalake import DeltaTable

uri = credentials.pop("CHARTER_TABLE_URI")
table = DeltaTable(uri, storage_options=credentials).to_pyarrow_dataset().to_table()
"#
        }
        (Library::Pyarrow, TableFormat::Parquet) => {
            r#"from pyarrow import dataset, fs

store = fs.S3FileSystem(
    access_key=credentials["AWS_ACCESS_KEY_ID"],
    secret_key=credentials["AWS_SECRET_ACCESS_KEY"],
    session_token=credentials["AWS_SESSION_TOKEN"],
    endpoint_override=credentials["AWS_ENDPOINT_URL"],
    region=credentials["AWS_REGION"],
)
folder = credentials["CHARTER_TABLE_URI"].removeprefix("s3://")
table = dataset.dataset(folder, filesystem=store, format="parquet", partitioning="hive").to_table()
"#
        }
    };
    Ok(format!("{reading}print(table)\n"))
}

/// A text as a Python literal: Python supports JSON's escapes.
fn python_quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
