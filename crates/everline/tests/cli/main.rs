//! The program as a person starts it.

mod commands;
mod life;
mod support;
mod up;
