use std::thread;

use super::{ModelThread, Panicked};

#[tokio::test]
async fn every_job_runs_on_the_same_thread_and_a_panic_does_not_end_it() {
    let own = ModelThread::start();
    let first = own.run(|| thread::current().id()).await.unwrap();
    assert_ne!(first, thread::current().id());
    assert_eq!(own.run(|| panic!("a fault")).await, Err::<(), _>(Panicked));
    assert_eq!(own.run(|| thread::current().id()).await, Ok(first));
}
