use super::*;

fn info() -> DeviceInfo {
    DeviceInfo {
        api: Api::Host,
        ordinal: 0,
        name: String::new(),
        platform: String::new(),
        driver: String::new(),
        compute_units: 1,
        memory_bytes: 0,
        group_size_max: 8,
        is_processor: true,
    }
}

fn kernel() -> Kernel {
    let parameters = vec![Parameter::Input(Word::U32), Parameter::Output(Word::U8), Parameter::Number];
    Kernel { name: "one".to_owned(), cooperative: false, parameters }
}

fn buffer(bytes: usize) -> Buffer {
    Buffer::new(bytes, Box::new(7u8))
}

/// What `check_launch` says of these arguments in one group of one.
fn checked(arguments: &[Argument<'_>]) -> Result<(), DeviceError> {
    check_launch(&info(), &kernel(), 1, 1, arguments)
}

#[test]
fn arguments_that_fit_pass() {
    let (words, bytes) = (buffer(1024), buffer(3));
    assert_eq!(checked(&[(&words).into(), (&bytes).into(), 5.into()]), Ok(()));
    assert_eq!(checked(&[Argument::Buffer(&words, 512), (&bytes).into(), 5.into()]), Ok(()));
    let none = buffer(0);
    assert_eq!(checked(&[(&none).into(), (&bytes).into(), 5.into()]), Ok(()));
}

#[test]
fn arguments_that_do_not_fit_are_misuse() {
    let (words, bytes) = (buffer(1024), buffer(3));
    let wrong: [&[Argument<'_>]; 7] = [
        &[(&words).into(), (&bytes).into()],
        &[(&words).into(), (&bytes).into(), 5.into(), 5.into()],
        &[5.into(), (&bytes).into(), 5.into()],
        &[(&words).into(), (&bytes).into(), (&bytes).into()],
        // Three bytes are no words of four.
        &[(&bytes).into(), (&bytes).into(), 5.into()],
        &[Argument::Buffer(&words, 4), (&bytes).into(), 5.into()],
        &[Argument::Buffer(&words, 1024), (&bytes).into(), 5.into()],
    ];
    for arguments in wrong {
        assert!(matches!(checked(arguments), Err(DeviceError::Misuse(_))), "{arguments:?}");
    }
}

#[test]
fn sizes_of_groups_are_held_to_the_device() {
    let (words, bytes) = (buffer(1024), buffer(3));
    let arguments = [(&words).into(), (&bytes).into(), 5.into()];
    let launch = |groups, group_size| check_launch(&info(), &kernel(), groups, group_size, &arguments);
    assert_eq!(launch(1 << 28, 8), Ok(()));
    for (groups, group_size) in [(0, 8), (1, 0), (1, 9), (1 << 29, 8)] {
        assert!(matches!(launch(groups, group_size), Err(DeviceError::Misuse(_))), "{groups} of {group_size}");
    }
}

#[test]
fn ranges_past_the_end_are_misuse() {
    let three = buffer(3);
    for (offset, length) in [(0, 3), (3, 0), (1, 2)] {
        assert_eq!(check_range(&three, offset, length), Ok(()));
    }
    for (offset, length) in [(0, 4), (4, 0), (usize::MAX, 2)] {
        assert!(check_range(&three, offset, length).is_err(), "{length} at {offset}");
    }
}

#[test]
fn a_buffer_of_another_backend_is_misuse() {
    assert_eq!(buffer(1).memory::<u8>(), Ok(&7));
    assert!(buffer(1).memory::<u16>().is_err());
}

#[test]
fn a_device_is_named_in_a_line_and_told_from_its_twin() {
    let one = DeviceInfo { name: "twin \"Ü\"\n".to_owned(), api: Api::Cuda, memory_bytes: u64::MAX, ..info() };
    let line = one.to_line();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert_eq!(DeviceInfo::from_line(&line), Some(one.clone()));
    assert_eq!(DeviceInfo::from_line("warning: no such file"), None);
    let other = DeviceInfo { ordinal: 1, ..one.clone() };
    assert_ne!(one.label(), other.label());
}
