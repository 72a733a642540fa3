using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;
using Assay.TestServers;
using Npgsql;

namespace Assay.Dashboard.Tests.Api;

public sealed class WhenAProgramAsksAgain(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Theory]
    [InlineData("/api/audits?q=tagged")]
    [InlineData("/api/audits/{id}")]
    [InlineData("/api/audits/{id}/report?format=json")]
    [InlineData("/api/audits/{id}/report?format=csv")]
    [InlineData("/api/audits/{id}/report?format=html")]
    [InlineData("/api/audits/{id}/answers?engine=chatgpt")]
    [InlineData("/api/audits/{id}/answers/key-chatgpt-q001")]
    public async Task Should_get_304_until_something_changed(string path)
    {
        var id = await host.CompletedAuditAsync("Tagged");
        using var program = await host.ProgramAsync(Roles.Viewer);
        var uri = new Uri(path.Replace("{id}", id.ToString(), StringComparison.Ordinal), UriKind.Relative);
        using var first = await program.GetAsync(uri);
        first.StatusCode.ShouldBe(HttpStatusCode.OK, await first.Content.ReadAsStringAsync());
        var tag = first.Headers.ETag.ShouldNotBeNull();

        using var same = await AskAsync(program, uri, tag.ToString());
        same.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        (await same.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        using var one = await AskAsync(program, uri, $"\"another\", {tag}");
        one.StatusCode.ShouldBe(HttpStatusCode.NotModified);

        await host.SayAsync(Sample.Budget(id, 50, 60_000, final: true));
        await host.EventuallyAsync(db => Task.FromResult(db.Audits.Any(a => a.AuditId == id && a.BudgetVersion == 50)), "the budget changed");
        using var changed = await AskAsync(program, uri, tag.ToString());
        changed.StatusCode.ShouldBe(HttpStatusCode.OK);
        changed.Headers.ETag.ShouldNotBe(tag);
    }

    [Theory]
    [InlineData("/api/lineage/{id}")]
    [InlineData("/api/spending?days=2")]
    [InlineData("/api/engines")]
    [InlineData("/api/keys")]
    [InlineData("/api/audits/{id}/compare/{id}")]
    [InlineData("/api/operations/read-model")]
    public async Task Should_get_304_for_the_same_content(string path)
    {
        var id = await host.CompletedAuditAsync("Tagged too");
        using var program = await host.ProgramAsync(Roles.Operator);
        var uri = new Uri(path.Replace("{id}", id.ToString(), StringComparison.Ordinal), UriKind.Relative);
        using var first = await program.GetAsync(uri);
        first.StatusCode.ShouldBe(HttpStatusCode.OK, await first.Content.ReadAsStringAsync());
        using var same = await AskAsync(program, uri, first.Headers.ETag.ShouldNotBeNull().ToString());
        same.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        (await same.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        using var other = await AskAsync(program, uri, "W/\"another\"");
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Should_get_a_new_tag_when_the_list_has_changed()
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var before = await program.GetAsync(new Uri("/api/keys", UriKind.Relative));
        using var another = await host.ProgramAsync(Roles.Viewer);
        using var after = await AskAsync(program, new Uri("/api/keys", UriKind.Relative), before.Headers.ETag!.ToString());
        after.StatusCode.ShouldBe(HttpStatusCode.OK);
        after.Headers.ETag.ShouldNotBe(before.Headers.ETag);
    }

    static async Task<HttpResponseMessage> AskAsync(HttpClient program, Uri uri, string tags)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.TryAddWithoutValidation("If-None-Match", tags);
        return await program.SendAsync(request);
    }
}

public sealed class WhenTheApiRefuses(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Theory]
    [InlineData("GET", "/api/nothing", null, 404)]
    [InlineData("PUT", "/api/audits", "{}", 405)]
    [InlineData("POST", "/api/spending/halt", "{ not json", 400)]
    [InlineData("POST", "/api/spending/halt", "{}", 400)]
    [InlineData("GET", "/api/spending?days=1000", null, 400)]
    [InlineData("GET", "/api/audits/00000000-0000-0000-0000-00000000abcd", null, 404)]
    [InlineData("GET", "/api/audits/00000000-0000-0000-0000-00000000abcd/answers", null, 404)]
    [InlineData("GET", "/api/audits?page=abc", null, 400)]
    public async Task Should_tell_why_as_problem_details(string method, string path, string? body, int status)
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative)) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using var response = await program.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(status);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        (await response.Content.ReadAsStringAsync()).ShouldContain($"\"status\":{status}");
    }
}

[Trait("Needs", "Servers")]
public sealed class WhenTheDatabaseDoesNotAnswer
{
    [Fact]
    public async Task Should_say_so_and_when_to_ask_again()
    {
        var host = new DashboardHost { Postgres = await (await PrivatePostgres.Shared).CreateDatabaseAsync("silent") };
        await host.InitializeAsync();
        try
        {
            using var program = await host.ProgramAsync(Roles.Viewer);
            await using var connection = new NpgsqlConnection(host.Postgres);
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE", connection))
                await command.ExecuteNonQueryAsync();

            using var answer = await program.GetAsync(new Uri("/api/audits", UriKind.Relative));

            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, await answer.Content.ReadAsStringAsync());
            answer.Headers.RetryAfter.ShouldNotBeNull();
            (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("title").GetString().ShouldBe("The dashboard's database does not answer");
        }
        finally
        {
            await host.DisposeAsync();
        }
    }
}
