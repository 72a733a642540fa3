using System.Text.Json;
using System.Text.RegularExpressions;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Dashboard.Tests.Api;

/// <summary>/openapi/v1.json against the endpoints that are mapped.</summary>
[Collection(nameof(OneHost))]
public sealed partial class TheApiDocument(DashboardHost host)
{
    static readonly string[] Paged = ["GET /api/audits", "GET /api/audits/{id}/answers"];

    async Task<JsonElement> ReadAsync()
    {
        using var program = await host.ProgramAsync(Roles.Viewer);
        return JsonDocument.Parse(await program.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative))).RootElement;
    }

    static IEnumerable<(string Name, JsonElement Operation)> Operations(JsonElement document) =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        where operation.Name is "get" or "post" or "put" or "delete" or "patch"
        select ($"{operation.Name.ToUpperInvariant()} {path.Name}", operation.Value);

    [Fact]
    public async Task Should_name_every_route_of_the_interface_and_no_other()
    {
        var mapped = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => (Methods: endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"], Path: "/" + Constraint().Replace(endpoint.RoutePattern.RawText ?? "", "{${name}}").Trim('/')))
            .Where(endpoint => endpoint.Path.StartsWith("/api/", StringComparison.Ordinal) || endpoint.Path.StartsWith("/health/", StringComparison.Ordinal))
            .SelectMany(endpoint => endpoint.Methods.Select(method => $"{method} {endpoint.Path}")).Distinct().Order(StringComparer.Ordinal).ToList();
        mapped.Count.ShouldBeGreaterThan(30);
        Operations(await ReadAsync()).Select(operation => operation.Name).Order(StringComparer.Ordinal).ShouldBe(mapped);
    }

    [Fact]
    public async Task Should_say_of_each_who_may_call_it_what_it_answers_and_how_it_refuses()
    {
        var document = await ReadAsync();
        document.GetProperty("components").GetProperty("securitySchemes").GetProperty("bearer").GetProperty("scheme").GetString().ShouldBe("bearer");
        foreach (var (name, operation) in Operations(document).Where(operation => operation.Name.Contains(" /api/", StringComparison.Ordinal)))
        {
            operation.GetProperty("summary").GetString().ShouldNotBeNullOrWhiteSpace(name);
            operation.GetProperty("tags").GetArrayLength().ShouldBe(1, name);
            operation.GetProperty("description").GetString().ShouldNotBeNull().ShouldContain("ole", Case.Sensitive, name);
            operation.GetProperty("security").EnumerateArray().ShouldHaveSingleItem().TryGetProperty("bearer", out _).ShouldBeTrue(name);
            var responses = operation.GetProperty("responses").EnumerateObject().ToList();
            responses.Select(response => response.Name).ShouldContain("401", name);
            responses.Select(response => response.Name).ShouldContain("403", name);
            var good = responses.Where(response => response.Name[0] == '2').ToList();
            good.ShouldNotBeEmpty(name);
            if (!name.StartsWith("DELETE", StringComparison.Ordinal))
                good.Where(response => !response.Value.GetProperty("content").EnumerateObject().First().Value.TryGetProperty("schema", out var _)).ShouldBeEmpty(name);
            foreach (var refusal in responses.Where(response => response.Name[0] is '4' or '5'))
                refusal.Value.GetProperty("content").EnumerateObject().Select(content => content.Name).ShouldBe(["application/problem+json"], $"{name} {refusal.Name}");
            if (name.Contains("{id}", StringComparison.Ordinal) || name.Contains("{trackingId}", StringComparison.Ordinal))
                responses.Select(response => response.Name).ShouldContain("404", name);
        }
    }

    [Fact]
    public async Task Should_name_the_headers_that_make_repeating_safe_and_cheap_and_the_pages_of_lists()
    {
        foreach (var (name, operation) in Operations(await ReadAsync()).Where(operation => operation.Name.Contains(" /api/", StringComparison.Ordinal)))
        {
            var parameters = operation.TryGetProperty("parameters", out var listed) ? listed.EnumerateArray().Select(parameter => $"{parameter.GetProperty("in").GetString()} {parameter.GetProperty("name").GetString()}").ToList() : [];
            var changesNothing = name is "POST /api/audits/quote" or "POST /api/audits/{id}/rederive";
            parameters.Contains($"header {IdempotencyKeys.Header}").ShouldBe(name.StartsWith("POST", StringComparison.Ordinal) && !changesNothing, name);
            var isTagged = name.StartsWith("GET", StringComparison.Ordinal) && !name.EndsWith("/events", StringComparison.Ordinal);
            parameters.Contains("header If-None-Match").ShouldBe(isTagged, name);
            operation.GetProperty("responses").TryGetProperty("304", out _).ShouldBe(isTagged, name);
            parameters.Contains("query page").ShouldBe(Paged.Contains(name, StringComparer.Ordinal), name);
            parameters.Contains("query pageSize").ShouldBe(Paged.Contains(name, StringComparer.Ordinal), name);
        }
    }

    [GeneratedRegex(@"\{(?<name>[a-zA-Z]+)(:[a-z]+)?\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Constraint();
}
