using System.Net;
using Assay.Dashboard.Webhooks;

namespace Assay.Dashboard.Tests.Webhooks;

public sealed class WhereAWebhookMayLead
{
    [Theory]
    [InlineData("8.8.8.8", true, true)]
    [InlineData("10.0.0.1", false, true)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("169.254.169.254", false, false)]
    public void Should_be_public_addresses_and_others_by_setting(string address, bool allowed, bool allowedWithPrivate)
    {
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: false).ShouldBe(allowed);
        WebhookAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: true).ShouldBe(allowedWithPrivate);
    }

    [Fact]
    public async Task Should_be_judged_when_it_is_added_also_where_private_networks_are_allowed() =>
        (await WebhookAddress.ProblemAsync("http://169.254.169.254/latest/meta-data", allowPrivate: true, CancellationToken.None)).ShouldNotBeNull().ShouldContain("link-local addresses are never called");

    [Theory]
    [InlineData("http://0.0.0.0/")]
    [InlineData("http://[::]/")]
    public async Task Should_be_no_address_that_names_none(string url) =>
        (await WebhookAddress.ProblemAsync(url, allowPrivate: true, CancellationToken.None)).ShouldNotBeNull().ShouldContain("is not a public address");

    [Fact]
    public async Task Should_be_judged_again_at_the_connection()
    {
        using var client = new HttpClient(WebhookAddress.Handler(allowPrivate: false));
        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://[::ffff:127.0.0.1]:9/")))).Message.ShouldContain("resolves to no address");
    }
}
