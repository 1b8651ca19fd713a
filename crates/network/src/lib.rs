//! What Everline asks of the network of its host, and networks of hosts that are none.
//!
//! [`address`] lets this host take and give up a virtual address, [`orphans`] tells the peers of the TCP connections that its last
//! holder had, [`program`] runs a program of the operator. [`rehearsal`] makes several hosts of one machine, with
//! links that can be cut, slowed and thinned, so that a solution of several hosts can be tried and drilled on one desk.
//! Both talk to the kernel and nobody else.
//!
//! This crate never knows of SIP, never decides who may hold an address or when a host has failed (the redundancy
//! protocol does), never reads a clock but in what says that it blocks, and never needs an async runtime. Start reading at
//! [`address::VirtualAddress`], then [`rehearsal::Rehearsal`].

pub mod address;
pub mod orphans;
pub mod program;
pub mod rehearsal;
