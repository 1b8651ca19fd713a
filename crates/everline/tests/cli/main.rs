//! The program as a person starts it.

mod answers;
mod availability;
mod commands;
mod detections;
mod figures;
mod life;
mod model_files;
mod stub;
mod support;
mod up;
mod what_if;
