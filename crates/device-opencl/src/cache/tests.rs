use std::os::unix::fs::PermissionsExt;

use super::*;

fn cache() -> (tempfile::TempDir, Cache) {
    let directory = tempfile::tempdir().expect("a directory");
    let cache = Cache::open(&directory.path().join("programs")).expect("a cache");
    (directory, cache)
}

/// The only file of a cache.
fn entry(cache: &Cache) -> PathBuf {
    let files: Vec<_> = fs::read_dir(&cache.directory).expect("a listing").map(|file| file.expect("a file")).collect();
    assert_eq!(files.len(), 1, "temporary files are gone");
    files[0].path()
}

#[test]
fn what_was_kept_is_found() {
    let (_directory, cache) = cache();
    assert_eq!(cache.find("key"), None);
    cache.keep("key", b"binary");
    assert_eq!(cache.find("key"), Some(b"binary".to_vec()));
    assert_eq!(cache.find("another"), None);
    cache.keep("key", b"");
    assert_eq!(cache.find("key"), Some(Vec::new()), "the last one counts");
}

/// A bit anywhere, a byte too few or too many: none of them may reach the driver.
#[test]
fn a_damaged_entry_is_none() {
    let (_directory, cache) = cache();
    cache.keep("key", b"binary");
    let path = entry(&cache);
    let good = fs::read(&path).expect("the entry");
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(&path, bad).expect("a write");
        assert_eq!(cache.find("key"), None, "byte {place}");
    }
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).expect("a write");
        assert_eq!(cache.find("key"), None, "cut at {length}");
    }
    fs::write(&path, [&good[..], &[0]].concat()).expect("a write");
    assert_eq!(cache.find("key"), None, "a byte more");
    cache.keep("key", b"binary");
    assert_eq!(cache.find("key"), Some(b"binary".to_vec()), "written anew");
}

#[test]
fn an_entry_of_another_key_is_none() {
    let (_directory, cache) = cache();
    cache.keep("key", b"binary");
    fs::rename(entry(&cache), cache.path("other")).expect("a rename");
    assert_eq!(cache.find("other"), None);
}

#[test]
fn a_directory_that_others_write_to_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
    assert_eq!(Cache::open(directory.path()).err().map(|error| error.kind()), Some(io::ErrorKind::PermissionDenied));
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let (directory, cache) = cache();
    fs::remove_dir_all(directory.path()).expect("removed");
    cache.keep("key", b"binary");
    assert_eq!(cache.find("key"), None);
}
