use std::io::Write;

use super::*;

#[test]
fn a_file_is_read_as_it_is() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(b"a proving key").expect("a write");
    let mapping = Mapping::open(file.path()).expect("a mapping");
    mapping.will_need();
    assert_eq!(&*mapping, b"a proving key");
}

#[test]
fn an_empty_file_is_empty() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    assert_eq!(Mapping::open(file.path()).expect("a mapping").len(), 0);
}

#[test]
fn a_directory_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    assert!(Mapping::open(directory.path()).is_err());
}

#[test]
fn a_removed_file_stays_readable() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(b"still here").expect("a write");
    let mapping = Mapping::open(file.path()).expect("a mapping");
    drop(file);
    assert_eq!(&*mapping, b"still here");
}
