//! Lists the files of the kernels, so that a new one is embedded without being named anywhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where files that are included lie, beside the programs themselves.
const FOLDERS: [&str; 5] = ["curves", "dialect", "fields", "hashes", "proving"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets the package's folder"));
    let mut list = String::new();
    write_list(&mut list, "Program", "PROGRAMS", &root, &files(&root, "", &["cl"]));
    let included: Vec<String> = FOLDERS.iter().flat_map(|folder| files(&root, folder, &["h", "inc"])).collect();
    write_list(&mut list, "Included", "INCLUDED", &root, &included);
    let place = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets the output folder")).join("files.rs");
    fs::write(place, list).expect("the output folder can be written");
}

/// Names, relative to the root and sorted, of the files in a folder that end in one of these ways. Cargo looks at the
/// folder again where one comes or goes; at a file that is there, because it is embedded.
fn files(root: &Path, folder: &str, endings: &[&str]) -> Vec<String> {
    let path = root.join(folder);
    println!("cargo::rerun-if-changed={}", path.display());
    let Ok(entries) = fs::read_dir(&path) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .map(|entry| PathBuf::from(entry.expect("a folder can be listed").file_name()))
        .filter(|name| name.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)))
        .map(|name| Path::new(folder).join(name).to_str().expect("names of kernels are plain").to_owned())
        .collect();
    names.sort();
    names
}

fn write_list(list: &mut String, item: &str, constant: &str, root: &Path, names: &[String]) {
    writeln!(list, "static {constant}: &[{item}] = &[").expect("strings grow");
    for name in names {
        let (short, path) = (name.trim_end_matches(".cl"), root.join(name));
        writeln!(list, "    {item} {{ name: {short:?}, text: include_str!({path:?}) }},").expect("strings grow");
    }
    writeln!(list, "];").expect("strings grow");
}
