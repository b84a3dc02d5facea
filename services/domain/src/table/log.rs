//! The names of the files in a Delta log (Delta protocol, *Delta Log Entries* and *Checkpoints*).

/// What a name in `_delta_log` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogName {
    /// `<version>.json`
    Entry,
    /// `<version>.checkpoint.parquet`, `<version>.checkpoint.<uuid>.parquet`
    Checkpoint,
    /// `<version>.checkpoint.<uuid>.json`
    JsonCheckpoint,
    /// `<version>.checkpoint.<part>.<parts>.parquet`
    CheckpointPart {
        /// From 1 on.
        part: u32,
        /// How many there are.
        parts: u32,
    },
}

impl LogName {
    /// The version in a name and what it is of it; `None` for other files, which no reader needs.
    pub fn parse(name: &str) -> Option<(u64, Self)> {
        let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
        let (version, rest) = name.split_once('.')?;
        let version = if digits(version, 20) { version.parse().ok()? } else { return None };
        let number = |text: &str| if digits(text, 10) { text.parse().ok() } else { None };
        let segments: Vec<&str> = rest.split('.').collect();
        let name = match *segments.as_slice() {
            ["json"] => Self::Entry,
            ["checkpoint", "parquet"] => Self::Checkpoint,
            ["checkpoint", part, parts, "parquet"] => {
                Self::CheckpointPart { part: number(part)?, parts: number(parts)? }
            }
            ["checkpoint", uuid, "parquet"] if uuid.len() == 36 => Self::Checkpoint,
            ["checkpoint", uuid, "json"] if uuid.len() == 36 => Self::JsonCheckpoint,
            _ => return None,
        };
        Some((version, name))
    }

    /// The name of a version's entry.
    pub fn entry(version: u64) -> String {
        format!("{version:020}.json")
    }
}
