//! A column that a rule looks at, or a member of a struct.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Schema};
use domain::table::ColumnPath;

/// Where the values of a column are in a batch.
pub(super) struct Column {
    /// The column of the table.
    pub(super) root: usize,
    /// The members on the way down, by their positions.
    members: Vec<usize>,
    pub(super) data_type: DataType,
    /// For messages.
    pub(super) name: String,
}

/// The values of a column in one batch.
pub(super) struct Values {
    pub(super) array: ArrayRef,
    /// The rows in which every struct above is there; all if `None`. In the others the column promises nothing.
    pub(super) present: Option<NullBuffer>,
    /// The rows in which the value is there too.
    pub(super) valid: Option<NullBuffer>,
}

impl Column {
    /// The column at a path. Names are compared exactly.
    ///
    /// # Errors
    /// There is none, as a message for the contract's author.
    pub(super) fn find(schema: &Schema, path: &ColumnPath) -> Result<Self, String> {
        let missing = || format!("there is no column `{path}`");
        let (first, below) = path.0.split_first().ok_or_else(missing)?;
        let root = schema.index_of(first).map_err(|_| missing())?;
        let mut data_type = schema.field(root).data_type();
        let mut members = Vec::new();
        for name in below {
            let DataType::Struct(fields) = data_type else { return Err(missing()) };
            let (position, member) = fields.find(name).ok_or_else(missing)?;
            members.push(position);
            data_type = member.data_type();
        }
        Ok(Self { root, members, data_type: data_type.clone(), name: path.to_string() })
    }

    /// Whether it is a column of the table and not a member of one.
    pub(super) fn is_whole(&self) -> bool {
        self.members.is_empty()
    }

    /// Its values in a batch of these columns of the table, ascending.
    pub(super) fn values(&self, batch: &RecordBatch, columns: &[usize]) -> Values {
        // Whoever reads the batch asked for the roots of all columns.
        let position = columns.binary_search(&self.root).unwrap_or_default();
        let mut array = batch.column(position).clone();
        let mut present = None;
        for member in &self.members {
            present = NullBuffer::union(present.as_ref(), array.logical_nulls().as_ref());
            array = array.as_struct().column(*member).clone();
        }
        let valid = NullBuffer::union(present.as_ref(), array.logical_nulls().as_ref());
        Values { array, present, valid }
    }

    /// The message for a check that does not apply to the column's type.
    pub(super) fn does_not_fit(&self) -> String {
        format!("the type of column `{}` does not fit the rule: {}", self.name, self.data_type)
    }
}
