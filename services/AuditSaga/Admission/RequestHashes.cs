using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Admission;

/// <summary>The three identities of a request: itself, its panel, and everything that could change its answers.</summary>
static class RequestHashes
{
    // Dividing by this takes trailing zeros off a decimal: 5.00 and 5.0 are one ceiling.
    const decimal One = 1.000000000000000000000000000000m;

    /// <summary>Puts empty lists where a JSON body had null, so that nobody behind the door needs to ask.</summary>
    public static RequestAudit Normalised(this RequestAudit request) => request with
    {
        Brand = request.Brand with { Aliases = request.Brand.Aliases ?? [], Features = request.Brand.Features ?? [] },
        Competitors = [.. (request.Competitors ?? []).Select(competitor => competitor with { Aliases = competitor.Aliases ?? [] })],
        Queries = request.Queries is { Count: > 0 } queries ? queries : null,
        CeilingUsd = request.CeilingUsd / One,
        TreeCeilingUsd = request.TreeCeilingUsd / One,
    };

    /// <summary>The whole request but for who asks: what "the same id with the same content" means. Also defined for invalid requests.</summary>
    public static string OfRequest(RequestAudit request) => Hash(request with
    {
        Queries = request.Queries is { Count: > 0 } queries ? queries : null,
        CeilingUsd = request.CeilingUsd / One,
        TreeCeilingUsd = request.TreeCeilingUsd / One,
        RequestedBy = null,
    });

    /// <summary>What is asked of whom how often: the key under which only one audit of a brand and kind may be live.</summary>
    public static string OfPanel(RequestAudit request) => Hash(new
    {
        Queries = request.Queries is { Count: > 0 } queries ? queries.Select(query => query.Trim()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal) : null,
        Planned = request.Queries is { Count: > 0 } ? null : new { request.QueryCount, request.Locale, Industry = request.Brand.Industry?.Trim() },
        Engines = request.Engines.Select(engine => engine.ToLowerInvariant()).Order(StringComparer.Ordinal),
        request.Runs,
    });

    /// <summary>Everything that could change the answers or how they are read, with what the engines' names mean now.</summary>
    public static string OfContent(RequestAudit request, IReadOnlyList<EnginePin> pins) => Hash(new
    {
        Panel = OfPanel(request),
        request.Locale,
        request.Control,
        request.Brand.Name,
        Domain = request.Brand.Domain?.Trim().ToLowerInvariant(),
        Aliases = request.Brand.Aliases.Order(StringComparer.Ordinal),
        Features = request.Brand.Features.Order(StringComparer.Ordinal),
        Competitors = request.Competitors
            .Select(competitor => new { competitor.Name, Domain = competitor.Domain?.Trim().ToLowerInvariant(), Aliases = competitor.Aliases.Order(StringComparer.Ordinal) })
            .OrderBy(competitor => competitor.Name, StringComparer.Ordinal),
        Engines = pins.OrderBy(pin => pin.Engine, StringComparer.Ordinal).Select(pin => new { pin.Engine, pin.Kind, pin.Model, pin.ParametersHash }),
    });

    static string Hash<T>(T content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(content, AssayJson.Options))));
}
