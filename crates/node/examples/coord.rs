use std::os::fd::AsFd;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
fn main() {
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let (mut server, _) = node::coordinator::CoordinatorServer::open(&dir.join("data/coordinator.journal"), &dir.join("run/coordinator.sock")).unwrap();
    loop { let _ = poll(&mut [PollFd::new(server.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE); server.serve(); }
}
