use super::*;

fn info() -> DeviceInfo {
    DeviceInfo {
        api: Api::OpenCl,
        ordinal: 3,
        name: "a card".to_owned(),
        platform: "a platform".to_owned(),
        driver: "1.2.3".to_owned(),
        compute_units: 132,
        memory_bytes: 1 << 37,
        group_size_max: 128,
        is_processor: false,
    }
}

fn to_worker() -> Vec<ToWorker> {
    let run = Run {
        id: 1,
        slot: 2,
        operation: 3,
        self_test: false,
        submitted_ns: 4,
        deadline_ns: Some(5),
        input: 6..7,
        output: 8..9,
        header: vec![10, 11],
    };
    let test = Run { self_test: true, deadline_ns: None, header: Vec::new(), ..run.clone() };
    let hello = ToWorker::Hello { version: 1, build: "0.1.0".to_owned(), parent: 2, arena_bytes: 3 };
    vec![hello, ToWorker::Run(run), ToWorker::Run(test)]
}

fn to_parent() -> Vec<ToParent> {
    let introduction = Introduction { info: info(), operations: vec![7, 8, 9] };
    let time = Duration::from_nanos;
    let timing = Timing {
        waited: time(1),
        worked: time(2),
        copy_in: time(3),
        kernels: time(4),
        copy_out: time(5),
        bytes_in: 6,
        bytes_out: 7,
    };
    let text = || "words".to_owned();
    let errors = [
        DeviceError::OutOfMemory { wanted: 1, left: 2 },
        DeviceError::Misuse(text()),
        DeviceError::Build { program: "sha256".to_owned(), log: text() },
        DeviceError::Failed(text()),
        DeviceError::Lost(text()),
        DeviceError::Absent(text()),
        DeviceError::Cancelled,
        DeviceError::Expired,
        DeviceError::Unsupported,
    ];
    let mut all = vec![
        ToParent::Hello { version: 1, build: text(), introduction },
        ToParent::Refused(DeviceError::Absent(text())),
        ToParent::Done { id: 1, result: Ok(timing) },
    ];
    all.extend(errors.map(|error| ToParent::Done { id: 2, result: Err(error) }));
    all
}

#[test]
fn messages_come_through() {
    for message in to_worker() {
        assert_eq!(ToWorker::decode(&message.encode()), Some(message));
    }
    for message in to_parent() {
        assert_eq!(ToParent::decode(&message.encode()), Some(message));
    }
}

/// Cut or with a byte more, no message is read as another.
#[test]
fn damaged_messages_are_none() {
    fn check<T>(packet: &[u8], decode: fn(&[u8]) -> Option<T>) {
        for length in 0..packet.len() {
            assert!(decode(&packet[..length]).is_none(), "cut at {length} of {}", packet.len());
        }
        assert!(decode(&[packet, &[0]].concat()).is_none());
    }
    to_worker().iter().for_each(|message| check(&message.encode(), ToWorker::decode));
    to_parent().iter().for_each(|message| check(&message.encode(), ToParent::decode));
}

/// No length in a packet makes memory be taken that the packet does not hold.
#[test]
fn lengths_that_lie_are_none() {
    let mut hello = to_parent()[0].encode();
    let at = hello.len() - 4 * 4;
    hello[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(ToParent::decode(&hello), None);
}

#[test]
fn the_longest_messages_fit_a_packet() {
    let long = "é".repeat(100_000);
    let error = DeviceError::Build { program: "program".to_owned(), log: long.clone() };
    let mut info = info();
    (info.name, info.platform, info.driver) = (long.clone(), long.clone(), long.clone());
    let introduction = Introduction { info, operations: (0..1000).collect() };
    let packets = [
        ToParent::Done { id: 1, result: Err(error) }.encode(),
        ToParent::Hello { version: 1, build: "0.1.0".to_owned(), introduction }.encode(),
    ];
    for packet in packets {
        assert!(packet.len() <= PACKET_BYTES_MAX && ToParent::decode(&packet).is_some(), "{}", packet.len());
    }
}
