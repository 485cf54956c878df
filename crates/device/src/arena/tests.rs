use super::*;

#[test]
fn regions_are_apart_and_come_back() {
    let arena = Arena::new(4 * ALIGNMENT).expect("an arena");
    let first = arena.region(1, 1).expect("two pages");
    let second = arena.region(ALIGNMENT, ALIGNMENT).expect("two more");
    assert!(arena.region(0, 0).is_none(), "full");
    assert!(first.output.end <= second.input.start || second.output.end <= first.input.start);
    drop(first);
    assert!(arena.region(ALIGNMENT + 1, 1).is_none(), "three pages do not fit two");
    drop(second);
    assert!(arena.region(4 * ALIGNMENT, 0).is_some(), "free ranges join");
}

#[test]
fn a_region_larger_than_all_memory_is_none() {
    let arena = Arena::new(ALIGNMENT).expect("an arena");
    for (input, output) in [(usize::MAX, 0), (0, usize::MAX), (usize::MAX / 2, usize::MAX / 2 + 2)] {
        assert!(arena.region(input, output).is_none());
    }
}

#[test]
fn an_arena_larger_than_all_memory_is_an_error() {
    for bytes in [usize::MAX, isize::MAX as usize, 1 << 60, BYTES_MAX + 1] {
        assert!(Arena::new(bytes).is_err(), "{bytes}");
    }
}

#[test]
fn both_sides_see_the_same_bytes() {
    let arena = Arena::new(2 * ALIGNMENT).expect("an arena");
    let mut region = arena.region(3, 2).expect("a region");
    region.input_mut().copy_from_slice(&[1, 2, 3]);
    region.clear_output();
    let descriptor = arena.descriptor().try_clone_to_owned().expect("a descriptor");
    let mapped = Mapped::new(descriptor, arena.bytes()).expect("a mapping");
    {
        let (input, output) = mapped.batch(region.input_range(), region.output_range()).expect("it lies in the arena");
        assert_eq!((input, &*output), (&[1, 2, 3][..], &[0, 0][..]));
        output.copy_from_slice(&[4, 5]);
    }
    assert_eq!(region.output(), [4, 5]);
    region.mark_secret();
    drop(region);
    let mut next = arena.region(3, 2).expect("the same region");
    assert_eq!((next.output(), &*next.input_mut()), (vec![0, 0], &[0, 0, 0][..]), "wiped");
}

/// A word of the parent that is damaged must not send the worker anywhere.
#[test]
fn ranges_outside_are_refused() {
    let arena = Arena::new(ALIGNMENT).expect("an arena");
    let end = arena.bytes();
    let descriptor = arena.descriptor().try_clone_to_owned().expect("a descriptor");
    let mapped = Mapped::new(descriptor, end).expect("a mapping");
    let good = CONTROL_BYTES..CONTROL_BYTES + 1;
    assert!(mapped.batch(good.clone(), end..end).is_some());
    let reversed = Range { start: end, end: CONTROL_BYTES };
    for bad in [0..1, CONTROL_BYTES - 1..end, CONTROL_BYTES..end + 1, end + 1..end + 2, reversed, good.clone()] {
        assert!(mapped.batch(good.clone(), bad.clone()).is_none(), "{bad:?}");
        assert!(mapped.batch(bad.clone(), good.clone()).is_none(), "{bad:?}");
    }
}

#[test]
fn only_a_sealed_file_of_that_length_is_mapped() {
    let open = rustix::fs::memfd_create("unsealed", MemfdFlags::ALLOW_SEALING).expect("a file");
    rustix::fs::ftruncate(&open, 8192).expect("a length");
    assert!(Mapped::new(open, 8192).is_err());
    let arena = Arena::new(ALIGNMENT).expect("an arena");
    assert!(rustix::fs::ftruncate(arena.descriptor(), 0).is_err(), "sealed");
    let descriptor = arena.descriptor().try_clone_to_owned().expect("a descriptor");
    assert!(Mapped::new(descriptor, arena.bytes() + 1).is_err());
}

#[test]
fn control_words_are_apart() {
    let arena = Arena::new(ALIGNMENT).expect("an arena");
    arena.set_batch(0, 7);
    arena.set_batch(1, 8);
    arena.step(1);
    arena.cancel(0, 9);
    arena.cancel(SLOTS - 1, 10);
    assert_eq!(arena.progress(0), Progress { batch: 7, steps: 1 });
    assert_eq!(arena.progress(1), Progress { batch: 8, steps: 2 });
    assert!(arena.is_cancelled(0, 9) && arena.is_cancelled(SLOTS - 1, 10) && !arena.is_cancelled(1, 9));
}
