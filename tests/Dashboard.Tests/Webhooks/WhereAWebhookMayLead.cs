using System.Net;
using Assay.Dashboard.Webhooks;

namespace Assay.Dashboard.Tests.Webhooks;

public sealed class WhereAWebhookMayLead
{
    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("2606:4700::1111")]
    [InlineData("64:ff9b::808:808")]
    public void Should_be_public_addresses(string address)
    {
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: false).ShouldBeTrue();
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: true).ShouldBeTrue();
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("172.20.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("192.0.0.192")]
    [InlineData("198.18.0.1")]
    [InlineData("fd00::1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("2002:a00:1::")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public void Should_be_private_networks_and_this_machine_by_setting(string address)
    {
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: false).ShouldBeFalse();
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: true).ShouldBeTrue();
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("fe80::1")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("224.0.0.1")]
    [InlineData("ff02::1")]
    [InlineData("255.255.255.255")]
    public void Should_be_no_link_local_address_ever(string address)
    {
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: false).ShouldBeFalse();
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: true).ShouldBeFalse();
    }

    [Fact]
    public async Task Should_be_judged_when_it_is_added_also_where_private_networks_are_allowed() =>
        (await WebhookAddress.ProblemAsync("http://169.254.169.254/latest/meta-data", allowPrivate: true, CancellationToken.None)).ShouldNotBeNull().ShouldContain("link-local addresses are never called");

    [Fact]
    public async Task Should_be_judged_again_at_the_connection()
    {
        using var client = new HttpClient(WebhookAddress.Handler(allowPrivate: false));
        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://[::ffff:127.0.0.1]:9/")))).Message.ShouldContain("resolves to no address");
    }
}
