use super::*;

const MAGIC: [u8; 4] = *b"test";

fn file(sections: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_file_header(MAGIC, 1, sections.len() as u32, &mut bytes);
    for (id, content) in sections {
        write_section_header(*id, content.len() as u64, &mut bytes);
        bytes.extend_from_slice(content);
    }
    bytes
}

fn parse(bytes: &[u8]) -> Result<SectionFile<'_>, FormatError> {
    SectionFile::parse(bytes, "test", MAGIC, 2)
}

fn refusal(bytes: &[u8]) -> String {
    parse(bytes).expect_err("a bad file").message
}

#[test]
fn sections_are_found_in_any_order() {
    let bytes = file(&[(7, b"seven"), (1, b""), (300, b"x")]);
    let file = parse(&bytes).expect("a good file");
    assert_eq!(file.ids().collect::<Vec<_>>(), [7, 1, 300]);
    assert_eq!(file.section(7), Ok(b"seven".as_slice()));
    assert_eq!(file.section(1), Ok(b"".as_slice()));
    assert_eq!(file.optional(2), None);
    assert!(file.section(2).is_err());
    for id in [7, 1, 300] {
        let range = file.range(id).expect("a section");
        assert_eq!(&bytes[range], file.section(id).expect("a section"));
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = file(&[(7, b"seven"), (1, b"one")]);
    for end in 0..bytes.len() {
        assert!(parse(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn bytes_behind_the_last_section_are_refused() {
    let mut bytes = file(&[(7, b"seven")]);
    bytes.push(0);
    assert!(refusal(&bytes).contains("1 bytes follow"));
}

#[test]
fn a_section_that_comes_twice_is_refused() {
    assert!(refusal(&file(&[(7, b"seven"), (7, b"again")])).contains("twice"));
}

#[test]
fn a_length_of_2_to_the_64_less_1_is_refused() {
    let mut bytes = file(&[(7, b"seven")]);
    bytes[16..24].fill(0xFF);
    assert!(refusal(&bytes).contains("cut short"));
}

#[test]
fn a_huge_number_of_sections_is_refused_at_once() {
    let mut bytes = file(&[(7, b"seven")]);
    bytes[8..12].fill(0xFF);
    assert!(refusal(&bytes).contains("4294967295 sections"));
}

#[test]
fn another_magic_and_unknown_versions_are_refused() {
    let good = file(&[(7, b"seven")]);
    for (at, value) in [(0, b'T'), (4, 0), (4, 3)] {
        let mut bytes = good.clone();
        bytes[at] = value;
        assert!(parse(&bytes).is_err());
    }
    let mut bytes = good;
    bytes[4] = 2;
    assert_eq!(parse(&bytes).expect("the highest version").version(), 2);
}
