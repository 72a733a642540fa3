using System.Net.Mime;
using MassTransit.Context;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Serialization;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Gives an outgoing message the ids, headers and body of its row. The body leaves as it was stored: reading the envelope only to write
/// it again would cost more than the rest of the send.
/// </summary>
internal sealed class StoredMessageSendPipe : IPipe<SendContext>
{
    private readonly OutboxMessage _row;
    private readonly InMemoryOutboxMessage? _stored;
    private readonly IPipe<SendContext>? _other;

    /// <exception cref="FormatException">The stored content type is none.</exception>
    public StoredMessageSendPipe(OutboxMessage row, Uri destination)
    {
        _row = row;
        if (row.Captured is null || !row.Captured.IsPlain)
        {
            _stored = OutboxRows.Restore(row);
            Trace = _stored.Headers?.Contains(OutboxRows.TraceHeader, StringComparison.Ordinal) == true ? ((MessageContext)_stored).Headers.Get<string>(OutboxRows.TraceHeader) : null;
        }
        else
        {
            Trace = row.Captured.Header(OutboxRows.TraceHeader);
        }

        // Only of the JSON serializers is the stored text the body itself.
        if (!IsJson(row.ContentType))
            _other = new OutboxMessageSendPipe(_stored ?? OutboxRows.Restore(row), destination);
    }

    /// <summary>The activity that sent the message, if it had one.</summary>
    public string? Trace { get; }

    public Task Send(SendContext context)
    {
        if (_other is not null)
            return _other.Send(context);

        context.MessageId = _row.MessageId;
        context.RequestId = _row.RequestId;
        context.ConversationId = _row.ConversationId;
        context.CorrelationId = _row.CorrelationId;
        context.InitiatorId = _row.InitiatorId;
        context.SourceAddress = _row.SourceAddress;
        context.ResponseAddress = _row.ResponseAddress;
        context.FaultAddress = _row.FaultAddress;
        context.SupportedMessageTypes = _row.MessageType.Split(';');
        if (_row.ExpirationTime is { } expires)
            context.TimeToLive = SqlCommandExtensions.Utc(expires) - DateTime.UtcNow;
        var contentType = new ContentType(_row.ContentType);
        context.ContentType = contentType;
        context.Serializer = new CopyBodySerializer(contentType, _row.Captured?.Body ?? new StringMessageBody(_row.Body));

        if (_row.Captured is { IsPlain: true } captured)
        {
            foreach (var (name, value) in captured.Headers)
                context.Headers.Set(name, value);
        }
        else
        {
            foreach (var header in ((MessageContext)_stored!).Headers.GetAll())
                context.Headers.Set(header.Key, header.Value);
        }

        if (context is TransportSendContext transport && Properties() is { Count: > 0 } properties)
            transport.ReadPropertiesFrom(properties);
        return Task.CompletedTask;
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("storedMessage");

    private IReadOnlyDictionary<string, object>? Properties() =>
        _row.Properties is { } stored ? SystemTextJsonMessageSerializer.Instance.DeserializeDictionary<object>(stored) : null;

    private static bool IsJson(string contentType) =>
        string.Equals(contentType, SystemTextJsonMessageSerializer.JsonContentType.MediaType, StringComparison.OrdinalIgnoreCase)
        || string.Equals(contentType, SystemTextJsonRawMessageSerializer.JsonContentType.MediaType, StringComparison.OrdinalIgnoreCase);
}

/// <summary>What a message that this process captured need not be read from its row again.</summary>
/// <param name="Body">The serialized body.</param>
/// <param name="Headers">The headers as they were set.</param>
internal sealed record CapturedMessage(MessageBody Body, IReadOnlyList<KeyValuePair<string, object>> Headers)
{
    /// <summary>Whether every header is text, which storing does not change.</summary>
    public bool IsPlain { get; } = Headers.All(header => header.Value is string);

    public string? Header(string name) => Headers.FirstOrDefault(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)).Value as string;
}
