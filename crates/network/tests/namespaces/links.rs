//! Links that are cut, slowed and thinned, and hosts that go dark.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use model::Span;
use network::rehearsal::{Change, Network, Place, Stretch};

use crate::Test;
use crate::net::{H1, H2, Net, PATIENCE, Way};

pub(crate) const TESTS: &[Test] = &[
    ("links::whole_ones_carry_everything", whole),
    ("links::a_cut_one_way_leaves_the_other", one_way),
    ("links::a_cut_both_ways_leaves_the_other_network", both_ways),
    ("links::some_of_many_packets_are_lost", loss),
    ("links::a_black_hole_swallows_what_is_large", black_hole),
    ("links::a_delayed_packet_is_late_and_whole", delay),
    ("links::a_connection_lives_on_a_delayed_link", connection),
    ("links::nothing_is_delayed_without_a_delay_line", no_delay_line),
    ("links::a_host_that_fails_is_dark_everywhere", fail),
];

fn stretch(from: Place, to: Place, one_way: bool, networks: &[Network]) -> Stretch {
    Stretch { from, to, one_way, networks: networks.to_vec() }
}

fn whole() {
    let net = Net::new("whole", 2);
    for network in Network::ALL {
        net.way(H1, H2, network).passes();
        net.way6(H2, H1, network).passes();
    }
    net.way(Place::Phones, H2, Network::Access).passes();
    net.way6(H1, Place::Carriers, Network::Access).passes();
    net.way(Place::Carriers, Place::Phones, Network::Access).passes();
}

/// Nothing of so many bytes passes; shown by what comes behind it when the link is whole again.
fn swallows(net: &Net, way: &Way, length: usize, stretch: &Stretch) {
    way.send(length);
    net.set(stretch, Change::Repair);
    way.passes();
}

fn one_way() {
    let net = Net::new("oneway", 2);
    net.acquaint(H1, H2, Network::A);
    let there = stretch(H1, H2, true, &[Network::A]);
    let (way, back) = (net.way(H1, H2, Network::A), net.way(H2, H1, Network::A));
    let (way6, back6) = (net.way6(H1, H2, Network::A), net.way6(H2, H1, Network::A));
    for (way, back) in [(way, back), (way6, back6)] {
        net.set(&there, Change::Cut);
        back.passes();
        swallows(&net, &way, 100, &there);
    }
}

fn both_ways() {
    let net = Net::new("bothways", 2);
    net.acquaint(H1, H2, Network::A);
    let link = stretch(H1, H2, false, &[Network::A]);
    for (from, to) in [(H1, H2), (H2, H1)] {
        let way = net.way(from, to, Network::A);
        net.set(&link, Change::Cut);
        net.way(from, to, Network::B).passes();
        net.way(from, Place::Phones, Network::Access).passes();
        swallows(&net, &way, 100, &link);
    }
    net.set(&stretch(H1, H2, false, &[]), Change::Cut);
    assert_eq!(net.conditions().expect("known").links().count(), 6);
    net.repair_links().expect("repaired");
    Network::ALL.iter().for_each(|network| net.way(H1, H2, *network).passes());
}

fn loss() {
    let net = Net::new("loss", 2);
    net.acquaint(H1, H2, Network::A);
    let (there, way) = (stretch(H1, H2, true, &[Network::A]), net.way(H1, H2, Network::A));
    net.set(&there, Change::Loss(50.0));
    // That all of them or none of them arrive has a chance of 1 in 10^60.
    for _ in 0..200 {
        way.send(100);
    }
    net.set(&there, Change::Loss(0.0));
    let last = way.send(100);
    let arrived = std::iter::repeat_with(|| way.next()).take_while(|number| *number != last).count();
    assert!((1..200).contains(&arrived), "{arrived} of 200");
    net.set(&there, Change::Loss(100.0));
    swallows(&net, &way, 100, &there);
}

fn black_hole() {
    let net = Net::new("hole", 2);
    net.acquaint(H1, H2, Network::A);
    let there = stretch(H1, H2, true, &[Network::A]);
    let way = net.way(H1, H2, Network::A);
    for length in [1_001, 1_500] {
        net.set(&there, Change::BlackHole(1_000));
        let number = way.send(1_000);
        assert_eq!(way.next(), number, "as large as may be");
        swallows(&net, &way, length, &there);
    }
    // Bulk data over TCP: the connection comes about, and the first full packet does not pass.
    net.set(&there, Change::BlackHole(1_000));
    let (mut client, mut server) = connect(&net, H1, H2, Network::A);
    client.write_all(b"small").expect("written");
    server.read_exact(&mut [0; 5]).expect("small data pass");
    client.write_all(&[0x55; 8_000]).expect("written");
    net.way(H1, H2, Network::A).passes();
    server.set_nonblocking(true).expect("set");
    assert!(server.read(&mut [0; 1]).is_err(), "bulk data do not");
    net.set(&there, Change::Repair);
    server.set_nonblocking(false).expect("set");
    server.read_exact(&mut [0; 8_000]).expect("they do again");
}

