//! A virtual address passes from host to host.

use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::process::Command;

use model::{Span, Time, Trouble};
use network::address::{Announcer, Found, Mac, VirtualAddress, held};
use network::rehearsal::{Change, Network, Place, Stretch, virtual_addresses};

use crate::Test;
use crate::net::{H1, H2, Net, Way, until};

pub(crate) const TESTS: &[Test] = &[
    ("address::a_claimed_one_is_reached_at_once", reached_at_once),
    ("address::a_third_party_sends_to_whoever_claimed_it_last", taken_over),
    ("address::a_corner_that_was_cut_off_learns_the_holder_when_it_is_announced_again", healed),
    ("address::a_search_finds_the_holder_and_nobody_else", search),
    ("address::a_holder_hears_of_another_one", contested),
    ("address::claimed_twice_is_claimed_and_released_twice_is_released", twice),
    ("address::it_is_used_by_nobody_who_did_not_ask_for_it", chosen),
    ("address::an_interface_that_cannot_have_it_is_explained", interfaces),
    ("address::the_kernels_words_are_told", words),
    ("address::a_missing_right_is_named", rights),
    ("address::what_cannot_be_removed_is_told_and_what_is_not_there_is_not", kept),
];

const MAC1: Mac = Mac([0x02, 0x77, 0, 0, 0, 1]);
const MAC2: Mac = Mac([0x02, 0x77, 0, 0, 0, 2]);

/// An address of each family, at `access`.
fn both() -> [VirtualAddress; 2] {
    let (ipv4, ipv6) = virtual_addresses(1);
    [at_access(ipv4.into(), 24), at_access(ipv6.into(), 64)]
}

fn at_access(address: IpAddr, prefix: u8) -> VirtualAddress {
    VirtualAddress { address, prefix, interface: "access".into(), hook: None }
}

fn access(place: Place, like: IpAddr) -> IpAddr {
    if like.is_ipv4() { place.ipv4(Network::Access).into() } else { place.ipv6(Network::Access).into() }
}

fn reached_at_once() {
    let net = Net::new("reach", 1);
    for address in both() {
        let phone = net.socket(Place::Phones, access(Place::Phones, address.address));
        net.at(H1, || drop(address.claim().expect("claimed")));
        Way::new(phone, net.socket(H1, address.address)).passes();
    }
}

fn contested() {
    let net = Net::new("contest", 2);
    for address in both() {
        let holder = net.at(H1, || address.claim().expect("claimed"));
        assert_eq!(holder.contested().expect("asked"), None, "its own announcements are none");
        let thief = net.at(H2, || address.claim().expect("claimed"));
        until("the holder hears", || holder.contested().expect("asked").filter(|mac| *mac == MAC2));
        holder.announce().expect("announced");
        until("so does the thief", || thief.contested().expect("asked").filter(|mac| *mac == MAC1));
    }
}

/// The Ethernet address to which the phones would send what is for this address.
fn known_to_phones(net: &Net, address: IpAddr) -> Option<String> {
    let listed = net.says(Place::Phones, &format!("ip neigh show to {address} dev access"));
    let mut words = listed.split_whitespace().skip_while(|word| *word != "lladdr");
    words.nth(1).map(str::to_owned)
}

fn taken_over() {
    let net = Net::new("over", 2);
    for address in both() {
        net.at(H1, || drop(address.claim().expect("claimed")));
        let phone = || net.socket(Place::Phones, access(Place::Phones, address.address));
        Way::new(phone(), net.socket(H1, address.address)).passes();
        assert_eq!(known_to_phones(&net, address.address), Some(MAC1.to_string()));
        // The predecessor still has it, and says nothing.
        net.at(H2, || drop(address.claim().expect("claimed")));
        let other = MAC2.to_string();
        until("the phones know the new holder", || (known_to_phones(&net, address.address)? == other).then_some(()));
        Way::new(phone(), net.socket(H2, address.address)).passes();
        // And back, by announcing alone.
        let claim = net.at(H1, || address.claim().expect("claimed"));
        claim.announce().expect("announced");
        let first = MAC1.to_string();
        until("the phones know the first holder", || (known_to_phones(&net, address.address)? == first).then_some(()));
    }
}

