//! Which addresses are not the public internet, and what their kind is called.
//!
//! The ranges are those of the IANA special-purpose address registries, multicast, and the addresses under which clouds
//! serve metadata. Forms of IPv6 that carry an IPv4 address are refused as a whole: a public service has no need of them, and a
//! gateway on the way would turn them into the address inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A kind of address that requests may not go to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The name of the rule, for programs.
    pub(super) rule: &'static str,
    /// What such an address is, for people.
    pub(super) what: &'static str,
}

const BENCHMARKING: Kind = Kind { rule: "benchmarking", what: "an address for benchmarks" };
const BROADCAST: Kind = Kind { rule: "broadcast", what: "the broadcast address" };
const CLOUD_METADATA: Kind = Kind { rule: "cloud_metadata", what: "a cloud's metadata address" };
const DISCARD: Kind = Kind { rule: "discard", what: "a discard-only address" };
const DOCUMENTATION: Kind = Kind { rule: "documentation", what: "an address for documentation" };
const IETF_PROTOCOL: Kind = Kind { rule: "ietf_protocol", what: "an address for IETF protocols" };
const IPV4_COMPATIBLE: Kind = Kind { rule: "ipv4_compatible", what: "an IPv4-compatible IPv6 address" };
const IPV4_MAPPED: Kind = Kind { rule: "ipv4_mapped", what: "an IPv4-mapped IPv6 address" };
const IPV4_TRANSLATED: Kind = Kind { rule: "ipv4_translated", what: "an IPv4-translated IPv6 address" };
const LINK_LOCAL: Kind = Kind { rule: "link_local", what: "a link-local address" };
const LOOPBACK: Kind = Kind { rule: "loopback", what: "a loopback address" };
const MULTICAST: Kind = Kind { rule: "multicast", what: "a multicast address" };
const NAT64: Kind = Kind { rule: "nat64", what: "a NAT64 address" };
const PRIVATE: Kind = Kind { rule: "private", what: "a private address" };
const RESERVED: Kind = Kind { rule: "reserved", what: "a reserved address" };
const SEGMENT_ROUTING: Kind = Kind { rule: "segment_routing", what: "a segment routing address" };
const SHARED: Kind = Kind { rule: "shared", what: "an address shared by a carrier's customers" };
const SITE_LOCAL: Kind = Kind { rule: "site_local", what: "a site-local address" };
const SIX_TO_FOUR: Kind = Kind { rule: "6to4", what: "a 6to4 address" };
const TEREDO: Kind = Kind { rule: "teredo", what: "a Teredo address" };
const THIS_NETWORK: Kind = Kind { rule: "this_network", what: "an address of this network" };
const UNIQUE_LOCAL: Kind = Kind { rule: "unique_local", what: "a unique-local address" };
const UNSPECIFIED: Kind = Kind { rule: "unspecified", what: "the unspecified address" };

/// The first range that holds an address names it, so narrow ranges stand before the wide ones around them.
static RANGES: [(IpNet, Kind); 40] = [
    v4([0, 0, 0, 0], 8, THIS_NETWORK),
    v4([10, 0, 0, 0], 8, PRIVATE),
    v4([100, 64, 0, 0], 10, SHARED),
    v4([127, 0, 0, 0], 8, LOOPBACK),
    v4([168, 63, 129, 16], 32, CLOUD_METADATA),
    v4([169, 254, 0, 0], 16, LINK_LOCAL),
    v4([172, 16, 0, 0], 12, PRIVATE),
    v4([192, 0, 0, 0], 24, IETF_PROTOCOL),
    v4([192, 0, 2, 0], 24, DOCUMENTATION),
    v4([192, 88, 99, 0], 24, SIX_TO_FOUR),
    v4([192, 168, 0, 0], 16, PRIVATE),
    v4([198, 18, 0, 0], 15, BENCHMARKING),
    v4([198, 51, 100, 0], 24, DOCUMENTATION),
    v4([203, 0, 113, 0], 24, DOCUMENTATION),
    v4([224, 0, 0, 0], 4, MULTICAST),
    v4([255, 255, 255, 255], 32, BROADCAST),
    v4([240, 0, 0, 0], 4, RESERVED),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, UNSPECIFIED),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, LOOPBACK),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, IPV4_COMPATIBLE),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, IPV4_MAPPED),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, IPV4_TRANSLATED),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, NAT64),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, NAT64),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, DISCARD),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, TEREDO),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, BENCHMARKING),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, IETF_PROTOCOL),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, DOCUMENTATION),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, SIX_TO_FOUR),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, DOCUMENTATION),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, SEGMENT_ROUTING),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, UNIQUE_LOCAL),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, LINK_LOCAL),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, SITE_LOCAL),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, MULTICAST),
    // Only 2000::/3 is handed out as global unicast; these four are the rest of the space.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 3, RESERVED),
    v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2, RESERVED),
    v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 2, RESERVED),
    v6([0xc000, 0, 0, 0, 0, 0, 0, 0], 2, RESERVED),
];

/// The kind of an address that is not the public internet; None for one that is.
pub(super) fn special_kind(address: IpAddr) -> Option<&'static Kind> {
    RANGES.iter().find(|(range, _)| range.contains(&address)).map(|(_, kind)| kind)
}

const fn v4(octets: [u8; 4], prefix: u8, kind: Kind) -> (IpNet, Kind) {
    (IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), prefix)), kind)
}

