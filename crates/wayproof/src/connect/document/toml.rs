//! TOML: tables, dotted and inline ones alike.

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

use super::{Document, DocumentError, unedited};

/// A TOML text.
pub(super) struct Toml(DocumentMut);

impl Toml {
    pub(super) fn parse(text: &str) -> Result<Self, DocumentError> {
        let parsed = text.parse::<DocumentMut>();
        parsed.map(Self).map_err(|error| broken(&error.to_string()))
    }

    fn table(&mut self, way: &[String]) -> Option<&mut dyn TableLike> {
        let mut table: &mut dyn TableLike = self.0.as_table_mut();
        for name in way {
            table = table.get_mut(name)?.as_table_like_mut()?;
        }
        Some(table)
    }
}

/// The library's message takes several lines to show the place; one is enough.
fn broken(message: &str) -> DocumentError {
    let lines: Vec<&str> = message
        .lines()
        .filter(|line| !line.trim_start().starts_with('|') && !line.contains(" | "))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    DocumentError::Broken {
        what: "TOML",
        why: lines.join(", "),
    }
}

impl Document for Toml {
    fn read(&self) -> Result<Value, DocumentError> {
        toml::from_str(&self.0.to_string()).map_err(|error| broken(&error.to_string()))
    }

    fn set(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        let refused = || unedited(at, value);
        let (last, way) = at.split_last().ok_or_else(refused)?;
        let mut table: &mut dyn TableLike = self.0.as_table_mut();
        for name in way {
            // A table on the way needs no header of its own.
            let item = table.entry(name).or_insert_with(|| {
                let mut made = Table::new();
                made.set_implicit(true);
                Item::Table(made)
            });
            table = item.as_table_like_mut().ok_or_else(refused)?;
        }
        let mut made = item(value).ok_or_else(refused)?;
        // The key that stands there keeps what is written around it.
        if let Some(old) = table.get_mut(last) {
            if let (Some(old), Item::Value(new)) = (old.as_value(), &mut made) {
                *new.decor_mut() = old.decor().clone();
            }
            *old = made;
        } else {
            table.insert(last, made);
        }
        Ok(())
    }

    fn remove(&mut self, at: &[String]) {
        if let Some((last, way)) = at.split_last()
            && let Some(table) = self.table(way)
        {
            table.remove(last);
        }
    }

    fn push(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        let refused = || unedited(at, value);
        let (last, way) = at.split_last().ok_or_else(refused)?;
        let Some(found) = self.table(way).and_then(|table| table.get_mut(last)) else {
            return self.set(at, &Value::Array(vec![value.clone()]));
        };
        let list = found.as_array_mut().ok_or_else(refused)?;
        list.push(plain(value).ok_or_else(refused)?);
        Ok(())
    }

    fn take(&mut self, at: &[String], index: usize) {
        if let Some((last, way)) = at.split_last()
            && let Some(table) = self.table(way)
            && let Some(list) = table.get_mut(last).and_then(Item::as_array_mut)
            && index < list.len()
        {
            list.remove(index);
        }
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// An object becomes a table with a header, anything else a value.
fn item(value: &Value) -> Option<Item> {
    let Value::Object(fields) = value else {
        return plain(value).map(Item::Value);
    };
    let mut table = Table::new();
    for (name, value) in fields {
        table.insert(name, Item::Value(plain(value)?));
    }
    Some(Item::Table(table))
}

fn plain(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(is) => (*is).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => {
            let items: Option<Array> = items.iter().map(plain).collect();
            items?.into()
        }
        Value::Object(fields) => {
            let mut table = InlineTable::new();
            for (name, value) in fields {
                table.insert(name, plain(value)?);
            }
            table.into()
        }
    })
}
