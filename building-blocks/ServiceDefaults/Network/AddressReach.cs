using System.Net;
using System.Net.Sockets;

namespace Assay.ServiceDefaults.Network;

/// <summary>Where an address leads, seen from this process. One judgement for everything that calls an address somebody else has named.</summary>
public enum AddressReach
{
    Public,

    /// <summary>A network that is nobody's on the internet: one's own, a carrier's, a provider's.</summary>
    Private,

    /// <summary>This machine.</summary>
    Loopback,

    /// <summary>Link-local (where clouds keep their metadata), multicast, unspecified: no setting allows it.</summary>
    Never,
}

/// <summary>Judges addresses.</summary>
public static class AddressReaches
{
    public static AddressReach Reach(this IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address))
            return AddressReach.Loopback;
        if (address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any))
            return AddressReach.Never;
        if (address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal)
            return AddressReach.Private;
        var bytes = address.GetAddressBytes();
        if (address.AddressFamily != AddressFamily.InterNetwork)
            return ReachOfIPv6(bytes);
        return bytes switch
        {
            [0, ..] or [>= 224, ..] or [169, 254, ..] => AddressReach.Never,
            [10, ..] or [172, >= 16 and <= 31, ..] or [192, 168, ..] or [100, >= 64 and <= 127, ..] or [192, 0, 0, _] or [198, 18 or 19, ..] => AddressReach.Private,
            _ => AddressReach.Public,
        };
    }

    static AddressReach ReachOfIPv6(byte[] bytes)
    {
        // NAT64 of one's own network (64:ff9b:1::/48): where in it the IPv4 address stands is that network's choice.
        if (bytes is [0x00, 0x64, 0xff, 0x9b, 0, 1, ..])
            return AddressReach.Private;
        if (EmbeddedIPv4(bytes) is not { } inner)
            return AddressReach.Public;
        // This machine is never meant by the detour over a translator.
        return inner.Reach() is var reach and not AddressReach.Loopback ? reach : AddressReach.Never;
    }

    // NAT64 (64:ff9b::/96), 6to4 (2002::/16) and IPv4-compatible addresses (::/96) carry an IPv4 address that must be judged too.
    static IPAddress? EmbeddedIPv4(byte[] bytes) => bytes switch
    {
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ..] => new IPAddress(bytes.AsSpan(12, 4)),
        [0x20, 0x02, ..] => new IPAddress(bytes.AsSpan(2, 4)),
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] => new IPAddress(bytes.AsSpan(12, 4)),
        _ => null,
    };
}
