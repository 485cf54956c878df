use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_types::Curve;
use tempfile::TempDir;

use super::*;
use crate::setup::insecure_setup;

/// The files of a circuit.
struct Files {
    zkey: Vec<u8>,
    r1cs: Vec<u8>,
}

/// A circuit of `factors` multiplications in a row, its product public.
fn files(factors: u32) -> Files {
    let wires = 2 * factors as usize + 2;
    let mut r1cs = R1cs::new(Curve::Bn254, wires, 1, 0, 0).expect("the wires go round");
    let one = [1, 0, 0, 0];
    for i in 0..factors {
        let out = if i + 1 == factors { 1 } else { 2 * i + 4 };
        r1cs.push(&[(2 * i + 2, one)], &[(2 * i + 3, one)], &[(out, one)]).expect("a constraint");
    }
    let mut zkey = Vec::new();
    insecure_setup(&r1cs, &mut zkey, &Control::default()).expect("a key");
    let mut written = Vec::new();
    r1cs.write(&mut written).expect("memory takes it");
    Files { zkey, r1cs: written }
}

const WASM: &[u8] = b"good program";

fn check_wasm(wasm: &[u8]) -> Result<(), String> {
    if wasm.starts_with(b"good") { Ok(()) } else { Err("it is no program".to_owned()) }
}

fn options() -> StoreOptions {
    StoreOptions::new(check_wasm)
}

fn open(directory: &TempDir) -> CircuitStore {
    CircuitStore::open(directory.path(), options()).expect("the store opens")
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn add(store: &CircuitStore, name: &str, parts: &[(Part, &[u8])]) -> Result<CircuitInfo, StoreError> {
    let mut upload = store.upload()?;
    for (part, bytes) in parts {
        // In pieces, as they come over a network.
        for piece in bytes.chunks(1000) {
            upload.write(*part, piece)?;
        }
    }
    upload.finish(name, None, &Control::default())
}

fn id_of(files: &Files) -> CircuitId {
    use sha2::Digest;
    CircuitId(sha2::Sha256::digest(&files.zkey).into())
}

/// What lies under `incoming/`.
fn incoming(directory: &TempDir) -> usize {
    fs::read_dir(directory.path().join("incoming")).expect("a directory").count()
}

/// Puts a file in the place of another, as a copy or a restored backup does: with the same bytes, if asked for them.
fn replace(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("it is there");
    change(&mut bytes);
    let copy = path.with_extension("copy");
    fs::write(&copy, bytes).expect("it is written");
    fs::rename(copy, path).expect("it is put in place");
}

#[test]
fn a_circuit_is_added_found_again_and_removed() {
    let (directory, files) = (directory(), files(3));
    let store = open(&directory);
    assert_eq!(store.list(), []);
    let parts = [(Part::Zkey, &files.zkey[..]), (Part::R1cs, &files.r1cs), (Part::Wasm, WASM)];
    let info = add(&store, "multiplier", &parts).expect("it is good");
    assert_eq!(info.id, id_of(&files));
    assert_eq!((info.name.as_str(), info.has_r1cs, info.has_wasm, info.is_ready), ("multiplier", true, true, true));
    assert_eq!((info.summary.wires, info.summary.public_signals, info.summary.bytes), (8, 1, files.zkey.len()));
    assert_eq!(incoming(&directory), 0);
    assert_eq!(store.list(), std::slice::from_ref(&info));
    assert_eq!(fs::read(store.path(info.id, Part::Wasm)).expect("it is there"), WASM);

    let again = open(&directory);
    let cold = CircuitInfo { is_ready: false, ..info.clone() };
    assert_eq!(again.info(info.id), Ok(cold));
    let circuit = again.ready(info.id).expect("it is there");
    assert_eq!(circuit.key.summary(), info.summary);
    assert_eq!(circuit.r1cs().expect("it reads").expect("it is there").constraints(), 3);
    assert_eq!(again.info(info.id), Ok(info.clone()));

    // The other store has it ready, and does not use it on.
    store.remove(info.id).expect("it is there");
    assert_eq!(again.ready(info.id).err(), Some(StoreError::Unknown(info.id)));
    assert_eq!(again.info(info.id), Err(StoreError::Unknown(info.id)));
    assert_eq!(store.remove(info.id), Err(StoreError::Unknown(info.id)));
    assert_eq!((again.list(), incoming(&directory)), (Vec::new(), 0));
    circuit.key.check(&Control::default()).expect("who holds it may use it to the end");
}

#[test]
fn files_are_private() {
    let directory = directory();
    let store = CircuitStore::open(&directory.path().join("a/b"), options()).expect("it is made");
    let files = files(1);
    let id = add(&store, "x", &[(Part::Zkey, &files.zkey)]).expect("it is good").id;
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(store.directory()), 0o700);
    assert_eq!(mode(&store.directory().join(id.to_string())), 0o700);
    assert_eq!(mode(&store.path(id, Part::Zkey)), 0o600);

    fs::set_permissions(store.directory(), fs::Permissions::from_mode(0o770)).expect("it is ours");
    let refused = CircuitStore::open(store.directory(), options()).err().expect("others may write to it");
    assert!(refused.to_string().contains("chmod go-w"), "{refused}");
}

