//! One line of the exposition format.

use std::collections::BTreeMap;

/// What the series of a name are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// Nothing that is counted: an empty line, a comment, help.
    Nothing,
    /// Of which kind the series of a name are.
    Kind { name: &'a str, kind: Kind },
    /// The value of a series. Its time, which the format allows, is left out.
    Sample { name: &'a str, labels: BTreeMap<String, String>, value: f64 },
}

/// Reads a line.
pub(super) fn read(line: &str) -> Result<Line<'_>, String> {
    let line = line.trim_matches(BLANKS);
    if line.is_empty() {
        return Ok(Line::Nothing);
    }
    if let Some(comment) = line.strip_prefix('#') {
        return read_comment(comment);
    }
    let mut rest = Rest(line);
    let name = rest.name(":").ok_or_else(|| format!("no name of a metric: {}", shown(line)))?;
    let labels = rest.labels()?;
    let mut words = rest.0.split(BLANKS).filter(|word| !word.is_empty());
    let value = words.next().ok_or_else(|| format!("{name} has no value"))?;
    let value = value.parse().map_err(|_| format!("{} is no value of {name}", shown(value)))?;
    if let Some(time) = words.next()
        && time.parse::<i64>().is_err()
    {
        return Err(format!("{} after the value of {name} is no time", shown(time)));
    }
    match words.next() {
        None => Ok(Line::Sample { name, labels, value }),
        Some(more) => Err(format!("{} after the value of {name}", shown(more))),
    }
}

/// What separates the words of a line.
const BLANKS: [char; 2] = [' ', '\t'];

fn read_comment(comment: &str) -> Result<Line<'_>, String> {
    let mut words = comment.split(BLANKS).filter(|word| !word.is_empty());
    if words.next() != Some("TYPE") {
        return Ok(Line::Nothing);
    }
    let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        return Err("a TYPE needs a name and a kind".to_owned());
    };
    if Rest(name).name(":") != Some(name) {
        return Err(format!("no name of a metric: {}", shown(name)));
    }
    let kind = match kind {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "summary" => Kind::Summary,
        "untyped" => Kind::Untyped,
        other => return Err(format!("{} is no kind of metric", shown(other))),
    };
    Ok(Line::Kind { name, kind })
}

/// What is left of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// A name: letters, digits, underscores and what else is allowed, no digit first.
    fn name(&mut self, also: &str) -> Option<&'a str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || also.contains(c);
        let end = self.0.find(|c| !is_part(c)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        let begins_well = name.chars().next().is_some_and(|first| !first.is_ascii_digit());
        self.0 = rest;
        begins_well.then_some(name)
    }

    /// Goes past blanks and then `mark`, if it is there.
    fn eat(&mut self, mark: char) -> bool {
        self.0 = self.0.trim_start_matches(BLANKS);
        match self.0.strip_prefix(mark) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Labels in braces, if there are any.
    fn labels(&mut self) -> Result<BTreeMap<String, String>, String> {
        let mut labels = BTreeMap::new();
        if !self.eat('{') {
            return Ok(labels);
        }
        while !self.eat('}') {
            let name = self.name("").ok_or_else(|| format!("no name of a label: {}", shown(self.0)))?;
            if !self.eat('=') || !self.eat('"') {
                return Err(format!("the label {name} has no value in quotes"));
            }
            let value = self.quoted().ok_or_else(|| format!("the value of the label {name} has no end"))?;
            if labels.insert(name.to_owned(), value).is_some() {
                return Err(format!("a second label {name}"));
            }
            if !self.eat(',') && !self.0.starts_with('}') {
                return Err(format!("no comma and no end after the label {name}"));
            }
        }
        Ok(labels)
    }

    /// A text up to its closing quote; `\\`, `\"` and `\n` stand for what cannot be written.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut chars = self.0.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(value);
                }
                '\\' => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    escaped @ ('\\' | '"') => value.push(escaped),
                    // The format names three escapes; others stand for themselves, as Prometheus takes them.
                    other => value.extend(['\\', other]),
                },
                c => value.push(c),
            }
        }
        None
    }
}

/// The beginning of a text that may be anything, for an error.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut beginning: String = text.chars().take(CHARS_MAX).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    format!("{beginning:?}")
}
