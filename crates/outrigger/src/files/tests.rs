use super::*;

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proof.json");
    write(&path, b"one, and long").expect("written");
    write(&path, b"two").expect("written again");
    assert_eq!(std::fs::read(&path).expect("the file"), b"two");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "no temporary file stays");
}

#[test]
fn a_secret_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("w.wtns");
    write_secret(&path, b"secret").expect("written");
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    write(&path, b"public").expect("written");
    let mode = |path: &Path| std::fs::metadata(path).expect("the file").permissions().mode() & 0o777;
    let touched = folder.path().join("touched");
    File::create(&touched).expect("a file");
    assert_eq!(mode(&path), mode(&touched), "as public as any file");
}

#[test]
fn what_fails_on_the_way_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key.zkey");
    write(&path, b"old").expect("written");
    let error = write_with(&path, |file| {
        file.write_all(b"half")?;
        Err(std::io::Error::other("the disk is full"))
    });
    assert!(error.expect_err("it fails").to_string().contains("the disk is full"));
    assert_eq!(std::fs::read(&path).expect("the file"), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = write(Path::new("/nowhere/proof.json"), b"").expect_err("no such folder");
    assert!(error.to_string().contains("/nowhere/proof.json"), "{error}");
}

#[test]
fn a_secret_is_read_whole_whatever_the_buffer() {
    let text: Vec<u8> = (0..1000_u32).map(|i| i as u8).collect();
    for first in [0, 1, 7, 999, 1000, 1001, 4096] {
        assert_eq!(*read_wiping(&mut text.as_slice(), first).expect("read"), text, "first buffer of {first}");
    }
    assert!(read_wiping(&mut std::io::empty(), 0).expect("read").is_empty());
}

#[test]
fn a_circuit_is_named_by_the_sha256_of_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key.zkey");
    std::fs::write(&path, b"abc").expect("written");
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(circuit_id(&path).expect("a hash").to_string(), abc);
}
