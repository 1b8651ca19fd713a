//! `everline availability compare`: one set of measures under several settings.

use availability::Certain;
use serde_json::{Map, Value, json};

use crate::cli::{Compare, Question};
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, plain};

use super::amounts::brief;
use super::source::Source;
use super::{by_option, wanted};

/// More settings make no table that anybody reads.
const MOST_SETTINGS: usize = 200;
/// Where calls are bridged by a hot pair, and the parameters that say how fast.
const GAPS: &str = "sip_gap_death,sip_gap_hang,sip_gap_backup,sip_gap_host,\
                    routing_gap_death,routing_gap_hang,routing_gap_backup,routing_gap_host";

/// One thing that differs between settings, and its values.
struct Axis {
    head: String,
    choices: Vec<Choice>,
}

/// One of its values: another built-in model, other values of parameters, or both.
#[derive(Clone)]
struct Choice {
    label: String,
    model: Option<&'static str>,
    given: Vec<(String, String)>,
}

/// A row of the table.
struct Row {
    labels: Vec<String>,
    /// Name, unit and value of each measure.
    measures: Vec<(String, String, Certain)>,
}

/// Solves each setting, and prints them side by side.
///
/// # Errors
/// [`Kind::Wrong`] if a model, a measure or a parameter is, or there are too many settings; a failure if one cannot be solved.
pub(crate) fn compare(order: &Compare) -> Result<(), Failure> {
    let axes = axes(order)?;
    let count = axes.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.choices.len()));
    if count.is_none_or(|count| count > MOST_SETTINGS) {
        return Err(Failure::new(Kind::Wrong, format!("more than {MOST_SETTINGS} settings")).help("give fewer values"));
    }
    let names = measures(order);
    let open = |path| Source::open(path, None)?.with_top(order.top.as_deref());
    let own = order.model.as_deref().map(open).transpose()?;
    let row = |choices: Vec<Choice>| row(order, own.as_ref(), &choices, &names);
    let rows = product(&axes).into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let heads: Vec<&str> = axes.iter().map(|axis| axis.head.as_str()).collect();
    output::result(&if order.listing.json { as_json(&heads, &rows) } else { table(&heads, &rows) })
}

/// What differs: the question or the hosts first, then each `--set`.
fn axes(order: &Compare) -> Result<Vec<Axis>, Failure> {
    let mut axes = Vec::new();
    if let Some(hosts) = &order.hosts {
        axes.push(hosts_axis(&hosts.0));
    }
    axes.extend(order.question.map(built_in));
    for (names, values) in &order.sets {
        axes.push(set(names, values)?);
    }
    Ok(axes)
}

