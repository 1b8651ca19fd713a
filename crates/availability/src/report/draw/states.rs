//! State diagrams: states on an ellipse, so that no arc crosses a state.

use std::f64::consts::TAU;

use super::{Anchor, Drawing, escape, fitted, width_of};
use crate::report::numbers::{duration, rate};
use crate::report::{Diagram, Kind, Language};

const WIDTH: f64 = 760.0;
/// Half the height of a state's box.
const HALF: f64 = 20.0;
/// The most arcs that have their rates written beside them; of more, the table has them.
const MOST_LABELS: usize = 10;
/// Where on its way an arc may have its label, the best place first: nearer to where it begins.
const LABEL: [f64; 7] = [0.36, 0.28, 0.44, 0.22, 0.52, 0.6, 0.68];
/// Arcs that pass the centre nearer than this go through the middle.
const THROUGH: f64 = 12.0;

/// A box with its middle and half its width.
struct Spot {
    x: f64,
    y: f64,
    half: f64,
}

/// States that are up have round corners, those that are down are square with a second frame; both show the time in them. `name`
/// is what the model is called.
pub(in crate::report) fn states(id: &str, name: &str, diagram: &Diagram, language: Language) -> String {
    let count = diagram.places.len();
    let height = if count <= 2 { 110.0 } else { 150.0 + 42.0 * count.min(12) as f64 };
    let heading = format!("{}: {name}", language.pick("States", "状态图"));
    let up = diagram.places.iter().filter(|place| place.kind == Kind::Up).count();
    let described = match language {
        Language::English => {
            format!("{count} states, {up} of them up, and {} arcs; the table lists them.", diagram.flows.len())
        }
        Language::Chinese => format!("{count} 个状态，其中 {up} 个可用；{} 条转移，见下表。", diagram.flows.len()),
    };
    let mut drawing = Drawing::new(id, (WIDTH, height), &heading, &described);
    drawing.raw(&format!(
        "<defs><marker id=\"{id}-end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto-start-reverse\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>"
    ));
    let spots = spots(diagram, height);
    arcs(&mut drawing, id, diagram, &spots, language);
    for (place, spot) in diagram.places.iter().zip(&spots) {
        state(&mut drawing, place, spot, language);
    }
    drawing.finish()
}

/// All arcs, with their rates where there are few of them.
fn arcs(drawing: &mut Drawing, id: &str, diagram: &Diagram, spots: &[Spot], language: Language) {
    let middle = |at: fn(&Spot) -> f64| spots.iter().map(at).sum::<f64>() / spots.len() as f64;
    let centre = (middle(|spot| spot.x), middle(|spot| spot.y));
    let (mut labels, mut taken) = (Vec::new(), Vec::new());
    for flow in &diagram.flows {
        let (from, to) = (&spots[flow.from], &spots[flow.to]);
        let title = format!(
            "{} → {}: {}",
            diagram.places[flow.from].name,
            diagram.places[flow.to].name,
            rate(flow.rate, language)
        );
        let has_way_back = diagram.flows.iter().any(|back| (back.from, back.to) == (flow.to, flow.from));
        let is_wide = has_way_back.then_some(flow.from < flow.to);
        let curve = curve(from, to, bend(from, to, centre, is_wide));
        let [(x1, y1), (x2, y2), (x3, y3)] = curve;
        drawing.raw(&format!(
            "<path class=\"arc\" d=\"M{x1:.1} {y1:.1}Q{x2:.1} {y2:.1} {x3:.1} {y3:.1}\" marker-end=\"url(#{id}-end)\">\
             <title>{}</title></path>",
            escape(&title)
        ));
        if diagram.flows.len() <= MOST_LABELS {
            let text = rate(flow.rate, language);
            labels.push((label(&curve, width_of(&text), &mut taken), text));
        }
    }
    // Labels lie above all arcs.
    for (at, text) in labels {
        drawing.words("rate", at, Anchor::Middle, &text);
    }
}

