use super::*;

fn bytes_of(words: [u64; 8]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Every way to cut a message into three parts, some empty, read from every place.
#[test]
fn rows_of_parts() {
    let whole: Vec<u8> = (1..=150).collect();
    for (first, second) in [(0, 0), (0, 1), (1, 1), (32, 64), (63, 64), (64, 128), (7, 150), (150, 150), (30, 31)] {
        let parts = [&whole[..first], &whole[first..second], &whole[second..]];
        assert_eq!(parts.length(), whole.len());
        for at in 0..200 {
            let mut expected = whole.get(at..).unwrap_or(&[]).to_vec();
            expected.resize(64, 0);
            for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
                let found = on_lanes!(unit, L => parts.row::<L>(at).to_array());
                assert_eq!(bytes_of(found), expected, "parts to {first} and {second}, row at {at}");
                let found = on_lanes!(unit, L => whole.as_slice().row::<L>(at).to_array());
                assert_eq!(bytes_of(found), expected, "row at {at}");
            }
        }
    }
}

/// All turns of messages of these blocks: the lanes used of each (0: alone), and every index once.
fn turns(blocks: &[usize], worth: Option<usize>) -> Vec<usize> {
    let mut seen = vec![false; blocks.len()];
    let mut turns = Vec::new();
    schedule::<8>(
        blocks.len(),
        |i| blocks[i],
        worth,
        |turn| {
            let indices = match &turn {
                Turn::Alone(index) => std::slice::from_ref(index),
                Turn::Together(indices) => indices,
                Turn::Soon(_) => return,
            };
            assert!((1..=8).contains(&indices.len()));
            assert!(indices.is_sorted_by_key(|i| Reverse(blocks[*i])));
            for index in indices {
                assert!(!std::mem::replace(&mut seen[*index], true), "message {index} comes twice");
            }
            turns.push(if matches!(turn, Turn::Alone(_)) { 0 } else { indices.len() });
        },
    );
    assert!(seen.iter().all(|seen| *seen));
    turns
}

#[test]
fn turns_of_equal_messages() {
    assert!(turns(&[], Some(3)).is_empty());
    assert_eq!(turns(&[2; 20], None), [8, 8, 4]);
    assert_eq!(turns(&[2; 20], Some(3)), [8, 8, 4]);
    assert_eq!(turns(&[2; 18], Some(3)), [8, 8, 0, 0], "two blocks alone take less time than three");
    assert_eq!(turns(&[5], None), [1]);
}

#[test]
fn long_messages_go_alone() {
    let mut blocks = vec![1; 16];
    blocks[9] = 1000;
    blocks[3] = 900;
    assert_eq!(turns(&blocks, Some(3)), [0, 0, 8, 6]);
    assert_eq!(turns(&blocks, None), [8, 8]);
    // Eight of a kind are no burden on each other.
    assert_eq!(turns(&[1000; 8], Some(3)), [8]);
}

#[test]
fn any_mixture_of_lengths() {
    let mut state = 1_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) % below) as usize
    };
    for count in 0..100 {
        let long = random(2000) as u64 + 1;
        let blocks: Vec<usize> = (0..count).map(|_| random(long)).collect();
        turns(&blocks, None);
        turns(&blocks, Some(4));
        // What waiting costs, against the bound that the function promises.
        let mut order = blocks.clone();
        order.sort_unstable_by_key(|blocks| Reverse(*blocks));
        let spent: usize = order.chunks(8).map(|turn| 8 * turn[0]).sum();
        let used: usize = blocks.iter().sum();
        assert!(spent - used <= 8 * order.first().copied().unwrap_or(0));
    }
}

#[test]
fn markers_at_every_place() {
    static MARKER: Marker = Marker::new(0x80);
    for place in 0..ROW_BYTES {
        for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
            let row = bytes_of(on_lanes!(unit, L => MARKER.at::<L>(place).to_array()));
            assert!((0..ROW_BYTES).all(|i| row[i] == if i == place { 0x80 } else { 0 }), "{place}");
        }
    }
}
