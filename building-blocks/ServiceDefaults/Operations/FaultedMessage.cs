using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Assay.ServiceDefaults;

/// <summary>A message whose tries are used up, in an error queue, or that crashed its reader too often, in the dead-letter queue.</summary>
/// <param name="Key">Names it among those of its queue; a later fault of the same message has another key.</param>
/// <param name="Queue">Where it lies.</param>
/// <param name="Destination">The queue it was for, and goes to again.</param>
/// <param name="MessageId">The message's own id, if it has one.</param>
/// <param name="MessageType">Its type's name, without namespace.</param>
/// <param name="AuditId">The audit it is about, if it says so.</param>
/// <param name="FaultType">The exception's type; for a dead letter the broker's reason.</param>
/// <param name="FaultText">The exception's message; for a dead letter what its reason means.</param>
/// <param name="StackTrace">Where it was thrown, if known.</param>
/// <param name="FaultedAt">When it was given up (UTC), if known.</param>
/// <param name="Worker">The host on which it faulted, if known.</param>
/// <param name="Body">The message itself as JSON, cut to a readable length.</param>
/// <param name="IsExpiredRequest">
/// Whether it is a request that nobody read before its asker stopped waiting. The asker was told that nothing was done: it must never be done later.
/// </param>
public sealed record FaultedMessage(
    string Key, string Queue, string Destination, Guid? MessageId, string MessageType, Guid? AuditId, string FaultType, string FaultText, string? StackTrace, DateTime? FaultedAt, string? Worker, string Body, bool IsExpiredRequest = false)
{
    const int MostBody = 4_000;
    const int MostStack = 4_000;
    const string Expired = "expired";

    /// <summary>What a broker delivers of a faulted message, without its transport: headers as text.</summary>
    internal static FaultedMessage Read(string queue, string? destination, IReadOnlyDictionary<string, string> headers, string? messageId, ReadOnlySpan<byte> body)
    {
        var (type, id, auditId, isRequest, text) = ReadEnvelope(body);
        var isDeadLetter = !headers.ContainsKey(FaultHeaders.ExceptionType);
        var reason = headers.GetValueOrDefault(FaultHeaders.DeathReason) ?? headers.GetValueOrDefault(FaultHeaders.Reason) ?? "unknown";
        // What nobody consumes is moved to a queue of its own, which the bus calls its dead letters; the broker's are others.
        if (reason == "dead-letter")
            reason = "skipped";
        var at = headers.GetValueOrDefault(FaultHeaders.Timestamp);
        return new FaultedMessage(
            KeyOf(queue, messageId, at, body), queue, destination ?? DestinationOf(queue, headers), Guid.TryParse(messageId, out var own) ? own : id, type, auditId,
            isDeadLetter ? reason : headers[FaultHeaders.ExceptionType], isDeadLetter ? Meaning(reason) : headers.GetValueOrDefault(FaultHeaders.Message) ?? "",
            headers.GetValueOrDefault(FaultHeaders.StackTrace) is { } stack ? Cut(stack, MostStack) : null,
            DateTime.TryParse(at, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal | System.Globalization.DateTimeStyles.AssumeUniversal, out var time) ? time : null,
            headers.GetValueOrDefault(FaultHeaders.Machine), Cut(text, MostBody), isRequest && isDeadLetter && reason == Expired);
    }

    /// <summary>An error queue is named after the queue it serves; a dead letter carries the queue it died in.</summary>
    static string DestinationOf(string queue, IReadOnlyDictionary<string, string> headers) =>
        headers.GetValueOrDefault(FaultHeaders.DeathQueue) is { Length: > 0 } died && !queue.EndsWith(FaultHeaders.ErrorSuffix, StringComparison.Ordinal) && !queue.EndsWith(FaultHeaders.SkippedSuffix, StringComparison.Ordinal)
            ? died
            : queue[..^(queue.EndsWith(FaultHeaders.ErrorSuffix, StringComparison.Ordinal) ? FaultHeaders.ErrorSuffix.Length : queue.EndsWith(FaultHeaders.SkippedSuffix, StringComparison.Ordinal) ? FaultHeaders.SkippedSuffix.Length : 0)];

    static string Meaning(string reason) => reason switch
    {
        "delivery_limit" => "Its reader ended without an answer on every delivery (a crash loop): the broker took it out.",
        Expired => "It was not read before its time to live was over.",
        "rejected" => "Its reader rejected it.",
        "maxlen" => "Its queue was full.",
        "skipped" => "Its reader has no consumer for this type of message.",
        _ => "The broker gives no further reason.",
    };

    static (string Type, Guid? MessageId, Guid? AuditId, bool IsRequest, string Text) ReadEnvelope(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 128 });
            using var envelope = JsonDocument.ParseValue(ref reader);
            var root = envelope.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return ("unknown", null, null, false, root.GetRawText());
            var type = root.TryGetProperty("messageType", out var types) && types.ValueKind == JsonValueKind.Array && types.GetArrayLength() > 0 ? types[0].GetString() ?? "" : "unknown";
            var message = root.TryGetProperty("message", out var inner) ? inner : root;
            Guid? audit = message.ValueKind == JsonValueKind.Object && message.TryGetProperty("auditId", out var found) && found.ValueKind == JsonValueKind.String && found.TryGetGuid(out var parsed) ? parsed : null;
            Guid? id = root.TryGetProperty("messageId", out var own) && own.ValueKind == JsonValueKind.String && own.TryGetGuid(out var ownId) ? ownId : null;
            var isRequest = root.TryGetProperty("requestId", out var request) && request.ValueKind == JsonValueKind.String;
            return (type[(type.LastIndexOf(':') + 1)..], id, audit, isRequest, message.GetRawText());
        }
        catch (JsonException)
        {
            // Anything may lie in a queue; it is shown as it is.
            return ("unreadable", null, null, false, Encoding.UTF8.GetString(body[..Math.Min(body.Length, MostBody)]));
        }
    }

    static string KeyOf(string queue, string? messageId, string? at, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{queue}\n{messageId}\n{at}\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 12));
    }

    static string Cut(string text, int most) => text.Length <= most ? text : text[..most] + "…";
}

/// <summary>What broker and bus write beside a message that is given up.</summary>
static class FaultHeaders
{
    public const string ErrorSuffix = "_error";
    public const string SkippedSuffix = "_skipped";
    public const string Reason = "MT-Reason";
    public const string ExceptionType = "MT-Fault-ExceptionType";
    public const string Message = "MT-Fault-Message";
    public const string StackTrace = "MT-Fault-StackTrace";
    public const string Timestamp = "MT-Fault-Timestamp";
    public const string Machine = "MT-Host-MachineName";
    public const string DeathQueue = "x-first-death-queue";
    public const string DeathReason = "x-first-death-reason";
    public const string DeliveryCount = "x-delivery-count";

    /// <summary>Headers of a past failure, which a message that is sent again must not bring with it: its tries start anew.</summary>
    public static bool IsOfThePast(string name) =>
        name.StartsWith("MT-Fault-", StringComparison.Ordinal) || name.StartsWith("MT-Host-", StringComparison.Ordinal) || name.StartsWith("x-death", StringComparison.Ordinal)
        || name.StartsWith("x-first-death-", StringComparison.Ordinal) || name.StartsWith("x-last-death-", StringComparison.Ordinal)
        || name is Reason or DeliveryCount or "x-acquired-count" or "MT-Redelivery-Count";
}