/// `--set NAME,NAME=V1,V2`.
fn set(names: &str, values: &str) -> Result<Axis, Failure> {
    let of = |text: &str| -> Vec<String> {
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let (names, values) = (of(names), of(values));
    if names.is_empty() || values.is_empty() {
        return Err(Failure::new(Kind::Wrong, "a setting without a name or a value").help("write --set \"c=90%,99%\""));
    }
    let choice = |value: &String| Choice {
        label: value.clone(),
        model: None,
        given: names.iter().map(|name| (name.clone(), value.clone())).collect(),
    };
    let head = if names.len() > 1 { format!("{}, ...", names[0]) } else { names[0].clone() };
    Ok(Axis { head, choices: values.iter().map(choice).collect() })
}

fn hosts_axis(hosts: &[u32]) -> Axis {
    let choice = |&hosts: &u32| {
        let (model, given) = match hosts {
            1 => ("one-host", Vec::new()),
            2 => ("two-hosts", Vec::new()),
            // More hosts are more spares: the third model has a parameter for them.
            more => ("three-hosts", vec![("host_count".to_owned(), more.to_string())]),
        };
        Choice { label: hosts.to_string(), model: Some(model), given }
    };
    Axis { head: "hosts".to_owned(), choices: hosts.iter().map(choice).collect() }
}

fn built_in(question: Question) -> Axis {
    let of_three_hosts = |head: &str, names: &str, values: &[&str]| {
        let choice = |value: &&str| Choice {
            label: (*value).to_owned(),
            model: Some("three-hosts"),
            given: names.split(',').map(|name| (name.to_owned(), (*value).to_owned())).collect(),
        };
        Axis { head: head.to_owned(), choices: values.iter().map(choice).collect() }
    };
    match question {
        Question::Hosts => hosts_axis(&[1, 2, 3, 4, 5]),
        Question::Detection => of_three_hosts("bridged after", GAPS, &["20 ms", "150 ms", "1 s", "10 s"]),
        Question::Operator => of_three_hosts("somebody looks after", "notice", &["5 min", "30 min", "1 h", "4 h"]),
        Question::Standby => {
            let models = [("none", "single"), ("warm pair", "warm-pair"), ("hot pair", "hot-pair")];
            let choice = |(label, model): (&str, &'static str)| Choice {
                label: label.to_owned(),
                model: Some(model),
                given: Vec::new(),
            };
            Axis { head: "standby".to_owned(), choices: models.map(choice).to_vec() }
        }
    }
}

/// The measures: those that were named, else those that fit the question; all of the model if there is none.
fn measures(order: &Compare) -> Vec<String> {
    let usual: &[&str] = match order.question {
        _ if !order.measures.is_empty() => return order.measures.clone(),
        Some(Question::Standby) => &["downtime", "interruptions", "outages"],
        Some(_) => &["calls", "calls_with_site", "queues", "console"],
        None if order.hosts.is_some() => &["calls", "calls_with_site", "queues", "console"],
        None => &[],
    };
    usual.iter().map(|name| (*name).to_owned()).collect()
}

/// All combinations, the last axis moving fastest.
fn product(axes: &[Axis]) -> Vec<Vec<Choice>> {
    axes.iter().fold(vec![Vec::new()], |rows, axis| {
        let with = |row: &Vec<Choice>| -> Vec<Vec<Choice>> {
            axis.choices.iter().map(|choice| [&row[..], std::slice::from_ref(choice)].concat()).collect()
        };
        rows.iter().flat_map(with).collect()
    })
}

/// One setting, of somebody's `own` model or of the built-in one that the setting names.
fn row(order: &Compare, own: Option<&Source>, choices: &[Choice], names: &[String]) -> Result<Row, Failure> {
    let built_in;
    let source = if let Some(own) = own {
        own
    } else {
        let name = choices.iter().find_map(|choice| choice.model).unwrap_or("three-hosts");
        built_in = Source::built_in(name, None)?;
        &built_in
    };
    let mut given = order.given.parameters.clone();
    given.extend(choices.iter().flat_map(|choice| choice.given.iter().cloned()));
    let model = source.read(&given).map_err(|failure| {
        let given = &order.given.parameters;
        let is_given = |remedy: &str| given.iter().any(|(name, _)| remedy.contains(&format!("\"{name}=")));
        if failure.remedy().is_some_and(is_given) { failure } else { by_option(failure, "--set") }
    })?;
    let plan = model.plan(&wanted(source, &model, names)?);
    let values = source.solve(&plan)?;
    let of = |(&index, value): (&usize, Certain)| {
        let measure = &model.measures()[index];
        (measure.name().to_owned(), measure.unit().to_owned(), value)
    };
    let measures = plan.measures().iter().zip(values).map(of).collect();
    Ok(Row { labels: choices.iter().map(|choice| choice.label.clone()).collect(), measures })
}

fn table(heads: &[&str], rows: &[Row]) -> String {
    let mut all: Vec<String> = heads.iter().map(|head| head.to_uppercase()).collect();
    if let Some(row) = rows.first() {
        all.extend(row.measures.iter().map(|(name, unit, _)| match unit.as_str() {
            "1" => name.to_uppercase(),
            unit => format!("{} {unit}", name.to_uppercase()),
        }));
    }
    let cells = |row: &Row| -> Vec<Cell> {
        let values = row.measures.iter().map(|(_, _, value)| brief(*value));
        row.labels.iter().cloned().chain(values).map(plain).collect()
    };
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    output::table_of(&all, &rows.iter().map(cells).collect::<Vec<_>>(), "no settings")
}

/// `{"settings": [{"set": {NAME: VALUE}, "measures": [...]}]}`.
fn as_json(heads: &[&str], rows: &[Row]) -> String {
    let setting = |row: &Row| {
        let set: Map<String, Value> =
            heads.iter().zip(&row.labels).map(|(head, label)| ((*head).to_owned(), json!(label))).collect();
        let measure = |(name, unit, value): &(String, String, Certain)| json!({ "name": name, "value": value.value, "unit": unit, "digits": value.digits() });
        json!({ "set": set, "measures": row.measures.iter().map(measure).collect::<Vec<_>>() })
    };
    format!("{}\n", json!({ "settings": rows.iter().map(setting).collect::<Vec<_>>() }))
}
