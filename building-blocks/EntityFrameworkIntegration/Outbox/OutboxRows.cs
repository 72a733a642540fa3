using System.Data;
using System.Data.Common;
using MassTransit.Context;
using MassTransit.Middleware.Outbox;
using MassTransit.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Turns a message about to be sent into a row, rows into an INSERT, and a row back into a message.</summary>
internal static class OutboxRows
{
    // SQLite takes 32 766 parameters in a statement, PostgreSQL 65 535. In steps, because each number of rows is a statement of its own
    // in the cache of prepared ones.
    private static readonly int[] RowsPerStatement = [500, 100, 20];

    /// <summary>Where MassTransit keeps the id of the activity that sent a message.</summary>
    internal const string TraceHeader = MassTransit.Logging.DiagnosticHeaders.ActivityId;

    private static readonly string[] Columns =
    [
        nameof(OutboxMessage.EnqueueTime), nameof(OutboxMessage.SentTime), nameof(OutboxMessage.Headers), nameof(OutboxMessage.Properties),
        nameof(OutboxMessage.InboxMessageId), nameof(OutboxMessage.InboxConsumerId), nameof(OutboxMessage.MessageId), nameof(OutboxMessage.ContentType),
        nameof(OutboxMessage.MessageType), nameof(OutboxMessage.Body), nameof(OutboxMessage.ConversationId), nameof(OutboxMessage.CorrelationId),
        nameof(OutboxMessage.InitiatorId), nameof(OutboxMessage.RequestId), nameof(OutboxMessage.SourceAddress), nameof(OutboxMessage.DestinationAddress),
        nameof(OutboxMessage.ResponseAddress), nameof(OutboxMessage.FaultAddress), nameof(OutboxMessage.ExpirationTime),
    ];

    /// <summary>The columns an INSERT must give; NextTryAt and Tries follow.</summary>
    public static string ColumnList { get; } = string.Join(',', Columns.Select(column => $"\"{column}\""));

    /// <summary>Captures what a sender was about to send.</summary>
    /// <exception cref="MessageException">The message has no id or no destination.</exception>
    public static OutboxMessage Capture<T>(SendContext<T> context, TimeProvider time)
        where T : class
    {
        if (context.MessageId is not { } messageId)
            throw new MessageException(typeof(T), "The message could not be put into the outbox: it has no MessageId.");
        if (context.DestinationAddress is not { } destination)
            throw new MessageException(typeof(T), $"The message {messageId} could not be put into the outbox: it has no destination address.");

        // The transport's own trace header is only written when the row is sent, by then in no one's trace.
        if (System.Diagnostics.Activity.Current?.Id is { } activity && context.Headers.Get<string>(TraceHeader) is null)
            context.Headers.Set(TraceHeader, activity);
        var now = time.GetUtcNow().UtcDateTime;
        var json = SystemTextJsonMessageSerializer.Instance;
        var properties = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        if (context is TransportSendContext<T> transport)
            transport.WritePropertiesTo(properties);

        var body = context.Serializer.GetMessageBody(context);
        var headers = context.Headers.GetAll().ToList();
        return new OutboxMessage
        {
            Captured = new CapturedMessage(body, headers),
            MessageId = messageId,
            ConversationId = context.ConversationId,
            CorrelationId = context.CorrelationId,
            InitiatorId = context.InitiatorId,
            RequestId = context.RequestId,
            SourceAddress = context.SourceAddress,
            DestinationAddress = destination,
            ResponseAddress = context.ResponseAddress,
            FaultAddress = context.FaultAddress,
            SentTime = context.SentTime ?? now,
            ContentType = (context.ContentType ?? context.Serialization.DefaultContentType).ToString(),
            MessageType = string.Join(';', context.SupportedMessageTypes),
            Body = body.GetString(),
            EnqueueTime = context.Delay is { } delay ? now + delay : null,
            ExpirationTime = context.TimeToLive is { } timeToLive ? now + timeToLive : null,
            Headers = json.SerializeDictionary(headers),
            Properties = properties.Count > 0 ? json.SerializeDictionary(properties) : null,
        };
    }

    /// <summary>The parameters of one row: its columns, and the seconds until others may try it.</summary>
    internal static int ValuesPerRow { get; } = Columns.Length + 1;

    /// <summary>Inserts the rows in the DbContext's open transaction and sets their sequence numbers.</summary>
    /// <param name="context">The DbContext; its connection is open.</param>
    /// <param name="rows">What to insert.</param>
    /// <param name="lease">How long the writer has to send them itself before a sweeper may.</param>
    /// <param name="cancellationToken">Stops the insert.</param>
    public static async Task InsertAsync(DbContext context, IReadOnlyList<OutboxMessage> rows, TimeSpan lease, CancellationToken cancellationToken)
    {
        var sql = MessagingSql.Of(context);
        var all = rows as OutboxMessage[] ?? [.. rows];
        for (var done = 0; done < all.Length;)
        {
            var left = all.Length - done;
            var step = Array.Find(RowsPerStatement, rowsAtOnce => rowsAtOnce <= left);
            var count = step > 0 ? step : left;
            await InsertAsync(context, sql, new ArraySegment<OutboxMessage>(all, done, count), lease, cancellationToken);
            done += count;
        }
    }

