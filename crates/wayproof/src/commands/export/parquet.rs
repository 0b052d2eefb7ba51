//! Exchanges and charges as Parquet. Money is a decimal with nine places, exact to the nano-dollar; what is unknown is
//! null and never zero.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, Type as Physical, ZstdLevel,
};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use wayproof_ledger::{Days, EXCHANGE_COLUMNS, Ledger};

use super::focus;

/// Rows of one group.
const GROUP: usize = 50_000;

/// Rows read at a time.
const PAGE: u32 = 1000;

/// Places behind the point of a nano-dollar.
const PLACES: i32 = 9;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Count,
    /// Whole nano-dollars, as they are in the ledger.
    NanoDollars,
    /// Dollars with nine places.
    Dollars,
    /// Microseconds since 1970, UTC.
    Micros,
    /// A midnight as text.
    Midnight,
}

struct Column {
    name: String,
    holds: Holds,
}

/// Writes every exchange.
pub(super) async fn exchanges<W: Write + Send>(
    ledger: &Ledger,
    days: Days,
    out: &mut W,
) -> Result<()> {
    let columns = EXCHANGE_COLUMNS.iter().map(|name| Column {
        // The ledger's own unit is nano-dollars; a decimal says dollars.
        name: name.strip_suffix("_nano_usd").map_or_else(
            || name.strip_suffix("_us").unwrap_or(name).to_owned(),
            |money| format!("{money}_usd"),
        ),
        holds: match *name {
            name if name.ends_with("_nano_usd") => Holds::NanoDollars,
            "opened_us" => Holds::Micros,
            "status" | "attempts" | "input" | "cache_read" | "cache_write" | "output"
            | "reasoning" | "imported" | "total_us" => Holds::Count,
            _ => Holds::Text,
        },
    });
    let mut columns: Vec<Column> = columns.collect();
    for column in &mut columns {
        if column.name == "total" {
            "total_us".clone_into(&mut column.name);
        }
    }
    let mut table = Table::new(columns, out)?;
    let mut at = 0;
    loop {
        let page = ledger
            .exchange_texts(at, days, PAGE)
            .await
            .context("reading exchanges")?;
        let Some((last, _)) = page.last() else {
            return table.finish();
        };
        at = last + 1;
        for (_, texts) in &page {
            table.row(texts.iter().map(Option::as_deref))?;
        }
    }
}

/// Writes charges by day.
pub(super) async fn focus<W: Write + Send>(ledger: &Ledger, days: Days, out: &mut W) -> Result<()> {
    let columns = focus::COLUMNS.iter().map(|name| Column {
        name: (*name).to_owned(),
        holds: match *name {
            name if name.ends_with("Cost") && name != "x_AnswersOfUnknownCost" => Holds::Dollars,
            name if name.contains("Period") => Holds::Midnight,
            "ConsumedQuantity"
            | "PricingQuantity"
            | "x_Answers"
            | "x_AnswersOfUnknownCost"
            | "x_AnswersWithUsage" => Holds::Count,
            _ => Holds::Text,
        },
    });
    let mut table = Table::new(columns.collect(), out)?;
    focus::rows(ledger, days, |cells| {
        let cells = cells.iter().map(String::as_str);
        table.row(cells.map(|text| Some(text).filter(|text| !text.is_empty())))
    })
    .await?;
    table.finish()
}

/// A file on its way, one group of rows in memory.
struct Table<W: Write + Send> {
    columns: Vec<Column>,
    rows: Vec<Vec<Option<String>>>,
    writer: SerializedFileWriter<W>,
}

impl<'a, W: Write + Send> Table<&'a mut W> {
    fn new(columns: Vec<Column>, out: &'a mut W) -> Result<Self> {
        let fields = columns
            .iter()
            .map(|column| column.field().map(Arc::new))
            .collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder("wayproof")
            .with_fields(fields)
            .build()
            .context("describing the columns")?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
            .context("beginning the file")?;
        Ok(Self {
            columns,
            rows: Vec::new(),
            writer,
        })
    }

    fn row<'t>(&mut self, cells: impl Iterator<Item = Option<&'t str>>) -> Result<()> {
        self.rows
            .push(cells.map(|cell| cell.map(str::to_owned)).collect());
        if self.rows.len() >= GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.writer.next_row_group().context("writing rows")?;
        for (at, column) in self.columns.iter().enumerate() {
            let cells = rows
                .iter()
                .map(|row| row.get(at).and_then(Option::as_deref));
            let mut writer = group
                .next_column()
                .context("writing rows")?
                .context("the file has fewer columns than the table")?;
            if column.holds == Holds::Text {
                let (values, levels) = split(cells, |text| Ok(ByteArray::from(text)))?;
                writer
                    .typed::<ByteArrayType>()
                    .write_batch(&values, Some(&levels), None)
                    .context("writing rows")?;
            } else {
                let (values, levels) = split(cells, |text| column.number(text))?;
                writer
                    .typed::<Int64Type>()
                    .write_batch(&values, Some(&levels), None)
                    .context("writing rows")?;
            }
            writer.close().context("writing rows")?;
        }
        group.close().context("writing rows")?;
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        self.writer.close().context("ending the file")?;
        Ok(())
    }
}

/// Values that are there, and for each row whether it has one.
fn split<'t, T>(
    cells: impl Iterator<Item = Option<&'t str>>,
    read: impl Fn(&str) -> Result<T>,
) -> Result<(Vec<T>, Vec<i16>)> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        levels.push(i16::from(cell.is_some()));
        if let Some(text) = cell {
            values.push(read(text)?);
        }
    }
    Ok((values, levels))
}

impl Column {
    fn field(&self) -> Result<Type> {
        let physical = match self.holds {
            Holds::Text => Physical::BYTE_ARRAY,
            _ => Physical::INT64,
        };
        let field = Type::primitive_type_builder(&self.name, physical)
            .with_repetition(Repetition::OPTIONAL);
        let field = match self.holds {
            Holds::Text => field.with_logical_type(Some(LogicalType::String)),
            Holds::Count => field,
            Holds::NanoDollars | Holds::Dollars => field
                .with_logical_type(Some(LogicalType::decimal(PLACES, 18)))
                .with_scale(PLACES)
                .with_precision(18),
            Holds::Micros | Holds::Midnight => {
                field.with_converted_type(ConvertedType::TIMESTAMP_MICROS)
            }
        };
        field.build().context("describing a column")
    }

    /// A value as it is stored.
    fn number(&self, text: &str) -> Result<i64> {
        let read = match self.holds {
            Holds::Dollars => nano_dollars(text),
            Holds::Midnight => text
                .parse::<jiff::Timestamp>()
                .ok()
                .map(jiff::Timestamp::as_microsecond),
            _ => text.parse().ok(),
        };
        read.with_context(|| format!("the column {} has a value that does not fit it", self.name))
    }
}

/// Dollars with nine places, in nano-dollars.
fn nano_dollars(text: &str) -> Option<i64> {
    let (whole, places) = text.split_once('.')?;
    if places.len() != 9 {
        return None;
    }
    format!("{whole}{places}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_exactly() {
        for (text, nano) in [
            ("0.000000001", 1),
            ("-1.500000000", -1_500_000_000),
            ("12.000000000", 12_000_000_000),
        ] {
            assert_eq!(nano_dollars(text), Some(nano));
        }
        assert_eq!(nano_dollars("1.5"), None);
        assert_eq!(nano_dollars("1"), None);
    }
}
