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

#[test]
fn what_was_given_back_is_read_again() {
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&content).expect("a write");
    let mapping = Mapping::open(file.path()).expect("a mapping");
    assert_eq!(&*mapping, &content[..]);
    for range in [0..0, 1..2, 5000..90_001, 0..content.len()] {
        mapping.release(range);
        give_back_freed();
        assert_eq!(&*mapping, &content[..]);
    }
}

#[test]
#[should_panic(expected = "a range within the file")]
fn no_more_is_given_back_than_there_is() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    Mapping::open(file.path()).expect("a mapping").release(0..1);
}
