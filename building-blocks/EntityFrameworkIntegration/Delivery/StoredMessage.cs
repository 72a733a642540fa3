using System.Net.Mime;
using System.Text;
using System.Text.Json;
using MassTransit.Serialization;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Refuses what no consumer could ever read. Without it such a row would count as sent, and its message would end in some consumer's
/// error queue, far from whoever can mend it.
/// </summary>
internal static class StoredMessage
{
    private const int MostBytesPerCharacter = 3;

    // Not stricter than any consumer may be.
    private static readonly JsonReaderOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = 1_000 };

    /// <exception cref="MessageException">The message can never be sent; the text says why.</exception>
    public static void Check(OutboxMessage row, int maxBytes)
    {
        if ((long)row.Body.Length * MostBytesPerCharacter > maxBytes && Encoding.UTF8.GetByteCount(row.Body) is var bytes && bytes > maxBytes)
            throw Refusal(row, $"its body has {bytes} bytes, the limit is {maxBytes} (MaxMessageBytes)");

        // What this process has just serialised itself is well-formed; a stored row may have been written or changed by anybody.
        if (row.Captured is not null)
            return;
        foreach (var (name, address) in new[] { ("destination", row.DestinationAddress), ("source", row.SourceAddress), ("response", row.ResponseAddress), ("fault", row.FaultAddress) })
        {
            if (address is { IsAbsoluteUri: false })
                throw Refusal(row, $"its {name} address '{address}' is no absolute address");
        }

        if (row.MessageType.Split(';').FirstOrDefault(type => !Uri.TryCreate(type, UriKind.Absolute, out _)) is { } noType)
            throw Refusal(row, $"its message type '{noType}' is no URN");
        if (IsEnvelope(row))
            CheckEnvelope(row);
    }

    private static bool IsEnvelope(OutboxMessage row)
    {
        try
        {
            return string.Equals(new ContentType(row.ContentType).MediaType, SystemTextJsonMessageSerializer.JsonContentType.MediaType, StringComparison.OrdinalIgnoreCase);
        }
        catch (Exception malformed) when (malformed is FormatException or ArgumentException)
        {
            throw Refusal(row, $"its content type '{row.ContentType}' is none", malformed);
        }
    }

    private static void CheckEnvelope(OutboxMessage row)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(row.Body), Lenient);
        var (hasMessage, hasTypes) = (false, false);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw Refusal(row, "its body is no envelope: not a JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                hasMessage |= string.Equals(name, "message", StringComparison.OrdinalIgnoreCase) && reader.TokenType == JsonTokenType.StartObject;
                hasTypes |= string.Equals(name, "messageType", StringComparison.OrdinalIgnoreCase) && reader.TokenType == JsonTokenType.StartArray;
                reader.Skip();
            }

            // Anything behind the object makes it unreadable too.
            reader.Read();
        }
        catch (JsonException malformed)
        {
            throw Refusal(row, $"its body is no envelope: {malformed.Message}", malformed);
        }

        if (!hasMessage || !hasTypes)
            throw Refusal(row, $"its body is no envelope: it has no {(hasMessage ? "messageType" : "message")}");
    }

    private static MessageException Refusal(OutboxMessage row, string why, Exception? inner = null)
    {
        var text = $"The message {row.MessageId} can never be sent: {why}.";
        return inner is null ? new MessageException(typeof(OutboxMessage), text) : new MessageException(typeof(OutboxMessage), text, inner);
    }
}
