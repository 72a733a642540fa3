using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Assay.LlmGateway.Ledger;

/// <summary>Identity of a paid call: the same audit asking the same thing of the same model is the same call, and is paid once.</summary>
public static class CallKey
{
    /// <summary>SHA-256 over the parts, each preceded by its length so that no two lists of parts read alike; lower-case hex.</summary>
    public static string Of(Guid auditId, string purpose, string engine, string model, string requestHash, int run)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (var part in (ReadOnlySpan<string>)[auditId.ToString("N"), purpose, engine, model, requestHash, run.ToString(CultureInfo.InvariantCulture)])
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What goes on the wire as <c>Idempotency-Key</c>: the key itself, with <c>.2</c> on the one repetition of an unreadable answer.</summary>
    public static string OnTheWire(string callKey, int invalidTries) => invalidTries == 0 ? callKey : $"{callKey}.{(invalidTries + 1).ToString(CultureInfo.InvariantCulture)}";

    /// <summary>SHA-256 of an answer in UTF-8, lower-case hex.</summary>
    public static string HashOfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
