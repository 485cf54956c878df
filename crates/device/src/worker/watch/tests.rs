use super::*;

const LIMIT: Duration = Duration::from_secs(10);

fn at(batch: u64, steps: u64) -> Progress {
    Progress { batch, steps }
}

/// What the watch says each second of lanes and whether there is work.
fn watched(seconds: impl IntoIterator<Item = ([Progress; LANES], bool)>) -> Vec<bool> {
    let start = Instant::now();
    let mut watch = Watch::new(start);
    let times = (0..).map(|second| start + Duration::from_secs(second));
    times.zip(seconds).map(|(now, (lanes, has_work))| watch.hangs(now, lanes, has_work, LIMIT)).collect()
}

fn first(answers: &[bool]) -> Option<usize> {
    answers.iter().position(|&hangs| hangs)
}

#[test]
fn a_lane_that_moves_does_not_hang() {
    assert_eq!(first(&watched((0..100).map(|s| ([at(1, s / 9), at(0, 0)], true)))), None);
}

#[test]
fn a_lane_that_stands_still_hangs_though_the_other_moves() {
    assert_eq!(first(&watched((0..100).map(|s| ([at(1, 5), at(s + 2, 2 * s)], true)))), Some(11));
}

#[test]
fn a_worker_without_work_does_not_hang() {
    assert_eq!(first(&watched((0..100).map(|_| ([at(0, 5), at(0, 7)], false)))), None);
}

/// A worker that is stopped as a whole takes nothing from the socket.
#[test]
fn work_that_nobody_takes_is_a_hang() {
    assert_eq!(first(&watched((0..100).map(|s| ([at(0, 5), at(0, 7)], s >= 50)))), Some(61));
}

/// The other way round: short batches, between which every look finds the lanes idle.
#[test]
fn lanes_that_are_idle_whenever_looked_at_do_not_hang() {
    assert_eq!(first(&watched((0..100).map(|s| ([at(0, s), at(0, 7)], true)))), None);
}
