//! Landlock, seccomp and limits of Linux.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit, setpriority_pgrp};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use super::{Fence, Limits};

/// What programs and their libraries are read from. `/etc/alternatives` holds Debian's link to
/// libblas, without which ffprobe does not start.
const READABLE: [&str; 12] = [
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/dev/urandom",
    "/dev/null",
    "/proc/cpuinfo",
    "/sys/devices/system/cpu",
];

/// What loads a program's libraries; the kernel runs it in the program's name.
const LOADERS: [&str; 4] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

/// Binds the calling thread, and what it starts, for good; answers what the system lacks for it.
pub(super) fn confine(fence: &Fence) -> Vec<String> {
    let mut missing = Vec::new();
    match fence_files_and_ports(fence) {
        Ok(RulesetStatus::FullyEnforced) => {}
        Ok(RulesetStatus::PartiallyEnforced) => {
            missing.push("part of Landlock: the kernel is older than 6.12".to_owned());
        }
        Ok(RulesetStatus::NotEnforced) => missing.push("Landlock".to_owned()),
        Err(error) => missing.push(format!("Landlock ({error})")),
    }
    let filter = deny_list().and_then(BpfProgram::try_from);
    let applied = filter
        .map_err(|error| error.to_string())
        .and_then(|program| seccompiler::apply_filter(&program).map_err(|error| error.to_string()));
    if let Err(error) = applied {
        missing.push(format!("seccomp ({error})"));
    }
    missing
}

fn fence_files_and_ports(fence: &Fence) -> Result<RulesetStatus, RulesetError> {
    // Kernels that know less enforce what they know and say so in the status.
    let abi = ABI::V6;
    let write = AccessFs::WriteFile | AccessFs::ReadFile;
    let mut readable: Vec<PathBuf> = READABLE.iter().map(PathBuf::from).collect();
    readable.extend(
        fence
            .programs
            .iter()
            .filter_map(|p| Some(p.parent()?.into())),
    );
    let mut read = AccessFs::from_read(abi);
    let mut runnable = fence.programs.clone();
    runnable.extend(LOADERS.map(PathBuf::from));
    // A decoder that was taken over finds no shell; but what a script runs is not known.
    if !fence.programs.iter().any(|program| is_script(program)) {
        read.remove(AccessFs::Execute);
    }
    let created: RulesetCreated = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?;
    let status = created
        .add_rules(path_beneath_rules(&readable, read))?
        .add_rules(path_beneath_rules(
            &runnable,
            AccessFs::Execute | AccessFs::ReadFile,
        ))?
        .add_rules(path_beneath_rules(
            [fence.folder.as_path(), Path::new("/dev/null")],
            write,
        ))?
        .add_rule(NetPort::new(fence.port, AccessNet::ConnectTcp))?
        .restrict_self()?;
    Ok(status.ruleset)
}

fn is_script(program: &Path) -> bool {
    let mut head = [0; 2];
    File::open(program)
        .and_then(|mut file| file.read_exact(&mut head))
        .is_ok()
        && head == *b"#!"
}

/// System calls that decoding never needs; they fail with EPERM.
fn deny_list() -> Result<SeccompFilter, BackendError> {
    let never = [
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_open_by_handle_at,
        libc::SYS_io_uring_setup,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_socketpair,
    ];
    let mut rules: std::collections::BTreeMap<_, _> = never
        .into_iter()
        .map(|number| (number, Vec::new()))
        .collect();
    rules.insert(libc::SYS_socket, sockets_but_tcp()?);
    let architecture = std::env::consts::ARCH.try_into()?;
    let refusal = SeccompAction::Errno(u32::try_from(libc::EPERM).unwrap_or(1));
    SeccompFilter::new(rules, SeccompAction::Allow, refusal, architecture)
}

/// Landlock knows TCP only: UDP, raw, netlink and local sockets end here.
fn sockets_but_tcp() -> Result<Vec<SeccompRule>, BackendError> {
    let number = |constant: i32| u64::try_from(constant).unwrap_or(u64::MAX);
    let word = SeccompCmpArgLen::Dword;
    let not_ipv4 = SeccompCondition::new(0, word.clone(), SeccompCmpOp::Ne, number(libc::AF_INET))?;
    // The type's upper bits are flags. Anything but a stream has another bit than 1 set below 16,
    // or lacks bit 1.
    let datagram = SeccompCondition::new(
        1,
        word.clone(),
        SeccompCmpOp::MaskedEq(0xF),
        number(libc::SOCK_DGRAM),
    )?;
    let raw = SeccompCondition::new(1, word, SeccompCmpOp::MaskedEq(0xF), number(libc::SOCK_RAW))?;
    [not_ipv4, datagram, raw]
        .into_iter()
        .map(|one| SeccompRule::new(vec![one]))
        .collect()
}

/// The kernel counts all threads of the user, the worker's own too: this only ends a flood of them.
const PROCESSES: u64 = 4096;

/// The lowest priority: it runs when nobody else wants to.
const LAST: i32 = 19;

/// Limits of a process that has just been started.
pub(super) fn limit(pid: Option<Pid>, limits: Limits) {
    let both = |value: u64| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    // A second between the two gives SIGXCPU, which can be told from other kills.
    let cpu = Rlimit {
        current: Some(limits.cpu_s),
        maximum: Some(limits.cpu_s + 2),
    };
    let all = [
        (Resource::As, both(limits.memory_bytes)),
        (Resource::Cpu, cpu),
        (Resource::Fsize, both(limits.file_bytes)),
        (Resource::Nproc, both(PROCESSES)),
        (Resource::Core, both(0)),
        (Resource::Nofile, both(limits.files)),
    ];
    for (resource, bound) in all {
        if let Err(error) = prlimit(pid, resource, bound) {
            tracing::warn!(%error, ?resource, "a limit of ffmpeg could not be set");
        }
    }
    // Before it has threads, which inherit it.
    if limits.patient
        && let Err(error) = setpriority_pgrp(pid, LAST)
    {
        tracing::warn!(%error, "ffmpeg keeps its priority");
    }
}