/// The holder changes in order while the phones are cut off, and they are joined again when it has long fallen silent.
fn healed() {
    let net = Net::new("healed", 2);
    for address in both() {
        net.at(H1, || drop(address.claim().expect("claimed")));
        let phone = || net.socket(Place::Phones, access(Place::Phones, address.address));
        Way::new(phone(), net.socket(H1, address.address)).passes();
        for host in [H1, H2] {
            let corner = Stretch { from: Place::Phones, to: host, one_way: false, networks: Vec::new() };
            net.set(&corner, Change::Cut);
        }
        net.at(H1, || address.release().expect("released"));
        let claim = net.at(H2, || address.claim().expect("claimed"));
        let mut announcer = Announcer::claimed(Time::ZERO);
        while announcer.deadline() < Time::NEVER {
            let now = announcer.deadline();
            assert!(announcer.due(now), "that is when it is due");
            claim.announce().expect("announced");
        }
        net.repair_links().expect("repaired");
        // What was announced before has passed the cut or been lost there by the time that something else has come through.
        net.way(H2, Place::Phones, Network::Access).passes();
        assert_eq!(known_to_phones(&net, address.address), Some(MAC1.to_string()), "they have heard of nothing");

        let now = Time::ZERO + Span::from_secs(3_600);
        announcer.healed(now);
        assert!(announcer.due(now), "at once");
        claim.announce().expect("announced");
        let other = MAC2.to_string();
        until("the phones know the new holder", || (known_to_phones(&net, address.address)? == other).then_some(()));
        Way::new(phone(), net.socket(H2, address.address)).passes();
    }
}

fn search() {
    let net = Net::new("search", 2);
    let long = Span::from_secs(60);
    for address in both() {
        let none = net.at(H2, || address.is_held_elsewhere(Span::from_millis(250)));
        assert_eq!(none.expect("searched"), None, "nobody has it yet");
        net.at(H1, || drop(address.claim().expect("claimed")));
        assert_eq!(net.at(H2, || address.is_held_elsewhere(long)).expect("searched"), Some(MAC1));
        let own = net.at(H1, || address.is_held_elsewhere(Span::from_millis(250)));
        assert_eq!(own.expect("searched"), None, "nobody else");
        polled(&net, &address);
    }
}

/// The same without waiting: by its descriptor, with a time that is an argument.
fn polled(net: &Net, address: &VirtualAddress) {
    let mut search = net.at(H2, || address.search(Time::ZERO, Span::from_secs(1)).expect("begun"));
    assert_eq!(search.deadline(), Time::from_micros(100_000), "when it asks again");
    let mut set = [rustix::event::PollFd::from_borrowed_fd(search.as_fd(), rustix::event::PollFlags::IN)];
    assert_eq!(rustix::event::poll(&mut set, None), Ok(1), "the answer wakes whoever polls");
    assert_eq!(search.poll(Time::ZERO).expect("polled"), Found::Holder(MAC1));
    let nobody = VirtualAddress { address: access(Place::Host(9), address.address), ..address.clone() };
    let mut search = net.at(H2, || nobody.search(Time::ZERO, Span::from_secs(1)).expect("begun"));
    assert_eq!(search.poll(Time::from_micros(999_999)).expect("polled"), Found::NotYet);
    assert_eq!(search.poll(Time::from_micros(1_000_000)).expect("polled"), Found::Nobody);
}

fn twice() {
    let net = Net::new("twice", 1);
    let both = both();
    let gone = VirtualAddress { interface: "gone".into(), ..both[0].clone() };
    net.at(H1, || {
        let all = [both.as_slice(), std::slice::from_ref(&gone)].concat();
        assert_eq!(held(&all).expect("listed"), Vec::<&VirtualAddress>::new());
        for address in &both {
            drop(address.claim().expect("claimed"));
            drop(address.claim().expect("claimed again"));
        }
        assert_eq!(held(&all).expect("listed"), both.iter().collect::<Vec<_>>());
        both[0].release().expect("released");
        both[0].release().expect("released again");
        gone.release().expect("nothing to release");
        assert_eq!(held(&all).expect("listed"), [&both[1]]);
        both[1].release().expect("released");
        assert_eq!(held(&all).expect("listed"), Vec::<&VirtualAddress>::new());
    });
    assert!(net.says(H1, "ip address show dev access").contains("10.77.0.1/24"), "its own address stays");
}