fn spots(diagram: &Diagram, height: f64) -> Vec<Spot> {
    let count = diagram.places.len() as f64;
    let widest = diagram.places.iter().map(|place| width_of(&place.name)).fold(84.0, f64::max).min(150.0);
    let half = widest / 2.0 + 12.0;
    let spot = |index: usize| {
        // The first state stands on the left, and the others follow clockwise.
        let angle = TAU * (0.5 + index as f64 / count);
        Spot {
            x: WIDTH / 2.0 + (WIDTH / 2.0 - half - 6.0) * angle.cos(),
            y: height / 2.0 + (height / 2.0 - HALF - 8.0) * angle.sin(),
            half,
        }
    };
    (0..diagram.places.len()).map(spot).collect()
}

fn state(drawing: &mut Drawing, place: &crate::report::Place, spot: &Spot, language: Language) {
    let (x, y, half) = (spot.x, spot.y, spot.half);
    let (class, corner) = match place.kind {
        Kind::Up => ("up", 16),
        Kind::Both => ("both", 8),
        Kind::Down => ("down", 0),
    };
    let frame = |inset: f64| {
        format!(
            "<rect class=\"state {class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{corner}\"/>",
            x - half + inset,
            y - HALF + inset,
            2.0 * (half - inset),
            2.0 * (HALF - inset)
        )
    };
    drawing.raw(&frame(0.0));
    if place.kind == Kind::Down {
        drawing.raw(&frame(3.0));
    }
    drawing.words("label", (x, y - 2.0), Anchor::Middle, &fitted(&place.name, 2.0 * half - 12.0));
    drawing.words("tick", (x, y + 13.0), Anchor::Middle, &duration(place.minutes, language));
}

/// How far an arc bends: towards the middle of the drawing, where no state stands; of two arcs there and back one bends more.
/// Those that go through the middle bend to the sides that they lie on.
fn bend(from: &Spot, to: &Spot, centre: (f64, f64), is_wide: Option<bool>) -> f64 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(1.0);
    let (x, y) = (centre.0 - f64::midpoint(from.x, to.x), centre.1 - f64::midpoint(from.y, to.y));
    let inwards = (dx * y - dy * x) / length;
    let size = match is_wide {
        None => 24.0,
        _ if inwards.abs() < THROUGH => 24.0,
        Some(true) => 44.0,
        Some(false) => 8.0,
    };
    let size = f64::min(size, 0.22 * length);
    if inwards.abs() < THROUGH { size } else { size.copysign(inwards) }
}

/// A bent line between two boxes: where it begins, what it bends towards, and where it ends.
type Curve = [(f64, f64); 3];

fn curve(from: &Spot, to: &Spot, bend: f64) -> Curve {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(1.0);
    let middle = (f64::midpoint(from.x, to.x) - dy / length * bend, f64::midpoint(from.y, to.y) + dx / length * bend);
    [edge(from, middle), middle, edge(to, middle)]
}

/// Where the label of an arc stands: the first place that leaves the labels before it readable, else the best one.
fn label(curve: &Curve, width: f64, taken: &mut Vec<Spot>) -> (f64, f64) {
    let [begin, middle, end] = curve;
    let at = |t: f64| {
        let mix = |a: f64, m: f64, b: f64| (1.0 - t).powi(2) * a + 2.0 * t * (1.0 - t) * m + t * t * b;
        (mix(begin.0, middle.0, end.0), mix(begin.1, middle.1, end.1) + 4.0)
    };
    let is_free = |(x, y): &(f64, f64)| {
        taken.iter().all(|other| (other.x - x).abs() > other.half + width / 2.0 || (other.y - y).abs() > 14.0)
    };
    let (x, y) = LABEL.map(at).into_iter().find(is_free).unwrap_or_else(|| at(LABEL[0]));
    taken.push(Spot { x, y, half: width / 2.0 });
    (x, y)
}

/// The point of a box's edge towards another point.
fn edge(spot: &Spot, towards: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (towards.0 - spot.x, towards.1 - spot.y);
    let scale = (spot.half / dx.abs().max(1e-9)).min(HALF / dy.abs().max(1e-9));
    (spot.x + dx * scale, spot.y + dy * scale)
}