const fn v6(segments: [u16; 8], prefix: u8, kind: Kind) -> (IpNet, Kind) {
    (IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), prefix)), kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_of(address: &str) -> &'static str {
        special_kind(address.parse().unwrap()).map_or("public", |kind| kind.rule)
    }

    #[test]
    fn every_range_is_refused_from_its_first_to_its_last_address_and_not_beyond() {
        // before | first | last | after, with the rule of each.
        let table = "
            -                      | 0.0.0.0 this_network         | 0.255.255.255 this_network    | 1.0.0.0 public
            9.255.255.255 public   | 10.0.0.0 private             | 10.255.255.255 private        | 11.0.0.0 public
            100.63.255.255 public  | 100.64.0.0 shared            | 100.127.255.255 shared        | 100.128.0.0 public
            126.255.255.255 public | 127.0.0.0 loopback           | 127.255.255.255 loopback      | 128.0.0.0 public
            168.63.129.15 public   | 168.63.129.16 cloud_metadata | -                             | 168.63.129.17 public
            169.253.255.255 public | 169.254.0.0 link_local       | 169.254.255.255 link_local    | 169.255.0.0 public
            172.15.255.255 public  | 172.16.0.0 private           | 172.31.255.255 private        | 172.32.0.0 public
            191.255.255.255 public | 192.0.0.0 ietf_protocol      | 192.0.0.255 ietf_protocol     | 192.0.1.0 public
            192.0.1.255 public     | 192.0.2.0 documentation      | 192.0.2.255 documentation     | 192.0.3.0 public
            192.88.98.255 public   | 192.88.99.0 6to4             | 192.88.99.255 6to4            | 192.88.100.0 public
            192.167.255.255 public | 192.168.0.0 private          | 192.168.255.255 private       | 192.169.0.0 public
            198.17.255.255 public  | 198.18.0.0 benchmarking      | 198.19.255.255 benchmarking   | 198.20.0.0 public
            198.51.99.255 public   | 198.51.100.0 documentation   | 198.51.100.255 documentation  | 198.51.101.0 public
            203.0.112.255 public   | 203.0.113.0 documentation    | 203.0.113.255 documentation   | 203.0.114.0 public
            223.255.255.255 public | 224.0.0.0 multicast          | 239.255.255.255 multicast     | 240.0.0.0 reserved
            -                      | 240.0.0.0 reserved           | 255.255.255.254 reserved      | 255.255.255.255 broadcast
            -                      | :: unspecified               | ::1 loopback                  | ::2 ipv4_compatible
            -                      | ::127.0.0.1 ipv4_compatible  | ::ffff:ffff ipv4_compatible   | ::1:0:0 reserved
            ::fffe:ffff:ffff reserved | ::ffff:0.0.0.0 ipv4_mapped | ::ffff:8.8.8.8 ipv4_mapped   | ::1:0:0:0 reserved
            -                      | ::ffff:0:0:0 ipv4_translated | ::ffff:0:ffff:ffff ipv4_translated | ::ffff:1:0:0 reserved
            64:ff9a:: reserved     | 64:ff9b:: nat64              | 64:ff9b::ffff:ffff nat64      | 64:ff9b::1:0:0 reserved
            64:ff9b:0:ffff:: reserved | 64:ff9b:1:: nat64         | 64:ff9b:1:ffff:ffff:ffff:ffff:ffff nat64 | 64:ff9b:2:: reserved
            ff:: reserved          | 100:: discard               | 100::ffff:ffff:ffff:ffff discard | 100:0:0:1:: reserved
            1fff:ffff:: reserved   | 2001:: teredo                | 2001:0:ffff:ffff:ffff:ffff:ffff:ffff teredo | 2001:1:: ietf_protocol
            2001:1:ffff:: ietf_protocol | 2001:2:: benchmarking   | 2001:2:0:ffff:: benchmarking  | 2001:2:1:: ietf_protocol
            2000:ffff:: public     | 2001:3:: ietf_protocol       | 2001:1ff:ffff:: ietf_protocol | 2001:200:: public
            2001:db7:ffff:: public | 2001:db8:: documentation     | 2001:db8:ffff:: documentation | 2001:db9:: public
            2001:ffff:: public     | 2002:: 6to4                  | 2002:ffff:ffff:: 6to4         | 2003:: public
            3ffe:ffff:: public     | 3fff:: documentation         | 3fff:fff:ffff:: documentation | 3fff:1000:: public
            5eff:ffff:: reserved   | 5f00:: segment_routing       | 5f00:ffff:: segment_routing   | 5f01:: reserved
            3fff:ffff:: public     | 4000:: reserved              | fbff:ffff:: reserved          | fc00:: unique_local
            -                      | fc00:: unique_local          | fdff:ffff:: unique_local      | fe00:: reserved
            fe7f:ffff:: reserved   | fe80:: link_local            | febf:ffff:: link_local        | fec0:: site_local
            -                      | fec0:: site_local            | feff:ffff:: site_local        | ff00:: multicast
            -                      | ff00:: multicast             | ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff multicast | -
        ";
        let cells = table.split(['|', '\n']).map(str::trim).filter(|cell| !cell.is_empty() && *cell != "-");
        for cell in cells {
            let (address, rule) = cell.split_once(' ').unwrap();
            assert_eq!(rule_of(address), rule, "{address}");
        }
    }

    #[test]
    fn clouds_metadata_is_refused() {
        for (address, rule) in [
            ("169.254.169.254", "link_local"),
            ("169.254.170.2", "link_local"),
            ("fd00:ec2::254", "unique_local"),
            ("100.100.100.200", "shared"),
            ("192.0.0.192", "ietf_protocol"),
            ("168.63.129.16", "cloud_metadata"),
        ] {
            assert_eq!(rule_of(address), rule, "{address}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for address in
            ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:82f::200e"]
        {
            assert_eq!(rule_of(address), "public", "{address}");
        }
    }

    #[test]
    fn every_range_is_written_from_its_first_address() {
        for (range, kind) in &RANGES {
            assert_eq!(range.addr(), range.network(), "{range} ({})", kind.rule);
        }
    }
}
