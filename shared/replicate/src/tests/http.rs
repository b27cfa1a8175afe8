use std::process::Command;

use crate::http::is_this_machine;

#[test]
fn only_what_is_on_this_machine_goes_round_the_proxy() {
    let of = |text: &str| is_this_machine(&text.parse().unwrap());
    for near in [
        "http://127.0.0.1:8001/x",
        "http://127.8.8.8/",
        "http://[::1]:80/",
        "http://localhost/",
        "http://objects.localhost/",
    ] {
        assert!(of(near), "{near}");
    }
    for far in [
        "https://api.replicate.com/v1",
        "http://10.0.0.1/",
        "http://localhost.example/",
    ] {
        assert!(!of(far), "{far}");
    }
}

/// The environment belongs to the whole process: another one, with a proxy that nobody serves, runs
/// a test that talks to its own machine.
#[test]
fn a_proxy_of_the_environment_never_sees_the_token_of_the_local_service() {
    let nobody = "http://127.0.0.1:9";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "tests::client::create_sends_what_the_contract_asks_for",
    ]);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        child.env(name, nobody);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let ended = child.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}"
    );
}