#[test]
fn bad_uploads_are_refused_and_leave_nothing() {
    let (directory, files, other) = (directory(), files(2), files(3));
    let small = StoreOptions { key_bytes_max: 1 << 20, r1cs_bytes_max: 4000, wasm_bytes_max: 100, ..options() };
    let store = CircuitStore::open(directory.path(), small).expect("the store opens");
    let zkey = (Part::Zkey, &files.zkey[..]);
    let refusal = |name: &str, parts: &[(Part, &[u8])]| add(&store, name, parts).expect_err("it is refused");

    let mut off_curve = files.zkey.clone();
    let middle = off_curve.len() - 100;
    off_curve[middle] ^= 1;
    assert!(matches!(refusal("x", &[(Part::Zkey, &off_curve)]), StoreError::Key(_)));
    assert!(matches!(refusal("x", &[(Part::Zkey, b"zkey")]), StoreError::Key(KeyError::Format(_))));
    assert!(matches!(refusal("x", &[]), StoreError::Part(what) if what.contains("no proving key")));
    assert!(matches!(refusal("x", &[zkey, (Part::R1cs, b"r1cs")]), StoreError::Part(_)));
    assert!(matches!(refusal("x", &[zkey, (Part::R1cs, &other.r1cs)]), StoreError::Part(_)));
    assert!(
        matches!(refusal("x", &[zkey, (Part::Wasm, b"bad")]), StoreError::Part(what) if what == "it is no program")
    );
    assert!(
        matches!(refusal("x", &[zkey, (Part::Wasm, &[0; 101])]), StoreError::TooLarge(what) if what.contains("100 bytes"))
    );
    assert!(matches!(refusal("x", &[zkey, (Part::R1cs, &[0; 4001])]), StoreError::TooLarge(_)));
    for name in ["", " x", "x ", "a\nb", "a\u{202e}b", &"x".repeat(65)] {
        assert!(matches!(refusal(name, &[zkey]), StoreError::Part(_)), "{name:?}");
    }

    let mut upload = store.upload().expect("it begins");
    upload.write(Part::Zkey, &files.zkey).expect("it is written");
    let announced = CircuitId([0; 32]);
    let refused = upload.finish("x", Some(announced), &Control::default());
    assert_eq!(refused, Err(StoreError::Hash { announced, found: id_of(&files) }));

    let mut upload = store.upload().expect("it begins");
    upload.write(Part::Zkey, &files.zkey).expect("it is written");
    let control = Control::default();
    control.cancel();
    assert_eq!(upload.finish("x", None, &control), Err(StoreError::Stopped(Stop::Cancelled)));

    assert_eq!((store.list(), incoming(&directory)), (Vec::new(), 0));
    add(&store, &"ü".repeat(64), &[zkey]).expect("64 characters are well, however many bytes");
}

