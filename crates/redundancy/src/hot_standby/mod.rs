//! Placeholder of the protocol module.
