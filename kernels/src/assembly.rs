//! Putting includes in their places.

use std::fmt;

use crate::Included;

/// Folders whose files can be named without them.
const SEARCHED: [&str; 5] = ["curves", "dialect", "fields", "hashes", "proving"];

/// Why a program cannot be put together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AssemblyError {
    /// A directive without a name in quotes.
    Unreadable(String),
    /// No file has this name.
    Missing(String),
    /// More than one file has this name.
    Ambiguous(String),
    /// A file includes itself, by way of others perhaps.
    Circle(String),
}

impl fmt::Display for AssemblyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(line) => write!(f, "an include names its file in double quotes, not so: {line}"),
            Self::Missing(name) => write!(f, "{name} is included but is no file of the kernels"),
            Self::Ambiguous(name) => write!(f, "{name} is included but lies in two folders: write the folder too"),
            Self::Circle(name) => write!(f, "{name} includes itself"),
        }
    }
}

/// The text with includes put in. Headers come as often as they are named: their guards see to the rest.
pub(crate) fn assemble(text: &str, files: &[Included]) -> Result<String, AssemblyError> {
    let mut assembled = String::new();
    append(&mut assembled, text, files, &mut Vec::new())?;
    Ok(assembled)
}

fn append<'a>(
    assembled: &mut String,
    text: &str,
    files: &'a [Included],
    open: &mut Vec<&'a str>,
) -> Result<(), AssemblyError> {
    for line in text.lines() {
        let Some(name) = included_name(line)? else {
            assembled.push_str(line);
            assembled.push('\n');
            continue;
        };
        let file = find(name, files)?;
        if open.contains(&file.name) {
            return Err(AssemblyError::Circle(file.name.to_owned()));
        }
        open.push(file.name);
        append(assembled, file.text, files, open)?;
        open.pop();
    }
    Ok(())
}

/// The name in a line that includes a file.
fn included_name(line: &str) -> Result<Option<&str>, AssemblyError> {
    let directive = line.trim_start().strip_prefix('#').map(str::trim_start);
    let Some(rest) = directive.and_then(|directive| directive.strip_prefix("include")) else { return Ok(None) };
    // The host's own headers stay for its compiler.
    if rest.trim_start().starts_with('<') {
        return Ok(None);
    }
    let quoted = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
    quoted.map(|(name, _)| Some(name)).ok_or_else(|| AssemblyError::Unreadable(line.to_owned()))
}

/// The file of this path, or of this name in one of the folders.
fn find<'a>(name: &str, files: &'a [Included]) -> Result<&'a Included, AssemblyError> {
    if let Some(file) = files.iter().find(|file| file.name == name) {
        return Ok(file);
    }
    let is_searched =
        |file: &&Included| file.name.split_once('/').is_some_and(|(f, n)| SEARCHED.contains(&f) && n == name);
    let mut found = files.iter().filter(is_searched);
    match (found.next(), found.next()) {
        (Some(file), None) => Ok(file),
        (None, _) => Err(AssemblyError::Missing(name.to_owned())),
        (Some(_), Some(_)) => Err(AssemblyError::Ambiguous(name.to_owned())),
    }
}
