//! What kernels take, read from their declarations.

use std::fmt;

/// A kernel as its declaration says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its name, of which no two programs have the same.
    pub name: String,
    /// Whether its work-items meet at barriers: a group must run as a whole.
    pub cooperative: bool,
    /// Its arguments in order.
    pub parameters: Vec<Parameter>,
}

/// One argument of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A buffer that the kernel reads.
    Input(Word),
    /// A buffer that the kernel writes, and may read.
    Output(Word),
    /// A number of 32 bits.
    Number,
}

/// What a buffer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Bytes.
    U8,
    /// Words of 32 bits.
    U32,
    /// Words of 64 bits.
    U64,
}

/// A declaration that the dialect does not have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DeclarationError {
    /// What was read, from the name of the kernel on.
    declaration: String,
    /// What should be there.
    expected: &'static str,
}

impl fmt::Display for DeclarationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kernel {}: expected {}", self.declaration, self.expected)
    }
}

/// The kernels of an assembled program.
pub(crate) fn read(source: &str) -> Result<Vec<Kernel>, DeclarationError> {
    let code = code(source);
    let mut kernels = Vec::new();
    let mut rest = code.as_str();
    while let Some((at, word)) = next_word(rest) {
        rest = &rest[at + word.len()..];
        if word == "KERNEL" || word == "KERNEL_COOPERATIVE" {
            kernels.push(read_one(rest, word == "KERNEL_COOPERATIVE")?);
        }
    }
    Ok(kernels)
}

/// The text without comments and directives, which is what the kernels' words stand in. (There are no strings.)
pub(crate) fn code(source: &str) -> String {
    let text = without_comments(source);
    let mut code = String::with_capacity(text.len());
    let mut in_directive = false;
    for line in text.lines() {
        let is_directive = in_directive || line.trim_start().starts_with('#');
        in_directive = is_directive && line.trim_end().ends_with('\\');
        if !is_directive {
            code.push_str(line);
        }
        code.push('\n');
    }
    code
}

/// The text with each comment made one space, lines kept.
pub(crate) fn without_comments(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        text.push_str(&rest[..at]);
        let comment = &rest[at..];
        let length = if comment.starts_with("//") {
            comment.find('\n').unwrap_or(comment.len())
        } else {
            comment.find("*/").map_or(comment.len(), |end| end + 2)
        };
        text.push(' ');
        text.extend(comment[..length].chars().filter(|c| *c == '\n'));
        rest = &comment[length..];
    }
    text.push_str(rest);
    text
}

/// The next run of letters, digits and underscores, with its place.
pub(crate) fn next_word(text: &str) -> Option<(usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let at = text.find(is_part)?;
    let word = &text[at..];
    Some((at, &word[..word.find(|c| !is_part(c)).unwrap_or(word.len())]))
}

/// A declaration from behind its `KERNEL` on: ` void name(arguments) {`.
fn read_one(text: &str, cooperative: bool) -> Result<Kernel, DeclarationError> {
    let end = text.find(['{', ';']).unwrap_or(text.len());
    let declaration = text[..end].split_whitespace().collect::<Vec<_>>().join(" ");
    let error = |expected| DeclarationError { declaration: declaration.clone(), expected };
    if !text[end..].starts_with('{') {
        return Err(error("a body after the arguments"));
    }
    let (name, arguments) = declaration
        .strip_prefix("void ")
        .and_then(|rest| rest.trim_end().strip_suffix(')'))
        .and_then(|rest| rest.split_once('('))
        .ok_or_else(|| error("`void name(arguments)`"))?;
    if next_word(name) != Some((0, name)) {
        return Err(error("a plain name"));
    }
    let parameters = arguments
        .split(',')
        .map(|argument| {
            parameter(argument).ok_or_else(|| error("arguments `[const] GLOBAL u8|u32|u64 *name` or `u32 name`"))
        })
        .collect::<Result<_, _>>()?;
    Ok(Kernel { name: name.to_owned(), cooperative, parameters })
}

fn parameter(argument: &str) -> Option<Parameter> {
    let spaced = argument.replace('*', " * ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    match words[..] {
        ["const", "GLOBAL", word, "*", _] | ["GLOBAL", "const", word, "*", _] => Some(Parameter::Input(buffer(word)?)),
        ["GLOBAL", word, "*", _] => Some(Parameter::Output(buffer(word)?)),
        ["u32", _] => Some(Parameter::Number),
        _ => None,
    }
}

fn buffer(word: &str) -> Option<Word> {
    match word {
        "u8" => Some(Word::U8),
        "u32" => Some(Word::U32),
        "u64" => Some(Word::U64),
        _ => None,
    }
}
