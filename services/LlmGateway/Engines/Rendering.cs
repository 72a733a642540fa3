using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Assay.LlmGateway.Engines;

/// <summary>Writes a request's wire form once, the same way for pricing, for the call key and for sending.</summary>
internal static class Rendering
{
    static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body as UTF-8 JSON.</summary>
    public static ReadOnlyMemory<byte> Body(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    /// <summary>The output limit that is sent: the engine's own, or the request's lower one.</summary>
    public static int OutputLimit(EngineRequest request, int engineLimit) =>
        request.MaxOutputTokens is { } lower ? Math.Clamp(lower, 1, engineLimit) : engineLimit;

    public static RenderedRequest Of(EngineRequest request, ReadOnlySpan<byte> body, int maxOutputTokens) => new()
    {
        Hash = Sha256(body),
        InputBytes = body.Length,
        MaxOutputTokens = maxOutputTokens,
        Request = request,
    };

    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
