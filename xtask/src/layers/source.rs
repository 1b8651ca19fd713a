//! What a crate's source text must say and must not say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, File, ItemFn, ItemImpl, ItemMod, ItemUse, Macro, UseTree};

use super::Package;
use super::rules::{EXCEPTIONS, IMPURE_NAMES, IMPURE_PATHS, MAX_LINES, rule};
use crate::process::root;

/// Every breach in the files below the crate's `src`.
pub(super) fn breaches(package: &Package) -> Result<Vec<String>> {
    let pure = rule(&package.name).is_some_and(|rule| rule.pure.is_some());
    let mut breaches = Vec::new();
    let mut test_modules = Vec::new();
    let mut files = Vec::new();
    for path in rust_files(&package.folder.join("src"))? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if text.lines().count() > MAX_LINES {
            breaches.push(format!("{}: longer than {MAX_LINES} lines", path.display()));
        }
        let file = syn::parse_file(&text).with_context(|| format!("cannot parse {}", path.display()))?;
        test_modules.extend(test_modules_of(&path, &file));
        files.push((path, file));
    }
    for (path, file) in &files {
        let is_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
        if is_root && !has_header(file) {
            breaches.push(format!("{}: no header that says what the crate is", path.display()));
        }
        if pure && path.ends_with("src/lib.rs") && !forbids_unsafe(file) {
            breaches.push(format!("{}: a pure crate has #![forbid(unsafe_code)]", path.display()));
        }
        if pure && !test_modules.iter().any(|tests| path.starts_with(tests)) {
            breaches.extend(impurities(path, file));
        }
    }
    Ok(breaches)
}

/// All `.rs` files below a folder, in a fixed order.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn has_header(file: &File) -> bool {
    file.attrs.iter().any(|attribute| attribute.path().is_ident("doc"))
}

fn forbids_unsafe(file: &File) -> bool {
    file.attrs.iter().any(|attribute| {
        attribute.path().is_ident("forbid")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().contains("unsafe_code"))
    })
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// The file and the folder of each module that this file declares for tests alone.
fn test_modules_of(path: &Path, file: &File) -> Vec<PathBuf> {
    let stem = path.file_stem().unwrap_or_default();
    let parent = path.parent().unwrap_or_else(|| Path::new(""));
    let own_folder =
        if ["lib", "main", "mod"].iter().any(|name| stem == *name) { parent.into() } else { parent.join(stem) };
    let modules = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && is_for_tests(&module.attrs) => Some(module),
        _ => None,
    });
    modules
        .flat_map(|module| {
            let folder = own_folder.join(module.ident.to_string());
            [folder.with_extension("rs"), folder]
        })
        .collect()
}

fn impurities(path: &Path, file: &File) -> Vec<String> {
    let mut finder = Finder { path, found: Vec::new() };
    finder.visit_file(file);
    finder.found
}

/// Whether a path names what is forbidden, something below it, or everything beside it.
fn reaches(path: &str, forbidden: &str) -> bool {
    let everything_beside = forbidden.rsplit_once("::").map(|(parent, _)| format!("{parent}::*"));
    path == forbidden
        || path.strip_prefix(forbidden).is_some_and(|rest| rest.starts_with("::"))
        || everything_beside.is_some_and(|glob| path == glob)
}

/// Walks the syntax tree, test code left out, and collects every impure path.
struct Finder<'a> {
    path: &'a Path,
    found: Vec<String>,
}

impl Finder<'_> {
    fn look_at(&mut self, segments: &[String], line: usize) {
        let mut path = segments.join("::");
        for twin in ["core::", "alloc::"] {
            if let Some(rest) = path.strip_prefix(twin) {
                path = format!("std::{rest}");
            }
        }
        let by_path = IMPURE_PATHS.iter().find(|forbidden| reaches(&path, forbidden)).copied();
        let by_name = IMPURE_NAMES.iter().find(|name| segments.iter().any(|segment| segment == *name)).copied();
        let Some(name) = by_path.or(by_name) else { return };
        let file = self.path.strip_prefix(root()).unwrap_or(self.path);
        if !EXCEPTIONS.iter().any(|(place, excepted, _)| file == Path::new(place) && name == *excepted) {
            self.found.push(format!("{}:{line}: a pure crate must not use {name}", self.path.display()));
        }
    }

    fn look_at_tree(&mut self, tree: &UseTree, prefix: &[String]) {
        let mut path = prefix.to_vec();
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.look_at_tree(&step.tree, &path);
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.look_at_tree(item, prefix)),
            UseTree::Name(_) | UseTree::Rename(_) | UseTree::Glob(_) => {
                path.push(match tree {
                    UseTree::Name(name) => name.ident.to_string(),
                    UseTree::Rename(rename) => rename.ident.to_string(),
                    _ => "*".to_owned(),
                });
                path.retain(|segment| segment != "self");
                self.look_at(&path, tree.span().start().line);
            }
        }
    }

    /// The body of a macro is not parsed; what looks like a path in it is taken for one.
    fn look_at_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut continues = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if !continues && !path.is_empty() {
                        self.look_at(&std::mem::take(&mut path), line);
                    }
                    line = ident.span().start().line;
                    path.push(ident.to_string());
                    continues = false;
                }
                TokenTree::Punct(punct) => continues = punct.as_char() == ':',
                TokenTree::Group(group) => self.look_at_tokens(group.stream()),
                TokenTree::Literal(_) => continues = false,
            }
        }
        if !path.is_empty() {
            self.look_at(&path, line);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        if !is_for_tests(&block.attrs) {
            visit::visit_item_impl(self, block);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.look_at_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.look_at(&segments, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.look_at_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        let file = syn::parse_file(text).expect("the text of the test is Rust");
        impurities(Path::new("engine.rs"), &file).len()
    }

    #[test]
    fn grouped_imports_globs_and_twins_in_core_are_seen() {
        assert_eq!(found("use std::{fs, thread::{self, sleep}};"), 3);
        assert_eq!(found("use std::hash::*;"), 1);
        assert_eq!(found("use std::fs::*;"), 1);
        assert_eq!(found("use std::collections::{BTreeMap, HashMap as Map};"), 1);
    }

    #[test]
    fn paths_in_code_and_in_macros_are_seen() {
        assert_eq!(found("fn now() { let at = std::time::Instant::now(); }"), 1);
        assert_eq!(found("fn now() { assert!(std::time::SystemTime::now() > x); }"), 1);
        assert_eq!(found("struct Server { socket: std::net::UdpSocket }"), 1);
    }

    #[test]
    fn comments_strings_addresses_and_tests_count_for_nothing() {
        assert_eq!(found("// std::fs\nfn f() -> &'static str { \"tokio\" }"), 0);
        assert_eq!(found("use std::net::SocketAddr; use std::time::Duration;"), 0);
        assert_eq!(found("#[cfg(test)] mod tests { use std::fs; }"), 0);
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_known_by_its_declaration() {
        let file = syn::parse_file("#[cfg(test)] mod cases;").expect("the text of the test is Rust");
        let below_lib = test_modules_of(Path::new("src/lib.rs"), &file);
        assert_eq!(below_lib, [Path::new("src/cases.rs"), Path::new("src/cases")]);
        let below_file = test_modules_of(Path::new("src/queue.rs"), &file);
        assert_eq!(below_file, [Path::new("src/queue/cases.rs"), Path::new("src/queue/cases")]);
    }
}
