//! Tables that can be read aloud: a caption, heads with a scope, the first column as the head of its row.

use super::Page;
use crate::report::draw::escape;

/// A field of a table.
pub(super) enum Cell {
    /// Words, to the left.
    Text(String),
    /// Figures, to the right.
    Figure(String),
    /// A name as the model has it.
    Code(String),
    /// A name as the model has it, what it is, and where it is needed.
    Named(String, String, String),
    /// Something that the reader should look at, marked by a sign as well.
    Mark(String),
}

impl Page<'_> {
    /// Adds a table. Heads stand above figures as the first row has them.
    pub(super) fn table(&mut self, caption: &str, head: &[&str], rows: &[Vec<Cell>]) {
        let caption = escape(caption);
        let is_figure =
            |column: usize| rows.first().is_some_and(|row| matches!(row.get(column), Some(Cell::Figure(_))));
        let mut text = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table><caption>{caption}</caption>\
             <thead><tr>"
        );
        for (column, name) in head.iter().enumerate() {
            let class = if is_figure(column) { " class=\"figure\"" } else { "" };
            text.push_str(&format!("<th scope=\"col\"{class}>{}</th>", escape(&name.replace(" %", "\u{a0}%"))));
        }
        text.push_str("</tr></thead><tbody>\n");
        for row in rows {
            text.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let (open, close) = if column == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
                text.push_str(&match cell {
                    Cell::Text(words) => format!("<{open}{}>{}</{close}>", self.voice(words), escape(words)),
                    Cell::Figure(figure) => format!("<{open} class=\"figure\">{}</{close}>", escape(figure)),
                    Cell::Code(name) => format!("<{open}><code{}>{}</code></{close}>", self.voice(name), escape(name)),
                    Cell::Named(name, words, place) => format!(
                        "<{open}><code{}>{}</code><span class=\"what\"><span{}>{}</span>{}</span></{close}>",
                        self.voice(name),
                        escape(name),
                        self.voice(words),
                        escape(words),
                        escape(place)
                    ),
                    Cell::Mark(words) => {
                        format!("<{open}><strong class=\"look\">⚠ {}</strong></{close}>", escape(words))
                    }
                });
            }
            text.push_str("</tr>\n");
        }
        text.push_str("</tbody></table></div>\n");
        self.add(&text);
    }
}
