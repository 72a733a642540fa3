using System.Net;
using System.Text.RegularExpressions;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;

namespace Assay.Dashboard.Tests.Sharing;

[Collection(nameof(OneHost))]
public sealed partial class ASharedReport(DashboardHost host)
{
    [Fact]
    public async Task Should_be_read_by_a_stranger_until_it_is_revoked()
    {
        var id = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync();
        var token = APage.TokenField().Match(await person.GetStringAsync(new Uri($"/audits/{id}/share", UriKind.Relative))).Groups["value"].Value;
        using var made = await person.PostAsync(new Uri($"/audits/{id}/share", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("reason", "client")]));
        var page = await made.Content.ReadAsStringAsync();
        var path = new Uri(Link().Match(page).Value, UriKind.Relative);

        using var stranger = host.Stranger();
        (await stranger.GetStringAsync(path)).ShouldContain("AI visibility of");
        using var revoked = await person.PostAsync(new Uri(Revoke().Match(page).Groups["value"].Value, UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("reason", "the client has left")]));
        revoked.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await stranger.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Should_say_for_whom_each_link_was_made()
    {
        var id = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync();
        var token = APage.TokenField().Match(await person.GetStringAsync(new Uri($"/audits/{id}/share", UriKind.Relative))).Groups["value"].Value;
        foreach (var reader in new[] { "Marketing of Acme", "The agency" })
            (await person.PostAsync(new Uri($"/audits/{id}/share", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("reason", reader)]))).StatusCode.ShouldBe(HttpStatusCode.OK);
        var page = await person.GetStringAsync(new Uri($"/audits/{id}/share", UriKind.Relative));
        page.ShouldContain("<bdi>Marketing of Acme</bdi>");
        page.ShouldContain("<bdi>The agency</bdi>");
        page.ShouldContain("Revoke the link for The agency, of ");
    }

    [GeneratedRegex("/shared/[A-Za-z0-9_-]{43}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Link();

    [GeneratedRegex("action=\"(?<value>/audits/[0-9a-f-]+/share/[0-9a-f-]+/revoke)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Revoke();
}
