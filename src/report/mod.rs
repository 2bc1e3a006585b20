//! What people and scripts read.
//!
//! `content` puts together one typed document of what there is to say (`document`), in one pass over the results, and
//! `render` writes it: one file a format, none of which knows where the numbers come from. A new table is a file in
//! `content` and a line where the tables are listed; a new format is a file in `render` and a line in its list.

pub mod charts;
mod content;
mod csv;
pub mod document;
mod marks;
pub mod render;
mod results;
pub mod schedules;
mod section;
pub mod tensorboard;
mod write;

pub use content::check::{Against, Checked};
pub use content::report;
pub use content::words::with_unit;
pub use results::Results;
pub use section::{Found, Row, Section};
pub use write::render;
