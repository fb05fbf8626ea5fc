//! Every event as a row of a Parquet file, with the columns of the JSON lines: for DuckDB, Polars and the like.
//!
//! Texts repeat, and the format keeps repeated values once for each row group, so nothing else is compressed.

use std::{fs::File, io, sync::Arc};

use lockscope_trace::{Definitions, Event};
use parquet::{
    data_type::{ByteArray, ByteArrayType, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use super::{Exporter, jsonl::Line};

/// Rows that are written at once.
const GROUP: usize = 1 << 16;

const SCHEMA: &str = "message event {
    REQUIRED INT64 event (INTEGER(64,false));
    OPTIONAL INT64 time_ns (INTEGER(64,false));
    REQUIRED BYTE_ARRAY thread (UTF8);
    OPTIONAL BYTE_ARRAY thread_name (UTF8);
    REQUIRED BYTE_ARRAY op (UTF8);
    REQUIRED BYTE_ARRAY what (UTF8);
    OPTIONAL BYTE_ARRAY object (UTF8);
    OPTIONAL BYTE_ARRAY object_name (UTF8);
    OPTIONAL BYTE_ARRAY kind (UTF8);
    OPTIONAL BYTE_ARRAY mode (UTF8);
    OPTIONAL BYTE_ARRAY how (UTF8);
    OPTIONAL INT64 count (INTEGER(64,false));
    OPTIONAL BYTE_ARRAY other_thread (UTF8);
    OPTIONAL BYTE_ARRAY access (UTF8);
    OPTIONAL BYTE_ARRAY file (UTF8);
    OPTIONAL INT64 line (INTEGER(64,false));
    OPTIONAL INT64 column (INTEGER(64,false));
}";

/// How to get the value of a column; `Some` at least for each required one.
enum Column {
    Number(fn(&Line) -> Option<u64>),
    Text(for<'a> fn(&'a Line) -> Option<&'a str>),
}

/// The columns, in the order of the schema.
const COLUMNS: [Column; 17] = [
    Column::Number(|line| Some(line.event)),
    Column::Number(|line| line.time_ns),
    Column::Text(|line| Some(&line.thread)),
    Column::Text(|line| line.thread_name.as_deref()),
    Column::Text(|line| Some(line.op)),
    Column::Text(|line| Some(&line.what)),
    Column::Text(|line| line.object.as_deref()),
    Column::Text(|line| line.object_name.as_deref()),
    Column::Text(|line| line.kind),
    Column::Text(|line| line.mode),
    Column::Text(|line| line.how),
    Column::Number(|line| line.count),
    Column::Text(|line| line.other_thread.as_deref()),
    Column::Text(|line| line.access),
    Column::Text(|line| line.file.as_deref()),
    Column::Number(|line| line.line.map(u64::from)),
    Column::Number(|line| line.column.map(u64::from)),
];

/// Writes the format.
pub struct Parquet {
    writer: SerializedFileWriter<File>,
    rows: Vec<Line>,
    has_times: bool,
}

impl Parquet {
    /// Begins a file.
    pub fn new(file: File, has_times: bool) -> io::Result<Parquet> {
        let schema = parse_message_type(SCHEMA).map_err(failed)?;
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(WriterProperties::builder().build()));
        Ok(Parquet { writer: writer.map_err(failed)?, rows: Vec::new(), has_times })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &COLUMNS {
            let mut writer = group.next_column()?.expect("the schema has as many columns");
            match column {
                Column::Number(value) => {
                    let all: Vec<Option<u64>> = self.rows.iter().map(value).collect();
                    let levels: Vec<i16> = all.iter().map(|value| i16::from(value.is_some())).collect();
                    // Unsigned numbers are kept as signed ones of the same bits.
                    let values: Vec<i64> = all.into_iter().flatten().map(u64::cast_signed).collect();
                    writer.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
                }
                Column::Text(value) => {
                    let all: Vec<Option<&str>> = self.rows.iter().map(value).collect();
                    let levels: Vec<i16> = all.iter().map(|value| i16::from(value.is_some())).collect();
                    let values: Vec<ByteArray> = all.into_iter().flatten().map(ByteArray::from).collect();
                    writer.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
                }
            }
            writer.close()?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }
}

impl Exporter for Parquet {
    fn event(&mut self, position: u64, event: &Event, defs: &Definitions) -> io::Result<()> {
        self.rows.push(Line::new(position, event, defs, self.has_times));
        if self.rows.len() == GROUP { self.write_group().map_err(failed) } else { Ok(()) }
    }

    fn finish(&mut self, _defs: &Definitions) -> io::Result<Vec<String>> {
        if !self.rows.is_empty() {
            self.write_group().map_err(failed)?;
        }
        self.writer.finish().map_err(failed)?;
        Ok(Vec::new())
    }
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::RowAccessor,
    };

    use super::*;
    use crate::fixture;

    #[test]
    fn rows_are_read_again() {
        let file = tempfile::NamedTempFile::new().expect("a file for the test");
        let mut parquet = Parquet::new(file.reopen().expect("the same file"), true).expect("it can be written");
        let (events, defs) = (fixture::events(), fixture::defs());
        for (position, event) in (1..).zip(&events) {
            parquet.event(position, event, &defs).expect("it can be written");
        }
        parquet.finish(&defs).expect("it can be written");
        let reader = SerializedFileReader::new(file.reopen().expect("the same file")).expect("it is Parquet");
        let rows: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), events.len());
        for (idx, (row, event)) in rows.iter().zip(&events).enumerate() {
            assert_eq!(row.get_ulong(0).expect("a number"), idx as u64 + 1);
            assert_eq!(row.get_ulong(1).expect("a number"), event.time.0);
            assert_eq!(row.get_string(2).expect("a text"), &event.thread.to_string());
            assert_eq!(row.get_string(4).expect("a text"), event.op.name());
        }
    }
}
