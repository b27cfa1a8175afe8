use super::{Map, combined, path};

fn staircase() -> Map {
    // Three tokens of 4, 6 and 10 moments.
    let mut map = Map::zero(3, 20);
    for (row, range) in [0..4, 4..10, 10..20].into_iter().enumerate() {
        for column in range {
            map.values[row * 20 + column] = 1.0;
        }
    }
    map
}

#[test]
fn the_path_follows_the_attention() {
    assert_eq!(path(&staircase()), [0, 4, 10]);
}

#[test]
fn cleaning_keeps_the_steps_and_drops_a_spike() {
    let mut noisy = staircase();
    noisy.values[15] = 1.0;
    let map = combined(vec![staircase(), noisy]);
    assert_eq!(path(&map), [0, 4, 10]);
    assert!(map.values[15] < map.values[2 * 20 + 15]);
}

#[test]
fn more_tokens_than_moments_still_have_times() {
    let map = Map::zero(5, 2);
    let times = path(&combined(vec![map]));
    assert_eq!(times.len(), 5);
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
}

#[test]
fn a_token_stays_in_its_segment_although_the_same_word_is_louder_elsewhere() {
    let mut map = staircase();
    // The second token sounds again while the third is said.
    for column in 10..20 {
        map.values[20 + column] = 2.0;
    }
    assert_ne!(path(&map), [0, 4, 10]);
    map.confine(1, &(0..10));
    map.confine(2, &(10..20));
    assert_eq!(path(&map), [0, 4, 10]);
}