#[test]
fn a_circuit_that_is_there_keeps_its_files_and_gains_those_it_lacked() {
    let (directory, files) = (directory(), files(2));
    let store = open(&directory);
    let zkey = (Part::Zkey, &files.zkey[..]);
    let first = add(&store, "first", &[zkey, (Part::Wasm, b"good first")]).expect("it is good");
    let inode = |path: PathBuf| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).expect("it is there"));
    let key_before = inode(store.path(first.id, Part::Zkey));
    let second = add(&store, "second", &[zkey, (Part::R1cs, &files.r1cs), (Part::Wasm, b"good second")]);
    let second = second.expect("it is good");
    assert_eq!((second.name.as_str(), second.has_r1cs, second.added), ("first", true, first.added));
    assert_eq!(inode(store.path(first.id, Part::Zkey)), key_before);
    assert_eq!(fs::read(store.path(first.id, Part::Wasm)).expect("it is there"), b"good first");
    assert_eq!(incoming(&directory), 0);
    let circuit = store.ready(first.id).expect("it is there");
    assert!(circuit.r1cs().expect("it reads").is_some(), "though it was ready before the constraints came");
}

#[test]
fn parts_can_be_added_without_sending_the_key_again() {
    let (directory, files, other) = (directory(), files(2), files(3));
    let store = open(&directory);
    let id = add(&store, "x", &[(Part::Zkey, &files.zkey)]).expect("it is good").id;
    let add_r1cs = |announced, bytes: &[u8]| {
        let mut upload = store.upload()?;
        upload.write(Part::R1cs, bytes)?;
        upload.finish("", announced, &Control::default())
    };
    assert!(matches!(add_r1cs(Some(id), &other.r1cs), Err(StoreError::Part(_))));
    let unknown = CircuitId([9; 32]);
    assert_eq!(add_r1cs(Some(unknown), &files.r1cs), Err(StoreError::Unknown(unknown)));
    let info = add_r1cs(Some(id), &files.r1cs).expect("it belongs to the key");
    assert_eq!((info.has_r1cs, info.name.as_str()), (true, "x"));
    assert_eq!(incoming(&directory), 0);
}

#[test]
fn circuits_are_added_from_files() {
    let (directory, from, files) = (directory(), directory(), files(2));
    let store = open(&directory);
    let [zkey, r1cs, wasm] = ["k.zkey", "c.r1cs", "c.wasm"].map(|name| from.path().join(name));
    fs::write(&zkey, &files.zkey).expect("it is written");
    fs::write(&r1cs, &files.r1cs).expect("it is written");
    fs::write(&wasm, WASM).expect("it is written");
    let control = Control::default();
    let info = store.add_files("x", &zkey, Some(&r1cs), Some(&wasm), &control).expect("they are good");
    assert_eq!((info.id, info.has_r1cs, info.has_wasm), (id_of(&files), true, true));
    let missing = store.add_files("x", &from.path().join("none"), None, None, &control).expect_err("no such file");
    assert!(matches!(&missing, StoreError::Io(what) if what.contains("none")), "{missing}");
    control.cancel();
    let stopped = store.add_files("x", &zkey, None, None, &control);
    assert_eq!(stopped, Err(StoreError::Stopped(Stop::Cancelled)));
    assert_eq!(incoming(&directory), 0);
}

#[test]
fn a_key_that_was_copied_is_checked_again_and_one_that_was_changed_is_refused() {
    let (directory, files) = (directory(), files(2));
    let store = open(&directory);
    let id = add(&store, "x", &[(Part::Zkey, &files.zkey)]).expect("it is good").id;
    let key = store.path(id, Part::Zkey);
    let record = store.directory().join(id.to_string()).join("circuit.json");
    let recorded = fs::read(&record).expect("it is there");
    replace(&key, |_| ());
    store.ready(id).expect("its bytes are the same");
    assert_ne!(fs::read(&record).expect("it is there"), recorded, "the check is on record");
    let recorded = fs::read(&record).expect("it is there");
    open(&directory).ready(id).expect("it is there");
    assert_eq!(fs::read(&record).expect("it is there"), recorded, "and is not made a third time");

    let last = files.zkey.len() - 1;
    replace(&key, |bytes| bytes[last] ^= 1);
    for store in [&store, &open(&directory)] {
        let refused = store.ready(id).err().expect("it was changed");
        assert!(matches!(&refused, StoreError::Damaged(_)), "{refused}");
    }
    let healed = add(&store, "y", &[(Part::Zkey, &files.zkey)]).expect("it is good");
    assert_eq!(healed.name, "x", "it is the same circuit");
    store.ready(id).expect("it is whole again");
    replace(&key, |bytes| bytes.truncate(50));
    assert!(matches!(store.ready(id).err(), Some(StoreError::Damaged(_))));
}

