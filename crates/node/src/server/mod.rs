//! The shell of a server that lives in a pair: sockets, input ring, link, and the loop that drives its replica.

mod ring;
mod streams;
mod udp;
mod witness;
