//! The model language `.avail`: its words, its grammar, its units.
//!
//! From text to tokens ([`lexer`]), from tokens to statements ([`parser`] and one file for each part of the grammar, written
//! as recursive descent) into a tree ([`ast`]) in which no name has been looked up yet; that is done by [`crate::model`].
//! Numbers keep twice the precision of binary64 ([`exact`]) until they become rates or probabilities.

pub(crate) mod asking;
pub(crate) mod ast;
pub(crate) mod exact;
pub(crate) mod expression;
pub(crate) mod lexer;
pub(crate) mod misread;
pub(crate) mod models;
pub(crate) mod operators;
pub(crate) mod parser;
pub(crate) mod rules;
pub(crate) mod source;
pub(crate) mod statements;
pub(crate) mod unit;
