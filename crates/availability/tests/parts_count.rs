//! Parts count with the user's factors, against sums by hand, and errors with their places.

mod repository;

use availability::estimate::parts::{Equipment, Factors};

const TABLE: &str = "\
# Made up for this test.
unit FIT
reference 40 C
factor environment office 1 rack 1.5
factor quality commercial 1 screened 0.4
part \"memory module\" 60
part ssd 250 activation 0.7 eV
part fan 1500 environment rack 2
";

const SERVER: &str = "\
equipment \"telephony server\"
environment rack
quality commercial
temperature 40 C
8 \"memory module\" quality screened
2 ssd temperature 50C   # hotter
4 fan
";

fn predicted(table: &str, equipment: &str) -> Result<f64, String> {
    let table = Factors::read("table", table).map_err(|error| error.to_string())?;
    let equipment = Equipment::read("server", equipment).map_err(|error| error.to_string())?;
    table.predict(&equipment).map(|prediction| prediction.rate).map_err(|error| error.to_string())
}

#[test]
fn rates_times_factors_add_up() {
    // The byte-order mark with which some editors begin a file says nothing.
    let table = Factors::read("table", &format!("\u{feff}{TABLE}")).expect("valid");
    let equipment = Equipment::read("server", &format!("\u{feff}{SERVER}")).expect("valid");
    assert_eq!(equipment.name, "telephony server");
    let prediction = table.predict(&equipment).expect("complete");
    // Arrhenius by hand: 0.7 eV / 8.617333262e-5 eV/K (1/313.15 K - 1/323.15 K) = 0.80273.
    let arrhenius = 2.231_621;
    let each = [60e-9 * 0.4 * 1.5, 250e-9 * 1.5 * arrhenius, 1500e-9 * 2.0];
    for (part, expected) in prediction.parts.iter().zip(each) {
        assert!((part.each / expected - 1.0).abs() < 1e-6, "{part:?} {expected:e}");
    }
    let expected = 8.0 * each[0] + 2.0 * each[1] + 4.0 * each[2];
    assert!((prediction.rate / expected - 1.0).abs() < 1e-6);
    assert_eq!(
        prediction.parts[2].factors,
        [("environment rack".to_owned(), 2.0), ("quality commercial".to_owned(), 1.0)]
    );
}

#[test]
fn the_example_of_the_guide_has_the_rate_that_is_printed_there() {
    let Some(guide) = repository::text("docs/availability.md") else { return };
    let blocks: Vec<&str> = guide.split("```\n").skip(1).step_by(2).collect();
    let block = |begin: &str| *blocks.iter().find(|block| block.starts_with(begin)).expect(begin);
    let rate = predicted(block("unit FIT"), block("equipment")).expect("complete");
    let printed = format!("telephony server: {:.0} FIT,", rate * 1e9);
    assert!(block("$ everline availability estimate parts").contains(&printed), "{printed}");
}

#[test]
fn errors_point_at_the_place() {
    for (table, equipment, expected) in [
        (TABLE, "2 tape environment rack quality screened", "server:1:3: there is no part \"tape\" in the table"),
        (TABLE, "2 fan environment rack", "server:1:3: the factor \"quality\" is left open for \"fan\""),
        (TABLE, "2 fan environment ship", "server:1:3: the factor \"environment\" has no value \"ship\""),
        (TABLE, "2 fan weather wet", "server:1:3: there is no factor \"weather\""),
        (TABLE, "environment rack\nquality screened\n2 ssd", "server:3:3: the temperature of \"ssd\" is left open"),
        (TABLE, "temperature hot C\n1 fan", "server:1:17: hot C is no temperature"),
        (TABLE, "0 fan", "server:1:1: a count of 0"),
        (TABLE, "1 \"fan", "server:1:3: a name without its closing quote"),
        (TABLE, "environment", "server:1:12: the line ends where a value of the factor should stand"),
        (TABLE, "# nothing", "server lists no part"),
        ("part fan 3", SERVER, "table:1:1: a part before the unit"),
        ("unit FIT\npart fan -3", SERVER, "table:2:10: \"-3\" is no rate"),
        ("unit per-hour\npart fan 1e308", "\n2 fan", "server:2:3: the rate of \"fan\" comes to 1e308 per hour"),
        ("unit FIT\npart fan 1e-320", "2 fan", "server:1:3: the rate of \"fan\" comes to "),
        ("unit FIT\npart fan 1", "1e300 fan", "server:1:7: the rate of \"fan\" comes to 1"),
        ("unit FIT\npart fan NaN", SERVER, "table:2:10: \"NaN\" is no rate"),
        ("unit FIT\npart fan 3 activation 0.7 eV", SERVER, "table:2:"),
        ("unit lightyears", SERVER, "table:1:6: \"lightyears\" is no unit of a rate"),
        ("unit FIT\nfactor a b 1\nfactor a b 1", SERVER, "table:3:8: the factor \"a\" is reserved or stands twice"),
        ("unit FIT FIT", SERVER, "table:1:10: \"FIT\" is too much on this line"),
        ("unit FIT\nfan 3", SERVER, "table:2:1: \"fan\" begins no line"),
    ] {
        let error = predicted(table, equipment).expect_err(expected);
        assert!(error.starts_with(expected), "{error}\nshould begin with {expected}");
    }
}
