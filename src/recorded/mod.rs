//! Curves and scores that others recorded, whatever tool wrote them down.

pub mod columns;
pub mod direction;
