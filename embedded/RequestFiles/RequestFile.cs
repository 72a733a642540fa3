using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Embedded.Cli;

namespace Assay.Embedded.RequestFiles;

/// <summary>Reads the JSON of a <see cref="RequestAudit"/> as a person wrote it: comments and trailing commas pass, every mistake is named with its place.</summary>
public static class RequestFile
{
    /// <summary>Larger than any valid request: 1 000 queries of 2 000 characters.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    static readonly JsonSerializerOptions Lenient = new(AssayJson.Options)
    {
        AllowTrailingCommas = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowDuplicateProperties = false,
        // What is missing is told by the rules of a valid request, all at once and in words, not by the serializer's first complaint.
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RequireNothing } },
    };

    /// <summary>A request that passed every rule, and what the reader should know although it is no mistake.</summary>
    public sealed record Read(RequestAudit Request, IReadOnlyList<string> Warnings);

    /// <summary>Reads a file, or standard input for <c>-</c>. Paths are relative to <paramref name="folder"/>.</summary>
    /// <exception cref="CommandError">The file cannot be read or does not hold a valid request.</exception>
    public static async Task<Read> ReadAsync(string path, string folder, CancellationToken cancellationToken)
    {
        if (path.Length == 0)
            throw CommandError.BadInput("The path of the request file is empty.", "`assay init > request.json` writes one to start from.");
        if (path == "-")
        {
            await using var input = Console.OpenStandardInput();
            return Parse(await ReadBoundedAsync(input, "standard input", cancellationToken), "standard input");
        }

        var full = Path.GetFullPath(path, folder);
        if (Directory.Exists(full))
            throw CommandError.BadInput($"{path} is a folder, not a request file.", "Name the JSON file in it.");
        try
        {
            await using var file = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.Read);
            return Parse(await ReadBoundedAsync(file, path, cancellationToken), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CommandError.BadInput($"There is no request file {path} (looked in {folder}).", "`assay init > request.json` writes one to start from.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandError.BadInput($"The request file {path} cannot be read: {e.Message}", "Check its permissions.", e);
        }
    }

    /// <summary>Parses the bytes of a request file; <paramref name="name"/> is how errors call it.</summary>
    /// <exception cref="CommandError">The bytes do not hold a valid request.</exception>
    public static Read Parse(ReadOnlyMemory<byte> bytes, string name)
    {
        if (bytes.Span.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty)
            throw CommandError.BadInput($"{name} is empty.", "`assay init` prints an example.");

        List<string> warnings = [];
        bool hasAuditId, hasCeiling;
        RequestAudit? request;
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw CommandError.BadInput(
                    $"{name} holds {Describe(document.RootElement.ValueKind)}; a request is one JSON object.",
                    document.RootElement.ValueKind == JsonValueKind.Array ? "Write one file per audit and run `assay audit` for each." : "`assay init` prints an example.");
            }

            hasAuditId = HasValue(document.RootElement, "auditId");
            hasCeiling = HasValue(document.RootElement, "ceilingUsd");
            NameUnknownProperties(document.RootElement, typeof(RequestAudit), "", warnings);
            request = JsonSerializer.Deserialize<RequestAudit>(bytes.Span, Lenient);
        }
        catch (JsonException e)
        {
            throw CommandError.BadInput(Explain(e, bytes.Span, name), cause: e);
        }

        if (request is not null && !hasAuditId)
            request = request with { AuditId = Guid.NewGuid() };
        var problems = AuditRequestRules.Check(request)
            .Select(p => p.Field == "ceilingUsd" && !hasCeiling ? p with { Problem = "is missing; give the most this audit may cost in US dollars, for example 5.00" } : p)
            .ToArray();
        if (problems.Length > 0)
            throw CommandError.BadInput($"{name} is not a valid request: {string.Join("; ", problems.AsEnumerable())}.");
        return new(WithoutNulls(request!), warnings);
    }

    /// <summary>A null that a person wrote for "nothing" means what leaving it out means.</summary>
    static RequestAudit WithoutNulls(RequestAudit request) => request with
    {
        Brand = request.Brand with { Aliases = request.Brand.Aliases ?? [], Features = request.Brand.Features ?? [] },
        Competitors = [.. (request.Competitors ?? []).Select(c => c with { Aliases = c.Aliases ?? [] })],
    };

    static async Task<byte[]> ReadBoundedAsync(Stream stream, string name, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[81920];
        int read;
        while ((read = await stream.ReadAsync(chunk, cancellationToken)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > MaxBytes)
                throw CommandError.BadInput($"{name} is larger than {MaxBytes / (1024 * 1024)} MB; no valid request is.", "Check that it is the right file.");
        }

        return buffer.ToArray();
    }

    static bool HasValue(JsonElement element, string property) =>
        element.EnumerateObject().Any(p => p.Value.ValueKind != JsonValueKind.Null && string.Equals(p.Name, property, StringComparison.OrdinalIgnoreCase));

    static void NameUnknownProperties(JsonElement element, Type type, string path, List<string> warnings)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return;
        var known = Lenient.GetTypeInfo(type).Properties;
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name.StartsWith('$'))
                continue; // "$schema" is how editors find the published JSON Schema.
            var match = known.FirstOrDefault(k => string.Equals(k.Name, property.Name, StringComparison.OrdinalIgnoreCase));
            if (match is null)
            {
                warnings.Add($"{path}{property.Name} is not a property of a request and is ignored; known here: {string.Join(", ", known.Select(k => k.Name))}.");
                continue;
            }

            if (property.Value.ValueKind == JsonValueKind.Object)
                NameUnknownProperties(property.Value, match.PropertyType, $"{path}{match.Name}.", warnings);
            if (property.Value.ValueKind == JsonValueKind.Array && match.PropertyType.IsGenericType && match.PropertyType.GetGenericArguments()[0] != typeof(string))
            {
                var i = 0;
                foreach (var item in property.Value.EnumerateArray())
                    NameUnknownProperties(item, match.PropertyType.GetGenericArguments()[0], $"{path}{match.Name}[{i++}].", warnings);
            }
        }
    }

    static void RequireNothing(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
            property.IsRequired = false;
    }

    static string Explain(JsonException e, ReadOnlySpan<byte> bytes, string name)
    {
        var line = (e.LineNumber ?? 0) + 1;
        var place = string.Create(CultureInfo.InvariantCulture, $"{name} line {line}, column {Column(bytes, e)}");
        // Text that is JSON but has the wrong type under a property carries that property's path, and the parser as its cause does not.
        if (e.InnerException is null or InvalidOperationException or FormatException && e.Path is { Length: > 1 } path)
            return $"{place}: {path.TrimStart('$', '.')} has the wrong type. {Expectation(path)}";
        return $"{place}: not valid JSON: {Plain(e.Message)}";
    }

    static string Expectation(string path) => path.TrimStart('$', '.') switch
    {
        var p when p.StartsWith("queries", StringComparison.OrdinalIgnoreCase) || p.StartsWith("engines", StringComparison.OrdinalIgnoreCase) => "It is a list of texts: [\"…\", \"…\"].",
        var p when p.EndsWith("Usd", StringComparison.OrdinalIgnoreCase) => "It is a number in US dollars without quotes: 5.00.",
        var p when p.Equals("brand", StringComparison.OrdinalIgnoreCase) => "It is an object: { \"name\": \"…\" }.",
        var p when p.StartsWith("competitors", StringComparison.OrdinalIgnoreCase) => "It is a list of objects: [ { \"name\": \"…\" } ].",
        var p when p.EndsWith("AuditId", StringComparison.OrdinalIgnoreCase) => "It is a UUID such as 7d444840-9dc0-11d1-b245-5ffdce74fad2; leave auditId out to get a new one.",
        _ => "`assay init` prints an example.",
    };

    static long Column(ReadOnlySpan<byte> bytes, JsonException e)
    {
        for (var line = 0L; line < (e.LineNumber ?? 0); line++)
        {
            var end = bytes.IndexOf((byte)'\n');
            if (end < 0)
                return 1;
            bytes = bytes[(end + 1)..];
        }

        return Encoding.UTF8.GetCharCount(bytes[..(int)Math.Min(e.BytePositionInLine ?? 0, bytes.Length)]) + 1;
    }

    /// <summary>The parser's message without its own, differently counted, place.</summary>
    static string Plain(string message)
    {
        var cut = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (cut < 0)
            cut = message.IndexOf(" Path:", StringComparison.Ordinal);
        return cut < 0 ? message : message[..cut];
    }

    static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a JSON array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a JSON " + kind.ToString().ToLowerInvariant(),
    };
}