fn chosen() {
    let net = Net::new("chosen", 1);
    for address in both() {
        net.at(H1, || drop(address.claim().expect("claimed")));
        let any: IpAddr = if address.address.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() };
        let socket = net.socket(H1, any);
        let phones = access(Place::Phones, address.address);
        socket.connect((phones, 5060)).expect("connected");
        assert_eq!(socket.local_addr().expect("bound").ip(), access(H1, address.address));
    }
}

fn interfaces() {
    let net = Net::new("faces", 1);
    let [address, _] = both();
    let claim = |interface: &str| {
        let address = VirtualAddress { interface: interface.into(), ..address.clone() };
        let trouble = net.at(H1, || address.claim().map(drop)).expect_err("no interface for it");
        assert_eq!(net.at(H1, || address.could_be_claimed()), Err(trouble.clone()), "it is known before");
        trouble
    };
    let trouble = claim("eth7");
    assert!(trouble.what.contains("no interface eth7") && trouble.remedy.contains("ip link"), "{trouble}");
    net.says(H1, "ip link set dev a down");
    let trouble = claim("a");
    assert!(trouble.what.contains("a is down") && trouble.remedy.contains("ip link set dev a up"), "{trouble}");
    assert!(claim("lo").what.contains("no Ethernet address"));
    let listed = net.says(H1, "ip address");
    assert!(!listed.contains(&address.address.to_string()), "nothing was added: {listed}");
    assert_eq!(net.at(H1, || address.could_be_claimed()), Ok(()));
    let listed = net.says(H1, "ip address");
    assert!(!listed.contains(&address.address.to_string()), "whoever looks changes nothing: {listed}");
}

fn words() {
    let net = Net::new("words", 1);
    let address = at_access([10, 77, 0, 201].into(), 33);
    let trouble: Trouble = net.at(H1, || address.claim().map(drop)).expect_err("a prefix that cannot be");
    assert!(trouble.what.contains("Invalid prefix length"), "{trouble}");
}

/// Run as another process, which says what became of it.
pub(crate) fn claim_without_a_right(address: &str) {
    let address: VirtualAddress = address.parse().expect("an address");
    let foreseen = address.could_be_claimed().err();
    match address.claim() {
        Ok(_) => println!("claimed"),
        Err(trouble) if foreseen.as_ref() == Some(&trouble) => println!("{trouble}, as was foreseen"),
        Err(trouble) => println!("{trouble}"),
    }
}

/// The same for giving an address up.
pub(crate) fn release_without_a_right(address: &str) {
    let address: VirtualAddress = address.parse().expect("an address");
    match address.release() {
        Ok(()) => println!("released"),
        Err(trouble) => println!("{trouble}"),
    }
}

fn kept() {
    let net = Net::new("kept", 1);
    let own = std::env::current_exe().expect("the path of this program");
    for address in both() {
        let release = || {
            let mut command: Command = net.command(H1, "setpriv");
            command.args(["--bounding-set=-net_admin", "--inh-caps=-net_admin"]).arg(&own);
            crate::net::said(command.args(["release", &address.to_string()]))
        };
        assert_eq!(release(), "released\n", "it is not there");
        net.at(H1, || drop(address.claim().expect("claimed")));
        let told = release();
        assert!(told.starts_with(&format!("cannot give the address {address} up: ")), "{told}");
        assert!(told.contains("it lacks CAP_NET_ADMIN"), "{told}");
        let by_hand = format!("`ip address del {}/{} dev access`", address.address, address.prefix);
        assert!(told.contains(&by_hand), "{told}");
        net.says(H1, by_hand.trim_matches('`'));
        assert_eq!(release(), "released\n", "as it was removed by hand");
    }
}

fn rights() {
    let net = Net::new("rights", 1);
    let own = std::env::current_exe().expect("the path of this program");
    for (right, capability) in [("net_admin", "CAP_NET_ADMIN"), ("net_raw", "CAP_NET_RAW")] {
        let mut command: Command = net.command(H1, "setpriv");
        command.arg(format!("--bounding-set=-{right}")).arg(format!("--inh-caps=-{right}")).arg(&own);
        let told = crate::net::said(command.args(["claim", "10.77.0.201/24@access"]));
        assert!(told.contains(&format!("it lacks {capability}")) && told.contains("setcap"), "{told}");
        assert!(told.contains("as was foreseen"), "{told}");
        assert!(!net.says(H1, "ip address").contains("10.77.0.201"), "nothing is left behind");
    }
}
