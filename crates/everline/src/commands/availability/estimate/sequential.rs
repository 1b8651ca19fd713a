//! `everline availability estimate plan --sequential`: faults are made until it is clear whether a claim holds.

use availability::estimate::{Operation, SequentialTest};
use serde_json::{Value, json};

use crate::cli::EstimatePlan;
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, optional, plain};

use super::super::amounts::digits;
use super::plan::complement;
use super::wrong;

/// How the test behaves if the share that is hoped for is the true one, and if that of the claim is.
struct Behaviour {
    /// The share missed, and what it leads to.
    under: [(f64, Operation); 2],
    /// Whether it was followed to its end, and is no approximation.
    exact: bool,
}

/// The plan for a claim that no more than the share `missed` is missed, if the coverage `hoped` is hoped for.
pub(super) fn plan(order: &EstimatePlan, missed: f64, hoped: f64) -> Result<String, Failure> {
    let good = complement(hoped)?;
    if good >= missed {
        let what = format!("the coverage {hoped} that is hoped for is not above the claim `{}`", order.claim);
        return Err(Failure::new(Kind::Wrong, what).help("hope for more with --sequential, or claim less"));
    }
    let doubt = complement(order.confidence)?;
    let test = SequentialTest::new(good, missed, order.risk, doubt).map_err(|error| wrong(&error, ""))?;
    let followed = test.exact();
    let exact = followed.is_some();
    let [first, second] = followed.unwrap_or_else(|| test.approximation());
    let behaviour = Behaviour { under: [(good, first), (missed, second)], exact };
    Ok(if order.listing.json { as_json(order, &test, &behaviour) } else { table(order, &test, &behaviour) })
}

fn table(order: &EstimatePlan, test: &SequentialTest, behaviour: &Behaviour) -> String {
    let (good, missed) = test.shares();
    let (slope, accept, reject) = test.lines();
    let [good, missed, slope, accept, reject] = [good, missed, slope, accept, reject].map(|number| digits(number, 4));
    let row = |misses: u64| -> [Cell; 3] {
        [plain(misses), plain(test.accepts_from(misses)), optional(test.rejects_until(misses))]
    };
    let rows: Vec<[Cell; 3]> = (0..=order.misses).map(row).collect();
    let steps = output::table(["MISSED ON THE WAY", "SHOWN FROM", "GIVEN UP UNTIL"], &rows, "no rows");
    let percent = |share: f64| plain(format!("{:.2} %", 100.0 * share));
    let row = |(share, under): &(f64, Operation)| -> [Cell; 4] {
        let mean = plain(format!("{:.1}", under.mean_injections));
        [plain(digits(*share, 4)), percent(under.accept), percent(under.reject), mean]
    };
    let rows: Vec<[Cell; 4]> = behaviour.under.iter().map(row).collect();
    let ends = output::table(["IF MISSED", "SHOWN", "GIVEN UP", "INJECTIONS ON AVERAGE"], &rows, "no rows");
    let about = if behaviour.exact { "" } else { "about, by Wald's approximation: it takes too many to be followed\n" };
    format!(
        "at most {missed} of all faults missed, shown with confidence about {}\n\
         if only {good} are missed, given up with risk about {}\n\
         after n injections: shown with {slope} n - {accept} misses or fewer, given up with {slope} n + {reject} or more\n\n\
         {steps}\n{ends}{about}",
        order.confidence, order.risk
    )
}

/// `{"claim", "confidence", "risk", "unit", "lines", "plans": [{"misses", "shown_from", "given_up_until"}], "exact", "under":
/// [{"missed", "shown", "given_up", "injections"}]}`, the last ones for what is hoped for and for the claim.
fn as_json(order: &EstimatePlan, test: &SequentialTest, behaviour: &Behaviour) -> String {
    let (_, missed) = test.shares();
    let (slope, accept, reject) = test.lines();
    let step = |misses: u64| json!({ "misses": misses, "shown_from": test.accepts_from(misses), "given_up_until": test.rejects_until(misses) });
    let steps: Vec<Value> = (0..=order.misses).map(step).collect();
    let end = |(share, under): &(f64, Operation)| json!({ "missed": share, "shown": under.accept, "given_up": under.reject, "injections": under.mean_injections });
    let ends: Vec<Value> = behaviour.under.iter().map(end).collect();
    format!(
        "{}\n",
        json!({
            "claim": { "missed": missed }, "confidence": order.confidence, "risk": order.risk, "unit": "injections",
            "lines": { "slope": slope, "accept": accept, "reject": reject }, "plans": steps, "exact": behaviour.exact, "under": ends,
        })
    )
}