#[test]
fn a_damaged_circuit_does_not_hide_the_others() {
    let directory = directory();
    let store = open(&directory);
    let circuits = [files(1), files(2), files(3), files(4)];
    let ids = [0, 1, 2, 3].map(|i| add(&store, "x", &[(Part::Zkey, &circuits[i].zkey)]).expect("it is good").id);
    let place = |i: usize, name: &str| store.directory().join(ids[i].to_string()).join(name);
    fs::write(place(0, "circuit.json"), b"{\"version\": 1, \"na").expect("it is written");
    fs::remove_file(place(1, "circuit.json")).expect("it is removed");
    fs::remove_file(place(2, "circuit.zkey")).expect("it is removed");
    fs::create_dir(store.directory().join("something else")).expect("a directory");
    let listed: Vec<_> = store.list().into_iter().map(|info| info.id).collect();
    assert!(listed.contains(&ids[3]) && !listed.contains(&ids[0]) && !listed.contains(&ids[1]));
    for id in &ids[..3] {
        let refused = open(&directory).ready(*id).err().expect("it is damaged");
        assert!(matches!(&refused, StoreError::Damaged(what) if what.contains("again")), "{refused}");
    }
    for (i, circuit) in circuits.iter().enumerate() {
        let again = add(&store, "y", &[(Part::Zkey, &circuit.zkey)]).expect("adding it again mends it");
        assert_eq!(again.id, ids[i]);
        store.ready(ids[i]).expect("it is whole");
    }
    store.remove(ids[0]).expect("it is there");
}

#[test]
fn a_damaged_circuit_can_be_removed() {
    let (directory, files) = (directory(), files(1));
    let store = open(&directory);
    let id = add(&store, "x", &[(Part::Zkey, &files.zkey)]).expect("it is good").id;
    fs::write(store.directory().join(id.to_string()).join("circuit.json"), b"").expect("it is written");
    store.remove(id).expect("it can be");
    assert_eq!(store.ready(id).err(), Some(StoreError::Unknown(id)));
}

#[test]
fn constraints_that_were_changed_on_disk_are_noticed() {
    let (directory, files) = (directory(), files(2));
    let store = open(&directory);
    let parts = [(Part::Zkey, &files.zkey[..]), (Part::R1cs, &files.r1cs)];
    let id = add(&store, "x", &parts).expect("it is good").id;
    replace(&store.path(id, Part::R1cs), |bytes| bytes.truncate(bytes.len() / 2));
    let circuit = open(&directory).ready(id).expect("the key is whole");
    assert!(matches!(circuit.r1cs(), Err(StoreError::Damaged(_))));
}

#[test]
fn what_a_crash_left_goes_and_what_lives_stays() {
    let (directory, files) = (directory(), files(2));
    let store = open(&directory);
    let mut upload = store.upload().expect("it begins");
    upload.write(Part::Zkey, &files.zkey).expect("it is written");
    let place = directory.path().join("incoming");
    // Left by a process that is gone: its lock is free. By one that removed a circuit: there is no lock.
    fs::create_dir(place.join("gone")).expect("a directory");
    fs::write(place.join("gone/circuit.zkey"), b"half").expect("it is written");
    fs::write(place.join("gone.lock"), b"").expect("it is written");
    fs::create_dir(place.join("removed")).expect("a directory");
    let _other = open(&directory);
    assert_eq!(incoming(&directory), 2, "the upload and its lock");
    let info = upload.finish("x", None, &Control::default()).expect("it was left alone");
    assert_eq!(store.list(), [info]);
    assert_eq!(incoming(&directory), 0);
}

#[test]
fn what_another_store_adds_is_seen() {
    let (directory, files) = (directory(), files(2));
    let [one, other] = [open(&directory), open(&directory)];
    let id = add(&one, "x", &[(Part::Zkey, &files.zkey)]).expect("it is good").id;
    assert_eq!(other.list().len(), 1);
    other.ready(id).expect("it is there");
}

#[test]
fn circuits_are_listed_by_name_then_id() {
    let directory = directory();
    let store = open(&directory);
    for (name, factors) in [("b", 1), ("a", 2), ("b", 3)] {
        add(&store, name, &[(Part::Zkey, &files(factors).zkey)]).expect("it is good");
    }
    let list = store.list();
    assert_eq!(list.iter().map(|info| info.name.as_str()).collect::<Vec<_>>(), ["a", "b", "b"]);
    assert!(list[1].id < list[2].id);
}

