use super::super::WeightsError;
use super::{BUILDS, RUNTIME, build_for, library};

#[test]
fn every_platform_takes_the_same_version_out_of_its_own_wheel() {
    let [name, version] = RUNTIME;
    for build in &BUILDS {
        let [package] = build.weight.packages()[..] else {
            panic!("one package each");
        };
        assert_eq!((package.name, package.version), (name, version));
        assert!(package.platform.is_some());
        let (source, stored) = (&build.weight.sources[0], &build.weight.stored[0]);
        assert_eq!(
            (source.bytes, source.sha256),
            (stored.bytes, stored.sha256),
            "it is stored as it is"
        );
        assert!(stored.path.contains(version) && source.parts[0].path.ends_with(stored.path));
    }
}

#[test]
fn a_platform_without_the_library_is_told_to_ask_hosted_models() {
    assert!(library().is_ok(), "tests run where models do");
    assert!(build_for("plan9", "x86_64").is_none() && build_for("macos", "x86_64").is_none());
    let elsewhere = WeightsError::Platform {
        system: "plan9",
        processor: "vax",
    };
    for text in [elsewhere.to_string(), WeightsError::StaticBuild.to_string()] {
        assert!(text.contains("REPLICATE_API_TOKEN"), "{text}");
    }
}
