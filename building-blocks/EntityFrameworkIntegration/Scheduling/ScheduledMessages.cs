using System.Text.Json;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Writes and deletes rows of <c>scheduled_message</c>.</summary>
internal static class ScheduledMessages
{
    /// <summary>Builds the envelope without sending it.</summary>
    public static async Task<OutboxMessage> CaptureAsync<T>(
        ISendEndpointProvider provider, Uri destination, Guid tokenId, T message, IPipe<SendContext<T>> pipe, TimeProvider time, CancellationToken cancellationToken)
        where T : class
    {
        if (await provider.GetSendEndpoint(destination) is not ITransportSendEndpoint endpoint)
            throw new MessageException(typeof(T), $"The message could not be scheduled for {destination}: its endpoint does not build messages without sending them.");
        var context = await endpoint.CreateSendContext(message, pipe, cancellationToken);
        context.ScheduledMessageId = tokenId;
        context.Headers.Set(MessageHeaders.SchedulingTokenId, tokenId.ToString("N"));
        // A stored delay would be replayed and ask the transport for a second one, which RabbitMQ only knows with a plugin.
        context.Delay = null;
        return OutboxRows.Capture(context, time);
    }

    /// <summary>Stores a message to be sent after a delay on the database's clock.</summary>
    public static async Task InsertAsync(DbContext context, Guid tokenId, TimeSpan delay, OutboxMessage message, CancellationToken cancellationToken)
    {
        var dialect = SqlDialect.Of(context);
        await using var command = context.Database.CreateCommand();
        command.CommandText = $"""
            INSERT INTO {context.TableName(typeof(ScheduledMessageRow))} (token_id,due_at,destination,message_id,message,tries)
            VALUES ({command.Add((Guid?)tokenId)},{dialect.NowPlus(delay < TimeSpan.Zero ? TimeSpan.Zero : delay)},{command.Add(message.DestinationAddress?.ToString())},
                {command.Add((Guid?)message.MessageId)},{command.Add(JsonSerializer.Serialize(message, StoredMessageJson.Default.OutboxMessage))},0)
            ON CONFLICT (token_id) DO UPDATE SET due_at = excluded.due_at, destination = excluded.destination, message_id = excluded.message_id,
                message = excluded.message, tries = 0, last_error = NULL, parked_at = NULL
            """;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Cancels; unknown or already sent tokens are ignored.</summary>
    public static async Task DeleteAsync(DbContext context, Guid tokenId, CancellationToken cancellationToken)
    {
        await using var command = context.Database.CreateCommand();
        command.CommandText = $"DELETE FROM {context.TableName(typeof(ScheduledMessageRow))} WHERE token_id = {command.Add((Guid?)tokenId)}";
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Reads a stored message; one that cannot be read comes back as its id and destination, with the reason.</summary>
    public static (OutboxMessage Message, Exception? Unreadable) Restore(string stored, Guid messageId, string destination)
    {
        Exception why;
        try
        {
            if (JsonSerializer.Deserialize(stored, StoredMessageJson.Default.OutboxMessage) is { } message && message.MessageId == messageId)
                return (message, null);
            why = new MessageException(typeof(ScheduledMessageRow), $"The scheduled message {messageId} can never be sent: what is stored of it is another message.");
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            why = new MessageException(typeof(ScheduledMessageRow), $"The scheduled message {messageId} can never be sent: what is stored of it cannot be read ({malformed.Message}).", malformed);
        }

        return (new OutboxMessage { MessageId = messageId, DestinationAddress = OutboxRows.ReadAddress(destination), SentTime = DateTime.UtcNow }, why);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(OutboxMessage))]
[System.Text.Json.Serialization.JsonSourceGenerationOptions(DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault)]
internal sealed partial class StoredMessageJson : System.Text.Json.Serialization.JsonSerializerContext;
