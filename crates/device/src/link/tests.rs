use super::*;

fn pair() -> (Link, Link) {
    let (one, other) = Link::pair().expect("a pair");
    (one, Link::of(other))
}

#[test]
fn packets_keep_their_ends() {
    let (one, other) = pair();
    let mut packet = [0; 16];
    assert_eq!(other.try_receive(&mut packet).expect("no error"), Received::Nothing);
    one.send(&[1, 2]).expect("sent");
    one.send(&[3]).expect("sent");
    assert_eq!(other.receive(&mut packet, true, None).expect("no error"), Received::Packet(2));
    assert_eq!(packet[..2], [1, 2]);
    assert_eq!(other.receive(&mut packet, false, None).expect("no error"), Received::Packet(1));
}

#[test]
fn what_was_sent_before_the_end_is_read() {
    let (one, other) = pair();
    one.send(&[1]).expect("sent");
    drop(one);
    let mut packet = [0; 16];
    assert_eq!(other.receive(&mut packet, false, None).expect("no error"), Received::Packet(1));
    assert_eq!(other.receive(&mut packet, true, None).expect("no error"), Received::Closed);
    assert!(other.send(&[1]).is_err());
}

#[test]
fn waiting_ends() {
    let (_one, other) = pair();
    let started = Instant::now();
    let until = started + Duration::from_millis(20);
    assert_eq!(other.receive(&mut [0; 16], true, Some(until)).expect("no error"), Received::Nothing);
    assert!(started.elapsed() >= Duration::from_millis(20));
}

/// A side that does not read cannot make the other one wait.
#[test]
fn a_full_socket_is_an_error() {
    let (one, _other) = pair();
    let packet = [0; 1024];
    assert!((0..100_000).any(|_| one.send(&packet).is_err()));
}

#[test]
fn a_descriptor_comes_with_its_packet() {
    let (one, other) = pair();
    let file = rustix::fs::memfd_create("file", rustix::fs::MemfdFlags::empty()).expect("a file");
    rustix::fs::ftruncate(&file, 12).expect("a length");
    one.send_with(&[1, 2], file.as_fd()).expect("sent");
    let mut packet = [0; 16];
    let (bytes, received) = other.receive_with(&mut packet).expect("received");
    assert_eq!((bytes, rustix::fs::fstat(&received).expect("a file").st_size), (2, 12));
    one.send(&[1]).expect("sent");
    assert!(other.receive_with(&mut packet).is_err(), "a packet without one");
}
