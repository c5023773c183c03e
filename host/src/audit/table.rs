//! Rows in columns that fit the width of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::plain;

/// What parts the columns.
const GAP: usize = 2;

/// The least that a column is cut to, whatever else there is.
const LEAST: usize = 6;

/// How wide a table is that no terminal shows.
const WITHOUT_TERMINAL: usize = 160;

/// A column: its head, and how its cells stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'a> {
    pub(super) head: &'a str,
    pub(super) align: Align,
    pub(super) width: Width,
}

/// On which side the cells of a column are flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Whether the cells of a column may be cut where the terminal is narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Whole,
    Cut,
}

impl<'a> Column<'a> {
    /// A column of words, shown whole.
    pub(super) const fn words(head: &'a str) -> Self {
        Self {
            head,
            align: Align::Left,
            width: Width::Whole,
        }
    }

    /// A column of text, cut where there is no room.
    pub(super) const fn text(head: &'a str) -> Self {
        Self {
            width: Width::Cut,
            ..Self::words(head)
        }
    }

    /// A column of numbers.
    pub(super) const fn number(head: &'a str) -> Self {
        Self {
            align: Align::Right,
            ..Self::words(head)
        }
    }
}

/// The width of the terminal, or of what is printed into a file.
pub(super) fn terminal() -> usize {
    match terminal_size::terminal_size_of(std::io::stdout()) {
        Some((terminal_size::Width(width), _)) => width.into(),
        None => WITHOUT_TERMINAL,
    }
}

/// The rows as lines, below their heads. A row that is too short is filled up.
pub(super) fn render(columns: &[Column<'_>], rows: &[Vec<String>], terminal: usize) -> String {
    let heads = columns.iter().map(|column| column.head.to_owned());
    let rows: Vec<Vec<String>> = std::iter::once(heads.collect())
        .chain(rows.iter().map(|row| {
            let cells = row.iter().map(|cell| plain::line(cell).into_owned());
            cells.collect()
        }))
        .collect();
    let widths = fit(columns, &rows, terminal);
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((column, width), cell) in columns.iter().zip(&widths).zip(row) {
            let cell = cut(cell, *width);
            let room = " ".repeat(width.saturating_sub(cell.width()));
            match column.align {
                Align::Left => line.extend([&cell, room.as_str()]),
                Align::Right => line.extend([room.as_str(), &cell]),
            }
            line.push_str(&" ".repeat(GAP));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The widths of the columns: what their widest cells need, or less for those
/// that may be cut, the widest first.
fn fit(columns: &[Column<'_>], rows: &[Vec<String>], terminal: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = (0..columns.len())
        .map(|index| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect();
    let gaps = GAP * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > terminal {
        let cuttable = widths.iter_mut().zip(columns);
        let widest = cuttable
            .filter(|(width, column)| column.width == Width::Cut && **width > LEAST)
            .map(|(width, _)| width)
            .max();
        match widest {
            Some(width) => *width -= 1,
            None => break,
        }
    }
    widths
}

/// The text, or its beginning and an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let needs = c.width().unwrap_or(0);
        let fits = needs <= left;
        left = left.saturating_sub(needs);
        fits
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'static>; 3] = [
        Column::words("TOOL"),
        Column::number("MS"),
        Column::text("TEXT"),
    ];

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        vec![
            row(["read", "1.5", "a short one"]),
            row([
                "delete_all",
                "120.0",
                "one that is longer than\nthere is room",
            ]),
            row(["日本", "3.0", "\u{1b}[31mred"]),
        ]
    }

    #[test]
    fn a_table_fits_the_terminal() {
        insta::assert_snapshot!(render(&COLUMNS, &rows(), 40), @r"
        TOOL           MS  TEXT
        read          1.5  a short one
        delete_all  120.0  one that is longer t…
        日本          3.0  \u{1b}[31mred
        ");
    }

    #[test]
    fn what_is_shown_whole_is_not_cut_on_the_narrowest_terminal() {
        let text = render(&COLUMNS, &rows(), 10);
        assert!(text.contains("delete_all"), "{text}");
        assert!(text.contains("one t…"), "{text}");
    }
}
