//! The report: its figures, its JSON and its page.

mod figures;
mod json;
mod page;
#[path = "../repository/mod.rs"]
mod repository;
mod support;