    private static async Task InsertAsync(DbContext context, MessagingSql sql, ArraySegment<OutboxMessage> rows, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var command = context.Database.CreateCommand(sql.Insert(rows.Count));
        foreach (var row in rows)
            Bind(command, sql.Dialect, row, lease);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (rows.Count == 1)
        {
            if (await reader.ReadAsync(cancellationToken))
                rows[0].SequenceNumber = reader.GetInt64(0);
            return;
        }

        // Sequence numbers come back in an order nobody promises; message ids say whose they are.
        var waiting = rows.ToLookup(row => row.MessageId).ToDictionary(group => group.Key, group => new Queue<OutboxMessage>(group));
        while (await reader.ReadAsync(cancellationToken))
            waiting[reader.GetGuid(1)].Dequeue().SequenceNumber = reader.GetInt64(0);
    }

    private static void Bind(DbCommand command, SqlDialect dialect, OutboxMessage row, TimeSpan lease)
    {
        AddValues(row, (type, value) => command.Bind(dialect, type, value));
        command.Bind(dialect, DbType.Double, (row.EnqueueTime is { } enqueue && enqueue > row.SentTime ? enqueue - row.SentTime : lease).TotalSeconds);
    }

    /// <summary>The values of one row in the order of <see cref="ColumnList"/>.</summary>
    public static void AddValues(OutboxMessage row, Action<DbType, object?> add)
    {
        add(DbType.DateTime, Utc(row.EnqueueTime));
        add(DbType.DateTime, Utc(row.SentTime));
        add(DbType.String, row.Headers);
        add(DbType.String, row.Properties);
        add(DbType.Guid, row.InboxMessageId);
        add(DbType.Guid, row.InboxConsumerId);
        add(DbType.Guid, row.MessageId);
        add(DbType.String, row.ContentType);
        add(DbType.String, row.MessageType);
        add(DbType.String, row.Body);
        add(DbType.Guid, row.ConversationId);
        add(DbType.Guid, row.CorrelationId);
        add(DbType.Guid, row.InitiatorId);
        add(DbType.Guid, row.RequestId);
        add(DbType.String, row.SourceAddress?.ToString());
        add(DbType.String, row.DestinationAddress?.ToString());
        add(DbType.String, row.ResponseAddress?.ToString());
        add(DbType.String, row.FaultAddress?.ToString());
        add(DbType.DateTime, Utc(row.ExpirationTime));
    }

    /// <summary>Reads a row selected with <see cref="ColumnList"/> from the given ordinal on.</summary>
    public static OutboxMessage Read(DbDataReader reader, int first)
    {
        var at = first;
        return new OutboxMessage
        {
            EnqueueTime = Time(reader, at++),
            SentTime = reader.GetDateTime(at++),
            Headers = Text(reader, at++),
            Properties = Text(reader, at++),
            InboxMessageId = Id(reader, at++),
            InboxConsumerId = Id(reader, at++),
            MessageId = reader.GetGuid(at++),
            ContentType = reader.GetString(at++),
            MessageType = reader.GetString(at++),
            Body = reader.GetString(at++),
            ConversationId = Id(reader, at++),
            CorrelationId = Id(reader, at++),
            InitiatorId = Id(reader, at++),
            RequestId = Id(reader, at++),
            SourceAddress = Address(reader, at++),
            DestinationAddress = Address(reader, at++),
            ResponseAddress = Address(reader, at++),
            FaultAddress = Address(reader, at++),
            ExpirationTime = Time(reader, at),
        };
    }

    /// <summary>What MassTransit's send pipe reads a stored message from.</summary>
    public static InMemoryOutboxMessage Restore(OutboxMessage row)
    {
        var message = new InMemoryOutboxMessage
        {
            SequenceNumber = row.SequenceNumber,
            MessageId = row.MessageId,
            ConversationId = row.ConversationId,
            CorrelationId = row.CorrelationId,
            InitiatorId = row.InitiatorId,
            RequestId = row.RequestId,
            SourceAddress = row.SourceAddress,
            DestinationAddress = row.DestinationAddress,
            ResponseAddress = row.ResponseAddress,
            FaultAddress = row.FaultAddress,
            SentTime = row.SentTime,
            EnqueueTime = row.EnqueueTime,
            ExpirationTime = row.ExpirationTime is { } expires ? DateTime.SpecifyKind(expires, DateTimeKind.Utc) : null,
            ContentType = row.ContentType,
            MessageType = row.MessageType,
            Body = row.Body,
            Headers = row.Headers,
            Properties = row.Properties,
        };
        message.Deserialize(SystemTextJsonMessageSerializer.Instance);
        return message;
    }

    private static DateTime? Utc(DateTime? time) => time is { } value ? SqlCommandExtensions.Utc(value) : null;

    private static string? Text(DbDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetString(at);

    private static Guid? Id(DbDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetGuid(at);

    private static DateTime? Time(DbDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetDateTime(at);

    private static Uri? Address(DbDataReader reader, int at) => reader.IsDBNull(at) ? null : ReadAddress(reader.GetString(at));

    /// <summary>One row with an address that is none must not keep the others from being read: it becomes a relative one, which the send refuses.</summary>
    public static Uri ReadAddress(string stored) =>
        Uri.TryCreate(stored, UriKind.Absolute, out var address) ? address : new Uri(Uri.EscapeDataString(stored), UriKind.Relative);
}
