//! The program as a person starts it.

mod commands;
mod support;
mod up;
