using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Assay.Contracts.Internal.Analyzer;
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

    [Fact]
    public async Task Should_be_done_on_a_page_that_shows_old_and_new_with_their_intervals()
    {
        var audit = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync(Roles.Viewer);
        var page = new Uri($"/audits/{audit}/rederive", UriKind.Relative);
        var form = await person.GetStringAsync(page);
        form.ShouldContain("value=\"Soundcore\"");
        form.ShouldContain("Sony | sony.com");

        using var response = await person.PostAsync(page, Form(form, ("brand", "Anker"), ("aliases", "Soundcore, <Eufy>"), ("competitors", "Sony | sony.com | WH"), ("metricsVersion", "metrics-v1")));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var result = await response.Content.ReadAsStringAsync();
        result.ShouldContain("62 %");
        result.ShouldContain("45 % to 78 %");
        result.ShouldContain("75 %");
        result.ShouldContain("58 % to 88 %");
        result.ShouldContain("13.0 points");
        result.ShouldContain("&lt;Eufy&gt;");
        result.ShouldContain("only in its own letter case");
        result.ShouldContain($"/audits/{audit}/answers/key-chatgpt-q001");
        host.Heard<RederiveAudit>(asked => asked.AuditId == audit && asked.Competitors is [{ Name: "Sony", Aliases: ["WH"] }] && asked.Brand is { Domain: null, Aliases: ["Soundcore", "<Eufy>"] }).ShouldBe(1);
    }

    [Fact]
    public async Task Should_say_on_the_page_what_is_wrong_with_the_names_and_keep_them()
    {
        var audit = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync();
        var page = new Uri($"/audits/{audit}/rederive", UriKind.Relative);
        var form = await person.GetStringAsync(page);

        using var response = await person.PostAsync(page, Form(form, ("brand", ""), ("aliases", "kept alias")));

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var html = await response.Content.ReadAsStringAsync();
        html.ShouldContain("brand.name");
        html.ShouldContain("kept alias");
    }

    static FormUrlEncodedContent Form(string page, params (string Name, string Value)[] fields) =>
        new([new("__RequestVerificationToken", APage.TokenField().Match(page).Groups["value"].Value), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);

    static Uri Path(Guid audit) => new($"/api/audits/{audit}/rederive", UriKind.Relative);
}
