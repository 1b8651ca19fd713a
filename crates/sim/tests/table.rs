//! The crash-point table: call state by crash point by victims, whole.

use sim::table::{Cell, Table};

#[test]
fn no_call_is_lost_in_any_state_at_any_point_of_a_step() {
    let table = Table::run(1, 2);
    println!("{table}");
    assert_eq!(table.len(), Cell::all(1).len());
    assert!(table.broken().is_empty(), "{:#?}", table.broken());
    assert!(table.holes().is_empty(), "never struck: {:#?}", table.holes());
}
