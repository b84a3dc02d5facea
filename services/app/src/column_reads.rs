//! Which columns of a table are really read. What the gateway serves is matched with the places of the columns and added
//! up for each open lease in memory (`recorder`), written once a minute and at the end (`writing`), and asked for by
//! those who see leases (`readers`, `reads`). The rule is [`domain::column_reads`].

pub(crate) mod chunk_file;
pub(crate) mod readers;
pub(crate) mod reads;
pub(crate) mod recorder;
pub(crate) mod writing;

pub use self::readers::{ColumnReaders, ReaderOfColumn, TableReaders, readers_of_table};
pub use self::writing::{begin, end, write};
