//! Everline: an open SIP contact centre that stays up.
//!
//! The one binary: it reads the configuration, starts the local control agent and gives orders to the control
//! server. It holds no state of its own and decides nothing about a call. Start reading at [`cli`], then [`config`].
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod control;
mod engines;
mod failure;
mod files;
mod folder;
mod host;
mod hosts;
mod lock;
mod output;
mod processes;
mod rehearsal;
mod settings;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{AvailabilityCommand, Cli, Command, Config, DrillCommand, HostCommand, Inner};
use crate::commands::{agents, availability, calls, drill, papers, promote, status, stop, switchover};
use crate::control::Control;
use crate::failure::Failure;

fn main() -> ExitCode {
    // Who was started by another process of the solution (`node::process::program_of`) would be `exe` in listings of processes.
    let _ = rustix::thread::set_name(c"everline");
    let done = match (Cli::<Command>::try_parse(), Cli::<Inner>::try_parse()) {
        (Ok(cli), _) => run(cli),
        (_, Ok(cli)) => serve(cli),
        (Err(wrong), _) => wrong.exit(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn serve(cli: Cli<Inner>) -> Result<(), Failure> {
    let Inner::Run { application, run_number } = cli.command;
    processes::run(folder::at(&cli.dir)?, &application, run_number)
}

fn run(cli: Cli<Command>) -> Result<(), Failure> {
    let folder = folder::at(&cli.dir)?;
    // What any host can answer is asked of one that runs, if this is the folder of a rehearsal.
    let host = rehearsal::host_that_runs(&folder);
    let control = Control::new(host.as_ref().unwrap_or(&folder));
    match cli.command {
        Command::Status(listing) => status::run(&control, listing),
        Command::Calls(listing) => calls::run(&control, listing),
        Command::Agents(listing) => agents::run(&control, listing),
        Command::Agent { number, state, reason } => agents::set(&control, &number, state, reason.as_deref()),
        Command::Promote { pair, accept_loss } => promote::run(&control, &pair, accept_loss),
        Command::Switchover { pair } => switchover::run(&control, &pair),
        Command::Stop => stop::run(&folder, &Control::new(&folder)),
        Command::Config(Config::Check(listing)) => commands::config::check(&folder, listing),
        Command::Config(Config::Apply { over }) => host::apply(&folder, &control, over),
        Command::Config(Config::Show(listing)) => host::show(&control, listing),
        Command::Completions { shell } => papers::completions(shell),
        Command::Man { command } => papers::man(&command),
        Command::Up { hosts: None, .. } => up::run(&folder),
        Command::Up { hosts: Some(hosts), disks, clocks, ipv6, own_addresses } => {
            rehearsal::run(&folder, &rehearsal::Wanted { hosts, disks, clocks, ipv6, own_addresses })
        }
        Command::Host(HostCommand::Run) => up::run_host(&folder),
        Command::Host(HostCommand::Init(order)) => host::init(&folder, &order),
        Command::Host(HostCommand::Token { host, again, force, minutes }) => {
            host::token(&folder, &control, &host, (again, force), minutes)
        }
        Command::Host(HostCommand::Join { address, token }) => host::join(&folder, &address, &token),
        Command::Host(HostCommand::Remove { host, force }) => host::remove(&folder, &control, &host, force),
        Command::Host(HostCommand::List(listing)) => host::list(&control, listing),
        Command::Host(HostCommand::Unit { user, install }) => host::unit(&folder, user.as_deref(), install),
        Command::Host(HostCommand::Fail { host }) => rehearsal::fail(&folder, &host),
        Command::Host(HostCommand::Repair { host }) => rehearsal::repair(&folder, &host),
        Command::Drill(DrillCommand::Run { plan, seed, out, real }) => {
            drill::run(&folder, &plan, seed, out.as_deref(), real)
        }
        Command::Drill(DrillCommand::List { plan, listing }) => drill::list(plan.as_deref(), listing),
        Command::Drill(DrillCommand::Report { file, page }) => drill::report(&file, page.as_deref()),
        Command::Drill(DrillCommand::Config { rate }) => drill::configuration(rate),
        Command::Availability(AvailabilityCommand::Solve(order)) => availability::solve(&order),
        Command::Availability(AvailabilityCommand::Estimate(order)) => availability::estimate(&order),
        Command::Availability(AvailabilityCommand::Compare(order)) => availability::compare(&order),
        Command::Availability(AvailabilityCommand::Goal(order)) => availability::goal(&order),
        Command::Availability(AvailabilityCommand::Budget(order)) => availability::budget(&order),
        Command::Availability(AvailabilityCommand::Export(order)) => availability::export(&order),
        Command::Availability(AvailabilityCommand::Report(order)) => availability::report(&order),
        Command::Link(command) => rehearsal::link(&folder, &command),
    }
}
