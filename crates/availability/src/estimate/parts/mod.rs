//! Failure-rate prediction by parts count: the rates of all parts of an equipment, each times its factors, added up.
//!
//! The factors come from a file of the user, since the published tables are licensed: none is built in. The method is the
//! parts count and parts stress form that MIL-HDBK-217F, Telcordia SR-332 and IEC 61709 share,
//! `rate = sum of count * base rate * product of factors`, with Arrhenius' law for temperature. What it predicts is
//! constant and for hardware only; it compares designs better than it foretells the field.
//!
//! # The file of factors
//! ```text
//! # Everything behind a '#' is a remark. A name with blanks stands in double quotes.
//! unit FIT                                   # of the rates below: FIT, per-million-hours or per-hour
//! reference 40 C                             # temperature that the rates are for
//! factor environment  office 1  rack 1.2     # each factor with its values by name
//! factor quality      commercial 1  screened 0.4
//! part "memory module" 60                    # part and base rate; constant under temperature
//! part ssd 250 activation 0.7 eV             # with an activation energy it follows Arrhenius' law
//! part fan 1500 environment rack 1.5         # its own value of a factor
//! ```
//! # The file of the equipment
//! ```text
//! equipment "telephony server"
//! environment rack
//! quality commercial                         # what the equipment and the line leave open is refused
//! temperature 35 C
//! 8 "memory module" quality screened         # count, part, and what differs from the lines above
//! 2 ssd temperature 45 C
//! 4 fan
//! ```
//! Figures in this example are made up.

mod equipment;
mod factors;
mod words;

pub use equipment::{Equipment, Line};
pub use factors::{Factors, PartRate, Prediction};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_above_are_read_and_add_up() {
        let page: Vec<&str> = include_str!("mod.rs").lines().map_while(|line| line.strip_prefix("//!")).collect();
        let page = page.join("\n");
        let blocks: Vec<&str> = page.split("```").collect();
        let [table, list] = [1_usize, 3].map(|block| blocks[block].trim_start_matches("text"));
        let table = Factors::read("table", table).expect("an example of a table");
        let equipment = Equipment::read("list", list).expect("an example of an equipment");
        let prediction = table.predict(&equipment).expect("complete");
        let fit: Vec<f64> = prediction.parts.iter().map(|part| part.each * 1e9).collect();
        // Arrhenius by hand: 0.7 eV / 8.617333262e-5 eV/K (1/313.15 K - 1/318.15 K) = 0.40767.
        for (found, expected) in fit.iter().zip([60.0 * 1.2 * 0.4, 250.0 * 1.2 * 1.503_31, 1500.0 * 1.5]) {
            assert!((found / expected - 1.0).abs() < 1e-5, "{fit:?}");
        }
        assert_eq!(fit.len(), 3);
    }
}
