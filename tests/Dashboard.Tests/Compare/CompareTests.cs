using System.Text.Json;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;

namespace Assay.Dashboard.Tests.Compare;

[Collection(nameof(OneHost))]
public sealed class TwoAudits(DashboardHost host)
{
    [Fact]
    public async Task Should_be_compared_and_say_what_cannot_be_told()
    {
        var one = await host.CompletedAuditAsync();
        var two = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync();
        var page = await person.GetStringAsync(new Uri($"/audits/{two}/compare/{one}", UriKind.Relative));
        page.ShouldContain("no detectable change");
        page.ShouldContain("▲ higher");
        using var client = await host.ProgramAsync(Roles.Viewer);
        using var json = JsonDocument.Parse(await client.GetStringAsync(new Uri($"/api/audits/{two}/compare/{one}", UriKind.Relative)));
        json.RootElement.GetProperty("changes").GetArrayLength().ShouldBe(2);
    }
}
