using System.Net;
using Assay.ServiceDefaults.Network;

namespace Assay.ServiceDefaults;

public sealed class WhereAnAddressLeads
{
    [Theory]
    [InlineData("8.8.8.8", AddressReach.Public)]
    [InlineData("192.0.1.1", AddressReach.Public)]
    [InlineData("2606:4700::1111", AddressReach.Public)]
    [InlineData("64:ff9b::808:808", AddressReach.Public)]
    [InlineData("10.0.0.1", AddressReach.Private)]
    [InlineData("172.20.0.1", AddressReach.Private)]
    [InlineData("192.168.1.1", AddressReach.Private)]
    [InlineData("100.64.0.1", AddressReach.Private)]
    [InlineData("192.0.0.192", AddressReach.Private)]
    [InlineData("198.18.0.1", AddressReach.Private)]
    [InlineData("fd00::1", AddressReach.Private)]
    [InlineData("fec0::1", AddressReach.Private)]
    [InlineData("::ffff:10.0.0.1", AddressReach.Private)]
    [InlineData("64:ff9b::a00:1", AddressReach.Private)]
    [InlineData("64:ff9b:1::a00:1", AddressReach.Private)]
    [InlineData("2002:a00:1::", AddressReach.Private)]
    [InlineData("127.0.0.1", AddressReach.Loopback)]
    [InlineData("127.8.8.8", AddressReach.Loopback)]
    [InlineData("::1", AddressReach.Loopback)]
    [InlineData("::ffff:127.0.0.1", AddressReach.Loopback)]
    [InlineData("::127.0.0.1", AddressReach.Never)]
    [InlineData("64:ff9b::7f00:1", AddressReach.Never)]
    [InlineData("169.254.169.254", AddressReach.Never)]
    [InlineData("::ffff:169.254.169.254", AddressReach.Never)]
    [InlineData("64:ff9b::a9fe:a9fe", AddressReach.Never)]
    [InlineData("2002:a9fe:a9fe::1", AddressReach.Never)]
    [InlineData("fe80::1", AddressReach.Never)]
    [InlineData("0.0.0.0", AddressReach.Never)]
    [InlineData("::", AddressReach.Never)]
    [InlineData("224.0.0.1", AddressReach.Never)]
    [InlineData("ff02::1", AddressReach.Never)]
    [InlineData("255.255.255.255", AddressReach.Never)]
    public void Should_be_judged_also_behind_a_translator(string address, AddressReach reach) => IPAddress.Parse(address).Reach().ShouldBe(reach);
}
