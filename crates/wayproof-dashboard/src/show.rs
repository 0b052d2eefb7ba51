//! How values are written for people.

pub(crate) mod chart;
pub(crate) mod money;
pub(crate) mod text;
pub(crate) mod time;
