use serde_json::Value;

use super::{CELLS, COCO, CenterNet, GRID, peaks};
use crate::vision::tests::{answer, frame, picture};
use crate::weights::tests::real_folder;

fn found(film: &str, second: &str) -> (Value, Vec<String>) {
    let model = CenterNet::connect(&real_folder(), 1).unwrap();
    let answer = answer(&model, &picture(frame(film, second), "null"));
    let detections = answer["detections"].as_array().unwrap();
    let label = |detection: &Value| detection["label"].as_str().unwrap().to_owned();
    let labels = detections.iter().map(label).collect();
    (answer, labels)
}

#[test]
fn a_person_in_a_car_is_found_with_a_box_around_him() {
    let (answer, labels) = found("carphone_pristine.mp4", "1");
    assert_eq!(
        labels.first().map(String::as_str),
        Some("person"),
        "{answer}"
    );
    let first = &answer["detections"][0];
    let side = |index: usize| first["bbox"][index].as_f64().unwrap();
    assert!(first["confidence"].as_f64().unwrap() > 0.5);
    // The man fills the middle of a picture of 176×144.
    assert!(
        side(0) < 70.0 && side(2) > 120.0 && side(1) < 40.0 && side(3) > 120.0,
        "{first}"
    );
    assert!(side(2) <= 176.0 && side(3) <= 144.0);
}

#[test]
fn cars_in_a_street_are_found() {
    let (answer, labels) = found("bikes.mp4", "6");
    assert!(labels.iter().any(|label| label == "car"), "{answer}");
}

#[test]
fn a_blurred_picture_holds_nothing() {
    let (answer, labels) = found("bikes.mp4", "2");
    assert!(labels.is_empty(), "{answer}");
}

#[test]
fn only_the_highest_of_neighbouring_cells_counts() {
    let mut heat = vec![0.0; COCO.len() * CELLS];
    let mut edges = vec![0.0; 4 * CELLS];
    let cell = 10 * GRID + 20;
    let knife = 43 * CELLS;
    assert_eq!(COCO[43], "knife");
    heat[knife + cell] = 0.9;
    heat[knife + cell + 1] = 0.8;
    heat[knife + cell + GRID] = 0.9;
    heat[knife] = 0.34;
    for side in 0..4_u8 {
        edges[usize::from(side) * CELLS + cell] = f32::from(side) + 1.0;
    }
    let found = peaks(&heat, &edges);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].label, "knife");
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-3;
    assert!(
        found[0]
            .corners
            .iter()
            .zip(&[79.0, 38.0, 83.0, 44.0])
            .all(near)
    );
}
