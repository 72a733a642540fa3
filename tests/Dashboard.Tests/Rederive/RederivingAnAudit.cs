using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;

namespace Assay.Dashboard.Tests.Rederive;

[Collection(nameof(OneHost))]
public sealed class RederivingAnAudit(DashboardHost host)
{
    [Fact]
    public async Task Should_show_old_and_new_side_by_side()
    {
        var audit = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Viewer);

        using var response = await client.PostAsJsonAsync(Path(audit), new { brand = new { name = "Anker", aliases = new[] { "Eufy" } } });

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        json.RootElement.GetProperty("changed")[0].GetProperty("found")[0].GetString().ShouldBe("Eufy");
    }

    [Fact]
    public async Task Should_read_it_again_under_its_own_names_without_a_body()
    {
        var audit = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Viewer);

        using var response = await client.PostAsync(Path(audit), null);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"brand":{"aliases":["x"]}}""")]
    [InlineData("""{"brand":{"name":""}}""")]
    [InlineData("""{"competitors":[{"name":"  "}]}""")]
    public async Task Should_say_what_is_wrong_with_the_names(string body)
    {
        var audit = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Viewer);

        using var response = await client.PostAsync(Path(audit), new StringContent(body, Encoding.UTF8, "application/json"));

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Should_not_know_an_audit_that_does_not_exist()
    {
        using var client = await host.ProgramAsync(Roles.Viewer);

        using var response = await client.PostAsync(Path(Guid.NewGuid()), null);

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    static Uri Path(Guid audit) => new($"/api/audits/{audit}/rederive", UriKind.Relative);
}
