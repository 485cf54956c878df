//! The document.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart::Drawing;
use crate::figure::{Cell, Figure, Table};
use crate::input::{Input, NotDrawn};
use crate::numbers::people;
use crate::palette;
use crate::results::Results;
use crate::sections::{Section, sections};

/// Nothing may be loaded, not even by mistake.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
const STYLE: &str = include_str!("page/style.css");

/// The whole page.
pub(crate) fn page(results: &[Results]) -> String {
    let input = Input::of(results);
    let sections = sections(&input);
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Outrigger: benchmark results" }
                style { (PreEscaped(STYLE)) (PreEscaped(palette::theme())) }
            }
            body {
                header {
                    h1 { "Outrigger: benchmark results" }
                    (theme_choice())
                }
                main {
                    (origin(results))
                    (not_drawn(&input.not_drawn, results))
                    nav aria-label="Sections" {
                        @for one in sections.iter().filter(|one| !one.figures.is_empty()) {
                            a href={ "#" (one.id) } { (one.title) }
                        }
                    }
                    @for one in &sections { (section(one)) }
                }
            }
        }
    };
    document.into_string()
}

/// Three radio buttons that the style sheet looks at: no script.
fn theme_choice() -> Markup {
    html! {
        fieldset.theme {
            legend { "Theme" }
            @for (id, name, checked) in [("system", "system", true), ("light", "light", false), ("dark", "dark", false)] {
                label { input type="radio" name="theme" id={ "theme-" (id) } checked[checked]; (name) }
            }
        }
    }
}

/// Which files there are, and where and how each was measured.
fn origin(results: &[Results]) -> Markup {
    let records: usize = results.iter().map(Results::len).sum();
    html! {
        section #origin {
            h2 { "What was read" }
            @if records == 0 {
                p.notice { "No records: there is nothing to draw. Measure with " code { "outrigger bench SUITE --json > FILE" } "." }
            }
            div.scroll {
                table {
                    thead { tr { th { "file" } th { "date" } th { "machine" } th { "records" } } }
                    tbody {
                        @for one in results {
                            tr { td { (one.file) } td { (one.machine.date) } td { (one.machine.device) } td.number { (one.len()) } }
                        }
                    }
                }
            }
            @for one in results.iter().filter(|one| !one.environment.is_empty()) {
                h3 { "Environment of " (one.file) }
                div.scroll {
                    table.environment {
                        tbody { @for (key, value) in &one.environment { tr { th scope="row" { (key) } td { (value) } } } }
                    }
                }
            }
        }
    }
}

/// Records that are in no plot or not in all, in sight.
fn not_drawn(records: &[NotDrawn], results: &[Results]) -> Markup {
    let failures: Vec<(&str, &String)> =
        results.iter().flat_map(|one| one.failures.iter().map(|failure| (one.file.as_str(), failure))).collect();
    html! {
        @if !records.is_empty() || !failures.is_empty() {
            section #not-drawn.notice {
                h2 { "Not drawn" }
                ul {
                    @for one in records {
                        li { (one.file) ", record " (one.place) ", " @if one.what.is_empty() { "of nothing that it names" } @else { (one.what) } ": " (one.why) }
                    }
                    @for (file, failure) in failures { li { (file) ": not measured: " (failure) } }
                }
            }
        }
    }
}

fn section(section: &Section) -> Markup {
    html! {
        section id=(section.id) {
            h2 { (section.title) }
            @if section.figures.is_empty() {
                p.nothing { (section.otherwise) }
            } @else {
                p { (section.text) }
                div.figures {
                    @for (number, one) in section.figures.iter().enumerate() {
                        (figure(one, &format!("{}-{}", section.id, number + 1)))
                    }
                }
            }
        }
    }
}

fn figure(figure: &Figure, id: &str) -> Markup {
    html! {
        figure id=(id) data-kind=(figure.kind) aria-labelledby={ (id) "-title" } {
            h3 id={ (id) "-title" } { (figure.title) }
            @if !figure.caption.is_empty() { p.caption { (figure.caption) } }
            @if !figure.legend.is_empty() {
                ul.legend {
                    @for (look, name) in &figure.legend { li { (picture(look, None)) (name) } }
                }
            }
            @if let Some(drawing) = &figure.drawing {
                (picture(drawing, Some((id, &figure.title))))
                details { summary { "Numbers" } (table(&figure.table)) }
            } @else if !figure.table.rows.is_empty() {
                (table(&figure.table))
            }
        }
    }
}

/// An SVG; without a title it is an ornament for those who see it.
fn picture(drawing: &Drawing, title: Option<(&str, &str)>) -> Markup {
    let view = format!("0 0 {} {}", drawing.width, drawing.height);
    html! {
        @match title {
            Some((id, title)) => svg.plot viewBox=(view) role="img" aria-labelledby={ (id) "-svg" } {
                title id={ (id) "-svg" } { (title) "; its numbers are in the table below it" }
                (PreEscaped(&drawing.inner))
            },
            None => svg.look viewBox=(view) aria-hidden="true" { (PreEscaped(&drawing.inner)) },
        }
    }
}

fn table(table: &Table) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for name in &table.head { th { (name) } } } }
                tbody { @for row in &table.rows { tr { @for one in row { (cell(one)) } } } }
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    html! {
        @match cell {
            Cell::Text(text) => td { (text) },
            Cell::Number(value) => td { data value=(value) { (people(*value)) } },
            Cell::Nothing => td {},
        }
    }
}