fn connect(net: &Net, from: Place, to: Place, network: Network) -> (TcpStream, TcpStream) {
    let listener = net.at(to, || TcpListener::bind((to.ipv4(network), 0)).expect("a port"));
    let address = listener.local_addr().expect("bound");
    let client = net.at(from, || TcpStream::connect(address).expect("connected"));
    let (server, _) = listener.accept().expect("accepted");
    for side in [&client, &server] {
        side.set_read_timeout(Some(PATIENCE)).expect("set");
        side.set_write_timeout(Some(PATIENCE)).expect("set");
    }
    (client, server)
}

fn delay() {
    let net = Net::new("delay", 2);
    let _line = net.delay_line().expect("started");
    let there = stretch(H1, H2, true, &[Network::A]);
    net.set(&there, Change::Delay(Span::from_millis(80)));
    for way in [net.way(H1, H2, Network::A), net.way6(H1, H2, Network::A)] {
        let begun = Instant::now();
        way.send(1_400);
        way.send(100);
        assert_eq!((way.next(), way.next()), (1, 2), "in order");
        assert!(begun.elapsed() >= Duration::from_millis(80));
    }
    // A minute is longer than any test waits: what arrives meanwhile was not delayed.
    net.acquaint(H1, H2, Network::A);
    net.acquaint(H1, H2, Network::B);
    net.set(&there, Change::Delay(Span::from_secs(60)));
    let way = net.way(H1, H2, Network::A);
    way.send(100);
    net.way(H2, H1, Network::A).passes();
    net.way(H1, H2, Network::B).passes();
    net.set(&there, Change::Delay(Span::ZERO));
    way.passes();
}

fn connection() {
    let net = Net::new("connect", 2);
    let line = net.delay_line().expect("started");
    net.set(&stretch(H1, H2, false, &[Network::B]), Change::Delay(Span::from_millis(5)));
    let (mut client, mut server) = connect(&net, H1, H2, Network::B);
    let sent: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
    let copy = sent.clone();
    let writer = std::thread::spawn(move || client.write_all(&copy).expect("written"));
    let mut arrived = vec![0; sent.len()];
    server.read_exact(&mut arrived).expect("all of it");
    writer.join().expect("written");
    assert!(arrived == sent, "as it was sent");
    assert_eq!(line.lost(), 0);
}

fn no_delay_line() {
    let net = Net::new("noline", 2);
    let link = stretch(H1, H2, false, &[]);
    let trouble = net.change(&link, Change::Delay(Span::from_millis(1))).expect_err("nobody delays");
    assert!(trouble.what.contains("nobody delays"), "{trouble}");
    assert_eq!(net.conditions().expect("known").links().count(), 0, "nothing has changed");
    let line = net.delay_line().expect("started");
    let trouble = net.delay_line().expect_err("one is enough");
    assert!(trouble.remedy.contains("another delay line"), "{trouble}");
    net.set(&link, Change::Delay(Span::from_millis(1)));
    drop(line);
    net.set(&link, Change::Repair);
    net.way(H1, H2, Network::A).passes();
}

fn fail() {
    let net = Net::new("fail", 3);
    Network::ALL.iter().for_each(|network| net.acquaint(H1, H2, *network));
    let ways: Vec<Way> = Network::ALL
        .iter()
        .flat_map(|network| [(H1, H2, *network), (H2, H1, *network)])
        .map(|(from, to, network)| net.way(from, to, network))
        .collect();
    net.fail(2).expect("failed");
    assert_eq!(net.conditions().expect("known").failed().collect::<Vec<_>>(), [2]);
    for way in &ways {
        way.send(100);
    }
    net.way(H1, Place::Host(3), Network::A).passes();
    net.way(Place::Phones, H1, Network::Access).passes();
    net.repair(2).expect("repaired");
    ways.iter().for_each(Way::passes);
    net.way(H2, Place::Phones, Network::Access).passes();
    assert!(net.fail(4).expect_err("only three").what.contains("no h4"));
}
