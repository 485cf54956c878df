use super::*;

#[test]
fn parts_are_read_and_cover_everything_once() {
    assert_eq!("2/3".parse(), Ok(Part { number: 2, of: 3 }));
    for bad in ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2"] {
        assert!(bad.parse::<Part>().is_err(), "{bad}");
    }
}

#[test]
fn operations_and_devices_have_names_for_files_and_people() {
    let names: std::collections::BTreeSet<_> = gpu::operations().map(name).collect();
    assert_eq!(names.len(), gpu::operations().count(), "no two operations have one name");
    let info = DeviceInfo {
        api: outrigger_device::Api::Cuda,
        ordinal: 0,
        name: "NVIDIA  H200 (x)".to_owned(),
        platform: String::new(),
        driver: String::new(),
        compute_units: 1,
        memory_bytes: 1,
        group_size_max: 1,
        is_processor: false,
    };
    assert_eq!(slug(&info), "nvidia-h200-x-cuda");
}
