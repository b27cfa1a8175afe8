use super::Complaints;

#[test]
fn only_the_end_of_endless_complaints_is_remembered() {
    let mut complaints = Complaints::default();
    for number in 0..10_000 {
        complaints.add(format!("[h264 @ 0x1] [error] complaint {number}"));
    }
    assert_eq!(complaints.errors, 10_000);
    assert!(complaints.bytes <= super::STDERR_BYTES);
    assert!(complaints.mention("complaint 9999") && !complaints.mention("complaint 12 "));
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::Read;
    use std::process::{Command, Stdio};

    use crate::sandbox::{Fence, Job, Limits, Program, start};

    /// What a shell says when it tries something inside the fence.
    async fn try_inside(script: &str) -> (bool, String) {
        let job = Job::new(None).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let fence = Fence {
            folder: job.path().to_path_buf(),
            port: listener.local_addr().unwrap().port(),
            programs: vec!["/usr/bin".into()],
        };
        // As ffmpeg does, it may write to what is there, but make nothing.
        std::fs::write(job.path().join("pipe"), "").unwrap();
        let mut command = Command::new("/bin/bash");
        command.args(["-c", &script.replace("PORT", &fence.port.to_string())]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let limits = Limits::cpu(2);
        let mut running = start(Program::Ffprobe(command), fence, limits)
            .await
            .unwrap();
        let wall = std::time::Duration::from_secs(20);
        let status = tokio::time::timeout(wall, running.wait()).await.unwrap();
        let mut said = String::new();
        running
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        running
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (status.unwrap().success(), said)
    }

    #[tokio::test]
    async fn the_fence_lets_through_what_decoding_needs_and_nothing_else() {
        for allowed in [
            "echo hi >> pipe",
            "exec 3<>/dev/tcp/127.0.0.1/PORT",
            "ls /usr > /dev/null",
        ] {
            let (fine, said) = try_inside(allowed).await;
            assert!(fine, "{allowed}: {said}");
        }
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let elsewhere = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{}",
            other.local_addr().unwrap().port()
        );
        for forbidden in [
            "cat /etc/passwd",
            "ls /root",
            "echo hi > /tmp/outside-the-fence",
            "exec 3<>/dev/udp/127.0.0.1/53",
            "unshare -n true",
            "echo hi >> made",
            &elsewhere,
        ] {
            let (fine, said) = try_inside(forbidden).await;
            assert!(!fine, "{forbidden}: {said}");
        }
    }

    #[tokio::test]
    async fn only_the_program_itself_may_be_started() {
        let job = Job::new(None).unwrap();
        let fence = |program: &str| Fence {
            folder: job.path().to_path_buf(),
            port: 1,
            programs: vec![program.into()],
        };
        let shell = std::fs::canonicalize("/bin/bash").unwrap();
        let script = "/bin/true || /usr/bin/env true";
        let run = |fence: &Fence| {
            let mut command = Command::new(&shell);
            command.args(["-c", script]);
            crate::sandbox::try_out(&mut command, fence).unwrap().0
        };
        let alone = run(&fence(shell.to_str().unwrap()));
        assert!(!alone.status.success(), "{alone:?}");
        assert!(run(&fence("/usr/bin")).status.success());
    }

    #[tokio::test]
    async fn the_environment_is_empty_and_limits_hold() {
        // The limits are set from outside while it runs already, that of files last.
        let wait = "while ulimit -S -n 65 2> /dev/null; do :; done";
        let script = format!("{wait}; env; ulimit -v; ulimit -c; ulimit -f; ulimit -n");
        let (_, said) = try_inside(&script).await;
        assert!(!said.contains("HOME=") && !said.contains("CARGO"), "{said}");
        assert!(said.contains("1572864\n0\n16384\n64\n"), "{said}");
        let (fine, _) = try_inside("while :; do :; done").await;
        assert!(!fine);
    }
}
