using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;

namespace Assay.Dashboard.Api;

/// <summary>A request as read from JSON: either valid, or with everything that is wrong with it.</summary>
sealed record ReadRequest(RequestAudit? Request, string? Malformed, IReadOnlyList<RequestProblem> Problems)
{
    public bool IsValid => Malformed is null && Problems.Count == 0;
}

/// <summary>Reads a RequestAudit from JSON written by a person: what is missing is told by the rules of a valid request, what is malformed with line and column.</summary>
static class RequestBody
{
    /// <summary>Nothing is required while reading, so that one answer names everything that is missing.</summary>
    static readonly JsonSerializerOptions Lenient = new(AssayJson.Options)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver
        {
            Modifiers =
            {
                type =>
                {
                    foreach (var property in type.Properties)
                        property.IsRequired = false;
                },
            },
        },
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    public static ReadRequest Read(ReadOnlySpan<byte> utf8, Guid idIfMissing, string? requestedBy)
    {
        RequestAudit? request;
        try
        {
            request = JsonSerializer.Deserialize<RequestAudit>(utf8, Lenient);
        }
        catch (JsonException exception)
        {
            return new ReadRequest(null, Explain(utf8, exception), []);
        }

        if (request is not null && request.AuditId == Guid.Empty)
            request = request with { AuditId = idIfMissing };
        if (request is not null && string.IsNullOrWhiteSpace(request.RequestedBy))
            request = request with { RequestedBy = requestedBy };
        return new ReadRequest(request, null, AuditRequestRules.Check(request));
    }

    /// <summary>A UUID as it is; any other text as the UUID that its hash makes, the same each time.</summary>
    public static Guid IdOf(string? idempotencyKey)
    {
        if (string.IsNullOrWhiteSpace(idempotencyKey))
            return Guid.CreateVersion7();
        if (Guid.TryParse(idempotencyKey.Trim().Trim('"'), out var id) && id != Guid.Empty)
            return id;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("assay idempotency key\n" + idempotencyKey.Trim()));
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }

    static string Explain(ReadOnlySpan<byte> utf8, JsonException exception)
    {
        var first = Encoding.UTF8.GetString(utf8).TrimStart(' ', '\t', '\r', '\n', '\uFEFF').FirstOrDefault();
        if (first == '[')
            return "The request is a JSON array; send one JSON object that starts with '{'.";
        if (first == '\0')
            return "The request is empty; send one JSON object, for example { \"brand\": { \"name\": \"Anker\" }, … }.";
        var where = exception.LineNumber is { } line ? $"Line {line + 1}, column {(exception.BytePositionInLine ?? 0) + 1}" : "Somewhere";
        var path = exception.Path is { Length: > 1 } p ? $" (at {p[2..]})" : "";
        var message = exception.Message.Split(" Path: ", StringSplitOptions.None)[0].Split(" LineNumber: ", StringSplitOptions.None)[0];
        return $"{where}{path}: {message.TrimEnd('.', ' ')}.";
    }
}