#[test]
fn the_least_recently_used_gives_way_but_none_in_use() {
    let directory = directory();
    let circuits = [files(1), files(2), files(3)];
    let ids = {
        let store = open(&directory);
        [0, 1, 2].map(|i| add(&store, "x", &[(Part::Zkey, &circuits[i].zkey)]).expect("it is good").id)
    };
    let held = |store: &CircuitStore| ids.map(|id| store.info(id).expect("it is there").is_ready);
    let tight = CircuitStore::open(directory.path(), StoreOptions { ready_bytes_max: 0, ..options() });
    let tight = tight.expect("the store opens");
    let first = tight.ready(ids[0]).expect("it is there");
    let second = tight.ready(ids[1]).expect("it is there");
    assert_eq!(held(&tight), [true, true, false], "both are in use, whatever the budget");
    drop(first);
    let third = tight.ready(ids[2]).expect("it is there");
    assert_eq!(held(&tight), [false, true, true]);
    drop((second, third));

    let bytes = |id| tight.ready(id).expect("it is there").memory_bytes();
    let two = bytes(ids[0]).max(bytes(ids[1])) + bytes(ids[2]).max(bytes(ids[1]));
    let room = CircuitStore::open(directory.path(), StoreOptions { ready_bytes_max: two, ..options() });
    let room = room.expect("the store opens");
    for i in [0, 1, 0, 2] {
        room.ready(ids[i]).expect("it is there");
    }
    assert_eq!(held(&room), [true, false, true], "the second was used least recently");
}

#[test]
fn a_circuit_is_loaded_once_by_many_threads() {
    let memory = Memory::new(usize::MAX);
    let (directory, files) = (directory(), files(1));
    let store = open(&directory);
    let id = add(&store, "x", &[(Part::Zkey, &files.zkey)]).expect("it is good").id;
    let state = store.shared.directory.key_state(id).expect("it is there");
    let loads = AtomicUsize::new(0);
    let load = || {
        loads.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(20));
        store.shared.load(id, state)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| memory.get_or_load(id, state, load).map(drop))).collect();
        for thread in threads {
            thread.join().expect("no panic").expect("it loads");
        }
    });
    assert_eq!(loads.load(Ordering::Relaxed), 1);
}

#[test]
fn threads_that_add_the_same_circuit_agree() {
    let (directory, files) = (directory(), files(2));
    let store = open(&directory);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let parts = [(Part::Zkey, &files.zkey[..]), (Part::R1cs, &files.r1cs)];
                add(&store, "x", &parts).expect("it is good");
            });
        }
    });
    assert_eq!((store.list().len(), incoming(&directory)), (1, 0));
    store.ready(id_of(&files)).expect("it is there");
}

#[test]
fn records_come_back_as_they_were_written_and_others_are_refused() {
    let (directory, files) = (directory(), files(1));
    let store = open(&directory);
    let id = add(&store, "\"quoted\" \\ ü", &[(Part::Zkey, &files.zkey)]).expect("it is good").id;
    let record = store.shared.directory.record(id).expect("it reads");
    assert_eq!(Record::read(&record.write()), Ok(record.clone()));
    let json = String::from_utf8(record.write()).expect("JSON is text");
    assert!(Record::read(json.replace("\"version\": 1", "\"version\": 2").as_bytes()).is_err());
    assert!(Record::read(json.replace("bn254", "p256").as_bytes()).is_err());
    let stale = Record::read(json.replace("\"checks\": 1", "\"checks\": 0").as_bytes()).expect("it reads");
    let state = store.shared.directory.key_state(id).expect("it is there");
    assert!(record.is_checked(&state) && !stale.is_checked(&state), "older checks do not count");
}

#[test]
fn directories_that_cannot_be_used_are_named() {
    let directory = directory();
    let file = directory.path().join("file");
    fs::write(&file, b"").expect("it is written");
    let refused = CircuitStore::open(&file, options()).err().expect("it is a file");
    assert!(matches!(&refused, StoreError::Io(what) if what.contains("file")), "{refused}");
}
