//! Drawings as SVG text. Each has a title and a description for those who do not see it; the page puts a table of the same
//! figures beside it. Colours are classes that the page's style gives, and none of them carries a meaning alone.

mod bars;
mod budget;
mod histogram;
mod states;
mod tornado;

pub(super) use bars::contributions;
pub(super) use budget::budget;
pub(super) use histogram::histogram;
pub(super) use states::states;
pub(super) use tornado::tornado;

use std::fmt::Write as _;

/// Text as it stands in XML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML knows no other control characters.
            c if c.is_control() && c != '\n' && c != '\t' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Where the text stands, seen from its point.
#[derive(Clone, Copy, Debug)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing in the making.
struct Drawing {
    text: String,
}

impl Drawing {
    /// An empty drawing; `id` is its own in the page, and names its title and description.
    fn new(id: &str, size: (f64, f64), title: &str, description: &str) -> Self {
        let mut text = String::new();
        let (width, height) = size;
        // Writing into a String cannot fail, here and below.
        let _ = write!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\" style=\"max-width:{width:.0}px\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            escape(title),
            escape(description)
        );
        Self { text }
    }

    fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }

    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let _ = write!(
            self.text,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            width.max(0.0)
        );
    }

    fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ =
            write!(self.text, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
    }

    fn words(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.text,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            escape(text)
        );
    }
}

/// How wide a text is about, at 13 px: Chinese characters are as wide as high.
fn width_of(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 7.0 } else { 13.0 }).sum()
}

/// The text, shortened to a width with an ellipsis.
fn fitted(text: &str, width: f64) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        if width_of(&short) + width_of(&c.to_string()) + 13.0 > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// Round numbers that divide a logarithmic axis: 1, 2 and 5 of each power of ten within the range; only the powers if these
/// are many.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let steps: &[f64] = if last - first > 4 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let all = (first..=last).flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
    all.filter(|tick| (low..=high).contains(tick)).collect()
}
